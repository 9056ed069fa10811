// One feature: declaration as written, lineage, freshness, and how its values are distributed.
import {
  describeFeature,
  formatFeatureValue,
  lineageOf,
  sayFeature,
  type CompiledFeature,
} from '../../../features/index.ts'
import { isAssayError } from '../../../lib/errors.ts'
import { durationInWords } from '../../../lib/time.ts'
import {
  psiAlert,
  shareOf,
  type ColumnReference,
  type DriftFigures,
} from '../../../monitoring/index.ts'
import type { DistributionStats, Feature, FeatureSummary, Rate } from '../../contract/index.ts'
import { onAir } from '../bank.ts'
import { rate, ref, time, timeOrNull, versionRef } from '../present.ts'
import type { Rooms } from '../rooms.ts'
import { insteadOfMissing } from './feature-presence.ts'
import { lookupOf, readsOf, type Reads } from './feature-reads.ts'
import { policiesWith, versionsWith, type Declared, type FeatureFacts } from './features.ts'

export async function featureDetail(
  rooms: Rooms,
  one: Declared,
  summary: FeatureSummary,
  facts: FeatureFacts,
): Promise<Feature> {
  const { feature, set } = one
  const figures = facts.drift.get(feature.name)
  const reference = facts.reference.get(feature.name)
  const reads = readsOf(feature.expression)
  return {
    ...summary,
    owner: set.owner ?? rooms.project()?.owner ?? '',
    setVersion: set.version,
    expression: describeFeature(feature),
    written: writtenOf(rooms, one),
    compiled: JSON.stringify(feature.expression, null, 2),
    reason: reasonOf(feature, reference),
    onMissing: onMissing(feature),
    lineage: await lineageView(rooms, one, facts),
    freshness: await freshnessOf(rooms, one, reads, figures),
    lookup: lookupOf(rooms, set.source, [reads]),
    referencePeriod: facts.referencePeriod,
    reference: reference === undefined ? null : referenceStats(reference),
    live: figures === undefined ? null : liveStats(figures),
    distribution: figures === undefined ? null : distributionOf(figures),
    psiThreshold: figures === undefined ? null : psiAlert,
    overTime: (figures?.overTime ?? []).map(({ startUs, psi, n, mean, counts }) => ({
      at: time(startUs),
      n,
      missing: counts.at(-1) ?? 0,
      mean,
      psi,
      shares: n === (counts.at(-1) ?? 0) ? null : sharesOf(counts),
    })),
    bucket: durationInWords(facts.bucketUs),
  }
}

function writtenOf(rooms: Rooms, { feature, set }: Declared): Feature['written'] {
  const { files, places } = rooms.project()?.declarations ?? { files: [], places: [] }
  const place = places.find((each) => each.set === set.name && each.feature === feature.name)
  const text = files.find(({ path }) => path === place?.file)?.text
  if (place === undefined || text === undefined) return null
  const lines = text.split('\n')
  return {
    file: place.file,
    parts: place.lines.map(({ from, to }) => ({
      line: from,
      text: withoutIndent(lines.slice(from - 1, to)).join('\n'),
    })),
  }
}

function withoutIndent(lines: readonly string[]): string[] {
  const indents = lines
    .filter((line) => line.trim() !== '')
    .map((line) => line.length - line.trimStart().length)
  const indent = Math.min(...indents, Infinity)
  return lines.map((line) => line.slice(Number.isFinite(indent) ? indent : 0))
}

/** A sentence for a usual value, because a template with its placeholders is read by nobody. */
function reasonOf(
  feature: CompiledFeature,
  reference: ColumnReference | undefined,
): Feature['reason'] {
  if (feature.words === null) return null
  const value = exampleValue(feature, reference?.mean ?? null)
  const { zero, missing } = feature.words
  return {
    sentence: sayFeature(feature, value),
    forValue: formatFeatureValue(feature, value),
    zero,
    missing,
  }
}

const exampleValues = { money: 50, count: 3, share: 0.1, duration: 3600, flag: 1, number: 2 }

function exampleValue({ unit }: CompiledFeature, usual: number | null): number {
  if (unit === 'flag' || usual === null || usual === 0) return exampleValues[unit]
  return unit === 'count' ? Math.max(1, Math.round(usual)) : usual
}

function onMissing(feature: CompiledFeature): string {
  const otherwise = insteadOfMissing(feature)
  if (otherwise !== null) return `${otherwise}, by the declaration; so it is never missing.`
  return feature.words?.missing ?? 'Missing: the model takes it as “not known”, not as zero.'
}

async function lineageView(
  rooms: Rooms,
  one: Declared,
  facts: FeatureFacts,
): Promise<Feature['lineage']> {
  const { feature, set } = one
  const { columns, labels, others } = lineageOf(feature, set)
  const versions = await Promise.all(
    versionsWith(set, facts).map(({ model, version }) => rooms.registry.version(model, version)),
  )
  const late = set.labels.filter(({ name }) => labels.includes(name))
  return {
    sources: [
      {
        target: ref('dataset', set.source),
        detail: columns.length === 0 ? 'event time' : columns.join(', '),
      },
      ...others.map((other) => ({
        target: ref('dataset', other.source),
        detail: other.columns.join(', '),
      })),
      ...late.map(({ name, delayUs }) => ({
        target: ref('dataset', name),
        detail: `labels, known ${durationInWords(delayUs)} late where the data do not say`,
      })),
    ],
    models: versions.map((version) => ({
      target: versionRef(version.model, version.version),
      detail: version.status,
    })),
    modelsMore: facts.users.get(set.name)?.more ?? false,
    policies: policiesWith(rooms, one).map(({ name, rules }) => ({
      target: ref('policy', name),
      detail: ['through its model', ...rules.map((rule) => `in the rule ${rule.name}`)].join(', '),
    })),
  }
}

