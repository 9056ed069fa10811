import {
  describeFeature,
  lineageOf,
  type CompiledFeature,
  type CompiledFeatureSet,
} from '../../../features/index.ts'
import { defineErrors } from '../../../lib/errors.ts'
import type { ColumnReference, DriftFigures } from '../../../monitoring/index.ts'
import type { RunReport } from '../../../pipelines/index.ts'
import type { Feature, FeatureSummary, Verdict } from '../../contract/index.ts'
import type { Handlers } from '../handlers.ts'
import { durationInWords, ref, time, verdict, versionRef } from '../present.ts'
import type { Rooms } from '../rooms.ts'
import { watch } from './monitoring.ts'

const errors = defineErrors({
  feature_not_found: {
    status: 404,
    title: 'There is no such feature',
    action: 'Open Features and choose one from the list.',
  },
})

const PSI_ALERT = 0.25
const unwatched: Verdict = verdict('no-data', 'Not among the features that are watched.')

export function featureViews(rooms: Rooms): Pick<Handlers, 'features' | 'feature'> {
  async function known() {
    const { report } = await watch(rooms, {})
    const deployment = await rooms.serving.current(rooms.project()?.policies[0]?.name ?? '')
    const reference = deployment && (await rooms.references.read(deployment.modelHash))
    return {
      drift: new Map(report.drift.map((figures) => [figures.column, figures])),
      reference: new Map((reference?.columns ?? []).map((column) => [column.column, column])),
      importance: await importanceOf(rooms, deployment?.model, deployment?.version),
    }
  }
  type Known = Awaited<ReturnType<typeof known>>

  const summaryOf = (
    feature: CompiledFeature,
    set: CompiledFeatureSet,
    facts: Known,
  ): FeatureSummary => {
    const figures = facts.drift.get(feature.name)
    const { per, window } = lineageWords(feature, set)
    return {
      name: feature.name,
      set: set.name,
      words: feature.description.replace(/^[a-z](?=[a-z]* )/, (first) => first.toUpperCase()),
      entity: per,
      window,
      unit: unitOf(feature),
      trainingMean: figures?.referenceMean ?? null,
      liveMean: figures?.liveMean ?? null,
      psi: figures?.psi ?? null,
      importance: facts.importance.get(feature.name) ?? null,
      verdict: figures?.verdict ?? unwatched,
    }
  }

  return {
    async features() {
      const sets = rooms.project()?.featureSets ?? []
      const facts = await known()
      const versions = await rooms.registry.versions()
      const [run] = await rooms.pipelines.list(1)
      const figure = run?.steps.find(({ name }) => name === 'features')?.figure ?? ''
      return {
        sets: sets.map((set) => ({
          name: set.name,
          version: set.version,
          source: ref('dataset', set.source),
          features: set.features.length,
          file: null,
          usedBy: versions
            .filter(({ build }) => build.featureSets.some(({ version }) => version === set.version))
            .map((version) => versionRef(version.model, version.version)),
        })),
        items: sets.flatMap((set) => set.features.map((feature) => summaryOf(feature, set, facts))),
        skew: skewVerdict(figure),
      }
    },
    async feature({ params }): Promise<Feature> {
      const set = rooms.project()?.featureSets.find(({ name }) => name === params.set)
      const feature = set?.features.find(({ name }) => name === params.feature)
      if (set === undefined || feature === undefined) {
        throw errors.feature_not_found(
          `${params.set}/${params.feature} is not declared by the project.`,
        )
      }
      const facts = await known()
      const figures = facts.drift.get(feature.name)
      const reference = facts.reference.get(feature.name)
      const lineage = lineageOf(feature, set)
      const versions = await rooms.registry.versions()
      return {
        ...summaryOf(feature, set, facts),
        setVersion: set.version,
        expression: describeFeature(feature),
        reasonTemplate: feature.words?.text ?? null,
        onMissing:
          feature.words?.missing ?? 'Missing: the model takes it as “not known”, not as zero.',
        lineage: [
          ...lineage.columns.map((column) => ref('dataset', set.source, `${set.source}.${column}`)),
          ...lineage.labels.map((label) => ref('dataset', label)),
          ...versions
            .filter(({ build }) => build.featureSets.some(({ version }) => version === set.version))
            .map((version) => versionRef(version.model, version.version)),
          ...(rooms.project()?.policies ?? []).map(({ name }) => ref('policy', name)),
        ],
        training: trainingStats(reference),
        live: figures === undefined ? null : liveStats(figures),
        distribution: figures === undefined ? null : distributionOf(figures),
        psiThreshold: figures === undefined ? null : PSI_ALERT,
        overTime: (figures?.overTime ?? []).map(({ startUs, psi, n }) => ({
          at: time(startUs),
          mean: null,
          psi,
          n,
        })),
        file: null,
      }
    },
  }
}

