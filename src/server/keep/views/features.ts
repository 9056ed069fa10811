// The catalogue of features: what is declared, filtered and sorted, with what is known of each.
import {
  lineageOf,
  windowsInWords,
  type CompiledFeature,
  type CompiledFeatureSet,
} from '../../../features/index.ts'
import { defineErrors } from '../../../lib/errors.ts'
import type { ColumnReference, DriftFigures } from '../../../monitoring/index.ts'
import type { RunReport } from '../../../pipelines/index.ts'
import type { FirstVersions } from '../../../registry/index.ts'
import type { Features, FeatureSummary, Verdict } from '../../contract/index.ts'
import type { Handlers } from '../handlers.ts'
import { ref, verdict, versionRef } from '../present.ts'
import type { Rooms } from '../rooms.ts'
import { featureDetail } from './feature-detail.ts'
import { choicesOf, select } from './feature-filters.ts'
import { lookupOf, readsOf } from './feature-reads.ts'
import { unitOf } from './feature-units.ts'
import { featurePresenceView } from './feature-presence.ts'
import { explainedFeature } from './feature-value.ts'
import { watch } from './monitoring.ts'
import { USERS_MAX } from './trained-on.ts'

const errors = defineErrors({
  feature_not_found: {
    status: 404,
    title: 'There is no such feature',
    action: 'Open Features and choose one from the list.',
  },
})

const unwatched: Verdict = verdict(
  'no-data',
  'Not watched: only the features that weigh most in the live model are.',
)
const noModel: Verdict = verdict(
  'no-data',
  'Not watched yet: there is no live model to compare with.',
)

/** Everything about features that does not follow from their declarations. */
export interface FeatureFacts {
  readonly drift: ReadonlyMap<string, DriftFigures>
  readonly reference: ReadonlyMap<string, ColumnReference>
  readonly referencePeriod: string | null
  readonly importance: ReadonlyMap<string, number>
  /** The first versions of models that were trained on the sets as they are declared now, by set. */
  readonly users: ReadonlyMap<string, FirstVersions>
  /** How long one bucket of the drift figures lasts, µs. */
  readonly bucketUs: number
}

export interface Declared {
  readonly feature: CompiledFeature
  readonly set: CompiledFeatureSet
}

export function featureViews(
  rooms: Rooms,
): Pick<Handlers, 'features' | 'feature' | 'featurePresence' | 'explainFeature'> {
  const declared = (params: { readonly set: string; readonly feature: string }): Declared => {
    const set = rooms.project()?.featureSets.find(({ name }) => name === params.set)
    const feature = set?.features.find(({ name }) => name === params.feature)
    if (set !== undefined && feature !== undefined) return { feature, set }
    throw errors.feature_not_found(
      `${params.set}/${params.feature} is not declared by the project.`,
    )
  }
  return {
    async features({ query }) {
      const sets = rooms.project()?.featureSets ?? []
      const facts = await featureFacts(rooms)
      const all = sets.flatMap((set) =>
        set.features.map((feature) => ({
          summary: summaryOf(rooms, { feature, set }, facts),
          windowUs: lineageOf(feature, set).windowUs,
        })),
      )
      const [run] = await rooms.pipelines.list(1, 'learn')
      const figure = run?.steps.find(({ name }) => name === 'features')?.figure ?? ''
      return {
        sets: sets.map((set) => setView(rooms, set, facts)),
        items: select(all, query),
        total: all.length,
        choices: choicesOf(all.map(({ summary }) => summary)),
        skew: skewVerdict(figure),
      }
    },
    async feature({ params }) {
      const one = declared(params)
      const facts = await featureFacts(rooms)
      return featureDetail(rooms, one, summaryOf(rooms, one, facts), facts)
    },
    async featurePresence({ params }) {
      return featurePresenceView(rooms, declared(params))
    },
    async explainFeature({ params, body }) {
      return explainedFeature(rooms, declared(params), body)
    },
  }
}

