import { isUtf8 } from 'node:buffer'
import { isAssayError } from '../lib/errors.ts'
import { parseStrictJson } from '../lib/canonical-json.ts'
import {
  createCsvReader,
  fieldText,
  csvField,
  rawBytesMax,
  recordBytesMax,
  recordRaw,
} from './csv.ts'
import { fail } from './errors.ts'
import { notUtf8 } from './event-table.ts'
import { failure, rules, type Failure } from './failures.ts'
import { readChunks, type FileInput } from './inputs.ts'
import type { ParquetRows } from './ports.ts'
import type { QuarantineBatch } from './quarantine.ts'
import type { RowTable } from './row-table.ts'

/** Where readers put rows, and how they tell how far they are. */
export interface RowReading {
  readonly table: RowTable
  readonly refused: Pick<QuarantineBatch, 'add' | 'header'>
  /** Most rows that one ingestion takes. */
  readonly rowsMax: number
  readonly onProgress: (progress: { readonly read: number; readonly bytesRead: number }) => void
  /** Awaited now and then, so that what was read can be put away before more comes. */
  readonly pause?: () => Promise<void>
}

/** The same into the quarantine of an ingestion. */
export interface Reading extends RowReading {
  readonly refused: QuarantineBatch
}

/** Reads a CSV file into the table. Returns how many rows it had, good and bad. */
export async function readCsv(input: FileInput, reading: RowReading): Promise<number> {
  const { table, refused } = reading
  let read = 0
  let headerSeen = false
  const reader = createCsvReader({
    record(record) {
      if (!headerSeen) {
        const names: string[] = []
        for (let field = 0; field < record.count; field++) names.push(fieldText(record, field))
        table.header(names, input.name)
        refused.header = names
        headerSeen = true
        return
      }
      read++
      const failures = table.record(record, read)
      if (failures !== undefined) {
        refused.add({ row: read, line: record.line, ...recordRaw(record) }, failures)
      }
    },
    fault({ rule, line, raw, rawCut }) {
      if (!headerSeen)
        throw fail.header_mismatch(
          `${input.name}: the first line cannot be read as a header. ${rules[rule]}`,
        )
      read++
      refused.add({ row: read, line, raw, rawCut }, [failure(null, rule, null, rules[rule])])
    },
  })
  let bytes = 0
  for await (const chunk of readChunks(input, (bytesRead) => (bytes = bytesRead))) {
    reader.push(chunk)
    checkRows(input.name, read, reading.rowsMax)
    reading.onProgress({ read, bytesRead: bytes })
    await reading.pause?.()
  }
  reader.end()
  if (!headerSeen) throw fail.file_empty(`${input.name} has no header line.`)
  return read
}

/** Reads a file with one JSON object a line into the table; empty lines are skipped. */
export async function readNdjson(input: FileInput, reading: RowReading): Promise<number> {
  const { table, refused } = reading
  let read = 0
  const lines = createLineReader((line) => {
    if (line.text.trim() === '') return
    read++
    const origin = {
      row: read,
      line: line.number,
      raw: line.text.slice(0, rawBytesMax),
      rawCut: line.cut || line.text.length > rawBytesMax,
    }
    if (line.cut) {
      const failed = failure(null, 'line_too_long', null, rules.line_too_long)
      refused.add(origin, [failed])
      return
    }
    if (!line.utf8) {
      refused.add(origin, [notUtf8(null, line.text)])
      return
    }
    const parsed = parseJson(line.text)
    const failures = 'failures' in parsed ? parsed.failures : table.object(parsed.value, read)
    if (failures !== undefined) refused.add(origin, failures)
  })
  let bytes = 0
  for await (const chunk of readChunks(input, (bytesRead) => (bytes = bytesRead))) {
    lines.push(chunk)
    checkRows(input.name, read, reading.rowsMax)
    reading.onProgress({ read, bytesRead: bytes })
    await reading.pause?.()
  }
  lines.end()
  if (read === 0) throw fail.file_empty(`${input.name} has no rows.`)
  return read
}

