// Sees what people asked of a run while it goes on.
import type { Remote } from '../lib/rpc.ts'
import type { PipelineDesk, PipelineEngineStore, PipelineRemote } from '../pipelines/index.ts'

const LOOK_EVERY_MS = 500

/** A signal that aborts within a second of a cancellation, or when this process is interrupted. */
export function cancelWatch(
  runId: string,
  store: Pick<Remote<PipelineEngineStore>, 'cancellation'>,
): { readonly signal: AbortSignal; readonly abort: AbortController; stop(): void } {
  const abort = new AbortController()
  let looking = false
  const look = setInterval(() => {
    if (looking || abort.signal.aborted) return
    looking = true
    store
      .cancellation(runId)
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
  const wake = (runId: string) => void work.wake(runId).catch(onTrouble)
  return {
    begin: desk.begin,
    async cancel(runId, by) {
      await desk.cancel(runId, by)
      wake(runId)
    },
    async answer(request, by) {
      await desk.answer(request, by)
      wake(request.runId)
    },
  }
}
