// What a case can be judged by: its decisions with reasons and features, what the entity did, and how
// its earlier cases ended.
import type {
  CaseGroup,
  DecisionRow as KnownRow,
  StoredDecision,
} from '../../../decisions/index.ts'
import { formatFeatureValue, sayFeature } from '../../../features/index.ts'
import { isAssayError } from '../../../lib/errors.ts'
import { MINUTE_US } from '../../../lib/time.ts'
import type { CaseEvidence } from '../../contract/index.ts'
import { time } from '../present.ts'
import type { Rooms } from '../rooms.ts'
import { NEIGHBOUR_REACH_US, neighboursOf } from './case-neighbours.ts'
import { featuresOf, rowView } from './decisions.ts'

const DECISIONS_SHOWN = 10
const RECENT_SHOWN = 30
const PAST_SHOWN = 10

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
            fromUs: untilUs - NEIGHBOUR_REACH_US,
            untilUs,
            limit: RECENT_SHOWN,
          })
        ).rows
  return {
    decisions: await Promise.all(
      alerts.toReversed().map(({ decision }) => decisionEvidence(rooms, decision)),
    ),
    recent: recent.map((row) => rowView(rooms, row)),
    neighbours: await neighboursOf(rooms, group, recent, untilUs),
    past: await pastCases(rooms, group),
  }
}

async function decisionEvidence(
  rooms: Rooms,
  row: KnownRow,
): Promise<CaseEvidence['decisions'][number]> {
  const { namespace, policy, eventId } = row
  let stored: StoredDecision
  try {
    stored = await rooms.decide.decision({ namespace, policy, eventId })
  } catch (error) {
    // What the list knows of it stays; the rest went with its record.
    if (!isAssayError(error, 'decision_expired')) throw error
    return { decision: rowView(rooms, row), rules: [], reasons: [error.detail], features: [] }
  }
  const { record, featureNames } = stored
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
