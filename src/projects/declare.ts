// A bank's project: the one value that a project.ts exports, and how it becomes data.
import type { LabelsDeclaration } from '../data/index.ts'
import { compilePolicy, type PolicyDeclaration } from '../decisions/index.ts'
import type { FeatureSetDeclaration } from '../features/index.ts'
import { compileGatePolicy, type GatePolicyDeclaration } from '../governance/index.ts'
import { taskOf, type LearnerSpec, type TimeSplit } from '../learning/index.ts'
import { contentHash } from '../lib/hash.ts'
import { parseTimestamp } from '../lib/time.ts'
import type { FlowProject, RegisteredModelDeclaration } from '../pipelines/index.ts'
import type { DeclarationText } from './declaration-text.ts'
import { projectErrors } from './errors.ts'
import {
  checkNames,
  compileFeatureProject,
  type CompiledFeatureProject,
  type FeatureProjectDeclaration,
  type FeatureProjectOptions,
} from './feature-project.ts'
import { compileStreamProject, type StreamProjectDeclaration } from './stream-project.ts'
import { compilePipelineProject, type PipelineProjectDeclaration } from './pipeline-project.ts'

/** A recipe for a model: which features, which label, which learner. */
export interface ModelDeclaration {
  readonly kind: 'model'
  readonly name: string
  readonly description?: string
  readonly features: readonly FeatureSetDeclaration[]
  readonly label: LabelsDeclaration
  /** Of two classes: `boostedTrees`, `randomForest`, `logisticRegression`, or any of them `calibrated`. */
  readonly learner: LearnerSpec
}

/** Declares a model to be trained. */
export function model(
  name: string,
  options: Omit<ModelDeclaration, 'kind' | 'name'>,
): ModelDeclaration {
  return { kind: 'model', name, ...options }
}

export interface ProjectOptions extends FeatureProjectOptions {
  /** An example may be approved by a script; its cards carry a watermark. */
  readonly example?: boolean
  readonly labels: readonly LabelsDeclaration[]
  /** In the order in which they are registered when they are equally good. */
  readonly models: readonly ModelDeclaration[]
  readonly split: TimeSplit
  readonly gates: readonly GatePolicyDeclaration[]
  readonly policies: readonly PolicyDeclaration[]
  readonly seed: number
  readonly registeredModel: RegisteredModelDeclaration
  readonly data: {
    readonly describe: string
    readonly fileName: string
    /** Text of the file, in pieces; used where no `--data FILE` is given. */
    readonly generate?: () => Iterable<string> | AsyncIterable<string>
    /** A file beside the project, used where no `--data FILE` is given. */
    readonly file?: string
  }
  /** Rows in [from, until) are kept back and played as live traffic. */
  readonly replay?: { readonly from: string; readonly until: string; readonly speed: number }
  /** Names under which a script approves, in an example only. */
  readonly approvers?: readonly string[]
}

export interface ProjectDeclaration extends ProjectOptions {
  readonly kind: 'project'
  readonly name: string
}

/** Declares a project; the default export of its `project.ts`. */
export function project(name: string, options: ProjectOptions): ProjectDeclaration {
  return { kind: 'project', name, ...options }
}

/** The project as data: what is applied, recorded and shown; it holds no code. */
export interface CompiledProject extends CompiledFeatureProject, FlowProject {
  readonly data: {
    readonly describe: string
    readonly fileName: string
    readonly file: string | null
  }
  /**
   * The declarations as they were written, for people to read. Not part of the version, which is of
   * what they mean; absent where a project was compiled without its files, or by an earlier release.
   */
  readonly declarations?: DeclarationText
}

/**
 * What a server knows of its project. One that declares features or pipelines alone has no models,
 * gates or policies, and nothing of how they are made.
 */
export type DeclaredProject = Omit<CompiledProject, 'split' | 'seed' | 'registeredModel' | 'data'>

/** Whether a project learns and decides; such a one is declared with `project(…)`. */
export function learnsAndDecides(project: DeclaredProject): project is CompiledProject {
  return 'registeredModel' in project
}

