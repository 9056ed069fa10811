// What a trained model depends on: as the record of a version says it, and as the key under which
// its training is found again.
import type { CompiledFeatureSet } from '../../features/index.ts'
import { contentHash } from '../../lib/hash.ts'
import type { BuildRecord } from '../../registry/index.ts'
import type { Tags } from '../../tracking/index.ts'
import type { CompiledModel, DeclaredModel, FlowProject } from './plan.ts'
import type { TrainingTable } from './train.ts'

/** Tag of a run: the hash of all that its model depends on. */
export const CACHE_KEY = 'cache_key'
/** Tag of a run: a JSON object of what the key is made of, by the names that people read. */
export const CACHE_PARTS = 'cache_parts'

/** Where a model is trained. */
export interface TrainedWhere {
  readonly codeRevision: string
  /** What the project's code runs in. */
  readonly environment: string
}

/** The feature sets that a model reads, in the project's order. */
export function setsOf(
  { featureSets }: Pick<DeclaredModel, 'featureSets'>,
  project: FlowProject,
): CompiledFeatureSet[] {
  return project.featureSets.filter(({ name }) => featureSets.includes(name))
}

/**
 * The tags of a training's key. One part too many costs a training; one too few would give a model
 * that was trained on something else.
 */
export function cacheTags(
  declaration: CompiledModel,
  project: FlowProject,
  table: Pick<TrainingTable, 'snapshots'>,
  { codeRevision, environment }: TrainedWhere,
): { readonly [CACHE_KEY]: string; readonly [CACHE_PARTS]: string } {
  const { description: _, ...model } = declaration
  const { sources, labels, graphs, split, replay, seed, policies } = project
  const parts = {
    'model declaration': contentHash(model),
    features: contentHash(setsOf(declaration, project).map(({ name, version }) => [name, version])),
    sources: contentHash({ sources, labels, graphs }),
    snapshots: contentHash(table.snapshots),
    // Rows that are kept back are not learned from.
    split: contentHash({ split, replay }),
    seed: `${seed}`,
    'threshold rules': contentHash(policies[0].thresholds),
    code: codeRevision,
    environment,
  }
  return { [CACHE_KEY]: contentHash(parts), [CACHE_PARTS]: JSON.stringify(parts) }
}

/** The parts of a key that differ from those of another, by name; undefined where it has none. */
export function differingParts(before: Tags, now: Tags): string[] | undefined {
  const [was, is] = [partsIn(before), partsIn(now)]
  if (was === undefined || is === undefined) return undefined
  const names = new Set([...Object.keys(is), ...Object.keys(was)])
  return [...names].filter((name) => was[name] !== is[name])
}

/** People may write tags, so what is no object of texts counts as none. */
function partsIn(tags: Tags): Record<string, unknown> | undefined {
  try {
    const parts: unknown = JSON.parse(tags[CACHE_PARTS] ?? 'null')
    return typeof parts === 'object' && parts !== null ? { ...parts } : undefined
  } catch {
    return undefined
  }
}

/** What the registry is told of a training, so that it can be done again. */
export function buildRecord(
  declaration: DeclaredModel,
  project: FlowProject,
  table: Pick<TrainingTable, 'snapshots'>,
  { codeRevision, environment }: TrainedWhere,
  runId: string,
): BuildRecord {
  return {
    declaration: declaration.name,
    runId,
    snapshots: Object.fromEntries(table.snapshots.map(({ dataset, hash }) => [dataset, hash])),
    featureSets: setsOf(declaration, project).map(({ name, version }) => ({ name, version })),
    label: declaration.label,
    learner: declaration.learner,
    split: project.split,
    codeRevision,
    environment,
    seed: project.seed,
  }
}
