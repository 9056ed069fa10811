// How the values of a feature came about: zero, missing, absent and stale counted apart.
import { formatFeatureValue, type CompiledFeature } from '../../../features/index.ts'
import { durationInWords } from '../../../lib/time.ts'
import { shareOf } from '../../../monitoring/index.ts'
import type { FeaturePresence, Rate } from '../../contract/index.ts'
import { onAir } from '../bank.ts'
import { plural, rate } from '../present.ts'
import type { Rooms } from '../rooms.ts'
import { readsOf, type Reads } from './feature-reads.ts'
import type { Declared } from './features.ts'

type Kind = FeaturePresence['kinds'][number]['kind']

export async function featurePresenceView(
  rooms: Rooms,
  { feature, set }: Declared,
): Promise<FeaturePresence> {
  const { nowUs } = await onAir(rooms)
  const found = await rooms.work.featurePresence({
    set: set.name,
    feature: feature.name,
    untilUs: nowUs,
  })
  const { events, counts, days } = found
  const means = meaningsOf(feature, readsOf(feature.expression))
  const kinds = (Object.keys(means) as Kind[]).flatMap((kind) => {
    const meaning = means[kind]
    return meaning === null
      ? []
      : [{ kind, title: titles[kind], means: meaning, share: shareIn(counts[kind], events) }]
  })
  return {
    sentence:
      events === 0
        ? `There are no events of ${set.source} yet.`
        : `The newest ${plural(events, 'event')} of ${set.source} by the bank’s clock, each as it was decided.`,
    events,
    kinds,
    days: days.map(({ day, counts: each }) => ({ day, counts: { ...each } })),
  }
}

const titles: Readonly<Record<Kind, string>> = {
  value: 'A value',
  zero: 'Zero',
  missing: 'Missing',
  absent: 'Absent',
  stale: 'Stale',
}

/** What each kind says of this feature; null where it has none of that kind. */
function meaningsOf(
  feature: CompiledFeature,
  { keys, rows, staleUs }: Reads,
): Readonly<Record<Kind, string | null>> {
  const otherwise = insteadOfMissing(feature)
  return {
    value: 'Calculated, and not 0.',
    zero: 'Calculated, and 0: a value like any other.',
    missing:
      (keys.length === 0
        ? 'The event lacks what the value is calculated from'
        : 'There was nothing to calculate the value from') +
      (otherwise === null ? '.' : `; the declaration then gives ${otherwise}.`),
    absent: rows ? 'The row that is looked up was not there.' : null,
    stale: staleUs === null ? null : `The row was ${durationInWords(staleUs)} old or older.`,
  }
}

/** The declared value of what is not known, as text; null where it stays missing. */
export function insteadOfMissing(feature: CompiledFeature): string | null {
  const { expression } = feature
  if (expression.op !== 'orElse' || expression.right.op !== 'constant') return null
  return formatFeatureValue(feature, expression.right.value)
}

function shareIn(many: number, n: number): Rate {
  const share = shareOf(many, n)
  return rate(many, n, share === null ? undefined : { low: share.lower, high: share.upper })
}
