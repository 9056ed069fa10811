// Pipelines: named steps run in order, with a record of every run that says what each step found,
// how long it took and why it stopped. A record is stored before the next step begins.
export { createMemoryPipelineRuns } from './memory.ts'
export { runPipeline, type RunPorts, type Step } from './run.ts'
export type { PipelineRun, PipelineRunStore, StepState } from './types.ts'
