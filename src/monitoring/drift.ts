// Live distributions against the frozen reference: PSI and the shift of the mean, with the words for it.
import { HOUR_US } from '../lib/time.ts'
import type { DecisionRecord, ProjectionBatch, ProjectionSink } from '../decisions/index.ts'
import { binOf, psiOfCounts } from './distance.ts'
import { count } from './performance.ts'
import type { DriftCount, DriftCountStore } from './ports.ts'
import { referenceHash } from './reference.ts'
import type { ColumnReference, MonitoringReference } from './reference.ts'
import type { Verdict } from './verdict.ts'

/** From these on a distribution is said to have moved a little, and a lot (the industry's usual two). */
export const psiWarning = 0.1
export const psiAlert = 0.25
/** Below this many live values a verdict would be chance. */
export const driftRowsMin = 200
/** Payments differ by the hour, so a window is judged once it has seen this many different hours: a day. */
export const driftHoursMin = 24

export interface DriftFigures {
  readonly column: string
  readonly psi: number | null
  readonly referenceMean: number | null
  readonly liveMean: number | null
  /** The shift of the mean in standard deviations of the reference. */
  readonly meanShift: number | null
  readonly nReference: number
  readonly nLive: number
  readonly nLiveMissing: number
  /** Outer edges included, so one more than the counts without the missing ones. */
  readonly edges: readonly number[]
  readonly referenceCounts: readonly number[]
  readonly liveCounts: readonly number[]
  readonly overTime: readonly {
    readonly startUs: number
    readonly psi: number | null
    readonly n: number
    /** Of the values that are not missing; null where all are. */
    readonly mean: number | null
    /** Live values in each bin; the last count is of missing values. */
    readonly counts: readonly number[]
  }[]
  readonly verdict: Verdict
}

/**
 * A sink that adds each decision's score and watched features to the counts of the reference of the
 * version that decided. Decisions of versions without a reference are passed over.
 */
export function createDriftSink(options: {
  readonly store: DriftCountStore
  /** The reference of a deployment (by hash), or undefined where it has none. */
  readonly referenceOf: (deployment: string) => Promise<MonitoringReference | undefined>
}): ProjectionSink {
  const { store } = options
  return {
    position: (namespace) => store.position(namespace),
    async apply(batch) {
      const from = await store.position(batch.namespace)
      const counter = createCounter(batch)
      for (const record of batch.records) {
        if (record.type !== 'decision' || record.sequence <= from) continue
        const reference = await options.referenceOf(record.versions.deployment)
        if (reference !== undefined) counter.add(record, reference)
      }
      await store.add(batch.namespace, counter.counts(), batch.through)
    },
  }
}

function createCounter({ namespace, layouts }: ProjectionBatch) {
  const found = new Map<
    string,
    { counts: number[]; sum: number } & Omit<DriftCount, 'counts' | 'sum'>
  >()
  const hashes = new Map<MonitoringReference, string>()
  const hashOf = (reference: MonitoringReference): string => {
    const known = hashes.get(reference) ?? referenceHash(reference)
    hashes.set(reference, known)
    return known
  }
  return {
    add(record: DecisionRecord, reference: MonitoringReference): void {
      const names = layouts[record.layout] ?? []
      const startUs = Math.floor(record.eventTimeUs / HOUR_US) * HOUR_US
      const hash = hashOf(reference)
      for (const { column, edges } of reference.columns) {
        const value = column === 'score' ? record.score : record.features[names.indexOf(column)]
        const key = JSON.stringify([record.policy, hash, column, startUs])
        let entry = found.get(key)
        if (entry === undefined) {
          const counts = new Array<number>(edges.length + 2).fill(0)
          const { policy } = record
          entry = { namespace, policy, reference: hash, column, startUs, counts, sum: 0 }
          found.set(key, entry)
        }
        const isMissing = value === null || value === undefined
        entry.counts[isMissing ? edges.length + 1 : binOf(edges, value)]++
        if (!isMissing) entry.sum += value
      }
    },
    counts: (): DriftCount[] => [...found.values()],
  }
}

