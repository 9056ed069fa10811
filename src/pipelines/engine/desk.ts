// What people do to runs: start, cancel, approve. Each has a reason and an audit entry, on disk in one
// transaction with the change.
import { may, requireReason, type Access, type ChangeBy } from '../../access/index.ts'
import type { AuditLog } from '../../audit/index.ts'
import type { Clock } from '../../lib/clock.ts'
import type { UnitOfWork } from '../../lib/unit-of-work.ts'
import { pipelineErrors } from '../errors.ts'
import type { PipelineRun, PipelineRunStore } from '../types.ts'
import { createBackfillDesk, type BackfillDesk } from './desk-backfills.ts'
import type { PipelineEngineStore, StepRecord } from './records.ts'

export interface PipelineDesk extends BackfillDesk {
  /** Records a run that is about to begin. */
  begin(run: PipelineRun, by: ChangeBy): Promise<void>
  /**
   * Asks for the end of a run; whoever runs it sees it within a second. One that waits for people is
   * ended at once. Errors: `pipeline_unknown`, `pipeline_run_ended`.
   */
  cancel(runId: string, by: ChangeBy): Promise<void>
  /**
   * Answers an approval step. Errors: `approval_not_waiting`, `approval_own_run`, and
   * `approval_forbidden` for who is no person with the right to approve.
   */
  answer(
    request: {
      readonly runId: string
      readonly step: string
      readonly verdict: 'approve' | 'refuse'
    },
    by: ChangeBy,
  ): Promise<void>
}

export interface DeskPorts {
  readonly unit: UnitOfWork
  readonly audit: Pick<AuditLog, 'append'>
  readonly store: PipelineEngineStore
  readonly runs: PipelineRunStore
  readonly access: Pick<Access, 'identity'>
  readonly clock: Clock
}

export function createPipelineDesk(ports: DeskPorts): PipelineDesk {
  const { unit, audit, store, runs, access, clock } = ports
  async function open(runId: string): Promise<PipelineRun> {
    const run = await runs.get(runId)
    if (run?.engine === undefined) {
      throw pipelineErrors.pipeline_unknown(`There is no run ${runId} of a declared pipeline.`)
    }
    if (run.status === 'running' || run.status === 'waiting') return run
    throw pipelineErrors.pipeline_run_ended(`${runId} has ended: ${run.status}.`)
  }

  return {
    ...createBackfillDesk(ports),
    async begin(run, by) {
      const reason = requireReason(by)
      return unit.transaction(async () => {
        await runs.save(run)
        await audit.append({
          actor: by.actor.id,
          action: 'pipelines.run-started',
          object: { kind: 'pipeline-run', id: run.id },
          reason,
          details: {
            pipeline: run.pipeline,
            key: run.key,
            declaration: run.engine?.declaration ?? null,
            partition: run.engine?.partition ?? null,
            why: run.engine?.why.kind ?? null,
          },
        })
      })
    },
    async cancel(runId, by) {
      const reason = requireReason(by)
      return unit.transaction(async () => {
        const run = await open(runId)
        const { id: identityId, name: identityName } = by.actor
        const atUs = clock.nowUs()
        await store.cancel({ runId, identityId, identityName, reason, atUs })
        if (run.status === 'waiting') {
          const steps = (await store.steps(runId)).flatMap((step) =>
            step.status === 'held' || step.status === 'waiting' ? [cancelled(step)] : [],
          )
          const problem = `Cancelled by ${identityName}: ${reason}`
          const ended = { ...run, status: 'cancelled', endedAtUs: atUs, problem } as const
          await store.record({ run: ended, steps })
        }
        await audit.append({
          actor: identityId,
          action: 'pipelines.run-cancelled',
          object: { kind: 'pipeline-run', id: runId },
          reason,
          details: { pipeline: run.pipeline },
        })
      })
    },
    async answer({ runId, step, verdict }, by) {
      const reason = requireReason(by)
      return unit.transaction(async () => {
        const run = await open(runId)
        const held = (await store.steps(runId)).find((each) => each.step === step)
        if (held?.status !== 'held' || held.approval === null) {
          throw pipelineErrors.approval_not_waiting(`${step} of ${runId} waits for nobody.`)
        }
        if (by.actor.id === run.actor) {
          throw pipelineErrors.approval_own_run(`${by.actor.name} started ${runId}.`)
        }
        await requireApprover(access, by)
        const { shown } = held.approval
        const { id: identityId, name: identityName } = by.actor
        const atUs = clock.nowUs()
        await store.answer({ runId, step, identityId, identityName, verdict, reason, atUs, shown })
        await audit.append({
          actor: identityId,
          action: verdict === 'approve' ? 'pipelines.step-approved' : 'pipelines.step-refused',
          object: { kind: 'pipeline-run', id: runId },
          reason,
          details: { pipeline: run.pipeline, step, shown },
        })
      })
    },
  }
}

function cancelled(step: StepRecord): StepRecord {
  return { ...step, status: 'cancelled' }
}

async function requireApprover(access: Pick<Access, 'identity'>, { actor }: ChangeBy) {
  const identity = await access.identity(actor.id)
  if (identity?.kind === 'person' && may(identity, 'approve')) return
  throw pipelineErrors.approval_forbidden(`${actor.name} is no person with the right to approve.`)
}
