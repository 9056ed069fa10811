import type { CsvRecord } from './csv.ts'
import type { Failure } from './failures.ts'
import type { Frame, FrameSchema } from './frame.ts'
import type { RowOrigin } from './quarantine.ts'

/**
 * What a reader of files fills: it takes rows in any of the forms that readers produce, checks them
 * and keeps the good ones. There is one for events and one for labels.
 */
export interface RowTable {
  /** Names of the fields that `record` and `fields` will carry. Throws `header_mismatch`. */
  header(names: readonly string[], input: string): void
  /** A CSV record; failures, or undefined where the row was accepted. */
  record(record: CsvRecord, row: number): readonly Failure[] | undefined
  /** A row of text fields; '' is no value. */
  fields(fields: readonly string[], row: number): readonly Failure[] | undefined
  /** A JSON object. */
  object(body: unknown, row: number): readonly Failure[] | undefined
  readonly accepted: number
}

/** A finished table: rows in order of (time, row). */
export interface FinishedTable {
  readonly frame: Frame
  readonly schema: FrameSchema
  readonly fromUs: number | null
  readonly toUs: number | null
}

/** Takes note of a refused row. */
export type Refuse = (origin: RowOrigin, failures: readonly Failure[]) => void
