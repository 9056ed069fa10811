// A project that calculates features and does nothing else: no labels, models or decisions yet.
import {
  compileLabels,
  compileSource,
  type CompiledLabels,
  type CompiledSource,
  type LabelsDeclaration,
  type SourceDeclaration,
} from '../data/index.ts'
import {
  compileFeatureSet,
  compileGraphSnapshots,
  type CompiledFeatureSet,
  type CompiledGraphSnapshots,
  type FeatureSetDeclaration,
  type GraphSnapshotsDeclaration,
} from '../features/index.ts'
import {
  compilePipelines,
  type CompiledPipeline,
  type PipelineDeclaration,
} from '../pipelines/index.ts'
import type { CompiledLogStream } from '../logs/index.ts'
import { projectErrors } from './errors.ts'

export interface FeatureProjectOptions {
  readonly title: string
  readonly description?: string
  readonly owner: string
  readonly sources: readonly SourceDeclaration[]
  /** Only where a feature looks at them. */
  readonly labels?: readonly LabelsDeclaration[]
  /** Dated snapshots of graphs, whose tables feature sets look up. */
  readonly graphs?: readonly GraphSnapshotsDeclaration[]
  readonly featureSets: readonly FeatureSetDeclaration[]
  readonly pipelines?: readonly PipelineDeclaration[]
}

export interface FeatureProjectDeclaration extends FeatureProjectOptions {
  readonly kind: 'feature-project'
  readonly name: string
}

/**
 * Declares a project of features alone; the default export of its `project.ts`. The commands under
 * `assay features` and `assay ingest` work with it, and `assay start` shows its page; `assay run`
 * learns, and needs the whole of `project`.
 */
export function featureProject(
  name: string,
  options: FeatureProjectOptions,
): FeatureProjectDeclaration {
  return { kind: 'feature-project', name, ...options }
}

/** What every project declares, as data. */
export interface CompiledFeatureProject {
  readonly name: string
  readonly title: string
  readonly description: string
  readonly owner: string
  /** Those that are declared, then the tables of graphs. */
  readonly sources: readonly CompiledSource[]
  readonly labels: readonly CompiledLabels[]
  /** Absent where none are declared. */
  readonly graphs?: readonly CompiledGraphSnapshots[]
  readonly featureSets: readonly CompiledFeatureSet[]
  /** Absent where none are declared. */
  readonly pipelines?: readonly CompiledPipeline[]
  /** Absent where none are declared. */
  readonly logs?: readonly CompiledLogStream[]
}

/**
 * Compiles what every project declares and checks that it fits together. Errors: those of each
 * room's compiler, and `project_invalid` with the part that is wrong.
 */
export function compileFeatureProject(
  declaration: FeatureProjectOptions & { readonly name: string },
): CompiledFeatureProject {
  const { name, title, description = '', owner, sources, labels = [], featureSets } = declaration
  const { graphs = [], pipelines = [] } = declaration
  if (!/^[a-z0-9][a-z0-9-]*$/.test(name)) {
    throw invalid(name, 'a name consists of lower-case letters, digits and dashes')
  }
  checkNames(name, 'sources', sources)
  checkNames(name, 'featureSets', featureSets)
  if (labels.length > 0) checkNames(name, 'labels', labels)
  if (graphs.length > 0) checkNames(name, 'graphs', graphs)
  const compiledGraphs = graphs.map((each) => compileGraphSnapshots(each))
  const project = {
    name,
    title,
    description,
    owner,
    sources: [
      ...sources.map((each) => compileSource(each)),
      ...compiledGraphs.flatMap(({ tables }) => tables),
    ],
    labels: labels.map((each) => compileLabels(each)),
    ...(graphs.length > 0 && { graphs: compiledGraphs.map(({ snapshots }) => snapshots) }),
    featureSets: featureSets.map((each) => compileFeatureSet(each)),
    ...(pipelines.length > 0 && { pipelines: compilePipelines(pipelines) }),
  }
  checkNames(name, 'sources', project.sources)
  const known = new Set(project.sources.map((each) => each.name))
  for (const graph of graphs) {
    const { name: of } = graph.options.of
    if (sources.some((each) => each.name === of)) continue
    throw invalid(name, `the graph "${graph.name}" is made of "${of}"; add it to sources`)
  }
  for (const set of project.featureSets) {
    const read = [set.source, ...(set.sources ?? []).map((side) => side.source)]
    const unknown = read.find((each) => !known.has(each))
    if (unknown === undefined) continue
    const table = /^(.*)-(?:vertices|graph)$/.exec(unknown)?.[1]
    const where = table === undefined ? 'it to sources' : `it to sources, or "${table}" to graphs`
    throw invalid(name, `the feature set "${set.name}" reads "${unknown}"; add ${where}`)
  }
  return project
}

/** A part of a project, whose names must differ. Error: `project_invalid`. */
export function checkNames(
  project: string,
  part: string,
  declared: readonly { readonly name: string }[],
): void {
  if (declared.length === 0) throw invalid(project, `${part} is empty; declare at least one`)
  const names = declared.map((each) => each.name)
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) throw invalid(project, `${part}: "${twice}" is declared twice`)
}

function invalid(project: string, detail: string) {
  return projectErrors.project_invalid(`${project}: ${detail}`)
}
