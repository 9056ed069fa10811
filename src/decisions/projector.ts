// Keeps a read model up with the journal: pulls records after the last one applied, in order. The
// sink moves its position in the same transaction, so a crash repeats nothing and loses nothing.
import { isAssayError } from '../lib/errors.ts'
import type { ProjectionSink } from './ports.ts'
import type { DecideRemote } from './remote.ts'

export interface ProjectorOptions {
  readonly decide: Pick<DecideRemote, 'records' | 'namespaces'>
  readonly sinks: readonly ProjectionSink[]
  /** Records asked for at a time. Default 500. */
  readonly batch?: number
  /** How long to wait before looking again when there was nothing, or decide was away. Default 250 ms. */
  readonly idleMs?: number
  /** Told after records were applied, so that pages can be told. */
  readonly onApplied?: (namespace: string, through: number, records: number) => void
  /** Told of failures; the projector tries again. */
  readonly onError?: (error: unknown) => void
}

export interface Projector {
  /** Applies all there is now; returns how many records that were. */
  catchUp(): Promise<number>
  /** Keeps catching up until stopped. */
  start(): void
  stop(): Promise<void>
}

export function createProjector(options: ProjectorOptions): Projector {
  const { decide, onError } = options
  let running: Promise<void> | undefined
  let stopped = false
  let wake: () => void = () => undefined

  async function catchUp(): Promise<number> {
    let applied = 0
    for (const { namespace } of await decide.namespaces()) {
      for (;;) {
        const count = await step(options, namespace)
        applied += count
        if (count === 0 || stopped) break
      }
    }
    return applied
  }

  async function run(): Promise<void> {
    while (!stopped) {
      try {
        if ((await catchUp()) > 0) continue
      } catch (error) {
        // Decide may be restarting; that is no defect, and nobody needs to hear of it each time.
        if (!isAssayError(error, 'peer_unavailable')) onError?.(error)
      }
      if (stopped) return
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, options.idleMs ?? 250)
        wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  }

  return {
    catchUp,
    start() {
      stopped = false
      running ??= run()
    },
    async stop() {
      stopped = true
      wake()
      await running
      running = undefined
    },
  }
}

async function step(options: ProjectorOptions, namespace: string): Promise<number> {
  const { decide, sinks, batch = 500, onApplied } = options
  const positions = await Promise.all(sinks.map((sink) => sink.position(namespace)))
  const after = Math.min(...positions)
  const { records, layouts } = await decide.records({ namespace, after, limit: batch })
  const last = records.at(-1)
  if (last === undefined) return 0
  const through = last.sequence
  for (const sink of sinks) await sink.apply({ namespace, records, through, layouts })
  onApplied?.(namespace, through, records.length)
  return records.length
}
