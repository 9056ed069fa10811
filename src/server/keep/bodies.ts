// The validator of requests reads "5" in an address as 5, and does so in bodies too: of a choice
// between plain types it takes the first that a value can be turned into, so null became 0 and 5 the
// text "5" (https://ajv.js.org/coercion.html). One list of types leaves a value that fits one of them.
import type { TSchema } from '@sinclair/typebox'

/** The same body, where each choice between plain types is one list of types. */
export function asSent(body: TSchema): TSchema {
  return rewritten(body) as TSchema
}

const plainTypes: readonly unknown[] = ['string', 'number', 'integer', 'boolean', 'null']

interface Plain {
  readonly type: string
  readonly enum?: readonly unknown[]
}

function rewritten(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(rewritten)
  if (typeof schema !== 'object' || schema === null) return schema
  const { anyOf, ...rest } = schema as { readonly anyOf?: readonly unknown[] }
  const choices = anyOf?.every(isPlain) === true ? anyOf : undefined
  if (choices === undefined) {
    return Object.fromEntries(Object.entries(schema).map(([key, each]) => [key, rewritten(each)]))
  }
  // What else each says (a format, a least) speaks of values of its own type alone; an enum does not.
  const type = choices.map((each) => each.type)
  const values = choices.find((each) => each.enum !== undefined)?.enum
  return {
    ...Object.assign({}, ...choices),
    ...rest,
    type,
    ...(values !== undefined && type.includes('null') && { enum: [...values, null] }),
  }
}

function isPlain(schema: unknown): schema is Plain {
  const { type, const: only } = schema as { readonly type?: unknown; readonly const?: unknown }
  return plainTypes.includes(type) && only === undefined
}
