import { Type, type Static } from '@sinclair/typebox'
import { Identity, Nullable, ObjectRef, OneOf, Time } from './shapes.ts'
import { stageStates } from './overview.ts'

export const PipelineStep = Type.Object({
  name: Type.String(),
  title: Type.String(),
  state: OneOf([...stageStates, 'cached'] as const),
  startedAt: Nullable(Time),
  durationMs: Nullable(Type.Number()),
  figure: Nullable(Type.String()),
  outputs: Type.Array(ObjectRef),
})
export const PipelineRun = Type.Object({
  id: Type.String(),
  pipeline: Type.String(),
  state: OneOf(['running', 'done', 'failed']),
  startedAt: Time,
  durationMs: Nullable(Type.Number()),
  by: Identity,
  problem: Nullable(Type.String()),
  steps: Type.Array(PipelineStep),
})
export type PipelineRun = Static<typeof PipelineRun>
export const Pipelines = Type.Object({ items: Type.Array(PipelineRun) })
export const PipelineParams = Type.Object({ pipelineRunId: Type.String() })
