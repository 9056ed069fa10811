import { isUtf8 } from 'node:buffer'

/**
 * A streaming reader of comma-separated files (RFC 4180) over bytes: quoted fields with doubled
 * quotes and line breaks inside, LF and CRLF, a last line with or without a break. It holds at most
 * one record and one chunk, whatever the file: a record longer than the limit is reported, skipped
 * and forgotten. Where a quote is never closed, or text follows it, only the physical line on which
 * the record starts is given up, so that one stray quote does not swallow the rows after it.
 *
 * Beyond the RFC: another sign may part the fields, quotes inside an unquoted field are plain
 * characters, and empty lines are skipped.
 */
export interface CsvReader {
  /** Takes the next bytes. They must not change until the next call. */
  push(chunk: Uint8Array): void
  /** Says that there are no more bytes. */
  end(): void
}

/**
 * The record being read. One object is reused for all records: use it within the callback.
 * Field f lies at bytes[starts[f], ends[f]), without its quotes.
 */
export interface CsvRecord {
  bytes: Buffer
  starts: Uint32Array
  ends: Uint32Array
  /** 1 where the field holds doubled quotes, which `fieldText` undoes. */
  doubled: Uint8Array
  /** Number of fields; those beyond 4,096 are counted, not kept. */
  count: number
  /** The whole record, quotes and all, without its line break. */
  rawStart: number
  rawEnd: number
  /** Physical line on which the record starts, from 1. */
  line: number
  /** Whether any field was quoted, so that the record may hold line breaks. */
  quoted: boolean
}

export interface CsvFault {
  readonly rule: 'line_too_long' | 'quote'
  readonly line: number
  /** The line from its start, cut at 4 KiB. */
  readonly raw: string
  readonly rawCut: boolean
}

export interface CsvHandlers {
  record(record: CsvRecord): void
  fault(fault: CsvFault): void
}

/** Longest record, in bytes. */
export const recordBytesMax = 1 << 20
/** How much of a faulty line is kept, in bytes. */
export const rawBytesMax = 4096
const fieldsMax = 4096

const quote = 0x22
const lf = 0x0a
const cr = 0x0d

const incomplete = -1
const malformed = -2

export function createCsvReader(
  handlers: CsvHandlers,
  bytesMax = recordBytesMax,
  delimiter = ',',
): CsvReader {
  const comma = delimiter.charCodeAt(0)
  const record: CsvRecord = {
    bytes: Buffer.alloc(0),
    starts: new Uint32Array(fieldsMax),
    ends: new Uint32Array(fieldsMax),
    doubled: new Uint8Array(fieldsMax),
    count: 0,
    rawStart: 0,
    rawEnd: 0,
    line: 1,
    quoted: false,
  }
  let pending: Buffer = Buffer.alloc(0)
  let skipping = false
  let line = 1

  function consume(chunk: Buffer, atEnd: boolean): void {
    const bytes = pending.length === 0 ? chunk : Buffer.concat([pending, chunk])
    let at = 0
    while (at < bytes.length) {
      if (skipping) {
        const next = afterLine(bytes, at)
        if (next === incomplete) {
          at = bytes.length
          break
        }
        skipping = false
        line++
        at = next
        continue
      }
      const next = takeRecord(bytes, at, atEnd)
      if (next === incomplete) break
      at = next
    }
    // A copy, so that the chunk's memory can be used again.
    pending = at < bytes.length ? Buffer.from(bytes.subarray(at)) : Buffer.alloc(0)
  }

  /** Handles the record at `from` and returns where the next starts, or `incomplete`. */
  function takeRecord(bytes: Buffer, from: number, atEnd: boolean): number {
    record.bytes = bytes
    const next = scanRecord(record, from, atEnd, comma)
    const length = (next < 0 ? bytes.length : next) - from
    if (next === malformed || length > bytesMax) return giveUpLine(bytes, from, atEnd)
    if (next === incomplete) return incomplete
    record.line = line
    line += record.quoted ? linesIn(record, next) : 1
    if (record.rawEnd > record.rawStart) handlers.record(record)
    return next
  }

  /** Gives up the physical line at `from`: the record it starts is too long or badly quoted. */
  function giveUpLine(bytes: Buffer, from: number, atEnd: boolean): number {
    const found = bytes.indexOf(lf, from)
    const length = (found < 0 ? bytes.length : found + 1) - from
    if (found < 0 && !atEnd && length <= bytesMax) return incomplete
    const tooLong = length > bytesMax
    const lineEnd = found < 0 ? bytes.length : found
    const rawEnd = Math.min(lineEnd, from + Math.min(rawBytesMax, bytesMax))
    handlers.fault({
      rule: tooLong ? 'line_too_long' : 'quote',
      line,
      raw: bytes.toString('utf8', from, withoutReturn(bytes, from, rawEnd)),
      rawCut: rawEnd < lineEnd,
    })
    if (found < 0) {
      skipping = true
      return bytes.length
    }
    line++
    return found + 1
  }

  return {
    push: (chunk) => consume(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength), false),
    end: () => consume(Buffer.alloc(0), true),
  }
}

