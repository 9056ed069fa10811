// What a case can be judged by: its decisions with reasons and features, what the entity did, whom it
// has something in common with, and how its earlier cases ended.
import type { CaseGroup, DecisionRow as KnownRow } from '../../../decisions/index.ts'
import { formatFeatureValue, sayFeature } from '../../../features/index.ts'
import { DAY_US, MINUTE_US } from '../../../lib/time.ts'
import type { CaseEvidence } from '../../contract/index.ts'
import { plural, time } from '../present.ts'
import type { Rooms } from '../rooms.ts'
import { featuresOf, rowView } from './decisions.ts'

const DECISIONS_SHOWN = 10
const RECENT_SHOWN = 30
const PAST_SHOWN = 10
const NEIGHBOURS_SHOWN = 12
/** What an entity shares with others is looked for in so many of its values, each so far. */
const SHARED_VALUES = 8
const DECISIONS_OF_VALUE = 200
const REACH_US = 30 * DAY_US

export async function caseEvidence(rooms: Rooms, group: CaseGroup): Promise<CaseEvidence> {
  const { decisions } = rooms
  const alerts = (await decisions.groupAlerts([group.id], DECISIONS_SHOWN)).get(group.id) ?? []
  const untilUs = Math.max(...alerts.map(({ decision }) => decision.eventTimeUs)) + MINUTE_US
  const own = { [group.column]: group.entity }
  const recent =
    group.entity === ''
      ? []
      : (
          await decisions.query({
            namespace: group.namespace,
            keys: own,
            fromUs: untilUs - REACH_US,
            untilUs,
            limit: RECENT_SHOWN,
          })
        ).rows
  return {
    decisions: await Promise.all(
      alerts.toReversed().map(({ decision }) => decisionEvidence(rooms, decision)),
    ),
    recent: recent.map((row) => rowView(rooms, row)),
    neighbours: await neighbours(rooms, group, recent, untilUs),
    past: await pastCases(rooms, group),
  }
}

async function decisionEvidence(
  rooms: Rooms,
  row: KnownRow,
): Promise<CaseEvidence['decisions'][number]> {
  const { namespace, policy, eventId } = row
  const { record, featureNames } = await rooms.decide.decision({ namespace, policy, eventId })
  const known = featuresOf(rooms)
  return {
    decision: rowView(rooms, row),
    rules: record.reasons.flatMap(({ kind, sentence }) => (kind === 'rule' ? [sentence] : [])),
    reasons: record.reasons.map(({ sentence }) => sentence),
    features: featureNames.map((name, i) => {
      const value = record.features[i] ?? Number.NaN
      const feature = known.get(name)?.feature
      return feature === undefined
        ? { name, words: name, valueText: Number.isNaN(value) ? '–' : String(value) }
        : { name, words: sayFeature(feature, value), valueText: formatFeatureValue(feature, value) }
    }),
  }
}

/**
 * The entities one step away in the graph that events make of their keys: those that met the same
 * terminal, card or counterparty in the thirty days before.
 */
async function neighbours(
  rooms: Rooms,
  group: CaseGroup,
  recent: readonly KnownRow[],
  untilUs: number,
): Promise<CaseEvidence['neighbours']> {
  const found = new Map<string, CaseEvidence['neighbours']['entities'][number]>()
  const shared = sharedValues(group, recent)
  for (const { column, value } of shared) {
    const page = await rooms.decisions.query({
      namespace: group.namespace,
      keys: { [column]: value },
      fromUs: untilUs - REACH_US,
      untilUs,
      limit: DECISIONS_OF_VALUE,
    })
    for (const row of page.rows) {
      const other = row.keys[group.column]
      if (other === undefined || other === group.entity) continue
      const known = found.get(other) ?? {
        column: group.column,
        value: other,
        shared: [],
        decisions: 0,
        declined: 0,
        fraud: 0,
      }
      found.set(other, known)
      const common = `${column} ${value}`
      if (!known.shared.includes(common)) known.shared.push(common)
      known.decisions++
      if (row.outcome === 'decline') known.declined++
      if (row.label?.positive === true) known.fraud++
    }
  }
  const entities = [...found.values()]
    .toSorted((a, b) => b.fraud - a.fraud || b.declined - a.declined || b.decisions - a.decisions)
    .slice(0, NEIGHBOURS_SHOWN)
  return { sentence: neighbourSentence(group, shared.length, [...found.values()]), entities }
}

/** The values of other keys that the entity met most often. */
function sharedValues(group: CaseGroup, recent: readonly KnownRow[]) {
  const times = new Map<string, { column: string; value: string; n: number }>()
  for (const { keys } of recent) {
    for (const [column, value] of Object.entries(keys)) {
      if (column === group.column) continue
      const key = JSON.stringify([column, value])
      const known = times.get(key) ?? { column, value, n: 0 }
      times.set(key, { ...known, n: known.n + 1 })
    }
  }
  return [...times.values()].toSorted((a, b) => b.n - a.n).slice(0, SHARED_VALUES)
}

function neighbourSentence(
  group: CaseGroup,
  shared: number,
  all: readonly { readonly fraud: number }[],
): string {
  if (shared === 0) return 'Its events have no other key that others could share.'
  const withFraud = all.filter(({ fraud }) => fraud > 0).length
  const confirmed = withFraud === 0 ? 'none' : String(withFraud)
  return `${plural(all.length, `other ${group.column}`)} met the same in the 30 days before; ${confirmed} of them with confirmed fraud.`
}

async function pastCases(rooms: Rooms, group: CaseGroup): Promise<CaseEvidence['past']> {
  if (group.entity === '') return []
  const page = await rooms.decisions.groups({
    namespace: group.namespace,
    entity: { column: group.column, value: group.entity },
    order: 'newest',
    limit: PAST_SHOWN + 1,
  })
  const others = page.rows.filter(({ id }) => id !== group.id).slice(0, PAST_SHOWN)
  const alerts = await rooms.decisions.groupAlerts(
    others.map(({ id }) => id),
    100,
  )
  return others.map((past) => {
    const verdicts = (alerts.get(past.id) ?? []).map((each) => each.case.verdict)
    const n = (verdict: string) => verdicts.filter((each) => each === verdict).length
    const parts = [
      n('fraud') > 0 ? `${n('fraud')} fraud` : '',
      n('genuine') > 0 ? `${n('genuine')} genuine` : '',
      n('unsure') > 0 ? `${n('unsure')} can’t tell` : '',
      past.openAlerts > 0 ? `${past.openAlerts} still open` : '',
    ].filter((part) => part !== '')
    return {
      id: past.id,
      openedAt: time(past.openedAtUs),
      alerts: past.alerts,
      sentence: parts.join(', '),
    }
  })
}
