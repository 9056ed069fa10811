/**
 * Where log lines come from. A source gives lines in batches, each with the place behind it: who keeps the place
 * together with what was made of the lines goes on there after a crash, and no line is lost or counted twice.
 *
 * Asking for the next batch says that the one before was taken. A source that others push to (a request, a
 * message of a topic) answers them only then; its place is the topic's offset, or empty where nothing can be
 * read again.
 */
export interface LogSource {
  /** What people know it by. */
  readonly name: string
  /** Lines from a place on, or from the beginning. Errors: `log_source_missing`, `log_place_invalid`. */
  batches(from?: SourcePlace): AsyncIterable<LogBatch>
}

/** A place in a source as JSON; what it means only the source knows. */
export type SourcePlace = Readonly<Record<string, string | number | boolean>>

export interface LogBatch {
  /** Without their line ends. Bounded: what was read at once, and what a line may be long. */
  readonly lines: readonly string[]
  /** What was wrong with lines, which are given all the same, as far as they can be. */
  readonly flaws: readonly LineFlaw[]
  readonly place: SourcePlace
  /** What happened to the source before these lines. */
  readonly notices: readonly SourceNotice[]
  /** Nothing more is there for now. */
  readonly isCaughtUp: boolean
}

export interface LineFlaw {
  /** Of the line, in its batch. */
  readonly index: number
  /**
   * `cut`: it was longer than lines may be, and what is over is left out. `replaced`: bytes are no text in the
   * encoding, and U+FFFD stands for them. `binary`: it has control characters; zeros before it are left out,
   * which a file that was truncated under its writer begins with. `broken`: it had begun where an archive is
   * damaged; nothing of it is given, and its index is behind the lines.
   */
  readonly kind: 'cut' | 'replaced' | 'binary' | 'broken'
}

export interface SourceNotice {
  /**
   * `rotated`: the file has another name now, and the new one is read on. `truncated`: it was emptied in its
   * place. `lost`: what was read before is nowhere to be found, so lines may be missing. `damaged`: the rest of
   * a compressed file cannot be read.
   */
  readonly kind: 'rotated' | 'truncated' | 'lost' | 'damaged'
  readonly detail: string
}

/** Lines that are there already, so many at a time. The place is how many were read. */
export function memorySource(lines: readonly string[], linesAtOnce = 1000): LogSource {
  return {
    name: 'memory',
    // oxlint-disable-next-line typescript/require-await -- The port is asynchronous; memory is not.
    async *batches(from) {
      for (let at = Number(from?.['line'] ?? 0); at < lines.length; at += linesAtOnce) {
        const end = Math.min(at + linesAtOnce, lines.length)
        yield {
          lines: lines.slice(at, end),
          flaws: [],
          place: { line: end },
          notices: [],
          isCaughtUp: end === lines.length,
        }
      }
    },
  }
}
