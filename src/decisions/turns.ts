// Refuses by age what cannot be answered in time. A request waits where no one sees it, in the socket,
// until the turn of the event loop that reads it; so a request is as old as the turn has been working, and as
// what the turn before left. Bounding the work of a turn bounds that wait.

export interface Turns {
  /** Whether what is read now should be refused; asked once a request. */
  isOver(): boolean
}

export interface TurnOptions {
  readonly nowUs: () => number
  /** Processor time of this thread: where others take the processor away, no refusal gives it back. */
  readonly workedUs: () => number
  /** Calls once the requests that had arrived were all read. */
  readonly atEnd: (end: () => void) => void
}

/** How long a turn may work where each of the last ones was too long. */
const BUSY_US = 10_000
/** How long otherwise, so that a burst after quiet is answered whole. */
const CALM_US = 100_000
/** Too long for so long is busy. */
const INTERVAL_US = 100_000
/** A loop that waited so long had nothing to do. */
const IDLE_US = 1000

/**
 * "Controlled delay" as in Maurer, *Fail at Scale*, ACM Queue 13(8), 2015: a queue that was short within
 * the last interval may grow for as long as the interval; one that never was is kept short.
 */
export function createTurns({ nowUs, workedUs, atEnd }: TurnOptions): Turns {
  let beganUs = Number.NaN
  let endedUs = -Infinity
  let calmUs = -Infinity
  const end = () => {
    endedUs = nowUs()
    if (workedUs() - beganUs <= BUSY_US) calmUs = endedUs
    beganUs = Number.NaN
  }
  return {
    isOver() {
      const now = nowUs()
      const worked = workedUs()
      if (Number.isNaN(beganUs)) {
        beganUs = worked
        if (now - endedUs > IDLE_US) calmUs = now
        atEnd(end)
      }
      return worked - beganUs > (now - calmUs > INTERVAL_US ? BUSY_US : CALM_US)
    },
  }
}