/** Reads a Parquet file into the table; its values pass through the same checks as text. */
export async function readParquet(
  input: FileInput,
  reading: RowReading,
  parquet: ParquetRows,
): Promise<number> {
  const { table, refused } = reading
  let read = 0
  const { columns, batches } = await parquet.open(input.path)
  table.header(columns, input.name)
  refused.header = columns
  for await (const batch of batches) {
    for (const fields of batch) {
      read++
      const failures = table.fields(fields, read)
      if (failures === undefined) continue
      const raw = fields.map(csvField).join(',')
      const shown = { raw: raw.slice(0, rawBytesMax), rawCut: raw.length > rawBytesMax }
      refused.add({ row: read, line: read, ...shown }, failures)
    }
    checkRows(input.name, read, reading.rowsMax)
    reading.onProgress({ read, bytesRead: input.bytes })
    await reading.pause?.()
  }
  return read
}

/** Reads objects, such as a generator makes, into the table. */
export async function readRecords(
  name: string,
  records: Iterable<unknown> | AsyncIterable<unknown>,
  reading: RowReading,
): Promise<number> {
  const { table, refused } = reading
  let read = 0
  const take = (body: unknown): void => {
    read++
    const failures = table.object(body, read)
    if (failures !== undefined) {
      const raw = JSON.stringify(body) ?? String(body)
      const shown = { raw: raw.slice(0, rawBytesMax), rawCut: raw.length > rawBytesMax }
      refused.add({ row: read, line: read, ...shown }, failures)
    }
    if (read % progressRows === 0) {
      checkRows(name, read, reading.rowsMax)
      reading.onProgress({ read, bytesRead: 0 })
    }
  }
  if (Symbol.iterator in records) {
    for (const body of records) {
      take(body)
      // Other work of the process gets its turn.
      if (read % progressRows === 0) await new Promise((resolve) => setImmediate(resolve))
    }
  } else {
    for await (const body of records) take(body)
  }
  if (read === 0) throw fail.file_empty(`${name} gave no rows.`)
  return read
}

const progressRows = 1 << 15

/** Parses one line as JSON; what is wrong with it comes back as failures of the row. */
export function parseJson(text: string): { value: unknown } | { failures: readonly Failure[] } {
  try {
    return { value: parseStrictJson(text, { maxBytes: recordBytesMax }) }
  } catch (error) {
    if (!isAssayError(error)) throw error
    const rule = error.code === 'json_number_unsafe' ? 'unsafe_integer' : 'json'
    return { failures: [failure(null, rule, null, error.detail)] }
  }
}

function checkRows(name: string, read: number, rowsMax: number): void {
  if (read <= rowsMax) return
  throw fail.dataset_too_large(`${name} has more than ${rowsMax.toLocaleString('en-US')} rows.`)
}

interface Line {
  readonly text: string
  readonly number: number
  readonly cut: boolean
  readonly utf8: boolean
}

/** Splits bytes into lines of at most one mebibyte; the rest of a longer line is dropped. */
function createLineReader(onLine: (line: Line) => void): {
  push(chunk: Buffer): void
  end(): void
} {
  let held: Buffer[] = []
  let heldBytes = 0
  let cut = false
  let number = 0
  const hold = (part: Buffer): void => {
    const room = recordBytesMax - heldBytes
    if (part.length > room) cut = true
    if (room > 0 && part.length > 0) {
      const kept = Buffer.from(part.subarray(0, room))
      held.push(kept)
      heldBytes += kept.length
    }
  }
  const emit = (): void => {
    number++
    const bytes = Buffer.concat(held)
    onLine({ text: bytes.toString('utf8'), number, cut, utf8: isUtf8(bytes) })
    held = []
    heldBytes = 0
    cut = false
  }
  return {
    push(chunk) {
      let at = 0
      for (;;) {
        const found = chunk.indexOf(0x0a, at)
        if (found < 0) break
        hold(chunk.subarray(at, found))
        emit()
        at = found + 1
      }
      hold(chunk.subarray(at))
    },
    end() {
      if (heldBytes > 0) emit()
    },
  }
}
