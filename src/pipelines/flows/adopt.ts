// A model that was made elsewhere becomes a version of the project's own: its inputs are bound to
// features, it is measured on rows of the project that the split keeps for that, and held against the
// gate like any other. What follows, approval and deployment, knows no difference.
import type { DatasetCatalog, SnapshotStore } from '../../data/index.ts'
import type { OutsideModel } from '../../decisions/index.ts'
import type { ImportedModel, TrainedModel } from '../../learning/index.ts'
import { canonicalJson } from '../../lib/canonical-json.ts'
import { isAssayError } from '../../lib/errors.ts'
import { selectColumns, selectRows, type Matrix } from '../../lib/matrix.ts'
import { bindInputs, type TensorSpec } from '../../serving/index.ts'
import { pipelineErrors } from '../errors.ts'
import { historyTable } from './history-table.ts'
import { otherSources } from './other-sources.ts'
import type { DeclaredModel, FlowProject } from './plan.ts'
import { enrol, registerAndExamine, type Examined, type PromotePorts } from './promote.ts'
import { readLearningData } from './reproduce.ts'
import {
  groundOf,
  keepAsRun,
  measured,
  measuredBy,
  rowsBetween,
  type Fitted,
  type Measured,
  type TrainingTable,
  type TrainPorts,
} from './train.ts'

export interface AdoptRequest {
  readonly project: FlowProject
  readonly brought: Brought
  /** The model, read as data, or what computes it elsewhere. */
  readonly model: TrainedModel | ImportedModel | AdoptableOutside
  /** Which feature answers an input of another name: input → feature. */
  readonly names: Readonly<Record<string, string>>
}

/** The version that a client brought, or the model of another server. */
export interface Brought {
  readonly model: string
  readonly version: number | string
  readonly hash: string
  readonly trainedBy: readonly string[]
}

/** A model that another thread or server computes, made ready. */
export interface AdoptableOutside {
  readonly kind: 'outside'
  /** What it takes of a row, a column each. */
  readonly inputs: readonly TensorSpec[]
  /** The chances of rows whose columns are in the order of `inputs`. Error: `inference_failed`. */
  score(x: Matrix): Promise<Float64Array>
  /** The document by which it is served, with its answers to such rows, and the hash that names it. */
  document(golden: Matrix): Promise<{ readonly hash: string; readonly text: string }>
}

export type AdoptPorts = PromotePorts &
  TrainPorts & {
    readonly catalog: Pick<DatasetCatalog, 'current' | 'snapshot'>
    readonly snapshots: Pick<SnapshotStore, 'read'>
  }

/** Test rows whose answers go with a model that is computed elsewhere. */
const GOLDEN_ROWS = 32

/**
 * Errors: `inputs_unbound`, which lists every input that no feature answers; `test_rows_missing` where the
 * home holds no rows of the project yet; `adopted_unmeasured` where the model has no chance for a row.
 */
export async function adoptModel(
  request: AdoptRequest,
  ports: AdoptPorts,
  report: (figure: string) => void,
): Promise<Examined> {
  const { project } = request
  boundFeatures(request)
  const data = await readLearningData(project, await newestSnapshots(project, ports), ports)
  const { table } = historyTable(project, data, (rows, all) => report(`${rows} of ${all} events`))
  return adoptOn(table, request, ports)
}

/** The same on a table that is at hand. */
export async function adoptOn(
  table: TrainingTable,
  request: AdoptRequest,
  ports: PromotePorts & TrainPorts,
): Promise<Examined> {
  const { project, brought, model } = request
  const features = boundFeatures(request)
  const declaration = declarationOf(request)
  const about = {
    params: { learner: model.kind, brought_from: `${brought.model}@${brought.version}` },
    tags: { brought_hash: brought.hash },
  }
  const candidate = await keepAsRun(declaration, about, { project, table }, ports, () => {
    const { rows } = groundOf(declaration, project, table)
    const fitted = { rows, features: selectColumns(table.features, features) }
    return isOutside(model)
      ? measuredOutside({ ...fitted, model }, declaration, project, table)
      : measured({ ...fitted, model: { ...model, features } }, declaration, project, table)
  })
  await enrol(project, ports)
  const { trainedBy } = brought
  return registerAndExamine({ ...candidate, trainedBy }, project, table, ports)
}

