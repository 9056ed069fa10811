// The thread that reads a file which a person brought, and learns from it. It reaches `keep` over the
// local socket as `work` does; its task and its answer travel as messages.
import { parentPort, workerData } from 'node:worker_threads'
import type { ChangeBy } from '../access/index.ts'
import { readTableFile } from '../adapters/duckdb/index.ts'
import { monotonicUs, systemClock } from '../lib/clock.ts'
import { isAssayError, type ErrorDefinition } from '../lib/errors.ts'
import { remote } from '../lib/rpc.ts'
import {
  describeFile,
  learnFileFlow,
  PREDICTIONS,
  pairedDifferences,
  runPipeline,
  type FileToLearn,
  type LearningRequest,
  type NamedFile,
  type PipelineRun,
} from '../pipelines/index.ts'
import { homeAt, type Home } from '../projects/index.ts'
import { pathOfLearningFile } from './learning-files.ts'
import type { ServicesForWork } from './services.ts'

export type LearnTask =
  | { readonly kind: 'describe'; readonly home: string; readonly file: FileToLearn }
  | { readonly kind: 'pairs'; readonly home: string; readonly runIds: readonly string[] }
  | {
      readonly kind: 'learn'
      readonly home: string
      /** The record that waits to be gone on with. */
      readonly run: PipelineRun
      readonly request: LearningRequest
      readonly by: ChangeBy
      readonly codeRevision: string
      readonly environment: string
    }

export interface LearnAnswer {
  readonly value?: unknown
  readonly refusal?:
    | (ErrorDefinition & { readonly code: string; readonly detail: string })
    | undefined
}

/** Of the resamples on which runs are compared. */
const PAIRS_SEED = 1
const MEMORY = { memory: '2GB', threads: 2 }

const task = workerData as LearnTask
const home = homeAt(task.home)
const keep = <Name extends keyof ServicesForWork>(service: Name) =>
  remote<ServicesForWork[Name]>(home.socket('keep'), service)

try {
  answer({ value: await done(task) })
} catch (error) {
  // Anything else is a defect, and ends the thread.
  if (!isAssayError(error)) throw error
  const { code, status, title, action } = error
  answer({ refusal: { code, status, title, action, detail: inWordsOf(task, error.detail) } })
}

function done(asked: LearnTask): Promise<unknown> {
  switch (asked.kind) {
    case 'describe':
      return describe(asked.file)
    case 'pairs':
      return pairs(asked.runIds)
    case 'learn':
      return learn(asked)
  }
}

function answer(message: LearnAnswer): void {
  parentPort?.postMessage(message, [])
}

/** A person knows a file by its name, not by its hash. */
function inWordsOf(asked: LearnTask, detail: string): string {
  if (asked.kind !== 'describe') return detail
  const { file } = asked
  return detail.replaceAll(`${file.id}.${file.form}`, file.name)
}

async function describe(file: FileToLearn) {
  return describeFile(await read(home, file))
}

async function pairs(runIds: readonly string[]) {
  const tracking = keep('tracking')
  const runs = await Promise.all(runIds.map((id) => tracking.run(id)))
  if (!runs.every(({ artifacts }) => artifacts.some(({ name }) => name === PREDICTIONS))) return []
  const kept = await Promise.all(runIds.map((id) => tracking.artifact(id, PREDICTIONS)))
  return pairedDifferences(
    kept.map(({ bytes }) => Buffer.from(bytes).toString('utf8')),
    PAIRS_SEED,
  )
}

async function learn({
  run,
  request,
  by,
  codeRevision,
  environment,
}: LearnTask & { kind: 'learn' }) {
  const { file, test, question, goal, seed, register } = request
  const { steps, outcome } = learnFileFlow(
    {
      file: namedFile(file),
      test: test && namedFile(test),
      question,
      goal,
      seed,
      register,
      by,
      codeRevision,
      environment,
      pipelineRun: run.id,
    },
    {
      tracking: keep('tracking'),
      registry: keep('registry'),
      monotonicMs: () => monotonicUs() / 1000,
    },
  )
  const { pipeline, key, actor, about } = run
  await runPipeline({ name: pipeline, key, actor, about }, steps, {
    store: keep('pipelines'),
    clock: systemClock,
    ids: () => run.id,
  })
  const { runId, version } = outcome()
  return { runId, version }
}

function namedFile(file: FileToLearn): NamedFile {
  return { name: file.name, hash: file.id, read: (texts) => read(home, file, texts) }
}

async function read(where: Home, file: FileToLearn, texts?: readonly string[]) {
  return readTableFile(pathOfLearningFile(where, file), MEMORY, texts)
}
