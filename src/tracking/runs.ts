import { requireReason, type ChangeBy } from '../access/index.ts'
import { checkParams, checkTags, checkText } from './checks.ts'
import { compareRuns } from './comparison.ts'
import type { Context } from './context.ts'
import { trackingErrors } from './errors.ts'
import { trackingLimits as limits } from './limits.ts'
import { madeUpName, runHash } from './run-content.ts'
import type { EndStatus, Params, Run, RunComparison, RunHead, RunStatus, Tags } from './types.ts'

export interface NewRun {
  readonly experimentId: string
  /** Made up where there is none. */
  readonly name?: string | undefined
  /** Now, unless told. */
  readonly startedAtUs?: number | undefined
  /** Running, unless told. */
  readonly status?: 'running' | 'scheduled' | undefined
  readonly params?: Params | undefined
  readonly tags?: Tags | undefined
}

export interface RunUpdate {
  readonly name?: string | undefined
  readonly status?: RunStatus | undefined
  /** With an ending status: now, unless told. */
  readonly endedAtUs?: number | undefined
}

export interface Runs {
  startRun(run: NewRun, by: ChangeBy): Promise<Run>
  /** Fails with `run_ended` where it has ended already. */
  endRun(id: string, status: EndStatus, by: ChangeBy): Promise<Run>
  /** An end is audited with the hash of all that was logged; so is a reopening after it. */
  updateRun(id: string, update: RunUpdate, by: ChangeBy): Promise<RunHead>
  /** It stays readable and can be restored until it is purged. */
  deleteRun(id: string, by: ChangeBy): Promise<void>
  restoreRun(id: string, by: ChangeBy): Promise<void>
  /** Deleted ones too, as long as they are not purged. */
  run(id: string): Promise<Run>
  /** The run without what was logged to it. */
  runHead(id: string): Promise<RunHead>
  compare(runIds: readonly string[]): Promise<RunComparison>
}

export function runsOf(context: Context): Runs {
  const { store, unit, clock, ids, record, runOrFail, runHeadOrFail, writableRun } = context

  /** In a transaction: moves a run to a status and audits what that means. */
  async function update(
    before: RunHead,
    { name, status, endedAtUs }: RunUpdate,
    by: ChangeBy,
  ): Promise<RunHead> {
    const { id } = before
    const object = { kind: 'run', id } as const
    const nowUs = clock.nowUs()
    const hashBefore = before.endedAtUs === undefined ? undefined : runHash(await runOrFail(id))
    const isEnd = status === undefined ? before.endedAtUs !== undefined : isEnded(status)
    const end = isEnd ? (endedAtUs ?? (status === undefined ? before.endedAtUs! : nowUs)) : null
    await store.updateRun(id, {
      ...(name !== undefined && { name }),
      ...(status !== undefined && { status }),
      endedAtUs: end,
      updatedAtUs: nowUs,
    })
    if (isEnd) {
      const contentHash = runHash(await runOrFail(id))
      const amended = hashBefore === undefined ? {} : { contentHashBefore: hashBefore }
      const action = status === undefined ? 'run-amended' : 'run-ended'
      const details = { status: status ?? before.status, contentHash, ...amended }
      await record(by, action, object, details)
    } else if (hashBefore !== undefined) {
      await record(by, 'run-reopened', object, { contentHash: hashBefore })
    } else if (name !== undefined && name !== before.name) {
      await record(by, 'run-renamed', object)
    }
    return runHeadOrFail(id)
  }

  return {
    async startRun({ experimentId, name, startedAtUs, status = 'running', params, tags }, by) {
      checkText('The name of a run', name ?? '', limits.runName)
      checkTime(startedAtUs)
      checkParams(params ?? {})
      checkTags(tags ?? {})
      requireReason(by)
      return unit.transaction(async () => {
        await context.writableExperiment(experimentId)
        const id = ids('run')
        const nowUs = clock.nowUs()
        const head: RunHead = {
          id,
          experimentId,
          name: name?.trim() ? name : madeUpName(id),
          status,
          startedAtUs: startedAtUs ?? nowUs,
          startedBy: by.actor.id,
          updatedAtUs: nowUs,
        }
        await store.insertRun(head)
        if (params !== undefined) await store.setParams(id, params)
        if (tags !== undefined) await store.setTags(id, tags)
        const details = { experiment: experimentId, name: head.name }
        await record(by, 'run-started', { kind: 'run', id }, details)
        const nothing = { metrics: {}, artifacts: [], datasets: [] }
        const models = { modelInputs: [], modelOutputs: [] }
        return { ...head, params: { ...params }, tags: { ...tags }, ...nothing, ...models }
      })
    },

    endRun: (id, status, by) =>
      unit.transaction(async () => {
        const head = await writableRun(id)
        if (isEnded(head.status)) {
          throw trackingErrors.run_ended(`Run ${head.name} (${id}) is ${head.status}.`)
        }
        await update(head, { status }, by)
        return runOrFail(id)
      }),

    async updateRun(id, change, by) {
      checkText('The name of a run', change.name ?? '', limits.runName)
      checkTime(change.endedAtUs)
      requireReason(by)
      return unit.transaction(async () => update(await writableRun(id), change, by))
    },

    deleteRun: (id, by) =>
      unit.transaction(async () => {
        await writableRun(id)
        const atUs = clock.nowUs()
        await store.updateRun(id, { deletedAtUs: atUs, updatedAtUs: atUs })
        await record(by, 'run-deleted', { kind: 'run', id })
      }),

    restoreRun: (id, by) =>
      unit.transaction(async () => {
        const { deletedAtUs, experimentId } = await runHeadOrFail(id)
        if (deletedAtUs === undefined) return
        await context.writableExperiment(experimentId)
        await store.updateRun(id, { deletedAtUs: null, updatedAtUs: clock.nowUs() })
        await record(by, 'run-restored', { kind: 'run', id })
      }),

    run: runOrFail,
    runHead: runHeadOrFail,
    async compare(runIds) {
      return compareRuns(await Promise.all(runIds.map(runOrFail)))
    },
  }
}

export function isEnded(status: RunStatus): status is EndStatus {
  return status !== 'running' && status !== 'scheduled'
}

function checkTime(us: number | undefined): void {
  if (us === undefined || Number.isSafeInteger(us)) return
  throw trackingErrors.tracking_value_invalid('A time must be a whole number of microseconds.')
}
