import {
  monitoringReport,
  type DriftFigures,
  type MonitoringReport,
  type PerformanceMetric,
} from '../../../monitoring/index.ts'
import { DAY_US, HOUR_US, durationInWords } from '../../../lib/time.ts'
import type { DriftRow, Estimate, Monitoring, Rate } from '../../contract/index.ts'
import { clockView, onAir, type OnAir } from '../bank.ts'
import type { Handlers } from '../handlers.ts'
import { ref, time } from '../present.ts'
import { resolveRange, type Range, type RangeQuery } from '../range.ts'
import type { Rooms } from '../rooms.ts'
import { featuresOf } from './decisions.ts'
import { failingRulesView } from './failing-rules.ts'
import { unitOf } from './feature-units.ts'
import { liveOrNone } from './policy.ts'

export function monitoringViews(rooms: Rooms): Pick<Handlers, 'monitoring'> {
  return {
    async monitoring({ query }): Promise<Monitoring> {
      const watched = await watch(rooms, query)
      const { report, range, bank, bucketUs } = watched
      const features = featuresOf(rooms)
      return {
        clock: clockView(bank, rooms.project()),
        policy: watched.policy,
        range: range.view,
        verdict: report.verdict,
        drift: report.drift.map((figures) => driftView(figures, features)),
        driftNote: report.driftNote,
        rates: report.rates.map(({ startUs, ...rates }) => ({ at: time(startUs), ...rates })),
        ratesVerdict: report.ratesVerdict,
        latency: report.latency.map(({ startUs, ...latency }) => ({
          at: time(startUs),
          ...latency,
        })),
        latencyVerdict: report.latencyVerdict,
        failingRules: await failingRulesView(
          rooms,
          { namespace: bank.namespace, policy: watched.policy },
          report.failingRules,
        ),
        rulesVerdict: report.rulesVerdict,
        performance: report.performance.map(performanceView),
        performanceOverTime: report.performanceOverTime.map((point) => ({
          at: time(point.startUs),
          n: point.decisions,
          labelled: point.labelled,
          precision: shareView(point.precision),
          recall: shareView(point.recall),
        })),
        bucket: durationInWords(bucketUs),
      }
    },
  }
}

export interface Watched {
  readonly report: MonitoringReport
  readonly range: Range
  readonly bank: OnAir
  readonly bucketUs: number
  readonly policy: string
}

/** The monitoring report over a range of the namespace on air; without a range, all there is. */
export async function watch(rooms: Rooms, query: RangeQuery): Promise<Watched> {
  const bank = await onAir(rooms)
  const range = resolveRange(query, bank.nowUs)
  const policy = rooms.project()?.policies[0]?.name ?? ''
  const untilUs = range.toUs ?? bank.nowUs + 1
  const fromUs = range.fromUs ?? rooms.project()?.replay?.fromUs ?? untilUs - 30 * DAY_US
  const bucketUs = bucketOf(untilUs - fromUs)
  const deployment = await rooms.serving.current(policy)
  const reference = deployment && (await rooms.references.read(deployment.modelHash))
  const report = await monitoringReport(
    {
      decisions: rooms.decisions,
      drift: rooms.drift,
      reference,
      policyVersion: (await liveOrNone(rooms, policy))?.policy.version,
    },
    { namespace: bank.namespace, policy, fromUs, untilUs, bucketUs },
  )
  return { report, range, bank, bucketUs, policy }
}

function bucketOf(spanUs: number): number {
  if (spanUs <= 2 * DAY_US) return HOUR_US
  return spanUs <= 10 * DAY_US ? 6 * HOUR_US : DAY_US
}

function driftView(figures: DriftFigures, features: ReturnType<typeof featuresOf>): DriftRow {
  const known = features.get(figures.column)
  const shares = (counts: readonly number[]) => {
    // The last count is of missing values, which have no place on the axis.
    const shown = counts.slice(0, -1)
    const total = counts.reduce((sum, n) => sum + n, 0)
    return shown.map((n) => (total === 0 ? 0 : n / total))
  }
  return {
    subject: figures.column === 'score' ? 'score' : 'feature',
    name: figures.column,
    target:
      known === undefined ? null : ref('feature', `${known.set}/${figures.column}`, figures.column),
    psi: figures.psi,
    threshold: 0.25,
    trainingMean: figures.referenceMean,
    liveMean: figures.liveMean,
    unit: known === undefined ? null : unitOf(known.feature),
    nTraining: figures.nReference,
    nLive: figures.nLive,
    distribution: {
      edges: [...figures.edges],
      training: shares(figures.referenceCounts),
      live: figures.nLive === 0 ? null : shares(figures.liveCounts),
    },
    overTime: figures.overTime.map(({ startUs, psi, n }) => ({ at: time(startUs), psi, n })),
    verdict: figures.verdict,
  }
}

function performanceView(metric: PerformanceMetric): Monitoring['performance'][number] {
  const training = metric.atTraining
  return {
    metric: metric.metric,
    title: metric.title,
    live: estimateOf(metric.live),
    atTraining:
      training === null
        ? null
        : {
            value: training.value,
            n: training.n,
            interval: { low: training.lower, high: training.upper, level: 0.95 },
          },
    verdict: metric.verdict,
    note: metric.note,
  }
}

type Share = PerformanceMetric['live']

function estimateOf(share: Share): Estimate {
  if (share === null) return { value: null, n: 0, interval: null }
  return {
    value: share.value,
    n: share.n,
    interval: { low: share.lower, high: share.upper, level: 0.95 },
  }
}

function shareView(share: Share): Rate {
  if (share === null) return { value: null, n: 0, count: null, interval: null }
  return {
    value: share.value,
    n: share.n,
    count: Math.round(share.value * share.n),
    interval: { low: share.lower, high: share.upper, level: 0.95 },
  }
}
