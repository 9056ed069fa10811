// A model that was made elsewhere becomes a version of the project's own: its inputs are bound to
// features, it is measured on rows of the project that the split keeps for that, and held against the
// gate like any other. What follows, approval and deployment, knows no difference.
import type { DatasetCatalog, SnapshotStore } from '../../data/index.ts'
import type { ImportedModel, TrainedModel } from '../../learning/index.ts'
import { selectColumns } from '../../lib/matrix.ts'
import type { ModelVersion } from '../../registry/index.ts'
import { bindInputs } from '../../serving/index.ts'
import { pipelineErrors } from '../errors.ts'
import { historyTable } from './history-table.ts'
import { otherSources } from './other-sources.ts'
import type { DeclaredModel, FlowProject } from './plan.ts'
import { enrol, registerAndExamine, type Examined, type PromotePorts } from './promote.ts'
import { readLearningData } from './reproduce.ts'
import { groundOf, keepAsRun, measured, type TrainingTable, type TrainPorts } from './train.ts'

export interface AdoptRequest {
  readonly project: FlowProject
  /** The version that a client brought. */
  readonly brought: Pick<ModelVersion, 'model' | 'version' | 'hash' | 'trainedBy'>
  /** Its model, read as data. */
  readonly model: TrainedModel | ImportedModel
  /** Which feature answers an input of another name: input → feature. */
  readonly names: Readonly<Record<string, string>>
}

export type AdoptPorts = PromotePorts &
  TrainPorts & {
    readonly catalog: Pick<DatasetCatalog, 'current' | 'snapshot'>
    readonly snapshots: Pick<SnapshotStore, 'read'>
  }

/**
 * Errors: `inputs_unbound`, which lists every input that no feature answers; `test_rows_missing` where the
 * home holds no rows of the project yet.
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
  const { project, brought } = request
  const features = boundFeatures(request)
  const model = { ...request.model, features }
  const declaration = declarationOf(request)
  const { rows } = groundOf(declaration, project, table)
  const fitted = { model, rows, features: selectColumns(table.features, features) }
  const about = {
    params: { learner: model.kind, brought_from: `${brought.model}@${brought.version}` },
    tags: { brought_hash: brought.hash },
  }
  const candidate = await keepAsRun(declaration, about, { project, table }, ports, () =>
    measured(fitted, declaration, project, table),
  )
  await enrol(project, ports)
  const { trainedBy } = brought
  return registerAndExamine({ ...candidate, trainedBy }, project, table, ports)
}

/** What answers each input, in their order. Error: `inputs_unbound`. */
function boundFeatures({ project, brought, model, names }: AdoptRequest): string[] {
  const inputs = model.features.map((name) => ({ name, datatype: 'FP64', shape: [-1] }) as const)
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
