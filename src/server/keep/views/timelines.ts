// What the customer and the terminal of a decision did in the thirty days around it.
import type {
  DecisionRecord,
  DecisionRow as KnownRow,
  Sequenced,
} from '../../../decisions/index.ts'
import { DAY_US } from '../../../lib/time.ts'
import type { Decision, DecisionRow } from '../../contract/index.ts'
import { keyColumns } from '../bank.ts'
import { money, plural, time } from '../present.ts'
import type { Rooms } from '../rooms.ts'

const REACH_US = 30 * DAY_US
const EVENTS_MAX = 200

export async function timelinesOf(
  rooms: Rooms,
  record: Sequenced<DecisionRecord>,
  row: DecisionRow,
): Promise<Decision['timelines']> {
  const columns = keyColumns(rooms.project()?.sources[0])
  const timelines: Decision['timelines'] = []
  for (const entity of ['customer', 'terminal'] as const) {
    const column = columns[entity]
    const id = row[entity]
    if (column === undefined || id === null) continue
    const page = await rooms.decisions.query({
      namespace: record.namespace,
      keys: { [column]: id },
      fromUs: record.eventTimeUs - REACH_US,
      untilUs: record.eventTimeUs + REACH_US,
      order: 'newest',
      limit: EVENTS_MAX,
    })
    timelines.push({
      entity,
      id,
      sentence: sentence(page.rows, record.eventTimeUs),
      events: page.rows.toReversed().map((each) => ({
        policy: each.policy,
        eventId: each.eventId,
        at: time(each.eventTimeUs),
        amount:
          each.amountMinor === null || each.currency === null
            ? null
            : money(each.amountMinor, each.currency),
        outcome: each.outcome,
        label: each.label === null ? null : each.label.positive ? 'fraud' : 'genuine',
        isThisOne: each.eventId === record.eventId,
      })),
      truncated: page.next !== null,
    })
  }
  return timelines
}

function sentence(rows: readonly KnownRow[], atUs: number): string {
  const before = rows.filter((row) => row.eventTimeUs < atUs)
  const fraud = before.filter((row) => row.label?.positive).length
  const confirmed = fraud === 0 ? 'none confirmed as fraud so far' : `${fraud} confirmed as fraud`
  return `${plural(before.length, 'live payment')} in the 30 days before, ${confirmed}.`
}
