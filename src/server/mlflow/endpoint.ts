// What an endpoint of MLflow's door is: method, path, request fields, who may ask, and one handler.
// Parsing, the words of refusals and the reference page come from these tables alone.
import type { Readable } from 'node:stream'
import type { Action, ChangeBy, Identity } from '../../access/index.ts'
import type { MlflowRooms } from './rooms.ts'

/** What every field may say besides its kind. */
export interface FieldOptions {
  /** Absent and null are refused as missing, and so are empty texts. */
  readonly required?: boolean
  /** An older name under which clients may send it too. */
  readonly also?: string
}

export interface TextOptions extends FieldOptions {
  /** A rule that the text must keep, see text-rules.ts; it returns what is wrong. */
  readonly rule?: TextRule
}

/** Says what is wrong with a text at a path of the request; undefined where nothing is. */
export type TextRule = (value: string, path: string) => string | undefined

export interface NumberOptions extends FieldOptions {
  readonly min?: number
  readonly max?: number
  /** The value where the request has none. */
  readonly fallback?: number
}

export interface ChoiceOptions<Fallback> extends FieldOptions {
  readonly fallback?: Fallback
}

export interface ListOptions extends FieldOptions {
  readonly itemsMax?: number
  /** What the items of a batch are called where there are too many of them. */
  readonly called?: string
}

export interface TextField extends TextOptions {
  readonly kind: 'text'
}
/** An integer within ±2^53, sent as a number or as digits in a string. */
export interface WholeField extends NumberOptions {
  readonly kind: 'whole'
}
/** Any double, sent as a number, as digits in a string, or as "NaN", "Infinity", "-Infinity". */
export interface NumberField extends NumberOptions {
  readonly kind: 'number'
}
export interface FlagField extends FieldOptions {
  readonly kind: 'flag'
}
/** One of the names of a protobuf enumeration, or its number: the first name has the given one. */
export interface ChoiceField extends ChoiceOptions<string> {
  readonly kind: 'choice'
  readonly names: readonly string[]
  readonly firstNumber: 0 | 1
}
export interface ListField extends ListOptions {
  readonly kind: 'list'
  readonly item: Field
}
export interface RecordField extends FieldOptions {
  readonly kind: 'record'
  readonly fields: Fields
}

export type Field =
  | TextField
  | WholeField
  | NumberField
  | FlagField
  | ChoiceField
  | ListField
  | RecordField

export interface Fields {
  readonly [name: string]: Field
}

export const text = <const O extends TextOptions>(options?: O) =>
  ({ kind: 'text', ...options }) as { readonly kind: 'text' } & O
export const whole = <const O extends NumberOptions>(options?: O) =>
  ({ kind: 'whole', ...options }) as { readonly kind: 'whole' } & O
export const number = <const O extends NumberOptions>(options?: O) =>
  ({ kind: 'number', ...options }) as { readonly kind: 'number' } & O
export const flag = <const O extends FieldOptions>(options?: O) =>
  ({ kind: 'flag', ...options }) as { readonly kind: 'flag' } & O
/** `oneOf(['ACTIVE_ONLY', 'DELETED_ONLY'], { fallback: 'ACTIVE_ONLY' })`; numbers count from one. */
export const oneOf = <const Name extends string, const O extends ChoiceOptions<Name>>(
  names: readonly Name[],
  options?: O,
  firstNumber: 0 | 1 = 1,
) =>
  ({ kind: 'choice', names, firstNumber, ...options }) as {
    readonly kind: 'choice'
    readonly names: readonly Name[]
    readonly firstNumber: 0 | 1
  } & O
export const list = <const Item extends Field, const O extends ListOptions>(
  item: Item,
  options?: O,
) => ({ kind: 'list', item, ...options }) as { readonly kind: 'list'; readonly item: Item } & O
export const record = <const Parts extends Fields, const O extends FieldOptions>(
  fields: Parts,
  options?: O,
) =>
  ({ kind: 'record', fields, ...options }) as {
    readonly kind: 'record'
    readonly fields: Parts
  } & O

export type ValueOf<F> = F extends { readonly kind: 'text' }
  ? string
  : F extends { readonly kind: 'whole' | 'number' }
    ? number
    : F extends { readonly kind: 'flag' }
      ? boolean
      : F extends { readonly kind: 'choice'; readonly names: readonly (infer Name)[] }
        ? Name
        : F extends { readonly kind: 'list'; readonly item: infer Item }
          ? readonly ValueOf<Item>[]
          : F extends { readonly kind: 'record'; readonly fields: infer Parts }
            ? RequestOf<Parts>
            : never

/** Fields that are always there after parsing: required ones, lists, and those with a fallback. */
type Certain =
  | { readonly required: true }
  | { readonly kind: 'list' }
  | { readonly fallback: number | string }

export type RequestOf<F> = {
  readonly [Name in keyof F]: F[Name] extends Certain
    ? ValueOf<F[Name]>
    : ValueOf<F[Name]> | undefined
}

export interface EndpointCall<F = Fields> {
  /** The parsed fields: those of the path, of the query and of the body. */
  readonly request: RequestOf<F>
  readonly rooms: MlflowRooms
  readonly identity: Identity
  /** The identity and the endpoint as the actor and the reason of a change. */
  readonly by: ChangeBy
  /** The body as it comes; undefined unless the endpoint takes a stream. */
  readonly stream: Readable | undefined
  /** Headers of the request in lower case. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
}

/** An answer that is no JSON: bytes as they come, with the headers that say what they are. */
export class StreamAnswer {
  readonly stream: AsyncIterable<Uint8Array>
  readonly headers: Readonly<Record<string, string>>

  constructor(stream: AsyncIterable<Uint8Array>, headers: Readonly<Record<string, string>>) {
    this.stream = stream
    this.headers = headers
  }
}

export interface Endpoint<F extends Fields = Fields> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /**
   * Below /api/2.0 and /ajax-api/2.0: `/mlflow/runs/create`. `:name` is a field in the path, and a
   * closing `*name` the field that takes all the rest of it, decoded.
   */
  readonly path: string
  /** What the identity must be allowed to do. */
  readonly action: Action
  readonly fields: F
  /** What the body is: JSON unless told; a stream is handed on as it comes, of any media type. */
  readonly body?: 'json' | 'stream'
  /** The longest body in bytes; `bodyBytesMax` of limits.ts unless told. */
  readonly bodyBytesMax?: number
  /** A plain object becomes JSON: members that are undefined are left out. */
  handle(call: EndpointCall<F>): Promise<object | StreamAnswer>
}

/** Types the handler's request after the fields. */
export function defineEndpoint<const F extends Fields>(endpoint: Endpoint<F>): Endpoint {
  return endpoint
}

/** An empty list is left out of answers, as protobuf does. */
export function some<Item>(items: readonly Item[]): readonly Item[] | undefined {
  return items.length === 0 ? undefined : items
}
