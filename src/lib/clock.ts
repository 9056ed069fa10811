/**
 * Time as a dependency. Code that needs to know the time is given a `Clock`, so that tests and
 * replays are exact. Nothing but `systemClock` reads the machine's time of day.
 */

/** Tells the time of day in integer microseconds since 1970-01-01 UTC. */
export interface Clock {
  nowUs(): number
}

/** The machine's clock, to the millisecond. It may step backwards; use `monotonicUs` to measure durations. */
export const systemClock: Clock = {
  nowUs: () => Date.now() * 1000,
}

/** A clock that moves only when told to: the clock of tests and of replays. */
export interface ManualClock extends Clock {
  set(us: number): void
  advance(us: number): void
}

export function manualClock(startUs: number): ManualClock {
  let current = checked(startUs)
  return {
    nowUs: () => current,
    set: (us) => {
      current = checked(us)
    },
    advance: (us) => {
      current = checked(current + us)
    },
  }
}

/** Microseconds, with a fraction, since some fixed point: for durations, never for dates. */
export function monotonicUs(): number {
  return performance.now() * 1000
}

function checked(us: number): number {
  if (!Number.isSafeInteger(us)) throw new Error(`A time must be whole microseconds, not ${us}.`)
  return us
}