/** Judges one column over a window; `counts` are those of the column, any number of hours. */
export function driftOf(
  reference: ColumnReference,
  counts: readonly DriftCount[],
  bucketUs: number,
): DriftFigures {
  const { column, edges, mean, standardDeviation } = reference
  const live = addUp(counts, edges.length + 2)
  const nLiveMissing = live.counts.at(-1)!
  const nLive = live.counts.reduce((a, b) => a + b, 0)
  const present = nLive - nLiveMissing
  const liveMean = present === 0 ? null : live.sum / present
  const psi = psiOfCounts(reference.counts, live.counts)
  const meanShift =
    liveMean === null || mean === null || !standardDeviation
      ? null
      : (liveMean - mean) / standardDeviation
  return {
    column,
    psi,
    referenceMean: mean,
    liveMean,
    meanShift,
    nReference: reference.counts.reduce((a, b) => a + b, 0),
    nLive,
    nLiveMissing,
    edges: [reference.min ?? 0, ...edges, reference.max ?? 0],
    referenceCounts: reference.counts,
    liveCounts: live.counts,
    overTime: overTime(reference, counts, bucketUs),
    verdict: driftVerdict(column, {
      psi,
      n: nLive,
      meanShift,
      hours: new Set(counts.map((each) => each.startUs)).size,
    }),
  }
}

function addUp(counts: readonly DriftCount[], bins: number): { counts: number[]; sum: number } {
  const total = new Array<number>(bins).fill(0)
  let sum = 0
  for (const each of counts) {
    for (let i = 0; i < bins; i++) total[i] += each.counts[i] ?? 0
    sum += each.sum
  }
  return { counts: total, sum }
}

function overTime(reference: ColumnReference, counts: readonly DriftCount[], bucketUs: number) {
  const buckets = new Map<number, DriftCount[]>()
  for (const each of counts) {
    const startUs = Math.floor(each.startUs / bucketUs) * bucketUs
    buckets.set(startUs, [...(buckets.get(startUs) ?? []), each])
  }
  return [...buckets]
    .sort(([a], [b]) => a - b)
    .map(([startUs, within]) => {
      const { counts: live, sum } = addUp(within, reference.edges.length + 2)
      const n = live.reduce((a, b) => a + b, 0)
      const present = n - live.at(-1)!
      const psi = n < driftRowsMin ? null : psiOfCounts(reference.counts, live)
      return { startUs, psi, n, mean: present === 0 ? null : sum / present, counts: live }
    })
}

function driftVerdict(
  column: string,
  {
    psi,
    n,
    meanShift,
    hours,
  }: {
    readonly psi: number | null
    readonly n: number
    readonly meanShift: number | null
    readonly hours: number
  },
): Verdict {
  const name = column === 'score' ? 'The score' : column
  if (psi === null || n < driftRowsMin) {
    return {
      status: 'no-data',
      sentence: `${name}: ${count(n)} live values; ${driftRowsMin} are needed for a verdict.`,
    }
  }
  if (hours < driftHoursMin) {
    return {
      status: 'no-data',
      sentence: `${name}: ${hours} of ${driftHoursMin} hours seen; part of a day is not compared with whole days.`,
    }
  }
  const figure = `PSI ${psi.toFixed(3)}, n = ${count(n)}`
  const shift =
    meanShift === null
      ? ''
      : `; the mean lies ${signed(meanShift)} standard deviations from that of the test rows`
  if (psi >= psiAlert)
    return {
      status: 'alert',
      sentence: `${name} has moved far from the test rows (${figure}, alert from ${psiAlert})${shift}.`,
    }
  if (psi >= psiWarning)
    return {
      status: 'warning',
      sentence: `${name} has moved from the test rows (${figure}, warning from ${psiWarning})${shift}.`,
    }
  return { status: 'ok', sentence: `${name} is distributed as in the test rows (${figure}).` }
}

function signed(value: number): string {
  return `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(2)}`
}