async function featureFacts(rooms: Rooms): Promise<FeatureFacts> {
  const { report, bucketUs } = await watch(rooms, {})
  const sets = rooms.project()?.featureSets ?? []
  const deployment = await rooms.serving.current(rooms.project()?.policies[0]?.name ?? '')
  const reference = deployment && (await rooms.references.read(deployment.modelHash))
  return {
    drift: new Map(report.drift.map((figures) => [figures.column, figures])),
    reference: new Map((reference?.columns ?? []).map((column) => [column.column, column])),
    referencePeriod: reference?.period ?? null,
    importance: await importanceOf(rooms, deployment?.model, deployment?.version),
    users: new Map(await Promise.all(sets.map((set) => usersOf(rooms, set)))),
    bucketUs,
  }
}

async function usersOf({ registry }: Rooms, { name, version }: CompiledFeatureSet) {
  const users = await registry.trainedOn({ kind: 'feature-set', name, hash: version }, USERS_MAX)
  return [name, users] as const
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

function setView(rooms: Rooms, set: CompiledFeatureSet, facts: FeatureFacts) {
  const places = rooms.project()?.declarations?.places ?? []
  return {
    name: set.name,
    description: set.description,
    owner: set.owner ?? rooms.project()?.owner ?? '',
    version: set.version,
    source: ref('dataset', set.source),
    features: set.features.length,
    file: places.find((place) => place.set === set.name && place.feature === null)?.file ?? null,
    usedBy: versionsWith(set, facts).map(({ model, version }) => versionRef(model, version)),
    usedByMore: facts.users.get(set.name)?.more ?? false,
    lookup: lookupOf(
      rooms,
      set.source,
      set.features.map(({ expression }) => readsOf(expression)),
    ),
  } satisfies Features['sets'][number]
}

export function versionsWith({ name }: CompiledFeatureSet, { users }: FeatureFacts) {
  return users.get(name)?.versions ?? []
}

/** The policies that decide on the set, and with which of their rules on the feature. */
export function policiesWith(rooms: Rooms, { feature, set }: Declared) {
  return (rooms.project()?.policies ?? [])
    .filter((policy) => policy.featureSets.some(({ version }) => version === set.version))
    .map((policy) => ({
      name: policy.name,
      rules: policy.rules.filter(({ when }) => namesFeature(when, feature.name)),
    }))
}

const namesFeature = (when: string, feature: string): boolean =>
  [...when.matchAll(/[A-Za-z_]\w*/g)].some(([name]) => name === feature)

function summaryOf(rooms: Rooms, one: Declared, facts: FeatureFacts): FeatureSummary {
  const { feature, set } = one
  const figures = facts.drift.get(feature.name)
  return {
    name: feature.name,
    set: set.name,
    source: set.source,
    version: feature.version,
    words: feature.description.replace(/^[a-z](?=[a-z]* )/, (first) => first.toUpperCase()),
    ...lineageWords(feature, set),
    unit: unitOf(feature),
    referenceMean: figures?.referenceMean ?? facts.reference.get(feature.name)?.mean ?? null,
    liveMean: figures?.liveMean ?? null,
    psi: figures?.psi ?? null,
    importance: facts.importance.get(feature.name) ?? null,
    usedBy: [
      ...versionsWith(set, facts).map(({ model, version }) => `${model}/${version}`),
      ...policiesWith(rooms, one).map(({ name }) => name),
    ],
    verdict: figures?.verdict ?? (facts.reference.size === 0 ? noModel : unwatched),
  }
}

function lineageWords(
  feature: CompiledFeature,
  set: CompiledFeatureSet,
): { entity: string | null; window: string | null } {
  const lineage = lineageOf(feature, set)
  const entity = lineage.keys.map((key) => key.join(' × ')).join(', ')
  return { entity: entity === '' ? null : entity, window: windowsInWords(lineage) }
}

function skewVerdict(figure: string): Verdict {
  const found = /live equals history: ([\d,]+) differences in ([\d,]+) values/.exec(figure)
  if (found === null) return verdict('no-data', 'Not compared yet.')
  const sentence = `Live equals history: ${found[1]} differences in ${found[2]} values.`
  return verdict(found[1] === '0' ? 'ok' : 'alert', sentence)
}
