// Sees what people asked of a run while it goes on.
import type { Remote } from '../lib/rpc.ts'
import type { PipelineDesk, PipelineEngineStore, PipelineRemote } from '../pipelines/index.ts'

const LOOK_EVERY_MS = 500

/** How a command names itself as who runs a run or a backfill. */
export const commandRunner = `command ${process.pid}`

/** Whether whoever runs a run is there: a role of the server comes back, a command that fell does not. */
export function isRunnerAlive(runner: string): boolean {
  const [, pid] = /^command (\d+)$/.exec(runner) ?? []
  if (pid === undefined) return true
  try {
    return process.kill(Number(pid), 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** A signal that aborts within a second of a cancellation, or when this process is interrupted. */
export function cancelWatch(
  id: string,
  store: Pick<Remote<PipelineEngineStore>, 'cancellation'>,
): { readonly signal: AbortSignal; readonly abort: AbortController; stop(): void } {
  const abort = new AbortController()
  let looking = false
  const look = setInterval(() => {
    if (looking || abort.signal.aborted) return
    looking = true
    store
      .cancellation(id)
      .then((found) => {
        if (found === undefined) return
        abort.abort(`Cancelled by ${found.identityName}: ${found.reason}`)
      })
      // The store is asked again; a run does not end because it was away for a moment.
      .catch(() => {})
      .finally(() => {
        looking = false
      })
  }, LOOK_EVERY_MS)
  return { signal: abort.signal, abort, stop: () => clearInterval(look) }
}

/** A desk that tells whoever runs pipelines of what people answered; it is told again at its start. */
export function wakingDesk(
  desk: PipelineDesk,
  work: Pick<Remote<PipelineRemote>, 'wake'>,
  onTrouble: (error: unknown) => void,
): PipelineDesk {
  const wake = (id: string) => void work.wake(id).catch(onTrouble)
  return {
    ...desk,
    async cancel(runId, by) {
      await desk.cancel(runId, by)
      wake(runId)
    },
    async answer(request, by) {
      await desk.answer(request, by)
      wake(request.runId)
    },
    async cancelBackfill(id, by) {
      await desk.cancelBackfill(id, by)
      wake(id)
    },
  }
}
