// One step of a declared pipeline's run: what it read and made, why it ran or did not, its attempts
// with their logs, and people's answers; and what a pipeline made over its partitions.
import { may, type Identity } from '../../../access/index.ts'
import type { ApprovalAnswer, PipelineRun, StepRecord } from '../../../pipelines/index.ts'
import type { Permission, StepDetail } from '../../contract/index.ts'
import type { Handlers } from '../handlers.ts'
import { identityView, ref, time } from '../present.ts'
import type { Rooms } from '../rooms.ts'
import { asText, people, pipelineViewErrors, stepView } from './pipelines.ts'

const PARTITIONS_LISTED = 200
const PRODUCTS_LISTED = 200
/** Bytes of a log's end. */
const LOG_END = 64 * 1024

type StepHandlers = Pick<
  Handlers,
  | 'pipelineStep'
  | 'pipelineStepLog'
  | 'answerPipelineStep'
  | 'pipelinePartitions'
  | 'pipelineProducts'
>

export function pipelineStepViews(rooms: Rooms): StepHandlers {
  async function found(runId: string, name: string) {
    const run = await rooms.pipelines.get(runId)
    const steps = run?.engine === undefined ? [] : await rooms.pipelineEngine.steps(runId)
    const step = steps.find((each) => each.step === name)
    if (run !== undefined && step !== undefined) return { run, step }
    throw pipelineViewErrors.pipeline_not_found(`There is no step ${name} in a run ${runId}.`)
  }

  return {
    async pipelineStep({ params, identity }) {
      const { run, step } = await found(params.pipelineRunId, params.step)
      const answers = await rooms.pipelineEngine.answers(run.id)
      const known = await people(rooms)
      return detail(run, step, { answers, identity, known })
    },
    async pipelineStepLog({ params, query }) {
      const { run, step } = await found(params.pipelineRunId, params.step)
      const read = (from: number) => rooms.pipelineLogs.read(run.id, step.step, query.attempt, from)
      if (query.from !== undefined) return read(query.from)
      // Without a place to begin the end is what is looked for.
      const { bytes } = await read(Number.MAX_SAFE_INTEGER)
      return read(Math.max(0, bytes - LOG_END))
    },
    async answerPipelineStep({ params, body, identity }) {
      const { pipelineRunId: runId, step } = params
      const { verdict, reason } = body
      await rooms.pipelineDesk.answer({ runId, step, verdict }, { actor: identity, reason })
      return {
        sentence:
          verdict === 'approve' ? 'Your approval is recorded.' : 'Your refusal is recorded.',
      }
    },
    async pipelinePartitions({ params, query }) {
      const limit = query.limit ?? PARTITIONS_LISTED
      const { pipeline } = params
      const rows = await rooms.pipelineEngine.partitions(pipeline, {
        status: query.state,
        after: query.after,
        limit: limit + 1,
      })
      const shown = rows.slice(0, limit)
      return {
        counts: { ...(await rooms.pipelineEngine.partitionCounts(pipeline)) },
        items: shown.map(({ key, status, runId, atUs }) => ({
          key,
          state: status,
          run: ref('pipeline', runId, `run of ${time(atUs)}`),
          at: time(atUs),
        })),
        next: rows.length > limit ? shown.at(-1)!.key : null,
      }
    },
    async pipelineProducts({ params }) {
      const products = await rooms.pipelineEngine.products(params.pipeline, PRODUCTS_LISTED)
      return {
        items: products.map(({ output, partition, version, kept, runId, atUs }) => ({
          output,
          partition,
          version,
          kind: kept.kind,
          digest: kept.digest,
          rows: kept.rows ?? null,
          bytes: kept.bytes,
          run: ref('pipeline', runId, `run of ${time(atUs)}`),
          at: time(atUs),
        })),
      }
    },
  }
}

interface Asking {
  readonly answers: readonly ApprovalAnswer[]
  readonly identity: Identity
  readonly known: ReadonlyMap<string, Identity>
}

function detail(run: PipelineRun, step: StepRecord, asking: Asking): StepDetail {
  const before = step.before.map((name) => ({ name }))
  return {
    ...stepView({ ...step, name: step.step }, before),
    cache: step.cache && {
      hit: step.cache.hit,
      words: [...step.cache.words],
      madeBy:
        step.cache.of &&
        ref(
          'pipeline',
          step.cache.of.runId,
          `${step.cache.of.pipeline}, ${time(step.cache.of.atUs)}`,
        ),
    },
    params: asText(step.parts?.params ?? {}),
    reads: Object.entries(step.inputs).map(([name, { kind, digest, source }]) => {
      return { name, kind, digest, from: source }
    }),
    makes: Object.entries(step.outputs).map(([name, { kind, digest, bytes, rows }]) => {
      return { name, kind, digest, bytes, rows: rows ?? null }
    }),
    checks: step.checks.flatMap(({ output, evidence }) =>
      evidence.map(({ passed, said }) => ({ output, passed, said })),
    ),
    attempts: step.attempts.map(
      ({ number, status, startedAtUs, endedAtUs, waitedMs, problem }) => ({
        number,
        state: status,
        startedAt: time(startedAtUs),
        durationMs: endedAtUs === null ? null : (endedAtUs - startedAtUs) / 1000,
        waitedMs,
        problem,
      }),
    ),
    problem: step.problem,
    approval: approvalView(run, step, asking),
  }
}

function approvalView(
  run: PipelineRun,
  step: StepRecord,
  { answers, identity, known }: Asking,
): StepDetail['approval'] {
  if (step.approval === null) return null
  const { question, approvers, shown } = step.approval
  const own = answers.filter((answer) => answer.step === step.step && answer.shown === shown)
  return {
    question,
    required: approvers,
    answers: own.map(({ identityId, identityName, verdict, reason, atUs }) => ({
      by: { ...identityView(known.get(identityId), identityId), name: identityName },
      verdict,
      reason,
      at: time(atUs),
    })),
    answer: mayAnswer(run, step, own, identity),
  }
}

function mayAnswer(
  run: PipelineRun,
  step: StepRecord,
  answers: readonly ApprovalAnswer[],
  identity: Identity,
): Permission {
  const refusal = () => {
    if (step.status !== 'held') return 'It waits for nobody.'
    if (identity.kind !== 'person' || !may(identity, 'approve')) {
      return 'A person with the right to approve answers.'
    }
    if (identity.id === run.actor) return 'Whoever started the run does not approve it.'
    const gave = answers.some(({ identityId }) => identityId === identity.id)
    return gave ? 'You have answered.' : null
  }
  const reason = refusal()
  return { allowed: reason === null, reason }
}
