// The engine of declared pipelines. A step is a pure function; what it made is named by all that it
// depends on, so nothing is run twice and every run says why it was one.
export type { AttemptEnd, AttemptTask, StepAttempts } from './attempts.ts'
export { createCodeReader } from './code.ts'
export { compilePipeline, compilePipelines } from './compile.ts'
export {
  stepsBefore,
  type CompiledInput,
  type CompiledPipeline,
  type CompiledStep,
  type CompiledWork,
} from './compiled.ts'
export {
  approval,
  given,
  pipeline,
  step,
  type AnyStep,
  type PipelineDeclaration,
  type StepContext,
} from './declare.ts'
export { createPipelineDesk, type PipelineDesk } from './desk.ts'
export type { DatasetVersions } from './inputs.ts'
export { outputKinds, type OutputKind, type ParamValue, type Row } from './kinds.ts'
export { openLogs, type LogPart, type PipelineLogs } from './logs.ts'
export { createMemoryEngineStore } from './memory.ts'
export { digestFile, digestFolder, openObjects, type PipelineObjects } from './objects.ts'
export {
  cleanResults,
  cleanScratch,
  createResultKeeper,
  type ResultKeeper,
  type ResultsReport,
} from './retention.ts'
export { partitionKeys, type PartitionKeys } from './partitions.ts'
export {
  allSteps,
  loadedPipeline,
  paramFromText,
  type Environment,
  type LoadedPipeline,
  type RunRequest,
} from './plan.ts'
export type * from './records.ts'
export type { RunnerPorts } from './run-context.ts'
export { markBrokenOff, newRun, runPipelineSteps } from './runner.ts'
export {
  fileName,
  runStep,
  type StepHooks,
  type StepInput,
  type StepResult,
  type StepTables,
  type StepTask,
} from './step-run.ts'
export { cron, freshness, onData, onModel, partitionBy } from './when.ts'
export { planRun, type PlannedStep } from './dry-run.ts'
export {
  compareLock,
  lockPipeline,
  type LockDifference,
  type LockedPipeline,
  type PipelineLock,
} from './lock.ts'
export {
  endedBackfill,
  keysBetween,
  newBackfill,
  runBackfill,
  type BackfillRequest,
} from './backfill.ts'
export { changeSentence, requestToGoOn } from './go-on.ts'
export {
  createPipelineHost,
  type PipelineHost,
  type PipelineRemote,
  type StartPipeline,
} from './host.ts'
export { createScheduler } from './scheduler.ts'
