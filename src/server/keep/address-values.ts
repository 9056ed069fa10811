// An address holds text alone; a body says by itself what is a number and what is a text, and is taken as it is.
import type { TSchema } from '@sinclair/typebox'

/** The values of an address, each as the type that its schema names. What cannot be read so stays a text. */
export function readAddress(values: object, schema: TSchema | undefined): void {
  const types = (schema?.['properties'] ?? {}) as Readonly<Record<string, { type?: string }>>
  for (const [name, value] of Object.entries(values)) {
    if (typeof value !== 'string') continue
    Object.assign(values, { [name]: readAs(types[name]?.type, value) })
  }
}

function readAs(type: string | undefined, text: string): unknown {
  if (type === 'boolean') return text === 'true' ? true : text === 'false' ? false : text
  if (type !== 'integer' && type !== 'number') return text
  const value = Number(text)
  return text.trim() === '' || !Number.isFinite(value) ? text : value
}
