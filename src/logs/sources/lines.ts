// From bytes to lines: bounded, whatever comes, and the same however the bytes were split.
import { isAscii, isUtf8 } from 'node:buffer'
import type { LineFlaw } from './port.ts'

/** UTF-16 is also told by its byte order mark. */
export const encodings = ['utf-8', 'latin-1', 'utf-16le', 'utf-16be'] as const
export type Encoding = (typeof encodings)[number]

export interface LineOptions {
  /** Default UTF-8. A byte order mark at the beginning wins. */
  readonly encoding?: Encoding
  /** Bytes of a line that are kept at most. Default 1 MiB. */
  readonly lineBytesMax?: number
}

export interface SplitLines {
  readonly lines: string[]
  readonly flaws: LineFlaw[]
}

const marks: readonly (readonly [Encoding, Buffer])[] = [
  ['utf-8', Buffer.from([0xef, 0xbb, 0xbf])],
  ['utf-16le', Buffer.from([0xff, 0xfe])],
  ['utf-16be', Buffer.from([0xfe, 0xff])],
]
export const LINE_BYTES_MAX = 1024 * 1024
const LINE_FEED = 10
/** What text does not hold; escape is in coloured logs. */
// oxlint-disable-next-line no-control-regex -- Control characters are what is looked for.
const CONTROL = /[\u0000-\u0008\u000e-\u001a\u001c-\u001f]/
// oxlint-disable-next-line no-control-regex -- As above.
const LEADING_ZEROS = /^\u0000+/

/** Splits one stream of bytes. Memory: one line of `lineBytesMax`, and what is pushed at once. */
export class LineSplitter {
  encoding: Encoding
  /** Bytes behind the last line that was given, from where the stream was begun. */
  taken = 0
  private readonly lineBytesMax: number
  /** The beginning of the line that has not ended yet. */
  private begun: Buffer = Buffer.alloc(0)
  /** Bytes of that line that are over, and are left out. */
  private over = 0
  private held: Buffer = Buffer.alloc(0)
  private isFirst: boolean
  /** The stream begins within a line of which the beginning was given before. */
  private restOfLine: boolean

  /** `from` is where the bytes begin in their stream; `restOfLine`: within a line that was given already. */
  constructor(options: LineOptions = {}, from = 0, restOfLine = false) {
    this.encoding = options.encoding ?? 'utf-8'
    // Even, so that no character of UTF-16 is cut in two.
    this.lineBytesMax = (options.lineBytesMax ?? LINE_BYTES_MAX) & ~1
    this.isFirst = from === 0
    this.taken = from
    this.restOfLine = restOfLine
  }

  /** The lines that end in these bytes. */
  push(bytes: Buffer): SplitLines {
    const out: SplitLines = { lines: [], flaws: [] }
    let data = bytes
    let at = 0
    if (this.over > 0) {
      if (this.held.length > 0) data = Buffer.concat([this.held, bytes])
      const end = this.lineEnd(data, 0)
      if (end < 0) {
        this.leaveOut(data)
        return out
      }
      at = end + this.unit
      this.giveCut(out, at)
    } else if (this.begun.length > 0) data = Buffer.concat([this.begun, bytes])
    if (this.isFirst) {
      // Two bytes tell UTF-16, three a mark of UTF-8; a stream that ends earlier has none.
      if (data.length < 3) {
        this.begun = Buffer.from(data)
        return out
      }
      data = this.withoutMark(data)
    }
    at = this.giveWhole(data, at, out)
    this.keep(data.subarray(at))
    return out
  }

  /** The last line, where the stream ends without a line end. */
  end(): SplitLines {
    const out: SplitLines = { lines: [], flaws: [] }
    if (this.isFirst) {
      const data = this.withoutMark(this.begun)
      this.keep(data.subarray(this.giveWhole(data, 0, out)))
    }
    if (this.over > 0) this.giveCut(out, this.held.length)
    else if (this.begun.length > 0) {
      const line = this.begun
      this.begun = Buffer.alloc(0)
      this.taken += line.length
      this.giveBlock(line, out)
    }
    return out
  }

  /** Instead of `end` where the stream is damaged: half a line is none, and is not taken. */
  breakOff(): SplitLines {
    const hasBegun = this.begun.length > 0 || this.over > 0
    return { lines: [], flaws: hasBegun ? [{ index: 0, kind: 'broken' }] : [] }
  }

  private get unit(): 1 | 2 {
    return this.encoding.startsWith('utf-16') ? 2 : 1
  }

  private withoutMark(data: Buffer): Buffer {
    this.isFirst = false
    for (const [encoding, mark] of marks) {
      if (!data.subarray(0, mark.length).equals(mark)) continue
      this.encoding = encoding
      this.taken += mark.length
      return data.subarray(mark.length)
    }
    return data
  }

