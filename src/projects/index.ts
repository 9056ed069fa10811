// Projects: what a bank declares, and the directory in which one Assay keeps what comes of it.
// A project compiles to canonical JSON named by its hash, and only that crosses into other
// processes. The home directory has a format; migrations go forward, and a lock gives it one owner.
export {
  compileProject,
  learnsAndDecides,
  model,
  project,
  type CompiledProject,
  type DeclaredProject,
  type ModelDeclaration,
  type ProjectDeclaration,
  type ProjectOptions,
} from './declare.ts'
export {
  basePath,
  clearHome,
  homeAt,
  homeOwner,
  lockHome,
  lockRole,
  openHome,
  orHomeFull,
  serverFile,
  HOME_FORMAT,
  type Home,
  type Role,
} from './home.ts'
export {
  featureProject,
  type CompiledFeatureProject,
  type FeatureProjectDeclaration,
  type FeatureProjectOptions,
} from './feature-project.ts'
export {
  loadDeclarations,
  loadFeatures,
  loadPipelines,
  loadProject,
  type LoadedDeclarations,
  type LoadedFeatures,
  type LoadedPipelines,
  type LoadedProject,
} from './load.ts'
export {
  pipelineProject,
  type PipelineProjectDeclaration,
  type PipelineProjectOptions,
} from './pipeline-project.ts'
export {
  streamProject,
  type StreamProjectDeclaration,
  type StreamProjectOptions,
} from './stream-project.ts'
export {
  createMemoryProjectStore,
  createProjects,
  type AppliedProject,
  type Projects,
  type ProjectStore,
} from './apply.ts'
export { codeEnvironment, codeRevision } from './revision.ts'
