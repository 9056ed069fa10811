import type { Clock } from '../lib/clock.ts'

/** Less than this is a clock being kept right. */
const JUMP_US = 1_000_000

/**
 * A clock that does not follow another when that is set back: events of now would look as if they were
 * of the future, and be refused. A jump ahead is followed (it may be the correction), and so is a jump
 * back that undoes one. `monotonicUs` measures what really passed; a new start believes the clock again.
 */
export function steadyClock(clock: Clock, monotonicUs: () => number): Clock {
  let saidUs = clock.nowUs()
  let atUs = monotonicUs()
  /** How far jumps ahead were followed, and how far jumps back were not. */
  let followedUs = 0
  let keptUs = 0
  return {
    nowUs() {
      const said = clock.nowUs()
      const at = monotonicUs()
      const jumped = Math.round(said - saidUs - (at - atUs))
      saidUs = said
      atUs = at
      if (jumped > JUMP_US) {
        const undone = Math.min(jumped, keptUs)
        keptUs -= undone
        followedUs += jumped - undone
      } else if (jumped < -JUMP_US) {
        const undone = Math.min(-jumped, followedUs)
        followedUs -= undone
        keptUs += -jumped - undone
      }
      return said + keptUs
    },
  }
}
