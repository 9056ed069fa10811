// Refuses by age what cannot be answered in time. A request waits where no one sees it, in the socket,
// until the turn of the event loop that reads it; so a request is as old as the turn has been working, and as
// what the turn before left. Bounding the work of a turn bounds that wait.

export interface Turns {
  /** Whether what is read now should be refused; asked once a request. */
  isOver(): boolean
}

export interface TurnOptions {
  /** Processor time of this thread: where others take the processor away, no refusal gives it back. */
  readonly workedUs: () => number
  /** How long the event loop has waited in all because there was nothing to do. */
  readonly idledUs: () => number
  /** Calls once the requests that had arrived were all read. */
  readonly atEnd: (end: () => void) => void
}

/** How long turns may work on average where one follows the other. */
const TURN_US = 7000
/** How much longer in all before they are kept to that, so that a burst after quiet is answered whole. */
const RESERVE_US = 40_000
/** A loop that waited so long had nothing to do. */
const IDLE_US = 1000

/**
 * A leaky bucket: what turns work beyond their time is taken from a reserve, what they leave is put
 * back, and a loop without work has all of it again. Like "controlled delay" as in Maurer, *Fail at
 * Scale*, ACM Queue 13(8), 2015, it lets a queue grow that was empty and keeps short one that never is.
 */
export function createTurns({ workedUs, idledUs, atEnd }: TurnOptions): Turns {
  let beganUs = Number.NaN
  let idledBeforeUs = -Infinity
  let reserveUs = RESERVE_US
  const end = () => {
    const overUs = workedUs() - beganUs - TURN_US
    reserveUs = Math.max(0, Math.min(RESERVE_US, reserveUs - overUs))
    idledBeforeUs = idledUs()
    beganUs = Number.NaN
  }
  return {
    isOver() {
      const worked = workedUs()
      if (Number.isNaN(beganUs)) {
        beganUs = worked
        if (idledUs() - idledBeforeUs > IDLE_US) reserveUs = RESERVE_US
        atEnd(end)
      }
      return worked - beganUs > TURN_US + reserveUs
    },
  }
}
