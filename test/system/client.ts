// A client of the API for tests: a key, the table of routes, and answers held against their schemas.
import { FormatRegistry, TypeRegistry } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { expect } from 'vitest'
import { routes, type OperationName } from '../../src/server/contract/index.ts'
import { parseTimestamp } from '../../src/lib/time.ts'

FormatRegistry.Set('date-time', (text) => parseTimestamp(text) !== undefined)
// The contract's `OneOf` is a plain JSON Schema enum, which TypeBox checks only when told how.
TypeRegistry.Set<{ enum: unknown[] }>('Unsafe', (schema, value) => schema.enum.includes(value))

export interface Request {
  readonly params?: Readonly<Record<string, string | number>>
  readonly query?: Readonly<Record<string, string | number>>
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

export interface Client {
  /** The answer as it comes; one that succeeds is held against its schema. */
  send(name: OperationName, request?: Request): Promise<Response>
  /** The answer of an operation that must succeed. */
  // oxlint-disable-next-line typescript/no-explicit-any
  ask(name: OperationName, request?: Request): Promise<any>
  /** Status and code of an operation that must be refused with a problem document. */
  refusal(name: OperationName, request?: Request): Promise<string>
  get(path: string, headers?: Readonly<Record<string, string>>): Promise<Response>
}

export function createClient(url: string, key: string | undefined): Client {
  const credentials = key === undefined ? {} : { authorization: `Bearer ${key}` }
  const send = async (name: OperationName, request: Request = {}) => {
    const { method } = routeOf(name)
    const { body } = request
    const response = await fetch(`${url}${pathOf(name, request)}`, {
      method,
      headers: {
        ...credentials,
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...request.headers,
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      redirect: 'manual',
    })
    const type = response.headers.get('content-type') ?? ''
    if (response.ok && type.startsWith('application/json')) {
      expectShape(name, await response.clone().json())
    }
    return response
  }
  return {
    send,
    async ask(name, request) {
      const response = await send(name, request)
      const text = await response.text()
      expect(response.status, `${name} ${pathOf(name, request ?? {})}: ${text}`).toBe(200)
      return JSON.parse(text)
    },
    refusal: async (name, request) => refusalOf(await send(name, request)),
    get: (path, headers) =>
      fetch(`${url}${path}`, { headers: { ...credentials, ...headers }, redirect: 'manual' }),
  }
}

/** `404 decision_not_found`, of an answer that must be a problem document. */
export async function refusalOf(response: Response): Promise<string> {
  const text = await response.text()
  expect(response.headers.get('content-type'), text).toMatch(/^application\/problem\+json/)
  const problem = JSON.parse(text) as { status: number; code: string; action: string }
  expect(problem.status).toBe(response.status)
  expect(problem.action).toMatch(/\S/)
  return `${problem.status} ${problem.code}`
}

function expectShape(name: OperationName, answer: unknown): void {
  const { response } = routeOf(name)
  const errors = [...Value.Errors(response, answer)].slice(0, 5)
  expect(
    errors.map(({ path, message, value }) => `${path}: ${message}, got ${JSON.stringify(value)}`),
    `the answer of ${name}`,
  ).toEqual([])
}

function routeOf(name: OperationName) {
  return routes.find((route) => route.name === name)!
}

function pathOf(name: OperationName, { params = {}, query = {} }: Request): string {
  const path = routeOf(name).path.replaceAll(/:(\w+)/g, (_, part: string) =>
    encodeURIComponent(String(params[part])),
  )
  const search = new URLSearchParams(
    Object.entries(query).map(([key, value]) => [key, String(value)]),
  ).toString()
  return search === '' ? path : `${path}?${search}`
}
