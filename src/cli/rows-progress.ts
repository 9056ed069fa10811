// Rows that are being worked through, as a person sees them: one line that is written over on a
// terminal, a line now and then where there is none.
import { count, type TextOutput } from './output.ts'

export interface RowsProgress {
  /** Rows done in all, and what share of the work that is, from 0 to 1. */
  at(rows: number, share: number): void
  /** Takes the line away. */
  end(): void
}

export interface RowsProgressOptions {
  readonly output: TextOutput
  /** Microseconds since some fixed point. */
  readonly nowUs: () => number
  /** What was done before, by a run that was broken off: it says nothing of how fast this one is. */
  readonly from?: { readonly rows: number; readonly share: number }
}

const SHOWN_EVERY_US = 200_000
const LINE_EVERY_US = 10_000_000

export function rowsProgress(options: RowsProgressOptions): RowsProgress {
  const { output, nowUs, from = { rows: 0, share: 0 } } = options
  const { interactive } = output
  const startedUs = nowUs()
  let saidUs = startedUs
  let transient = false
  return {
    at(rows, share) {
      const us = nowUs()
      if (us - saidUs < (interactive ? SHOWN_EVERY_US : LINE_EVERY_US)) return
      saidUs = us
      const seconds = (us - startedUs) / 1e6
      const text = progressText(rows, share, { from, seconds })
      if (interactive) output.raw(`\r\u001b[K${output.style('dim', text)}`)
      else output.line(text)
      transient = interactive
    },
    end() {
      if (transient) output.raw('\r\u001b[K')
      transient = false
    },
  }
}

/** `1,240,000 rows, 41 %, 52,000 rows/s, 34 s left`. */
export function progressText(
  rows: number,
  share: number,
  { from, seconds }: { from: { rows: number; share: number }; seconds: number },
): string {
  const perSecond = Math.round((rows - from.rows) / seconds)
  const left = share > from.share ? (seconds * (1 - share)) / (share - from.share) : undefined
  return [
    `${count(rows)} rows`,
    `${Math.floor(100 * Math.min(1, share))} %`,
    `${count(perSecond)} rows/s`,
    ...(left === undefined ? [] : [`${timeText(left)} left`]),
  ].join(', ')
}

function timeText(seconds: number): string {
  const whole = Math.ceil(Math.max(0, seconds))
  if (whole < 60) return `${whole} s`
  if (whole < 3600) return `${Math.ceil(whole / 60)} min`
  return `${Math.floor(whole / 3600)} h ${Math.ceil((whole % 3600) / 60)} min`
}
