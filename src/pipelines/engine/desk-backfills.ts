// Backfills as people begin and cancel them; each change is one transaction with its audit entry.
import { requireReason, systemActor, type ChangeBy } from '../../access/index.ts'
import { pipelineErrors } from '../errors.ts'
import type { DeskPorts } from './desk.ts'
import type { BackfillState } from './records.ts'

export interface BackfillDesk {
  /** Records a backfill that is about to begin. */
  beginBackfill(state: BackfillState, by: ChangeBy): Promise<void>
  /** Records what a backfill has come to. */
  endBackfill(state: BackfillState): Promise<void>
  /**
   * Asks for the end of a backfill; whoever runs it sees it within a second. Errors:
   * `pipeline_unknown`, `pipeline_run_ended`.
   */
  cancelBackfill(id: string, by: ChangeBy): Promise<void>
}

export function createBackfillDesk({
  unit,
  audit,
  store,
  clock,
}: Pick<DeskPorts, 'unit' | 'audit' | 'store' | 'clock'>): BackfillDesk {
  const entry = (
    { id, pipeline }: Pick<BackfillState, 'id' | 'pipeline'>,
    { actor, reason }: { readonly actor: string; readonly reason: string },
    what: { readonly action: string; readonly details?: Readonly<Record<string, string>> },
  ) =>
    audit.append({
      actor,
      action: `pipelines.${what.action}`,
      object: { kind: 'pipeline-backfill', id },
      reason,
      details: { pipeline, ...what.details },
    })

  return {
    async beginBackfill(state, by) {
      const reason = requireReason(by)
      const { from, to } = state
      return unit.transaction(async () => {
        await store.saveBackfill(state)
        const who = { actor: by.actor.id, reason }
        await entry(state, who, { action: 'backfill-started', details: { from, to } })
      })
    },
    async endBackfill(state) {
      return unit.transaction(async () => {
        await store.saveBackfill(state)
        const who = { actor: systemActor.id, reason: endInWords(state) }
        await entry(state, who, { action: 'backfill-ended', details: { state: state.state } })
      })
    },
    async cancelBackfill(id, by) {
      const reason = requireReason(by)
      return unit.transaction(async () => {
        const state = await store.backfill(id)
        if (state === undefined)
          throw pipelineErrors.pipeline_unknown(`There is no backfill ${id}.`)
        if (state.state !== 'running') {
          throw pipelineErrors.pipeline_run_ended(`${id} has ended: ${state.state}.`)
        }
        const { id: identityId, name: identityName } = by.actor
        await store.cancel({ runId: id, identityId, identityName, reason, atUs: clock.nowUs() })
        await entry(state, { actor: identityId, reason }, { action: 'backfill-cancelled' })
      })
    },
  }
}

function endInWords({ counts, problem }: BackfillState): string {
  if (counts === null) return problem ?? 'It ended.'
  const { done, failed, known, left } = counts
  const words = `${done} done, ${failed} failed, ${known} done before, ${left} not reached`
  return problem === null ? words : `${problem}; ${words}`
}
