// OpenAPI 3.1, made from the contract's table of routes: TypeBox schemas are JSON Schema already.
import type { TObject, TSchema } from '@sinclair/typebox'
import { sessionCookie } from '../../access/index.ts'
import { Problem, routes, uploadTypes, type Route } from '../contract/index.ts'

const PARQUET = 'application/vnd.apache.parquet'

export function openApi(version: string): object {
  const paths: Record<string, Record<string, unknown>> = {}
  for (const route of routes) {
    const path = route.path.replaceAll(/:(\w+)/g, '{$1}')
    paths[path] ??= {}
    paths[path][route.method.toLowerCase()] = operation(route)
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Assay',
      version,
      description: 'From raw events to governed, monitored decisions.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    security: [{ key: [] }, { session: [] }],
    paths,
    components: {
      securitySchemes: {
        key: { type: 'http', scheme: 'bearer', description: 'A key: ak_…' },
        session: { type: 'apiKey', in: 'cookie', name: sessionCookie },
      },
      schemas: { Problem },
    },
  }
}

function operation(route: Route): object {
  return {
    operationId: route.name,
    summary: route.summary,
    ...(route.open && { security: [] }),
    parameters: [...parameters('path', route.params), ...parameters('query', route.query)],
    ...(route.body && {
      requestBody: {
        required: true,
        content: route.upload
          ? Object.fromEntries(uploadTypes.map((type) => [type, { schema: route.body }]))
          : {
              'application/json': { schema: route.body },
              ...(route.table && { 'text/csv': {}, [PARQUET]: {} }),
            },
      },
    }),
    responses: {
      200: {
        description: route.summary,
        content: {
          'application/json': { schema: route.response },
          ...(route.exports && { 'text/csv': {} }),
          ...(route.follows && { 'text/event-stream': { schema: route.response } }),
          ...((route.exports ?? route.table) && { [PARQUET]: {} }),
        },
      },
      default: {
        description: 'A problem document (RFC 9457)',
        content: {
          'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } },
        },
      },
    },
  }
}

function parameters(place: 'path' | 'query', schema: TSchema | undefined): object[] {
  if (schema === undefined) return []
  const { properties, required = [] } = schema as TObject
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    schema: property,
  }))
}