/** A project without the parts that learn and decide. Errors as those of `compileProject`. */
export function compilePart(
  declaration: FeatureProjectDeclaration | PipelineProjectDeclaration | StreamProjectDeclaration,
): DeclaredProject {
  const body = {
    ...declaredBy(declaration),
    example: false,
    models: [],
    gates: [],
    policies: [],
    replay: null,
    approvers: [],
  }
  return { ...body, version: contentHash(body) }
}

function declaredBy(
  declaration: FeatureProjectDeclaration | PipelineProjectDeclaration | StreamProjectDeclaration,
): CompiledFeatureProject {
  switch (declaration.kind) {
    case 'feature-project':
      return compileFeatureProject(declaration)
    case 'pipeline-project':
      return compilePipelineProject(declaration)
    case 'stream-project':
      return compileStreamProject(declaration)
  }
}

/**
 * Compiles every declaration of a project and checks that they fit together.
 * Errors: those of each room's compiler, and `project_invalid` with the part that is wrong.
 */
export function compileProject(declaration: ProjectDeclaration): CompiledProject {
  const features = compileFeatureProject(declaration)
  checkProject(declaration)
  const body = {
    ...features,
    example: declaration.example ?? false,
    models: declaration.models.map((each) => ({
      name: each.name,
      description: each.description ?? '',
      featureSets: each.features.map((set) => set.name),
      label: each.label.name,
      learner: each.learner,
    })),
    split: declaration.split,
    gates: declaration.gates.map((each) => compileGatePolicy(each)),
    policies: declaration.policies.map((each) => compilePolicy(each)),
    seed: declaration.seed,
    registeredModel: declaration.registeredModel,
    data: {
      describe: declaration.data.describe,
      fileName: declaration.data.fileName,
      file: declaration.data.file ?? null,
    },
    replay: declaration.replay ? compileReplay(declaration.replay) : null,
    approvers: declaration.approvers ?? [],
  }
  return { ...body, version: contentHash(body) }
}

function compileReplay(replay: NonNullable<ProjectOptions['replay']>) {
  const range = {
    fromUs: day('replay.from', replay.from),
    untilUs: day('replay.until', replay.until),
  }
  if (range.untilUs <= range.fromUs) {
    throw projectErrors.project_invalid(`replay: ${replay.until} lies before ${replay.from}`)
  }
  return { ...range, speed: replay.speed }
}

function day(what: string, text: string): number {
  const us = /^\d{4}-\d{2}-\d{2}$/.test(text) ? parseTimestamp(`${text}T00:00:00Z`) : undefined
  if (us === undefined) {
    throw projectErrors.project_invalid(`${what}: "${text}" is not a day; write YYYY-MM-DD`)
  }
  return us
}

function checkProject(declaration: ProjectDeclaration): void {
  const invalid = (detail: string) =>
    projectErrors.project_invalid(`${declaration.name}: ${detail}`)
  for (const part of ['labels', 'models', 'gates', 'policies'] as const) {
    checkNames(declaration.name, part, declaration[part])
  }
  const known = new Set(declaration.featureSets)
  for (const { name, features } of [...declaration.models, ...declaration.policies]) {
    const missing = features.find((set) => !known.has(set))
    if (missing)
      throw invalid(`"${name}" uses the feature set "${missing.name}"; add it to featureSets`)
  }
  for (const each of declaration.models) {
    if (!declaration.labels.includes(each.label)) {
      throw invalid(`the model "${each.name}" learns "${each.label.name}"; add it to labels`)
    }
    const task = taskOf(each.learner)
    if (task !== 'binary') {
      throw invalid(
        `the model "${each.name}" has a ${task} learner, and labels are of two classes; take a binary one`,
      )
    }
  }
  if (declaration.approvers?.length && !declaration.example) {
    throw invalid('only an example may name scripts that approve; remove approvers')
  }
  if (declaration.data.generate === undefined && declaration.data.file === undefined) {
    throw invalid('data names neither generate nor file; give one of them')
  }
}
