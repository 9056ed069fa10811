// Records of a log's lines, whatever its format is and becomes.
import { fail } from '../errors.ts'
import {
  declaredFormat,
  isExported,
  JOURNALD,
  lineFormats,
  type LineReader,
  type LogFormat,
  type LogRecord,
} from './formats.ts'
import type { TimeOptions } from './times.ts'

export interface RecordOptions extends Partial<TimeOptions> {
  /** The header, where it is declared; recognised by default. */
  readonly format?: string | undefined
  /** The format that was recognised before, where reading goes on in the middle. */
  readonly begun?: string | undefined
}

export interface LineCounts {
  lines: number
  /** Lines that gave a record, or a part of one. */
  read: number
  /** Lines that go on with the one before: what begins with white space, and empty lines. */
  continued: number
  /** Lines of no format that is known. */
  unread: number
  /** Records without a time that can be read. */
  timeless: number
  /** How often the format of the log changed. */
  changes: number
}

export interface FormatChange {
  /** From 1 on, of all lines. */
  readonly line: number
  readonly from: string
  readonly to: string
}

interface FormatReader extends Pick<LogFormat, 'name' | 'fields'> {
  readonly read: LineReader
}

/** Lines in a row of another format after which the log is said to have changed. */
const CHANGED_AFTER = 5
/** Lines by which a format is recognised. */
export const SAMPLE_LINES = 100
const CHANGES_KEPT = 20

/**
 * Reads lines of a log into records. Without a declared header the format that reads most of the first lines is
 * tried first, and a line that it does not read by the others: where a log changes its format in the middle no
 * line is lost, and the change is said.
 */
export class RecordReader {
  readonly counts: LineCounts = {
    lines: 0,
    read: 0,
    continued: 0,
    unread: 0,
    timeless: 0,
    changes: 0,
  }
  /** The first ones; `counts.changes` has them all. */
  readonly changes: FormatChange[] = []
  /** Names of fields that came, for people who ask for one that there is not. */
  readonly fieldNames = new Set<string>()
  private readonly readers: readonly FormatReader[]
  private readonly exported: FormatReader | undefined
  private current: FormatReader | undefined
  private other = ''
  private otherInRow = 0

  constructor(options: RecordOptions = {}) {
    const times: TimeOptions = {
      timeZone: options.timeZone ?? 'UTC',
      readUs: options.readUs ?? (() => Number.MAX_SAFE_INTEGER),
    }
    const ready = (format: LogFormat): FormatReader => ({ ...format, read: format.reader(times) })
    const { format } = options
    this.readers = format === undefined ? lineFormats.map(ready) : [ready(declaredFormat(format))]
    this.exported = format === undefined ? ready(JOURNALD) : undefined
    if (format !== undefined) this.current = this.readers[0]
    else if (options.begun !== undefined) {
      const all = [...this.readers, this.exported!]
      this.current = all.find(({ name }) => name === options.begun)
    }
  }

  /** Fields that the log can be asked for: those of its format, and those that came. */
  get fields(): ReadonlySet<string> {
    return new Set([...(this.current?.fields ?? []), ...this.fieldNames])
  }

  /** Whether it is known which fields there are before lines of them came. */
  get hasKnownFields(): boolean {
    return this.current?.fields !== undefined
  }

  get format(): string | undefined {
    return this.current?.name
  }

  /** Chooses the format by the first lines. Error: `log_format_unknown`, where none reads any of them. */
  recognise(lines: readonly string[]): void {
    if (this.current !== undefined) return
    const sample = lines.filter((line) => line.trim() !== '').slice(0, SAMPLE_LINES)
    if (sample.length === 0) return
    if (sample.some(isExported)) {
      this.current = this.exported
      return
    }
    const found = this.readers
      .map((reader) => {
        const isRead = sample.map((line) => reader.read(line) !== undefined)
        return { reader, lines: isRead.filter(Boolean).length, first: isRead.indexOf(true) }
      })
      .sort((a, b) => b.lines - a.lines || a.first - b.first)
    if (found[0].lines === 0) {
      const known = lineFormats.map(({ name }) => name).join(', ')
      throw fail.log_format_unknown(
        `None of the first ${sample.length} lines is ${known} or journald's export; the first is "${sample[0].slice(0, 120)}".`,
      )
    }
    this.current = found[0].reader
  }

  /** The record that a line gives or ends; undefined where it gives none, which is counted. */
  read(line: string): LogRecord | undefined {
    const { counts } = this
    counts.lines++
    const { current } = this
    if (current === this.exported && current !== undefined) return this.readExported(line)
    let record = current?.read(line)
    if (record !== undefined) this.otherInRow = 0
    else {
      record = this.readByOthers(line)
      if (this.current === this.exported && this.current !== undefined)
        return this.readExported(line)
    }
    if (record !== undefined) {
      counts.read++
      if (record.timeUs === undefined) counts.timeless++
      this.learnNames(record)
      return record
    }
    if (/^\s|^$|^Caused by: /.test(line)) counts.continued++
    else counts.unread++
    return undefined
  }

  private readExported(line: string): LogRecord | undefined {
    const record = this.exported!.read(line)
    if (record !== undefined) this.learnNames(record)
    // A line of another format among those of a record would be taken for a field's text.
    const other =
      record === undefined && !/^[A-Z_]/.test(line) ? this.readByOthers(line) : undefined
    this.counts.read++
    const given = record ?? other
    if (given !== undefined && given.timeUs === undefined) this.counts.timeless++
    return given
  }

  private readByOthers(line: string): LogRecord | undefined {
    if (this.exported !== undefined && this.current !== this.exported && isExported(line)) {
      this.change(this.exported, this.counts.lines)
      return undefined
    }
    for (const reader of this.readers) {
      if (reader === this.current) continue
      const record = reader.read(line)
      if (record === undefined) continue
      if (this.other !== reader.name) this.otherInRow = 0
      this.other = reader.name
      if (++this.otherInRow >= CHANGED_AFTER) {
        this.change(reader, this.counts.lines - CHANGED_AFTER + 1)
      }
      return record
    }
    return undefined
  }

  private change(to: FormatReader, line: number): void {
    const from = this.current?.name ?? 'none'
    this.current = to
    this.otherInRow = 0
    this.counts.changes++
    if (this.changes.length < CHANGES_KEPT) this.changes.push({ line, from, to: to.name })
  }

  private learnNames({ fields }: LogRecord): void {
    if (this.fieldNames.size >= 200) return
    for (const name in fields) this.fieldNames.add(name)
  }
}