/** Computed elsewhere, row by row as it is when it decides. */
async function measuredOutside(
  { model, rows, features }: Fitted<AdoptableOutside>,
  declaration: DeclaredModel,
  project: FlowProject,
  table: TrainingTable,
): Promise<Measured> {
  const needed = new Set([...rowsBetween(table, project.split), ...rows.test])
  const scored = Uint32Array.from(needed)
  const scores = new Float64Array(table.features.rows).fill(Number.NaN)
  const answers = await answersOf(model, selectRows(features, scored))
  scored.forEach((row, at) => (scores[row] = answers[at]))
  const golden = rows.test.subarray(0, GOLDEN_ROWS)
  const { hash, text } = await model.document(selectRows(features, golden))
  const adopted: OutsideModel = { kind: 'outside', features: features.names, served: hash }
  return {
    ...measuredBy(
      {
        model: adopted,
        rows,
        scoreRows: (chosen) => Float64Array.from(chosen, (row) => scores[row]),
        explained: {
          importanceIs: 'It is computed elsewhere and tells no contributions',
          importance: [],
          contributions: null,
        },
      },
      declaration,
      project,
      table,
    ),
    modelJson: canonicalJson(adopted),
    served: text,
  }
}

/** Error: `adopted_unmeasured`, which says how many rows lack a value, the usual cause. */
async function answersOf(model: AdoptableOutside, x: Matrix): Promise<Float64Array> {
  try {
    return await model.score(x)
  } catch (error) {
    if (!isAssayError(error, 'inference_failed')) throw error
    const lacking = x.names.flatMap((name, j) => {
      const missing = x.columns[j].filter(Number.isNaN).length
      return missing === 0 ? [] : [`${name} is missing in ${missing} of ${x.rows} rows`]
    })
    const told = lacking.length === 0 ? '' : ` ${lacking.join(', ')}.`
    throw pipelineErrors.adopted_unmeasured(`${error.detail}${told}`, { cause: error })
  }
}

function isOutside(model: AdoptRequest['model']): model is AdoptableOutside {
  return model.kind === 'outside'
}

/** What answers each input, in their order. Error: `inputs_unbound`. */
function boundFeatures({ project, brought, model, names }: AdoptRequest): string[] {
  const inputs = isOutside(model)
    ? model.inputs
    : model.features.map((name) => ({ name, datatype: 'FP64', shape: [-1] }) as const)
  const features = project.featureSets.flatMap((set) =>
    set.features.map(({ name }) => ({ name, holds: 'numbers' }) as const),
  )
  const bound = bindInputs({ inputs }, features, names)
  if (bound.mismatches.length > 0) {
    const told = bound.mismatches.map(({ text }) => text).join(' ')
    throw pipelineErrors.inputs_unbound(`${brought.model} version ${brought.version}: ${told}`, {
      extra: { mismatches: bound.mismatches },
    })
  }
  return bound.inputs.map(({ feature }) => feature)
}

function declarationOf({ project, brought, names }: AdoptRequest): DeclaredModel {
  const { model, version, hash } = brought
  return {
    name: `${model}-${version}`,
    description: `Brought as ${model} version ${version}`,
    featureSets: project.featureSets.map(({ name }) => name),
    label: project.labels[0].name,
    learner: { kind: 'brought', model, version, hash, names },
  }
}

/** The data that the project would learn from now. Error: `test_rows_missing`. */
async function newestSnapshots(project: FlowProject, { catalog }: AdoptPorts) {
  const names = [
    project.sources[0].name,
    project.labels[0].name,
    ...otherSources(project, project.featureSets).map(({ name }) => name),
  ]
  const parts = await Promise.all(
    [...new Set(names)].map(async (dataset) => {
      const known = await catalog.current(dataset)
      if (known.length > 0) return known.map(({ hash }) => ({ dataset, hash }))
      throw pipelineErrors.test_rows_missing(`There are no rows of ${dataset} in this home yet.`)
    }),
  )
  return parts.flat()
}
