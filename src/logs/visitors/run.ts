import type { FileSystem } from '../../lib/files.ts'
import { isAssayError } from '../../lib/errors.ts'
import type { LogRecord } from '../sources/formats.ts'
import type { LogBatch, LogSource, SourceNotice, SourcePlace } from '../sources/port.ts'
import { RecordReader, type RecordOptions, SAMPLE_LINES } from '../sources/records.ts'
import { keepVisitors, keptVisitors } from './state.ts'
import { VisitorStream } from './stream.ts'
import type { VisitorOptions, VisitorResult } from './types.ts'
import { createVisits, visitFields } from './visits.ts'

export interface VisitorRunOptions {
  readonly source: LogSource
  readonly count: VisitorOptions
  readonly read: RecordOptions
  /** Lines that show no format, or not the fields, are held until there are enough of them to say so. */
  readonly isFollowed?: boolean
  /** Told of each record, whether it is a visit or not. */
  readonly onRecord?: (record: LogRecord) => void
  /** Where the count is kept, with the place in the source, and at least how long after the last time. */
  readonly keep?: {
    readonly file: string
    readonly files: FileSystem
    readonly everyUs: number
    /** Microseconds since some fixed point. */
    readonly nowUs: () => number
  }
}

/** What became of lines so far. */
export interface VisitorRunCounts {
  readonly lines: number
  /** Lines that are a request with a time and a visitor. */
  counted: number
  /** Lines that go on with the one before. */
  readonly continued: number
  /** Lines of no known format. */
  readonly unread: number
  /** Records without a readable time, and those that say nothing of who came. */
  readonly timeless: number
  nameless: number
  cut: number
  replaced: number
  binary: number
  /** Lines that had begun where an archive is damaged; in no other count. */
  broken: number
  readonly late: number
  readonly ahead: number
  readonly unplaced: number
  readonly changes: number
}

export interface VisitorStep {
  readonly results: readonly VisitorResult[]
  readonly notices: readonly SourceNotice[]
  /** Nothing more is there for now. */
  readonly isCaughtUp: boolean
}

/**
 * Counts the visitors of a log. What is final comes out step by step; it is kept, with the place behind it, only
 * when the next step is asked for: after a crash the results of the last steps come again, the same ones.
 */
export class VisitorRun {
  readonly reader: RecordReader
  stream: VisitorStream | undefined
  /** Lines that came and wait for others, which may show the format of all. */
  held = 0
  private readonly options: VisitorRunOptions
  private visitOf: ReturnType<typeof createVisits> | undefined
  private readonly flaws = { cut: 0, replaced: 0, binary: 0, broken: 0 }
  private counted = 0
  private nameless = 0
  private place: SourcePlace | undefined
  private keptAtUs = -Infinity
  /** Up to here what was counted is kept: the source is asked for nothing before it again. */
  keptPlace: SourcePlace | undefined

  private constructor(options: VisitorRunOptions, reader: RecordReader) {
    this.options = options
    this.reader = reader
  }

  /** Goes on where it was kept. Errors: those of `keptVisitors`, `log_format_invalid`. */
  static async of(options: VisitorRunOptions): Promise<VisitorRun> {
    const { keep, count, read } = options
    const kept = keep === undefined ? undefined : await keptVisitors(keep.file, count, keep.files)
    const run = new VisitorRun(options, new RecordReader({ ...read, begun: kept?.format }))
    if (kept !== undefined) {
      const { visitor, by } = kept.stream.how
      run.place = kept.place
      run.stream = kept.stream
      run.visitOf = createVisits({ visitor, by })
    }
    return run
  }

  get counts(): VisitorRunCounts {
    const { lines, continued, unread, timeless, changes } = this.reader.counts
    const times = this.stream?.times ?? { late: 0, ahead: 0, unplaced: 0 }
    const { counted, nameless } = this
    return {
      lines,
      counted,
      continued,
      unread,
      timeless,
      nameless,
      ...this.flaws,
      ...times,
      changes,
    }
  }

  /** What the slots that are not final would say now; nothing before the first record. */
  provisional(): VisitorResult[] {
    return this.stream?.provisional() ?? []
  }

