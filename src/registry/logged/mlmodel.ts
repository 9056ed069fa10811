/**
 * The `MLmodel` file in which MLflow's client says what it logged: YAML with a section a flavor and
 * the signature as JSON texts (mlflow/models/model.py, mlflow/types/schema.py). It comes from
 * outside: its length, nesting, tokens and aliases are bounded, and what it holds is data.
 */
import { createRequire } from 'node:module'
import type { Document } from 'yaml'
import { loggedErrors } from './errors.ts'

export interface Mlmodel {
  /** Settings by flavor, such as `xgboost` and `python_function`. */
  readonly flavors: ReadonlyMap<string, Readonly<Record<string, unknown>>>
  readonly signature: Signature | undefined
  /** Of the client that wrote it, where it says so. */
  readonly mlflowVersion: string | undefined
}

export interface Signature {
  readonly inputs: readonly SignatureColumn[]
  readonly outputs: readonly SignatureColumn[]
}

export interface SignatureColumn {
  /** Undefined where the column has none; a tensor may have one too. */
  readonly name: string | undefined
  /** In MLflow's words: `double`, `long`, `string`, …; of a tensor that of its numbers, as `float32`. */
  readonly type: string
  /** Of a tensor; −1 where a length is open. */
  readonly shape: readonly number[] | undefined
  readonly required: boolean
}

export const mlmodelLimits = {
  bytes: 1024 * 1024,
  nesting: 32,
  /** Tokens of YAML, of which a signature, being one text, is one. */
  tokens: 50_000,
  columns: 20_000,
} as const

/** Loaded when the first file is read: it is of 72 modules, which a start need not wait for. */
const yaml = (): typeof import('yaml') => require('yaml')
const require = createRequire(import.meta.url)

/** Error: `mlmodel_invalid`, which says what is wrong. */
export function parseMlmodel(bytes: Uint8Array): Mlmodel {
  if (bytes.length > mlmodelLimits.bytes) {
    throw invalid(`it has ${bytes.length} bytes, and at most ${mlmodelLimits.bytes} are read`)
  }
  const document = yamlOf(textOf(bytes))
  if (!isRecord(document)) throw invalid('it is no list of names and values')
  const sections = document['flavors']
  if (!isRecord(sections)) throw invalid('it names no flavors')
  const flavors = Object.entries(sections).filter(
    (entry): entry is [string, Record<string, unknown>] => isRecord(entry[1]),
  )
  const version = document['mlflow_version']
  return {
    flavors: new Map(flavors),
    signature: signatureOf(document['signature']),
    mlflowVersion: typeof version === 'string' ? version : undefined,
  }
}

function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw invalid('it is not UTF-8')
  }
}

function yamlOf(text: string): unknown {
  refuseDeep(text)
  refuseLong(text)
  try {
    const document = yaml().parseDocument(text, {
      // Only JSON's types.
      schema: 'core',
      logLevel: 'error',
      merge: false,
      // The library's own search for a key that is there twice, and for the line of each mistake,
      // takes time that grows with the square of the length.
      uniqueKeys: false,
      prettyErrors: false,
    })
    const [mistake] = document.errors
    if (mistake !== undefined) throw mistake
    refuseKeysTwice(document)
    // No aliases: no client writes them, and they make small files large.
    return document.toJS({ maxAliasCount: 0 })
  } catch (cause) {
    throw invalid(`it is no YAML that is read here (${(cause as Error).message.slice(0, 200)})`)
  }
}

function refuseKeysTwice(document: Document): void {
  yaml().visit(document, {
    Map(_, { items }) {
      const seen = new Set<string>()
      for (const { key } of items) {
        const name = String(key)
        if (seen.has(name)) throw new Error(`The key ${name.slice(0, 100)} is there twice`)
        seen.add(name)
      }
    },
  })
}

/**
 * The reader of YAML calls itself for each level. Levels are opened by brackets, by further
 * indentation and by dashes or question marks one after another; more of them than this counts there
 * are not.
 */
function refuseDeep(text: string): void {
  let brackets = 0
  let deepest = 0
  for (const line of text.split('\n')) {
    const [, indent, marks] = /^( *)((?:[-?:] +)*)/.exec(line)!
    const indicators = marks.replaceAll(' ', '').length
    for (const character of line) {
      if (character === '[' || character === '{') brackets++
      // Never below 0, whatever strings hold.
      else if ((character === ']' || character === '}') && brackets > 0) brackets--
      deepest = Math.max(deepest, brackets)
    }
    deepest = Math.max(deepest, indicators + Math.floor(indent.length / 2))
  }
  if (deepest > mlmodelLimits.nesting) {
    throw invalid(`it is nested deeper than ${mlmodelLimits.nesting}`)
  }
}

/** A token becomes an object or a mistake: a megabyte of dashes would take seconds. */
function refuseLong(text: string): void {
  let tokens = 0
  for (const _ of new (yaml().Lexer)().lex(text)) {
    if (++tokens > mlmodelLimits.tokens) {
      throw invalid(`it has more than ${mlmodelLimits.tokens} tokens`)
    }
  }
}

function signatureOf(value: unknown): Signature | undefined {
  if (!isRecord(value)) return undefined
  return { inputs: columnsOf(value['inputs']), outputs: columnsOf(value['outputs']) }
}

/** A signature is for people and for names; one that is not understood is none. */
function columnsOf(value: unknown): SignatureColumn[] {
  const list = typeof value === 'string' ? jsonOf(value) : value
  if (!Array.isArray(list)) return []
  return list.slice(0, mlmodelLimits.columns).flatMap((column) => {
    if (!isRecord(column)) return []
    const { name, type, required } = column
    const tensor = isRecord(column['tensor-spec']) ? column['tensor-spec'] : undefined
    const kind = tensor?.['dtype'] ?? type
    if (typeof kind !== 'string') return []
    const shape = tensor?.['shape']
    return [
      {
        name: typeof name === 'string' ? name : undefined,
        type: kind,
        shape: Array.isArray(shape) && shape.every(Number.isSafeInteger) ? shape : undefined,
        required: required !== false,
      },
    ]
  })
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function invalid(why: string): Error {
  return loggedErrors.mlmodel_invalid(`The MLmodel file cannot be read: ${why}.`)
}
