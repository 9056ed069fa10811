import { Type, type Static } from '@sinclair/typebox'
import { LineageGraph, LineageQuery } from './lineage.ts'
import { Done, Identity, Nullable, ObjectRef, OneOf, Permission, Time } from './shapes.ts'
import { WithReason } from './models.ts'
import { stageStates } from './overview.ts'

export const stepStates = [...stageStates, 'cached', 'held', 'skipped', 'cancelled'] as const
export const pipelineStates = ['running', 'waiting', 'done', 'failed', 'cancelled'] as const

export const PipelineStep = Type.Object({
  name: Type.String(),
  title: Type.String(),
  state: OneOf(stepStates),
  startedAt: Nullable(Time),
  durationMs: Nullable(Type.Number()),
  figure: Nullable(Type.String()),
  outputs: Type.Array(ObjectRef),
  before: Type.Array(Type.String(), { description: 'Names of the steps that it waits for' }),
})

export const PipelineRun = Type.Object({
  id: Type.String(),
  pipeline: Type.String(),
  about: Nullable(Type.String({ description: 'What it is about, or its partition' })),
  state: OneOf(pipelineStates),
  startedAt: Time,
  durationMs: Nullable(Type.Number()),
  by: Identity,
  why: Nullable(Type.String({ description: 'Why it began, in a sentence' })),
  problem: Nullable(Type.String()),
  counts: Type.Record(Type.String(), Type.Integer(), {
    description: 'How many steps are in each state',
  }),
  steps: Type.Array(PipelineStep, { description: 'Empty in lists where there are many' }),
  declared: Type.Boolean({ description: 'Whether the project declares it; else a standard flow' }),
})
export type PipelineRun = Static<typeof PipelineRun>
export const PipelinesQuery = Type.Object({
  pipeline: Type.Optional(Type.String({ maxLength: 100 })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500 })),
})
export const Pipelines = Type.Object({ items: Type.Array(PipelineRun) })
export const PipelineParams = Type.Object({ pipelineRunId: Type.String() })

export const PipelineRunDetail = Type.Composite([
  PipelineRun,
  Type.Object({
    params: Type.Record(Type.String(), Type.String()),
    cancel: Permission,
    changes: Type.Array(Type.Object({ at: Time, sentence: Type.String() }), {
      description: 'What was different when it went on after it was broken off or had waited',
    }),
  }),
])
export type PipelineRunDetail = Static<typeof PipelineRunDetail>

export const StepParams = Type.Object({ pipelineRunId: Type.String(), step: Type.String() })
export const StepAttempt = Type.Object({
  number: Type.Integer(),
  state: OneOf(['running', 'done', 'failed', 'timeout', 'memory', 'cancelled', 'lost']),
  startedAt: Time,
  durationMs: Nullable(Type.Number()),
  waitedMs: Type.Number({ description: 'How long was waited before it' }),
  problem: Nullable(Type.String()),
})
export const StepDetail = Type.Composite([
  PipelineStep,
  Type.Object({
    cache: Nullable(
      Type.Object({
        hit: Type.Boolean(),
        words: Type.Array(Type.String()),
        madeBy: Nullable(ObjectRef),
      }),
    ),
    params: Type.Record(Type.String(), Type.String()),
    reads: Type.Array(
      Type.Object({
        name: Type.String(),
        kind: Type.String(),
        digest: Type.String(),
        from: Type.String(),
      }),
    ),
    makes: Type.Array(
      Type.Object({
        name: Type.String(),
        kind: Type.String(),
        digest: Type.String(),
        bytes: Type.Integer(),
        rows: Nullable(Type.Integer()),
      }),
    ),
    checks: Type.Array(
      Type.Object({ output: Type.String(), passed: Type.Boolean(), said: Type.String() }),
    ),
    attempts: Type.Array(StepAttempt),
    problem: Nullable(Type.String()),
    approval: Nullable(
      Type.Object({
        question: Type.String(),
        required: Type.Integer(),
        answers: Type.Array(
          Type.Object({
            by: Identity,
            verdict: OneOf(['approve', 'refuse']),
            reason: Type.String(),
            at: Time,
          }),
        ),
        answer: Permission,
      }),
    ),
  }),
])
export type StepDetail = Static<typeof StepDetail>

export const StepLogQuery = Type.Object({
  attempt: Type.Integer({ minimum: 1 }),
  from: Type.Optional(
    Type.Integer({ minimum: 0, description: 'Byte to read on from; its last 64 KB without' }),
  ),
})
export const StepLog = Type.Object({
  text: Type.String(),
  next: Type.Integer({ description: 'Where the next part begins' }),
  bytes: Type.Integer(),
})

export const AnswerStep = Type.Object(
  {
    verdict: OneOf(['approve', 'refuse']),
    reason: Type.String({ minLength: 3, maxLength: 2000 }),
  },
  { additionalProperties: false },
)