  /** Errors: those of the source, `log_format_unknown`, `log_field_unknown`. */
  async *steps(): AsyncGenerator<VisitorStep> {
    let waiting: LogBatch[] = []
    for await (const batch of this.options.source.batches(this.place)) {
      // Looks at a log in which nothing is written must not pile up.
      if (waiting.length > 0 && isQuiet(batch) && isQuiet(waiting.at(-1)!)) waiting.pop()
      waiting.push(batch)
      this.held += batch.lines.length
      if (!this.isReady(waiting)) {
        if (batch.isCaughtUp) yield { results: [], notices: [], isCaughtUp: true }
        continue
      }
      const results = waiting.flatMap((each) => this.take(each))
      const notices = waiting.flatMap((each) => each.notices)
      waiting = []
      this.held = 0
      yield { results, notices, isCaughtUp: batch.isCaughtUp }
      await this.keepNow(false)
    }
    if (waiting.length > 0) {
      // Without a line there is nothing to recognise; what the source says of itself is told all the same.
      this.isReady(waiting, true)
      const results = waiting.flatMap((each) => this.take(each))
      yield { results, notices: waiting.flatMap((each) => each.notices), isCaughtUp: true }
    }
    if (this.options.keep === undefined) {
      yield { results: this.stream?.end() ?? [], notices: [], isCaughtUp: true }
      return
    }
    await this.keepNow(true)
    yield { results: this.provisional(), notices: [], isCaughtUp: true }
  }

  private take({ lines, flaws, place }: LogBatch): VisitorResult[] {
    for (const { kind } of flaws) this.flaws[kind]++
    const results: VisitorResult[] = []
    const { reader, stream, visitOf } = this
    for (const line of lines) {
      const record = reader.read(line)
      if (record === undefined) continue
      this.options.onRecord?.(record)
      const visit = visitOf!(record)
      if (visit === undefined) {
        if (record.timeUs !== undefined) this.nameless++
        continue
      }
      this.counted++
      const final = stream!.add(visit)
      if (final.length > 0) results.push(...final)
    }
    this.place = place
    return results
  }

  /** Finds format and fields by the first lines; few lines may not show them yet. */
  private isReady(waiting: readonly LogBatch[], isLast = false): boolean {
    if (this.stream !== undefined) return true
    const lines = waiting.flatMap((batch) => batch.lines)
    if (lines.length === 0) return false
    const { isFollowed = false } = this.options
    const isAll = isLast || lines.length >= SAMPLE_LINES || waiting.at(-1)!.isCaughtUp
    try {
      this.reader.recognise(lines)
      if (!isAll && !this.reader.hasKnownFields) return false
      const names = this.fieldsOf(lines)
      const { count } = this.options
      const fields = visitFields({ visitor: count.visitor, by: count.by }, names)
      this.stream = new VisitorStream({ ...count, ...fields })
      this.visitOf = createVisits(fields)
      return true
    } catch (error) {
      // One line that nobody can read must not end a log in which others follow.
      const mayShow =
        !isAll ||
        (!isLast && isFollowed && !this.reader.hasKnownFields && lines.length < SAMPLE_LINES)
      if (mayShow && isAssayError(error, 'log_format_unknown', 'log_field_unknown')) return false
      throw error
    }
  }

  /** By a reader of its own: lines are counted when they are taken. */
  private fieldsOf(lines: readonly string[]): ReadonlySet<string> {
    const { read } = this.options
    const sample = new RecordReader({ ...read, begun: this.reader.format })
    for (const line of lines.slice(0, 10 * SAMPLE_LINES)) sample.read(line)
    return sample.fields
  }

  private async keepNow(isLast: boolean): Promise<void> {
    const { keep } = this.options
    if (keep === undefined || this.stream === undefined || this.place === undefined) return
    if (!isLast && keep.nowUs() - this.keptAtUs < keep.everyUs) return
    const { stream, place } = this
    await keepVisitors(keep.file, { stream, place, format: this.reader.format }, keep.files)
    this.keptAtUs = keep.nowUs()
    this.keptPlace = place
  }
}

function isQuiet({ lines, notices }: LogBatch): boolean {
  return lines.length === 0 && notices.length === 0
}
