// Rules that could not be calculated on events, with what CEL said of the last one.
import type { FailingRule as Counted } from '../../../decisions/index.ts'
import { isAssayError } from '../../../lib/errors.ts'
import type { FailingRule } from '../../contract/index.ts'
import { time } from '../present.ts'
import type { Rooms } from '../rooms.ts'

/** Each reason is made again from one record, so only of so many. */
const SHOWN = 20

export function failingRulesView(
  rooms: Pick<Rooms, 'decide'>,
  of: { readonly namespace: string; readonly policy: string },
  counted: readonly Counted[],
): Promise<FailingRule[]> {
  return Promise.all(
    counted.slice(0, SHOWN).map(async ({ rule, n, firstUs, lastUs, lastEventId: eventId }) => ({
      rule,
      n,
      since: time(firstUs),
      last: time(lastUs),
      eventId,
      why: await whyOn(rooms, { ...of, eventId }, rule),
    })),
  )
}

async function whyOn(
  { decide }: Pick<Rooms, 'decide'>,
  key: { readonly namespace: string; readonly policy: string; readonly eventId: string },
  rule: string,
): Promise<string | null> {
  try {
    const { rules } = await decide.explain(key)
    return rules.find(({ name }) => name === rule)?.failed ?? null
  } catch (error) {
    // What decides is away, or the record went by its retention: the count stays true.
    if (isAssayError(error)) return null
    throw error
  }
}
