import type { ObjectRef } from './shapes.ts'

/** The one address of an object on the page. The server uses it too, in search and in lines of text. */
export function objectAddress(object: Pick<ObjectRef, 'kind' | 'id'>): string {
  const parts = object.id.split('/').map(encodeURIComponent)
  const [first = '', second] = parts
  switch (object.kind) {
    case 'decision':
      return `/decisions/${first}/${parts.slice(1).join('%2F')}`
    case 'case':
      return `/cases/${first}`
    case 'dataset':
      return `/data/${first}`
    case 'snapshot':
      return second === undefined ? `/data/${first}` : `/data/${first}?snapshot=${second}`
    case 'feature':
      return `/features/${first}/${parts.slice(1).join('%2F')}`
    case 'feature-set':
      return `/features/${first}`
    case 'run':
      return `/experiments/${first}`
    case 'model':
      return `/models/${first}`
    case 'version':
      return `/models/${first}/${second ?? ''}`
    case 'policy':
      return `/policies/${first}`
    case 'gate':
      return `/governance?gate=${first}`
    case 'pipeline':
      return `/pipelines/${first}`
    case 'audit-entry':
      return `/audit?entry=${first}`
    case 'identity':
      return `/audit?actor=${first}`
    case 'screen':
      return object.id
  }
}
