// When a pipeline runs, and over which partitions, as a project writes it.
import { SECOND_US } from '../../lib/time.ts'

/** What happens to the times of a clock that passed while nothing ran. */
export type CatchUp = 'all' | 'last' | 'none'

export type TriggerDeclaration =
  | {
      readonly on: 'cron'
      readonly pattern: string
      readonly timeZone: string
      readonly catchUp: CatchUp
    }
  | { readonly on: 'data'; readonly dataset: string }
  | { readonly on: 'model'; readonly model: string }
  | { readonly on: 'freshness'; readonly maxAgeUs: number; readonly said: string }

/**
 * Runs at the times of a cron pattern (five fields, or six with seconds first), as clocks in
 * `timeZone` show them. `catchUp` says what is done about times that passed while nothing ran: each
 * of them (100 at most), the last one (the default), or none.
 */
export function cron(
  pattern: string,
  options: { readonly timeZone?: string; readonly catchUp?: CatchUp } = {},
): TriggerDeclaration {
  const { timeZone = 'UTC', catchUp = 'last' } = options
  return { on: 'cron', pattern, timeZone, catchUp }
}

/** Runs when a new version of a data set was recorded. */
export function onData(dataset: string): TriggerDeclaration {
  return { on: 'data', dataset }
}

/** Runs when a version of a model was registered. */
export function onModel(model: string): TriggerDeclaration {
  return { on: 'model', model }
}

/** Runs when the newest good run is older than this: an ISO 8601 duration such as `P1D` or `PT6H`. */
export function freshness(maxAge: string): TriggerDeclaration {
  return { on: 'freshness', maxAgeUs: durationUs(maxAge) ?? Number.NaN, said: maxAge }
}

/** An ISO 8601 duration of weeks, days, hours, minutes and seconds; months have no length. */
export function durationUs(text: string): number | undefined {
  const match = /^P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$/.exec(text)
  if (match === null || !/\d/.test(text)) return undefined
  const [weeks = 0, days = 0, hours = 0, minutes = 0, seconds = 0] = match
    .slice(1)
    .map((part: string | undefined) => Number(part ?? 0))
  const whole = (((weeks * 7 + days) * 24 + hours) * 60 + minutes) * 60 + seconds
  return whole === 0 ? undefined : whole * SECOND_US
}

export type PartitionsDeclaration =
  | {
      readonly by: 'hour' | 'day' | 'month'
      readonly from: string
      readonly until: string | null
    }
  | { readonly by: 'list'; readonly keys: readonly string[] }

/**
 * Parts that a pipeline runs over, each with runs of its own. Calendar parts are of UTC; a part
 * exists once it is over, and `until` (exclusive) ends them.
 */
export const partitionBy = {
  /** Keys like `2026-03-01T05`. */
  hour: (options: { readonly from: string; readonly until?: string }) => calendar('hour', options),
  /** Keys like `2026-03-01`. */
  day: (options: { readonly from: string; readonly until?: string }) => calendar('day', options),
  /** Keys like `2026-03`. */
  month: (options: { readonly from: string; readonly until?: string }) =>
    calendar('month', options),
  list: (keys: readonly string[]): PartitionsDeclaration => ({ by: 'list', keys }),
}

function calendar(
  by: 'hour' | 'day' | 'month',
  { from, until }: { readonly from: string; readonly until?: string },
): PartitionsDeclaration {
  return { by, from, until: until ?? null }
}