async function importanceOf(
  rooms: Rooms,
  model: string | undefined,
  number: number | undefined,
): Promise<ReadonlyMap<string, number>> {
  if (model === undefined || number === undefined) return new Map()
  const { build } = await rooms.registry.version(model, number)
  const { bytes } = await rooms.tracking.artifact(build.runId, 'report.json')
  const report = JSON.parse(Buffer.from(bytes).toString('utf8')) as RunReport
  return new Map(report.importance.map(({ feature, value }) => [feature, value]))
}

function lineageWords(
  feature: CompiledFeature,
  set: CompiledFeatureSet,
): { per: string | null; window: string | null } {
  const { keys, windowUs, delayUs } = lineageOf(feature, set)
  const per = keys.map((key) => key.join(' × ')).join(', ')
  const delay = delayUs === 0 ? '' : `, ${durationInWords(delayUs)} late`
  return {
    per: per === '' ? null : per,
    window: windowUs === 0 ? null : `${durationInWords(windowUs)}${delay}`,
  }
}

/** The unit that numbers of a feature are shown with; shares are shown in percent, counts bare. */
export function unitOf({ unit, currency }: CompiledFeature): string | null {
  if (unit === 'money') return currency
  if (unit === 'share') return '%'
  return unit === 'duration' ? 's' : null
}

function skewVerdict(figure: string): Verdict {
  const found = /live equals history: ([\d,]+) differences in ([\d,]+) values/.exec(figure)
  if (found === null) return verdict('no-data', 'Not compared yet.')
  const sentence = `Live equals history: ${found[1]} differences in ${found[2]} values.`
  return verdict(found[1] === '0' ? 'ok' : 'alert', sentence)
}

function trainingStats(reference: ColumnReference | undefined): Feature['training'] {
  if (reference === undefined) return null
  const missing = reference.counts.at(-1) ?? 0
  const n = reference.counts.reduce((sum, each) => sum + each, 0)
  return {
    n,
    missing,
    mean: reference.mean,
    std: reference.standardDeviation,
    min: reference.min,
    p50: reference.edges[Math.floor(reference.edges.length / 2)] ?? null,
    p99: null,
    max: reference.max,
  }
}

function liveStats(figures: DriftFigures): Feature['live'] {
  return {
    n: figures.nLive,
    missing: figures.nLiveMissing,
    mean: figures.liveMean,
    std: null,
    min: null,
    p50: null,
    p99: null,
    max: null,
  }
}

function distributionOf(figures: DriftFigures): Feature['distribution'] {
  const shares = (counts: readonly number[]) => {
    const total = counts.reduce((sum, n) => sum + n, 0)
    return counts.slice(0, -1).map((n) => (total === 0 ? 0 : n / total))
  }
  return {
    edges: [...figures.edges],
    training: shares(figures.referenceCounts),
    live: figures.nLive === 0 ? null : shares(figures.liveCounts),
  }
}
