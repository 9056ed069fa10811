// A stream of log lines as a project declares it, and as data.
import { parseDuration } from '../../lib/time.ts'
import { fail } from '../errors.ts'
import { parseHeaderFormat } from '../parsing/header.ts'
import { encodings, type Encoding } from '../sources/lines.ts'
import { counting } from '../visitors/counting.ts'
import type { VisitorOptions } from '../visitors/types.ts'

/** A line and when it is written, in microseconds UTC. */
export interface PlayedLine {
  readonly timeUs: number
  readonly line: string
}

/** Where lines come from. */
export type LogStreamFrom =
  /** A file, from the project's folder on; followed through its rotations. */
  | { readonly file: string }
  /** Lines that are sent to the server. */
  | { readonly sent: true }
  /** An example's own lines: those before now at once, later ones as their time comes. Endless, in order of time. */
  | { readonly played: (fromUs: number) => Iterable<PlayedLine>; readonly past: string }

export interface VisitorsDeclaration {
  /** Length of a slot, such as `1m`, `1h`, `1d`. */
  readonly every: string
  /** What a result covers, in whole slots. Default one slot. */
  readonly window?: string
  /** Fields that together tell one visitor from another. Default `client` and `agent`. */
  readonly visitor?: readonly string[]
  /** Fields by which visitors are broken down, at most four. */
  readonly by?: readonly string[]
  /** Keys of a breakdown that a result names. Default 10. */
  readonly top?: number
  /** How far lines may be out of order. Default `5m`. */
  readonly lateness?: string
  /** Requests a minute above which a visitor is taken for a program. Default 60. */
  readonly botRate?: number
  /** Visitors a day for whom the filter of those seen is made. Default 1,000,000. */
  readonly dayVisitors?: number
}

export interface LogStreamOptions {
  readonly title: string
  readonly description?: string
  readonly from: LogStreamFrom
  /** The header of a line, the message as `<Content>`; recognised by default. */
  readonly format?: string
  readonly encoding?: Encoding
  /** The IANA zone of times that name none, and in which days begin. Default UTC. */
  readonly timeZone?: string
  readonly visitors: VisitorsDeclaration
}

export interface LogStreamDeclaration extends LogStreamOptions {
  readonly kind: 'log-stream'
  readonly name: string
}

/** The stream as data. What an example plays is code, and stays with the process that runs the project. */
export interface CompiledLogStream {
  readonly name: string
  readonly title: string
  readonly description: string
  readonly from: { readonly file: string } | { readonly sent: true } | { readonly playedUs: number }
  readonly format: string | null
  readonly encoding: Encoding | null
  readonly timeZone: string
  readonly visitors: VisitorOptions
}

/** Declares a stream of log lines whose visitors are counted and whose messages are parsed. */
export function logStream(name: string, options: LogStreamOptions): LogStreamDeclaration {
  return { kind: 'log-stream', name, ...options }
}

/** Error: `log_stream_invalid`, `log_format_invalid`, `visitors_options_invalid`. */
export function compileLogStream(declaration: LogStreamDeclaration): CompiledLogStream {
  const { name, title, description = '', from, format, encoding, timeZone = 'UTC' } = declaration
  const invalid = (detail: string) => fail.log_stream_invalid(`${name}: ${detail}`)
  if (!/^[a-z0-9][a-z0-9-]{0,39}$/.test(name)) {
    throw invalid('a name has up to 40 lower-case letters, digits and dashes')
  }
  if (encoding !== undefined && !encodings.includes(encoding)) {
    throw invalid(`the encoding is one of ${encodings.join(', ')}, not "${encoding}"`)
  }
  const duration = (member: string, text: string) => {
    try {
      return parseDuration(text)
    } catch (error) {
      throw invalid(`${member}: ${(error as Error).message}`)
    }
  }
  const { every, window, lateness, ...rest } = declaration.visitors
  const visitors: VisitorOptions = {
    ...rest,
    everyUs: duration('visitors.every', every),
    ...(window !== undefined && { windowUs: duration('visitors.window', window) }),
    ...(lateness !== undefined && { latenessUs: duration('visitors.lateness', lateness) }),
    timeZone,
  }
  counting(visitors)
  if (format !== undefined) parseHeaderFormat(format)
  return {
    name,
    title,
    description,
    from: 'played' in from ? { playedUs: duration('from.past', from.past) } : from,
    format: format ?? null,
    encoding: encoding ?? null,
    timeZone,
    visitors,
  }
}
