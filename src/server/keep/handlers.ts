// What a handler is: one function an operation of the contract, typed by its schemas.
import type { Readable } from 'node:stream'
import type { Identity } from '../../access/index.ts'
import type {
  BodyOf,
  OperationName,
  ParamsOf,
  QueryOf,
  ResponseOf,
  Schemas,
} from '../contract/index.ts'

/** Operations that the front door answers itself never reach this process. */
export type KeepOperation = {
  [Name in OperationName]: Schemas[Name] extends { readonly by: 'decide' } ? never : Name
}[OperationName]

/** Operations that need no session. */
export type OpenOperation = {
  [Name in KeepOperation]: Schemas[Name] extends { readonly open: true } ? Name : never
}[KeepOperation]

export interface Call<Name extends OperationName> {
  readonly params: ParamsOf<Name>
  readonly query: QueryOf<Name>
  readonly body: BodyOf<Name>
  /** Of `table` operations: the body where it is no JSON, and what the answer should be. */
  readonly table?: TableCall
  /** Of `upload` operations: the body. */
  readonly upload?: Upload
  /** Who asks; checked before a handler is called. */
  readonly identity: Identity
}

/** A file on its way here, to be read as it comes. */
export interface Upload {
  readonly stream: Readable
  /** Its length as the request declares it; undefined where it does not. */
  readonly bytes: number | undefined
}

export interface TableCall {
  readonly body: { readonly form: 'csv' | 'parquet'; readonly bytes: Uint8Array } | undefined
  readonly as: 'parquet' | 'json'
}

/** An answer that is no JSON: the bytes of a file, with headers that say what it is. */
export class FileAnswer {
  readonly type: string
  readonly bytes: Uint8Array
  readonly headers: Readonly<Record<string, string>>

  constructor(type: string, bytes: Uint8Array, headers: Readonly<Record<string, string>>) {
    this.type = type
    this.bytes = bytes
    this.headers = headers
  }
}

export type Handler<Name extends OperationName> = (
  call: Call<Name>,
) => Promise<
  Schemas[Name] extends { readonly table: true } ? ResponseOf<Name> | FileAnswer : ResponseOf<Name>
>

/** Every operation that this process answers with a view; signing in and out stays with the app. */
export type Handlers = {
  readonly [Name in Exclude<KeepOperation, OpenOperation>]: Handler<Name>
}
