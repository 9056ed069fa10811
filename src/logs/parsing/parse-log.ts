// A whole log: its lines into records, their messages into templates and parameters.
import type { LineFlaw, LogSource } from '../sources/port.ts'
import { type FormatChange, RecordReader } from '../sources/records.ts'
import { CONTENT, type HeaderFormat, parseHeaderFormat } from './header.ts'
import type { LogGroup } from './parser.ts'
import type { Parameter, Templates } from './templates.ts'

export interface ParsedLine {
  /** From 1 on, of all lines of the log. */
  readonly line: number
  /** Of the header, by name, without the message. */
  readonly fields: Readonly<Record<string, string>>
  readonly message: string
  /** Lines that go on with it (a stack trace, an indented list), as far as `CONTINUED_MAX` lets them. */
  readonly continued: readonly string[]
  readonly id: string
  readonly template: string
  readonly parameters: readonly Parameter[]
}

export interface RejectedLine {
  readonly line: number
  readonly reason: string
  readonly text: string
}

export interface ParseLogOptions {
  readonly templates: Templates
  /** The header, as the settings of Drain write it; recognised by default. */
  readonly format?: string | undefined
  /** In the order of the log. Awaited, so that a slow reader slows the parser down. */
  readonly write: (lines: readonly ParsedLine[]) => Promise<void> | void
  readonly reject: (lines: readonly RejectedLine[]) => Promise<void> | void
  /**
   * So many records wait before the first is written, because templates are learnt most from the first ones:
   * within the window all lines of one statement have one id. Default 100,000, or 64 million characters.
   */
  readonly windowMax?: number
}

export interface ParseLogSummary {
  readonly lines: number
  readonly parsed: number
  readonly continued: number
  readonly rejected: number
  /**
   * Lines that were too long, had bytes that are no text, or control characters: parsed as far as they go.
   * `broken` ones are in no other count.
   */
  readonly flawed: Readonly<Record<LineFlaw['kind'], number>>
  /** Of a header that was recognised; `declared` otherwise, and `none` of an empty log. */
  readonly format: string
  /** Changes of the format within the log, the first ones. */
  readonly changes: readonly FormatChange[]
  /** What the source said of itself: rotated, truncated, damaged. */
  readonly notices: readonly string[]
  /** The rest of the archive could not be read. */
  readonly isDamaged: boolean
}

/** Characters of the lines that go on with one record; what is more is counted and left out. */
const CONTINUED_MAX = 65_536
const WINDOW_CHARACTERS_MAX = 64_000_000
const NOTICES_MAX = 20

/** A line that goes on with the one before: indented, empty, or an exception with its class. */
const CONTINUATION = /^(?:\s|$|Caused by: |(?:[\w$]+\.)+[\w$]*(?:Exception|Error|Throwable)\b)/

interface Waiting {
  readonly line: number
  readonly fields: Readonly<Record<string, string>>
  readonly message: string
  readonly continued: string[]
  continuedCharacters: number
  readonly group: LogGroup
}

/**
 * Parses a log from its beginning to its end. Every line is parsed, joined to the record that it continues, or
 * rejected, and all three are counted. Errors: `log_format_invalid`, `log_format_unknown`, those of the source.
 */
export async function parseLog(
  source: LogSource,
  { templates, format, write, reject, windowMax = 100_000 }: ParseLogOptions,
): Promise<ParseLogSummary> {
  const reading = format === undefined ? recognised() : declared(parseHeaderFormat(format))
  const flawed = { cut: 0, replaced: 0, binary: 0, broken: 0 }
  const notices: string[] = []
  let [lines, parsed, continued, rejected] = [0, 0, 0, 0]
  let waiting: Waiting[] = []
  let characters = 0
  let isSettled = false
  let isDamaged = false
  const rejects: RejectedLine[] = []

  async function flush(keep: number): Promise<void> {
    const ready = waiting.splice(0, waiting.length - keep)
    characters = 0
    if (ready.length > 0) await write(ready.map((each) => parsedLine(each, templates)))
  }

  function take(line: string): void {
    lines++
    const record = reading.read(line)
    if (record !== undefined) {
      parsed++
      characters += line.length
      const group = templates.add(record.message)
      waiting.push({ line: lines, ...record, continued: [], continuedCharacters: 0, group })
      return
    }
    const last = waiting.at(-1)
    if (last !== undefined && CONTINUATION.test(line)) {
      continued++
      last.continuedCharacters += line.length + 1
      characters += line.length
      if (last.continuedCharacters <= CONTINUED_MAX) last.continued.push(line)
      return
    }
    if (reading.isPart(line)) return
    rejected++
    const reason = last === undefined ? 'no record begins before it' : 'it does not have the header'
    rejects.push({ line: lines, reason, text: line })
  }

  for await (const batch of source.batches()) {
    for (const { kind } of batch.flaws) flawed[kind]++
    for (const { detail } of batch.notices.slice(0, NOTICES_MAX - notices.length)) {
      notices.push(detail)
    }
    isDamaged ||= batch.notices.some(({ kind }) => kind === 'damaged')
    reading.begin(batch.lines)
    for (const line of batch.lines) take(line)
    if (rejects.length > 0) await reject(rejects.splice(0))
    isSettled ||= waiting.length > windowMax || characters > WINDOW_CHARACTERS_MAX
    // The last record stays, for the lines that may go on with it.
    if (isSettled) await flush(1)
  }
  await flush(0)
  return {
    lines,
    parsed,
    continued,
    rejected,
    flawed,
    format: lines === 0 ? 'none' : reading.name(),
    changes: reading.changes(),
    notices,
    isDamaged,
  }
}

function parsedLine(waiting: Waiting, templates: Templates): ParsedLine {
  const { line, fields, message, continued, group } = waiting
  const { id, text } = templates.templateOf(group)
  const parameters = templates.parametersOf(group, message)
  return { line, fields, message, continued, id, template: text, parameters }
}

interface Reading {
  begin(lines: readonly string[]): void
  read(line: string): Pick<Waiting, 'fields' | 'message'> | undefined
  /** Whether a line that gives no record is a part of one that comes. */
  isPart(line: string): boolean
  name(): string
  changes(): readonly FormatChange[]
}

function declared(header: HeaderFormat): Reading {
  const content = header.fields.indexOf(CONTENT)
  return {
    begin: () => {},
    read(line) {
      const values = header.read(line.trim())
      if (values === undefined) return undefined
      const fields: Record<string, string> = {}
      header.fields.forEach((name, i) => {
        if (i !== content) fields[name] = values[i]
      })
      return { fields, message: values[content] }
    },
    isPart: () => false,
    name: () => 'declared',
    changes: () => [],
  }
}

function recognised(): Reading {
  const reader = new RecordReader()
  let unread = 0
  return {
    begin: (lines) => reader.recognise(lines),
    read(line) {
      unread = reader.counts.unread
      return reader.read(line)
    },
    isPart: () => reader.counts.unread === unread,
    name: () => reader.format ?? 'none',
    changes: () => reader.changes,
  }
}
