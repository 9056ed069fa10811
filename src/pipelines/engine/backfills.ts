// Backfills in a process that stays. Each is on record from its beginning to its end, and one that was
// broken off goes on at the next start.
import { systemActor, type ChangeBy } from '../../access/index.ts'
import { pipelineErrors } from '../errors.ts'
import type { RunReason } from '../types.ts'
import { endedBackfill, keysBetween, newBackfill, runBackfill } from './backfill.ts'
import type { HostPorts } from './host.ts'
import type { RunRequest } from './plan.ts'
import type { BackfillState, StartBackfill } from './records.ts'
import { BrokenOff } from './run-context.ts'

/** At once; each runs a few partitions side by side. */
const AT_ONCE = 4
const LOOKED_AT = 100

/** What a backfill asks for each of its partitions. Error: `pipeline_unknown`. */
export type BackfillRequestOf = (
  asked: StartBackfill & { readonly why: RunReason },
  actor: string,
) => RunRequest

export function createBackfills(
  ports: HostPorts,
  { requestOf, runner }: { readonly requestOf: BackfillRequestOf; readonly runner: string },
) {
  const { store, clock } = ports
  const current = new Map<string, AbortController>()
  const filling = new Set<Promise<void>>()

  async function endWhenCancelled(id: string): Promise<void> {
    const found = await store.cancellation(id).catch(() => undefined)
    if (found === undefined) return
    current.get(id)?.abort(`Cancelled by ${found.identityName}: ${found.reason}`)
  }

  function begin(state: BackfillState, by: ChangeBy): void {
    const filled = fill(state, by)
      .catch(ports.onDefect)
      .finally(() => filling.delete(filled))
    filling.add(filled)
  }

  /** `by` begins the runs; whoever asked for the backfill stays the one who may not approve them. */
  async function fill(began: BackfillState, by: ChangeBy): Promise<void> {
    const abort = current.get(began.id) ?? new AbortController()
    current.set(began.id, abort)
    await endWhenCancelled(began.id)
    let state = began
    let saving: Promise<unknown> = Promise.resolve()
    try {
      const why: RunReason = { kind: 'backfill', words: `Backfill ${began.id}` }
      const asked = requestOf({ ...began, why }, began.actor)
      const counts = await runBackfill(
        { ...asked, backfill: began.id, from: began.from, to: began.to },
        {
          ...ports,
          begin: (run) => ports.begin(run, by),
          onPartition({ done, total }) {
            const now = { ...state, progress: { done, total } }
            state = now
            saving = saving.then(() => store.saveBackfill(now)).catch(ports.onDefect)
          },
        },
        abort.signal,
      )
      // Left as it is stored, to be gone on with.
      if (abort.signal.reason instanceof BrokenOff) return
      state = endedBackfill(state, { counts, signal: abort.signal, clock })
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error)
      state = { ...state, state: 'failed', endedAtUs: clock.nowUs(), problem }
    } finally {
      current.delete(began.id)
      await saving
    }
    await ports.endBackfill(state)
  }

  return {
    /** Its id. Errors: `pipeline_unknown`, `pipeline_value_invalid`, `pipeline_runs_full`. */
    async start(request: StartBackfill, by: ChangeBy): Promise<string> {
      const why: RunReason = { kind: 'backfill', words: '' }
      const { pipeline } = requestOf({ ...request, why }, by.actor.id)
      keysBetween({ ...request, pipeline }, clock.nowUs())
      if (current.size >= AT_ONCE) {
        throw pipelineErrors.pipeline_runs_full(`${current.size} backfills are running.`)
      }
      const state = newBackfill(request, { ...ports, actor: by.actor.id, runner })
      current.set(state.id, new AbortController())
      try {
        await ports.beginBackfill(state, by)
      } catch (error) {
        current.delete(state.id)
        throw error
      }
      begin(state, by)
      return state.id
    },
    /** Goes on with those of this process that were broken off. */
    async resume(): Promise<void> {
      for (const state of await store.backfills(LOOKED_AT)) {
        const isOwn = state.runner === undefined || state.runner === runner
        if (state.state !== 'running' || !isOwn || current.has(state.id)) continue
        const reason = 'Going on with a backfill that was broken off'
        begin(state, { actor: systemActor, reason })
      }
    },
    endWhenCancelled,
    /** Sees what people asked of those that go on. */
    async look(): Promise<void> {
      for (const id of current.keys()) await endWhenCancelled(id)
    },
    async stop(reason: BrokenOff): Promise<void> {
      for (const abort of current.values()) abort.abort(reason)
      await Promise.all(filling)
    },
  }
}