/** The text of a field of the record, with doubled quotes undone. */
export function fieldText(record: CsvRecord, field: number): string {
  const text = record.bytes.toString('utf8', record.starts[field], record.ends[field])
  return record.doubled[field] === 1 ? text.replaceAll('""', '"') : text
}

/** Whether a field whose text is given was UTF-8; what was not reads as U+FFFD. */
export function isFieldUtf8(record: CsvRecord, field: number, text: string): boolean {
  if (!text.includes('\ufffd')) return true
  return isUtf8(record.bytes.subarray(record.starts[field], record.ends[field]))
}

/** The record as it came, cut at 4 KiB. */
export function recordRaw(record: CsvRecord): { raw: string; rawCut: boolean } {
  const end = Math.min(record.rawEnd, record.rawStart + rawBytesMax)
  return {
    raw: record.bytes.toString('utf8', record.rawStart, end),
    rawCut: end < record.rawEnd,
  }
}

/** Writes a field so that the reader gives it back; for tests, exports and generated files. */
export function csvField(text: string): string {
  return /^$|[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

/**
 * Finds the fields of the record at `from`. Returns where the next record starts, `incomplete`
 * where the bytes end first, `malformed` where quotes are wrong.
 */
function scanRecord(record: CsvRecord, from: number, atEnd: boolean, comma: number): number {
  const { bytes, starts, ends, doubled } = record
  const length = bytes.length
  record.rawStart = from
  record.quoted = false
  let count = 0
  let at = from
  for (;;) {
    let start = at
    let end: number
    let isDoubled = 0
    if (at < length && bytes[at] === quote) {
      record.quoted = true
      start = at + 1
      const close = closingQuote(bytes, start, atEnd)
      if (close < 0) return close
      end = close
      isDoubled = bytes.indexOf(quote, start) < end ? 1 : 0
      at = close + 1
      if (at < length && bytes[at] === cr) {
        if (at + 1 >= length && !atEnd) return incomplete
        if (at + 1 >= length || bytes[at + 1] === lf) at++
      }
      if (at < length && bytes[at] !== comma && bytes[at] !== lf) return malformed
    } else {
      while (at < length) {
        const byte = bytes[at]
        if (byte === comma || byte === lf) break
        at++
      }
      end = at
      // A carriage return belongs to the line break, not to the last field.
      if (at >= length || bytes[at] === lf) end = withoutReturn(bytes, start, end)
    }
    if (at >= length && !atEnd) return incomplete
    if (count < fieldsMax) {
      starts[count] = start
      ends[count] = end
      doubled[count] = isDoubled
    }
    count++
    if (at >= length || bytes[at] === lf) {
      record.count = count
      record.rawEnd = withoutReturn(bytes, from, Math.min(at, length))
      return at >= length ? length : at + 1
    }
    at++
  }
}

/** Position of the quote that closes a field; doubled quotes do not. */
function closingQuote(bytes: Buffer, start: number, atEnd: boolean): number {
  let at = start
  for (;;) {
    const found = bytes.indexOf(quote, at)
    if (found < 0) return atEnd ? malformed : incomplete
    if (found + 1 >= bytes.length) return atEnd ? found : incomplete
    if (bytes[found + 1] !== quote) return found
    at = found + 2
  }
}

function withoutReturn(bytes: Buffer, start: number, end: number): number {
  return end > start && bytes[end - 1] === cr ? end - 1 : end
}

function afterLine(bytes: Buffer, at: number): number {
  const found = bytes.indexOf(lf, at)
  return found < 0 ? incomplete : found + 1
}

/** Physical lines that a record takes: one, and one for each line break inside quotes. */
function linesIn(record: CsvRecord, next: number): number {
  let lines = 1
  let at = record.bytes.indexOf(lf, record.rawStart)
  while (at >= 0 && at < next - 1) {
    lines++
    at = record.bytes.indexOf(lf, at + 1)
  }
  return lines
}
