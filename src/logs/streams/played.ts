// Lines that an example makes: those of the past at once, later ones as their time comes.
import type { LogBatch, LogSource } from '../sources/port.ts'
import type { PlayedLine } from './declaration.ts'

export interface PlayedOptions {
  /** In order of time, each later than the one before; endless, or not. */
  readonly lines: (fromUs: number) => Iterable<PlayedLine>
  /** Where there is no place yet. */
  readonly fromUs: number
  readonly nowUs: () => number
  /** Resolves when to look at the clock again, false to end. */
  readonly nextLook: () => Promise<boolean>
}

const LINES_AT_ONCE = 1000

/** The place is the time of the last line, so nothing is played twice. */
export function playedSource({ lines, fromUs, nowUs, nextLook }: PlayedOptions): LogSource {
  return {
    name: 'played lines',
    async *batches(from) {
      let placeUs = from === undefined ? fromUs - 1 : Number(from['timeUs'])
      let ready: string[] = []
      const batch = (isCaughtUp: boolean): LogBatch => {
        const lines = ready
        ready = []
        return { lines, flaws: [], notices: [], place: { timeUs: placeUs }, isCaughtUp }
      }
      for (const { timeUs, line } of lines(placeUs + 1)) {
        if (timeUs > nowUs()) {
          yield batch(true)
          while (timeUs > nowUs()) if (!(await nextLook())) return
        } else if (ready.length === LINES_AT_ONCE) {
          yield batch(false)
        }
        ready.push(line)
        placeUs = timeUs
      }
      yield batch(true)
    },
  }
}
