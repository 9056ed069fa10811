import { expect, test } from 'vitest'
import { routes } from '../contract/index.ts'
import { openApi } from './openapi.ts'

interface Operation {
  readonly operationId: string
  readonly security?: object[]
  readonly requestBody?: { readonly content: Record<string, unknown> }
  readonly parameters: { readonly name: string; readonly in: string; readonly required: boolean }[]
  readonly responses: Record<string, { readonly content: Record<string, unknown> }>
}
const document = openApi('1.2.3') as {
  info: { version: string }
  paths: Record<string, Record<string, Operation>>
}

test('every route is one operation, under its method and path', () => {
  expect(document.info.version).toBe('1.2.3')
  for (const route of routes) {
    const path = route.path.replaceAll(/:(\w+)/g, '{$1}')
    const operation = document.paths[path]?.[route.method.toLowerCase()]
    expect(operation?.operationId).toBe(route.name)
    expect(operation?.security, route.name).toEqual(route.open ? [] : undefined)
    expect(operation?.requestBody === undefined, route.name).toBe(route.body === undefined)
    const ofPath = operation?.parameters.filter((each) => each.in === 'path') ?? []
    expect(ofPath.map(({ name }) => name).sort()).toEqual(
      [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]).sort(),
    )
    expect(ofPath.every(({ required }) => required)).toBe(true)
  }
})

test('what may be exported says so, and every operation can answer with a problem', () => {
  const operations = Object.values(document.paths).flatMap((path) => Object.values(path))
  for (const { operationId, responses } of operations) {
    const exports = routes.find(({ name }) => name === operationId)?.exports ?? false
    expect('text/csv' in responses['200'].content, operationId).toBe(exports)
    expect(responses['default'].content).toHaveProperty(['application/problem+json'])
  }
})