async function freshnessOf(
  rooms: Rooms,
  { feature, set }: Declared,
  reads: Reads,
  figures: DriftFigures | undefined,
): Promise<Feature['freshness']> {
  const bank = await onAir(rooms)
  const newestUs = await newestEventOf(rooms, bank.namespace)
  const behindUs = newestUs === null ? null : Math.max(0, bank.nowUs - newestUs)
  return {
    sentence:
      behindUs === null
        ? `No event of ${set.source} has come yet.`
        : `The newest event of ${set.source} is ${approximately(behindUs)} old by the bank’s clock.`,
    newestEventAt: timeOrNull(newestUs),
    missing: figures === undefined ? null : missingOf(figures),
    missingMeans: missingMeans(feature, reads),
    staleMeans: staleMeans(reads),
  }
}

function missingOf({ nLiveMissing, nLive }: DriftFigures): Rate {
  const share = shareOf(nLiveMissing, nLive)
  return rate(
    nLiveMissing,
    nLive,
    share === null ? undefined : { low: share.lower, high: share.upper },
  )
}

function missingMeans(feature: CompiledFeature, { keys, rows }: Reads): string {
  const otherwise = insteadOfMissing(feature)
  if (otherwise !== null) {
    return `Never missing: where nothing is known the declaration gives ${otherwise}. How often it did is counted under “How values came about”.`
  }
  if (rows) {
    return 'Missing: no row was found, the one found was too old, or there was nothing to calculate from.'
  }
  return keys.length === 0
    ? 'Missing: the event lacks what the value is calculated from. Zero is a value.'
    : 'Missing: the windows hold nothing that a value could be calculated from. Zero is a value.'
}

function staleMeans({ keys, staleUs }: Reads): string {
  if (staleUs !== null) {
    return `A row that was looked up counts as stale after ${durationInWords(staleUs)}; counted under “How values came about”, apart from zero and missing.`
  }
  return keys.length === 0
    ? 'Cannot go stale: it is calculated from the event itself.'
    : 'Cannot go stale: windows move with the clock, and what is too old leaves them.'
}

/** While `decide` is away nothing is known of live state, and the rest of the page still stands. */
async function newestEventOf(rooms: Rooms, namespace: string): Promise<number | null> {
  try {
    const known = await rooms.decide.namespaces()
    return known.find((each) => each.namespace === namespace)?.newestEventTimeUs ?? null
  } catch (error) {
    if (isAssayError(error, 'peer_unavailable', 'peer_failed')) return null
    throw error
  }
}

function approximately(us: number): string {
  const seconds = Math.round(us / 1e6)
  for (const [noun, size] of [
    ['day', 86_400],
    ['hour', 3600],
    ['minute', 60],
  ] as const) {
    if (seconds >= 2 * size) return `${Math.floor(seconds / size)} ${noun}s`
  }
  return seconds === 1 ? '1 second' : `${seconds} seconds`
}

function referenceStats(reference: ColumnReference): DistributionStats {
  const { counts, edges, mean, standardDeviation, min, max, median, percentile99 } = reference
  const isKept = median !== undefined
  return {
    n: counts.reduce((sum, each) => sum + each, 0),
    missing: counts.at(-1) ?? 0,
    mean,
    std: standardDeviation,
    min,
    p50: median ?? null,
    p50Within: isKept ? null : binOfMedian([min ?? 0, ...edges, max ?? 0], counts),
    p99: percentile99 ?? null,
    max,
    notKept: isKept
      ? null
      : 'This version was tested before quantiles were kept; test a new version to have them.',
  }
}

function liveStats(figures: DriftFigures): DistributionStats {
  return {
    n: figures.nLive,
    missing: figures.nLiveMissing,
    mean: figures.liveMean,
    std: null,
    min: null,
    p50: null,
    p50Within: binOfMedian(figures.edges, figures.liveCounts),
    p99: null,
    max: null,
    notKept:
      'Live values are counted in the bins of the test rows and summed, not kept one by one: ' +
      'so their median is known to its bin, and spread, extremes and 99th percentile are not.',
  }
}

/** The edges of the bin in which the middle one of the values lies that are not missing. */
function binOfMedian(
  edges: readonly number[],
  counts: readonly number[],
): DistributionStats['p50Within'] {
  const present = counts.slice(0, -1)
  const n = present.reduce((sum, each) => sum + each, 0)
  if (n === 0) return null
  let below = 0
  for (let bin = 0; bin < present.length; bin++) {
    below += present[bin]
    if (below * 2 >= n) return [edges[bin], edges[bin + 1]]
  }
  return null
}

function sharesOf(counts: readonly number[]): number[] {
  // The last count is of missing values, which have no place on the axis.
  const shown = counts.slice(0, -1)
  const total = shown.reduce((sum, n) => sum + n, 0)
  return shown.map((n) => (total === 0 ? 0 : n / total))
}

function distributionOf(figures: DriftFigures): Feature['distribution'] {
  return {
    edges: [...figures.edges],
    training: sharesOf(figures.referenceCounts),
    live: figures.nLive === figures.nLiveMissing ? null : sharesOf(figures.liveCounts),
  }
}
