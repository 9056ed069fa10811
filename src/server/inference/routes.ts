/** The addresses of the door. */
import { inferenceErrors } from './errors.ts'

export type Route =
  | { readonly kind: 'server' | 'live' | 'ready' | 'ping' | 'version' | 'metrics' }
  | { readonly kind: 'invocations' }
  | (Named & { readonly kind: 'model' | 'model-ready' })
  | InferRoute

export type InferRoute = Named & { readonly kind: 'infer' }

interface Named {
  readonly model: string
  readonly version: string | undefined
}

const plain = new Map<string, readonly ['GET' | 'POST', Route]>([
  ['/v2', ['GET', { kind: 'server' }]],
  ['/v2/', ['GET', { kind: 'server' }]],
  ['/v2/health/live', ['GET', { kind: 'live' }]],
  ['/v2/health/ready', ['GET', { kind: 'ready' }]],
  ['/ping', ['GET', { kind: 'ping' }]],
  ['/health', ['GET', { kind: 'ping' }]],
  ['/version', ['GET', { kind: 'version' }]],
  ['/metrics', ['GET', { kind: 'metrics' }]],
  ['/invocations', ['POST', { kind: 'invocations' }]],
])

const MODEL = /^\/v2\/models\/([^/]+)(?:\/versions\/([^/]+))?(?:\/(ready|infer))?\/?$/

/** Addresses that were asked before; most requests ask the same few. */
const known = new Map<string, readonly ['GET' | 'POST', Route]>(plain)
const KNOWN_MAX = 1000

/** Errors: `inference_route_unknown`, `inference_method_wrong`. */
export function routeOf(method: string, url: string): Route {
  const found = known.get(url) ?? search(url)
  const [wanted, route] = found
  if (method === wanted || (method === 'HEAD' && wanted === 'GET')) return route
  throw inferenceErrors.inference_method_wrong(`${method} ${url.slice(0, 200)}: use ${wanted}.`)
}

function search(url: string): readonly ['GET' | 'POST', Route] {
  const query = url.indexOf('?')
  const path = query < 0 ? url : url.slice(0, query)
  const found = plain.get(path) ?? ofModel(path)
  if (found === undefined) {
    throw inferenceErrors.inference_route_unknown(`There is nothing at ${path.slice(0, 200)}.`)
  }
  if (known.size >= KNOWN_MAX) known.clear()
  if (url.length < 300) known.set(url, found)
  return found
}

function ofModel(path: string): readonly ['GET' | 'POST', Route] | undefined {
  const parts = MODEL.exec(path)
  if (parts === null) return undefined
  const [model, version] = [decoded(parts[1]), parts[2] && decoded(parts[2])]
  if (model === undefined) return undefined
  switch (parts[3]) {
    case 'infer':
      return ['POST', { kind: 'infer', model, version }]
    case 'ready':
      return ['GET', { kind: 'model-ready', model, version }]
    default:
      return ['GET', { kind: 'model', model, version }]
  }
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