  /** Where the next line feed begins, or −1. */
  private lineEnd(data: Buffer, from: number): number {
    if (this.unit === 1) return data.indexOf(LINE_FEED, from)
    const low = this.encoding === 'utf-16le' ? 0 : 1
    for (let at = from; at + 1 < data.length; at += 2) {
      if (data[at + low] === LINE_FEED && data[at + 1 - low] === 0) return at
    }
    return -1
  }

  /** Gives the lines that end in `data`; returns where the rest begins. */
  private giveWhole(data: Buffer, from: number, out: SplitLines): number {
    if (this.unit === 1 && !this.restOfLine && data.length - from <= this.lineBytesMax) {
      const last = data.lastIndexOf(LINE_FEED)
      if (last < from) return from
      this.taken += last + 1 - from
      this.giveBlock(data.subarray(from, last), out)
      return last + 1
    }
    let at = from
    for (let end = this.lineEnd(data, at); end >= 0; end = this.lineEnd(data, at)) {
      const line = data.subarray(at, end)
      this.taken += line.length + this.unit
      at = end + this.unit
      this.giveLine(line, out)
    }
    return at
  }

  private giveLine(line: Buffer, out: SplitLines): void {
    if (this.restOfLine) {
      this.restOfLine = false
      if (line.length === 0) return
      // Its beginning was counted as a line; there is nothing to put the rest to.
      out.flaws.push({ index: out.lines.length, kind: 'cut' })
      out.lines.push('')
      return
    }
    if (line.length > this.lineBytesMax) {
      out.flaws.push({ index: out.lines.length, kind: 'cut' })
      this.giveBlock(line.subarray(0, this.lineBytesMax), out)
    } else this.giveBlock(line, out)
  }

  /** The line whose rest was left out. `ended`: bytes of the last push that belong to it. */
  private giveCut(out: SplitLines, ended: number): void {
    const line = this.begun
    this.taken += line.length + this.over + ended
    this.over = 0
    this.held = Buffer.alloc(0)
    this.begun = Buffer.alloc(0)
    if (this.restOfLine) this.giveLine(line, out)
    else {
      out.flaws.push({ index: out.lines.length, kind: 'cut' })
      this.giveBlock(line, out)
    }
  }

  /** Keeps what has not ended, as much of it as a line may be long. */
  private keep(rest: Buffer): void {
    // A copy: the buffer that it lies in is read into again.
    const isOver = rest.length >= this.lineBytesMax + this.unit
    this.begun = Buffer.from(isOver ? rest.subarray(0, this.lineBytesMax) : rest)
    if (isOver) this.leaveOut(rest.subarray(this.lineBytesMax))
  }

  /** Counts what a line is too long by; half a character waits for its other half. */
  private leaveOut(bytes: Buffer): void {
    const whole = bytes.length - (bytes.length % this.unit)
    this.over += whole
    this.held = Buffer.from(bytes.subarray(whole))
  }

  /** Lines without their last line end, decoded. */
  private giveBlock(block: Buffer, out: SplitLines): void {
    if (this.encoding === 'utf-8' && !isUtf8(block)) return this.giveDamaged(block, out)
    this.giveText(this.decoded(block), out)
  }

  private decoded(block: Buffer): string {
    switch (this.encoding) {
      case 'utf-8':
        return isAscii(block) ? block.toString('latin1') : block.toString('utf8')
      case 'latin-1':
        return block.toString('latin1')
      case 'utf-16le':
        return block.toString('utf16le')
      case 'utf-16be':
        return Buffer.from(block.subarray(0, block.length & ~1))
          .swap16()
          .toString('utf16le')
    }
  }

  /** Only the lines that are no UTF-8 suffer. */
  private giveDamaged(block: Buffer, out: SplitLines): void {
    for (let at = 0; at <= block.length;) {
      const end = block.indexOf(LINE_FEED, at)
      const line = block.subarray(at, end < 0 ? block.length : end)
      if (!isUtf8(line)) out.flaws.push({ index: out.lines.length, kind: 'replaced' })
      this.giveText(line.toString('utf8'), out)
      if (end < 0) return
      at = end + 1
    }
  }

  private giveText(text: string, out: SplitLines): void {
    const first = out.lines.length
    for (const line of text.split('\n')) {
      out.lines.push(line.endsWith('\r') ? line.slice(0, -1) : line)
    }
    if (!CONTROL.test(text)) return
    for (let i = first; i < out.lines.length; i++) {
      if (!CONTROL.test(out.lines[i])) continue
      out.flaws.push({ index: i, kind: 'binary' })
      out.lines[i] = out.lines[i].replace(LEADING_ZEROS, '')
    }
  }
}
