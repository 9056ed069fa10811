// The engine of declared pipelines: what a step costs that is looked up, in a chain and side by side,
// and what a page of a hundred thousand partitions costs. On SQLite in a temporary home; steps run in
// this process, so that what is measured is the engine and not the start of processes.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openSqlite } from '../src/adapters/sqlite/index.ts'
import { monotonicUs, systemClock } from '../src/lib/clock.ts'
import { systemIds } from '../src/lib/ids.ts'
import { createRandom } from '../src/lib/random.ts'
import {
  allSteps,
  given,
  loadedPipeline,
  newRun,
  openObjects,
  partitionBy,
  partitionKeys,
  pipeline,
  runPipelineSteps,
  runStep,
  step,
  type AnyStep,
  type PipelineDeclaration,
  type RunnerPorts,
  type StepTables,
} from '../src/pipelines/index.ts'
import type { BenchOptions, Figures } from './run.ts'

const PARTITIONS = 100_000
const PAGE = 100
const ROUNDS = 5

const add = step('add', {
  inputs: { of: 'json' },
  params: { n: 0 },
  outputs: { out: 'json' },
  run: async ({ inputs, outputs, params }) => {
    const { sum } = (await inputs.of.read()) as { sum: number }
    await outputs.out.write({ sum: sum + params.n })
  },
})

type Uses = Record<string, ReturnType<typeof add>>

function chain(steps: number): PipelineDeclaration {
  return pipeline('chain', {
    steps() {
      const uses: Uses = {}
      let last = given.value({ sum: 0 })
      for (let n = 0; n < steps; n++) {
        const use = add({ inputs: { of: last }, params: { n } })
        uses[`s${n}`] = use
        last = use.outputs.out
      }
      return uses
    },
  })
}

function wide(steps: number): PipelineDeclaration {
  return pipeline('wide', {
    steps() {
      const uses: Uses = {}
      for (let n = 0; n < steps; n++) {
        uses[`s${n}`] = add({ inputs: { of: given.value({ sum: 1 }) }, params: { n } })
      }
      return uses
    },
  })
}

/** `--steps` in each pipeline, 1,000 unless told. */
export async function run(options: BenchOptions, say: (line: string) => void): Promise<Figures> {
  const steps = Number(options['steps'] ?? 1000)
  const folder = mkdtempSync(join(tmpdir(), 'assay-bench-'))
  const stores = openSqlite(join(folder, 'assay.sqlite'))
  try {
    writeFileSync(join(folder, 'package.json'), '{}')
    writeFileSync(join(folder, 'steps.ts'), "import './words.ts'\n")
    writeFileSync(join(folder, 'words.ts'), 'export const words = 1\n')
    const figures: Record<string, number> = { steps }
    for (const declaration of [chain(steps), wide(steps)]) {
      const { name } = declaration
      const first = await once(declaration, folder, stores.pipelineEngine)
      figures[`${name}_first_step_ms`] = rounded(first / steps)
      say(`${name}: first run ${Math.round(first)} ms`)
      const times: number[] = []
      for (let round = 0; round < ROUNDS; round++) {
        times.push(await once(declaration, folder, stores.pipelineEngine))
      }
      const median = times.toSorted((a, b) => a - b)[Math.floor(ROUNDS / 2)]
      figures[`${name}_cached_step_ms`] = rounded(median / steps)
      say(`${name}: looked up in ${Math.round(median)} ms`)
    }
    const cached = Math.max(figures['chain_cached_step_ms'], figures['wide_cached_step_ms'])
    return { ...figures, cached_step_ms: cached, ...(await partitions(stores.pipelineEngine)) }
  } finally {
    await stores.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

type Store = RunnerPorts['store']

async function once(
  declaration: PipelineDeclaration,
  folder: string,
  store: Store,
): Promise<number> {
  const ports = portsOf(declaration, folder, store)
  const loaded = loadedPipeline(declaration)
  // This file reaches all of Assay; the code of a bank's steps is its own few files.
  const files = Object.keys(loaded.files).map((name) => [name, join(folder, 'steps.ts')])
  const request = {
    directory: folder,
    pipeline: { ...loaded, files: Object.fromEntries(files) as Record<string, string> },
    params: {},
    partition: null,
    options: allSteps,
    why: { kind: 'person', words: 'A measurement' },
    actor: 'bench',
    backfill: null,
    runner: 'bench',
  } as const
  const begun = monotonicUs()
  const run = newRun(request, ports)
  const ended = await runPipelineSteps(run, request, ports, new AbortController().signal)
  if (ended.status !== 'done') throw new Error(ended.problem ?? ended.status)
  return (monotonicUs() - begun) / 1000
}

function portsOf({ steps }: PipelineDeclaration, folder: string, store: Store): RunnerPorts {
  const declared = new Map<string, AnyStep>()
  for (const [name, use] of Object.entries(steps)) {
    if (use.kind === 'step-use') declared.set(name, use.step)
  }
  const hooks = { tables: {} as StepTables, log: () => {}, report: () => {} }
  return {
    store,
    objects: openObjects(join(folder, 'objects')),
    attempts: {
      async run({ step: name, task }, { signal }) {
        const result = await runStep(declared.get(name)!, task, { ...hooks, signal })
        return { end: 'done', result }
      },
    },
    datasets: { find: async () => undefined },
    clock: systemClock,
    ids: systemIds,
    random: createRandom(1),
    sleep: async () => {},
    scratch: join(folder, 'scratch'),
    environment: { assay: '', node: '', platform: '', variable: () => undefined, seal: () => '' },
    digests: new Map(),
  }
}

/** A page from the middle, a page of failures, and the counts, each over 100,000 partitions. */
async function partitions(store: Store): Promise<Figures> {
  const declared = partitionBy.hour({ from: '2010-01-01T00' })
  const keys = partitionKeys(declared, systemClock.nowUs())
  const all = Array.from({ length: PARTITIONS }, (_, place) => ({
    pipeline: 'hours',
    key: keys.at(place),
    status: place % 1000 === 0 ? ('failed' as const) : ('done' as const),
    runId: 'pipe_0',
    atUs: place,
  }))
  await store.record({ partitions: all })
  const page = Array.from({ length: PAGE }, (_, i) => keys.at(PARTITIONS / 2 + i))
  return {
    partitions: PARTITIONS,
    partitions_list_ms: await timed(() => store.partitions('hours', { keys: page, limit: PAGE })),
    partitions_after_ms: await timed(() =>
      store.partitions('hours', { after: page[0], limit: PAGE }),
    ),
    partitions_failed_ms: await timed(() =>
      store.partitions('hours', { status: 'failed', limit: PAGE }),
    ),
    partitions_counts_ms: await timed(() => store.partitionCounts('hours')),
  }
}

async function timed(act: () => Promise<unknown>): Promise<number> {
  const times: number[] = []
  for (let round = 0; round < 20; round++) {
    const begun = monotonicUs()
    await act()
    times.push((monotonicUs() - begun) / 1000)
  }
  return rounded(times.toSorted((a, b) => a - b)[10])
}

function rounded(value: number): number {
  return Number(value.toFixed(4))
}
