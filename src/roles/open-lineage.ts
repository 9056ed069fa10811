// Where OpenLineage events go: always to a file of the home, one a line, and on to the bank's own
// catalogue where its address is known. What the catalogue has not taken yet is sent again, also after
// a restart; it may hear of an event twice, and takes it as one by its run and type.
import {
  createReadStream,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { appendFile, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { writeFileAtomic } from '../lib/files.ts'
import type {
  OpenLineage,
  PipelineEngineStore,
  PipelineRun,
  PipelineRunStore,
  RunEvent,
  StepRecord,
} from '../pipelines/index.ts'

const SEND_EVERY_MS = 2000
/** A file larger than this is put aside once all of it was sent; one is kept. */
const FILE_BYTES_MAX = 64 * 1024 * 1024
const TIMEOUT_MS = 10_000
/** Runs whose last state is remembered, so that each change is told once. */
const REMEMBERED = 2000

export interface LineageOut {
  tell(events: readonly (RunEvent | undefined)[]): void
  stop(): Promise<void>
}

/** Appends events to `events.ndjson` of a folder and sends them to `url`, in order. */
export function openLineageOut({
  directory,
  url,
  key,
  bytesMax = FILE_BYTES_MAX,
  onError,
}: {
  readonly directory: string
  /** For example `https://marquez.bank/api/v1/lineage`; undefined: to the file alone. */
  readonly url: string | undefined
  /** Sent as `Authorization: Bearer`. */
  readonly key: string | undefined
  readonly bytesMax?: number | undefined
  readonly onError: (error: unknown) => void
}): LineageOut {
  mkdirSync(directory, { recursive: true })
  const file = join(directory, 'events.ndjson')
  const sentFile = join(directory, 'sent')
  const putAsideWhenSent = () => putAside(file, sentFile, { bytesMax, isSent: url !== undefined })
  putAsideWhenSent()
  let writing: Promise<void> = Promise.resolve()
  let stopped = false
  let sending: Promise<void> = Promise.resolve()
  const timer =
    url === undefined
      ? undefined
      : setInterval(() => {
          sending = sending.then(() => (stopped ? undefined : sendNew(url))).catch(onError)
        }, SEND_EVERY_MS).unref()

  /** Sends line by line from where it came to; ends at the first that is not taken. */
  async function sendNew(to: string): Promise<void> {
    if (!existsSync(file)) return
    let sent = existsSync(sentFile) ? Number(await readFile(sentFile, 'utf8')) : 0
    const { size } = await stat(file)
    if (sent >= size) return
    const lines = createInterface({ input: createReadStream(file, { start: sent, end: size - 1 }) })
    for await (const line of lines) {
      if (stopped) return
      const answer = await fetch(to, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...(key !== undefined && { authorization: `Bearer ${key}` }),
        },
        body: line,
        redirect: 'error',
        signal: AbortSignal.timeout(TIMEOUT_MS),
      })
      await answer.body?.cancel()
      // What the catalogue will never take must not hold up what comes after it.
      const refused = answer.status >= 400 && answer.status < 500 && answer.status !== 429
      if (!answer.ok && !refused) throw new Error(`${to} answered ${answer.status}.`)
      if (refused) onError(new Error(`${to} refused an event with ${answer.status}.`))
      sent += Buffer.byteLength(line) + 1
      await writeFileAtomic(sentFile, String(sent))
    }
    // Between two writes, so that no event comes into a file that is being put aside.
    await (writing = writing.then(putAsideWhenSent).catch(onError))
  }

  return {
    tell(events) {
      const lines = events.flatMap((event) =>
        event === undefined ? [] : [`${JSON.stringify(event)}\n`],
      )
      if (lines.length === 0) return
      writing = writing
        .then(async () => {
          await appendFile(file, lines.join(''))
          if (url === undefined) putAsideWhenSent()
        })
        .catch(onError)
    },
    async stop() {
      stopped = true
      clearInterval(timer)
      await writing
      await sending
    },
  }
}

function putAside(
  file: string,
  sentFile: string,
  { bytesMax, isSent }: { readonly bytesMax: number; readonly isSent: boolean },
): void {
  const size = existsSync(file) ? statSync(file).size : 0
  const sent = existsSync(sentFile) ? Number(readFileSync(sentFile, 'utf8')) : 0
  if (size <= bytesMax || (isSent && sent < size)) return
  // In this order: a fall in between sends the file again, and skips nothing of the next.
  rmSync(sentFile, { force: true })
  renameSync(file, `${file}.1`)
}

/** The same stores, whose changes are told once they are kept. */
export function tellLineage<
  Stores extends { readonly runs: PipelineRunStore; readonly engine: PipelineEngineStore },
>({ runs, engine }: Stores, lineage: OpenLineage, out: Pick<LineageOut, 'tell'>) {
  const knownRuns = new Map<string, PipelineRun>()
  const knownSteps = new Map<string, StepRecord>()
  const runEvent = (run: PipelineRun) => lineage.ofRun(remember(knownRuns, run.id, run), run)
  return {
    runs: {
      ...runs,
      async save(run: PipelineRun) {
        await runs.save(run)
        out.tell([runEvent(run)])
      },
    } satisfies PipelineRunStore,
    engine: {
      ...engine,
      async record(change) {
        await engine.record(change)
        out.tell([
          ...(change.run === undefined ? [] : [runEvent(change.run)]),
          ...(change.steps ?? []).map((step) =>
            lineage.ofStep(remember(knownSteps, `${step.runId}/${step.step}`, step), step),
          ),
        ])
      },
    } satisfies PipelineEngineStore,
  }
}

/** Keeps the newest under a key, at most so many keys; returns what stood there before. */
function remember<T>(known: Map<string, T>, key: string, value: T): T | undefined {
  const before = known.get(key)
  known.delete(key)
  known.set(key, value)
  if (known.size > REMEMBERED) known.delete(known.keys().next().value!)
  return before
}

/** The URI by which events name this program. */
export function producerOf(version: string): string {
  return `urn:assay:${version}`
}
