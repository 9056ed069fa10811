// Runs pipelines of tests in this process: no child processes, no Parquet, time that does not pass.
import { mkdtempSync, rmSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { manualClock } from '../../lib/clock.ts'
import { createIds } from '../../lib/ids.ts'
import { sha256Hex } from '../../lib/hash.ts'
import { createRandom } from '../../lib/random.ts'
import { createMemoryPipelineRuns } from '../memory.ts'
import type { PipelineRun } from '../types.ts'
import type { AttemptEnd, StepAttempts } from './attempts.ts'
import type { AnyStep, PipelineDeclaration } from './declare.ts'
import type { Row } from './kinds.ts'
import { createMemoryEngineStore } from './memory.ts'
import { openObjects } from './objects.ts'
import { allSteps, loadedPipeline, type RunRequest } from './plan.ts'
import type { RunnerPorts } from './run-context.ts'
import { newRun, runPipelineSteps } from './runner.ts'
import { runStep, type StepTables } from './step-run.ts'

/** Tables as JSON files. */
export const jsonTables: StepTables = {
  rows: async ([path]) => JSON.parse(await readFile(path, 'utf8')) as Row[],
  write: (path, rows) => writeFile(path, JSON.stringify(rows)),
  async describe([path]) {
    const rows = JSON.parse(await readFile(path, 'utf8')) as Row[]
    const columns = Object.keys(rows[0] ?? {}).map((name) => ({ name, type: 'ANY' }))
    return { rows: rows.length, columns }
  },
  async columns([path]) {
    const rows = JSON.parse(await readFile(path, 'utf8')) as Row[]
    return {
      rows: rows.length,
      column: (name) =>
        rows[0]?.[name] === undefined ? undefined : rows.map((row) => row[name] ?? null),
    }
  },
}

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'assay-pipelines-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Runs steps as functions; those that hang end when they are told to. */
export function localAttempts(steps: () => Readonly<Record<string, AnyStep>>): StepAttempts {
  return {
    async run({ step, task }, { signal, onFigure }): Promise<AttemptEnd> {
      if (signal.aborted) return { end: 'cancelled', problem: String(signal.reason) }
      const hooks = { tables: jsonTables, log: () => {}, report: onFigure, signal }
      const stopped = new Promise<AttemptEnd>((resolve) => {
        signal.addEventListener('abort', () =>
          resolve({ end: 'cancelled', problem: String(signal.reason) }),
        )
      })
      const ran = runStep(steps()[step], task, hooks).then(
        (result): AttemptEnd => ({ end: 'done', result }),
        (error: Error): AttemptEnd => ({ end: 'failed', problem: error.message }),
      )
      return Promise.race([ran, stopped])
    },
  }
}

/** An engine over memory and a temporary folder. */
export function testEngine(overrides: Partial<RunnerPorts> = {}) {
  const folder = temporaryFolder()
  const clock = manualClock(1_700_000_000_000_000)
  const runs = createMemoryPipelineRuns()
  let random = 0
  let declared: PipelineDeclaration | undefined
  const stepsOf = () =>
    Object.fromEntries(
      Object.entries(declared?.steps ?? {}).flatMap(([name, use]) =>
        use.kind === 'approval-use' ? [] : [[name, use.step] as const],
      ),
    )
  const variables = new Map<string, string>()
  const sealed = { by: 'test' }
  const waits: number[] = []
  const store = createMemoryEngineStore(runs)
  const ports: RunnerPorts = {
    store,
    objects: openObjects(join(folder, 'objects')),
    attempts: localAttempts(stepsOf),
    datasets: { find: async () => undefined },
    clock,
    ids: createIds(clock, (n) => new Uint8Array(n).fill(random++ % 256)),
    random: createRandom(1),
    sleep: async (ms) => void waits.push(ms),
    scratch: join(folder, 'scratch'),
    environment: {
      assay: '1.0.0',
      node: '26',
      platform: 'test',
      variable: (name) => variables.get(name),
      seal: (name, value) => `${sealed.by}:${sha256Hex(`${sealed.by} ${name} ${value}`)}`,
    },
    digests: new Map(),
    ...overrides,
  }
  return {
    ...ports,
    store,
    ports,
    folder,
    runs,
    manual: clock,
    variables,
    /** Under which secret variables are kept. */
    sealed,
    waits,
    async run(
      declaration: PipelineDeclaration,
      request: Partial<RunRequest> & {
        readonly signal?: AbortSignal
        readonly again?: PipelineRun
      } = {},
    ) {
      declared = declaration
      clock.advance(1_000_000)
      const asked: RunRequest = {
        directory: folder,
        pipeline: loadedPipeline(declaration),
        params: {},
        partition: null,
        options: allSteps,
        why: { kind: 'person', words: 'asked for by a test' },
        actor: 'ada',
        backfill: null,
        runner: 'test',
        ...request,
      }
      const run = request.again ?? newRun(asked, ports)
      const signal = request.signal ?? new AbortController().signal
      const done = await runPipelineSteps(run, asked, ports, signal)
      const steps = await ports.store.steps(run.id)
      const of = (name: string) => steps.find(({ step }) => step === name)!
      return { run: done, steps, of, statuses: steps.map(({ status }) => status) }
    },
  }
}
