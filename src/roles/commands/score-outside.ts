// A champion that a thread or another server computes, asked for the rows of a batch through the port by
// which it decides. One request is on its way at a time. What falls is waited for, and ends the run where
// it stays away: a batch never writes down the fallback of a model that was not there.
import { createFolderArtifacts } from '../../adapters/folder/index.ts'
import { isAssayError } from '../../lib/errors.ts'
import { selectColumns } from '../../lib/matrix.ts'
import type { ScoreOutside } from '../../pipelines/index.ts'
import type { Home } from '../../projects/index.ts'
import { chancesOf, compareGolden, openRuntime, type ModelRuntime } from '../../serving/index.ts'
import { servedDocument } from '../outside-adoption.ts'
import { allowsPrivate, openOutside } from '../outside-runtimes.ts'
import { commandErrors } from './errors.ts'

export interface OutsideScorer {
  /**
   * The chances of rows; NaN where the model has none for one. Errors: `outside_unanswered`, and those
   * of opening it, such as `golden_mismatch`.
   */
  readonly score: ScoreOutside
  close(): Promise<void>
}

export interface OutsideScorerOptions {
  /** Makes the model of a served document ready: compared with its golden set. */
  readonly open: (served: string) => Promise<ModelRuntime>
  readonly pause: (ms: number) => Promise<unknown>
  /** Told why it is asked again, and after what pause. */
  readonly onWait: (reason: string, ms: number) => void
}

/** Between attempts at one request: half a minute in all. */
const PAUSES_MS = [1000, 2000, 4000, 8000, 16_000]

/** What says nothing of the rows: the thread fell, or the server is away or busy. */
const AWAY = ['remote_unavailable', 'inference_timeout', 'overloaded', 'onnx_run_failed'] as const

/** Models are opened when they are first asked, and anew after they failed. */
export function outsideScorer({ open, pause, onWait }: OutsideScorerOptions): OutsideScorer {
  const runtimes = new Map<string, Promise<ModelRuntime>>()

  function opened(served: string): Promise<ModelRuntime> {
    const known = runtimes.get(served) ?? open(served)
    runtimes.set(served, known)
    return known
  }

  async function closed(served: string): Promise<void> {
    const runtime = await runtimes.get(served)?.catch(() => undefined)
    runtimes.delete(served)
    await runtime?.close()
  }

  return {
    async score({ served, features }, x) {
      const columns = selectColumns(x, features)
      for (let attempt = 0; ; attempt++) {
        try {
          return await chancesOf(await opened(served), columns, { each: false })
        } catch (error) {
          await closed(served)
          if (!isAssayError(error, ...AWAY)) throw error
          if (attempt === PAUSES_MS.length) {
            throw commandErrors.outside_unanswered(
              `The model was asked ${attempt + 1} times; at last: ${error.detail}`,
              { cause: error },
            )
          }
          onWait(error.detail, PAUSES_MS[attempt])
          await pause(PAUSES_MS[attempt])
        }
      }
    },
    async close() {
      for (const served of runtimes.keys()) await closed(served)
    },
  }
}

/** A thousand rows take longer than one payment may. */
const DEADLINE_MS = 30_000

/** Opens adopted models of a home, whose documents the runs keep that measured them. */
export function openFrom(home: Pick<Home, 'artifacts'>): OutsideScorerOptions['open'] {
  const artifacts = createFolderArtifacts({ directory: home.artifacts })
  return async (served) => {
    const { body, golden } = await servedDocument(served, (sha256) => artifacts.get(sha256))
    const runtime = await openRuntime(body, (outside) =>
      openOutside(outside, { allowPrivate: allowsPrivate(), deadlineMs: DEADLINE_MS }),
    )
    try {
      if (golden !== undefined) await compareGolden(runtime, golden)
      return runtime
    } catch (error) {
      await runtime.close()
      throw error
    }
  }
}