export const partitionStates = ['running', 'done', 'failed', 'cancelled'] as const
export const PipelineNameParams = Type.Object({ pipeline: Type.String({ maxLength: 100 }) })
export const PartitionsQuery = Type.Object({
  state: Type.Optional(OneOf(partitionStates)),
  after: Type.Optional(Type.String({ maxLength: 200 })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
})
export const Partitions = Type.Object({
  counts: Type.Record(Type.String(), Type.Integer()),
  items: Type.Array(
    Type.Object({
      key: Type.String(),
      state: OneOf(partitionStates),
      run: ObjectRef,
      at: Time,
    }),
  ),
  next: Nullable(Type.String()),
})
export type Partitions = Static<typeof Partitions>

export const backfillStates = ['running', 'done', 'failed', 'cancelled'] as const
export const BackfillsQuery = Type.Object({
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500 })),
})
export const Backfills = Type.Object({
  items: Type.Array(
    Type.Object({
      id: Type.String(),
      from: Type.String(),
      to: Type.String(),
      state: OneOf(backfillStates),
      by: Identity,
      startedAt: Time,
      durationMs: Nullable(Type.Number()),
      progress: Type.Object(
        { done: Type.Integer(), total: Type.Integer() },
        { description: 'Partitions that have ended, of all of the range' },
      ),
      failed: Nullable(
        Type.Integer({ description: 'Partitions that failed; null until it ended' }),
      ),
      problem: Nullable(Type.String()),
      cancel: Permission,
    }),
  ),
})
export type Backfills = Static<typeof Backfills>
export const BackfillParams = Type.Object({
  pipeline: Type.String({ maxLength: 100 }),
  backfill: Type.String({ maxLength: 100 }),
})

export const Products = Type.Object({
  items: Type.Array(
    Type.Object({
      output: Type.String(),
      partition: Nullable(Type.String()),
      version: Type.Integer(),
      kind: Type.String(),
      digest: Type.String(),
      rows: Nullable(Type.Integer()),
      bytes: Type.Integer(),
      run: ObjectRef,
      at: Time,
    }),
  ),
})

/** A pipeline that the project declares, with what it can be asked for. */
export const DeclaredPipelines = Type.Object({
  items: Type.Array(
    Type.Object({
      name: Type.String(),
      title: Type.String(),
      description: Type.String(),
      steps: Type.Integer(),
      triggers: Type.Array(Type.String(), { description: 'When it runs by itself, in words' }),
      partitions: Nullable(Type.String({ description: 'What it runs over, in words' })),
      params: Type.Array(
        Type.Object({ name: Type.String(), default: Type.String(), description: Type.String() }),
      ),
      run: Permission,
    }),
  ),
})
export type DeclaredPipelines = Static<typeof DeclaredPipelines>

const asked = {
  params: Type.Optional(Type.Record(Type.String(), Type.String({ maxLength: 10_000 }))),
  reason: Type.String({ minLength: 3, maxLength: 2000 }),
}
export const StartPipeline = Type.Object(
  {
    ...asked,
    partition: Type.Optional(Type.String({ maxLength: 200 })),
    noCache: Type.Optional(Type.Boolean()),
  },
  { additionalProperties: false },
)
export const StartBackfill = Type.Object(
  { ...asked, from: Type.String({ maxLength: 200 }), to: Type.String({ maxLength: 200 }) },
  { additionalProperties: false },
)
export const StartedPipeline = Type.Object({ id: Type.String(), sentence: Type.String() })

export const pipelineRoutes = {
  declaredPipelines: { summary: 'Pipelines of the project', response: DeclaredPipelines },
  startPipeline: {
    summary: 'Begin a run of a declared pipeline',
    params: PipelineNameParams,
    body: StartPipeline,
    response: StartedPipeline,
  },
  startBackfill: {
    summary: 'Run a declared pipeline over a range of its partitions',
    params: PipelineNameParams,
    body: StartBackfill,
    response: StartedPipeline,
  },
  backfills: {
    summary: 'Backfills of a declared pipeline, newest first',
    params: PipelineNameParams,
    query: BackfillsQuery,
    response: Backfills,
  },
  cancelBackfill: {
    summary: 'End a backfill; partitions that are done stay done',
    params: BackfillParams,
    body: WithReason,
    response: Done,
  },
  pipelines: { summary: 'Pipeline runs', query: PipelinesQuery, response: Pipelines },
  pipeline: { summary: 'One pipeline run', params: PipelineParams, response: PipelineRunDetail },
  lineage: {
    summary: 'What came from what: data, features, runs, versions, deployments, decisions',
    query: LineageQuery,
    response: LineageGraph,
  },
  cancelPipeline: {
    summary: 'End a run of a declared pipeline',
    params: PipelineParams,
    body: WithReason,
    response: Done,
  },
  pipelineStep: {
    summary: 'One step of a run: what it read and made, and why it ran or did not',
    params: StepParams,
    response: StepDetail,
  },
  pipelineStepLog: {
    summary: 'What an attempt of a step wrote, from a byte on',
    params: StepParams,
    query: StepLogQuery,
    response: StepLog,
  },
  answerPipelineStep: {
    summary: 'Approve or refuse a step that waits for people',
    params: StepParams,
    body: AnswerStep,
    response: Done,
  },
  pipelinePartitions: {
    summary: 'Partitions of a declared pipeline that were run',
    params: PipelineNameParams,
    query: PartitionsQuery,
    response: Partitions,
  },
  pipelineProducts: {
    summary: 'What a declared pipeline made for others, by version',
    params: PipelineNameParams,
    response: Products,
  },
} as const
