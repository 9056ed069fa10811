// A run while it goes on: its steps, what is not stored yet, and what may run next.
import type { Clock } from '../../lib/clock.ts'
import type { PipelineRun, StepState } from '../types.ts'
import { stepsBefore, type CompiledPipeline, type CompiledStep } from './compiled.ts'
import type {
  CacheEntry,
  EngineChange,
  PassedSpread,
  PipelineEngineStore,
  StepRecord,
  StepStatus,
} from './records.ts'

export interface Node {
  readonly step: CompiledStep
  readonly before: readonly Node[]
  readonly followers: Node[]
  record: StepRecord
  /** Steps before it that have not ended. */
  left: number
}

/** Statuses after which nothing more happens to a step in this run. */
const ended: ReadonlySet<StepStatus> = new Set(['done', 'cached', 'failed', 'skipped', 'cancelled'])
/** Records that may be stored later: they can be found out again. */
const UNSTORED_MAX = 500

export interface RunState {
  readonly nodes: readonly Node[]
  run: PipelineRun
  /** Steps that are ready to be looked at, in order. */
  readonly ready: Node[]
  /** Changes a step; it is stored with the next `store`. */
  change(node: Node, changes: Partial<StepRecord>): void
  /** The same, and steps that waited for it become ready. */
  end(node: Node, changes: Partial<StepRecord>): void
  cache(entry: CacheEntry): void
  passed(spread: PassedSpread): void
  /** Stores all that changed; everything is on disk when it resolves. */
  store(more?: Pick<EngineChange, 'products' | 'partitions'>): Promise<void>
  full(): boolean
}

export function openRun(
  run: PipelineRun,
  pipeline: CompiledPipeline,
  known: readonly StepRecord[],
  ports: {
    readonly store: Pick<PipelineEngineStore, 'record'>
    readonly clock: Clock
    readonly onProgress?: ((run: PipelineRun) => void) | undefined
    /** Whether the process is about to end: then what is stored stays as it is. */
    readonly brokenOff: () => boolean
  },
): RunState {
  const byName = new Map<string, Node>()
  const records = new Map(known.map((record) => [record.step, record]))
  const counts: Partial<Record<StepStatus, number>> = {}
  for (const [place, step] of pipeline.steps.entries()) {
    const before = stepsBefore(step).map((name) => byName.get(name)!)
    const record = waitingStep(run, step, place, records.get(step.name))
    const node: Node = { step, before, followers: [], record, left: before.length }
    for (const each of before) each.followers.push(node)
    byName.set(step.name, node)
    counts.waiting = (counts.waiting ?? 0) + 1
  }
  const nodes = [...byName.values()]
  const unstored = new Map<string, StepRecord>(nodes.map(({ record }) => [record.step, record]))
  let entries: CacheEntry[] = []
  let spreads: PassedSpread[] = []
  const ready = nodes.filter(({ left }) => left === 0)
  const state: RunState = {
    nodes,
    run,
    ready,
    change(node, changes) {
      const was = node.record.status
      node.record = { ...node.record, ...changes }
      counts[was] = (counts[was] ?? 0) - 1
      counts[node.record.status] = (counts[node.record.status] ?? 0) + 1
      unstored.set(node.step.name, node.record)
    },
    end(node, changes) {
      state.change(node, changes)
      if (!ended.has(node.record.status)) throw new Error(`${node.step.name} has not ended.`)
      for (const follower of node.followers) if (--follower.left === 0) ready.push(follower)
    },
    cache: (entry) => void entries.push(entry),
    passed: (spread) => void spreads.push(spread),
    full: () => unstored.size >= UNSTORED_MAX,
    async store(more = {}) {
      if (ports.brokenOff()) return
      const held = Object.entries(counts).filter(([, count]) => count > 0)
      const engine = { ...state.run.engine!, counts: Object.fromEntries(held) }
      state.run = { ...state.run, engine, steps: [] }
      const change: EngineChange = {
        ...more,
        run: state.run,
        steps: [...unstored.values()],
        cache: entries,
        spreads,
      }
      unstored.clear()
      entries = []
      spreads = []
      await ports.store.record(change)
      ports.onProgress?.({ ...state.run, steps: nodes.map(({ record }) => stateOf(record)) })
    },
  }
  return state
}

/** A step as lists show it. */
export function stateOf(record: StepRecord): StepState {
  const { step: name, title, status, figure, startedAtUs, endedAtUs } = record
  return { name, title, status, figure, startedAtUs, endedAtUs }
}

function waitingStep(
  run: PipelineRun,
  step: CompiledStep,
  place: number,
  known: StepRecord | undefined,
): StepRecord {
  // What an earlier process had begun never ended; what it had done stays to be looked up.
  const attempts = (known?.attempts ?? []).map((attempt) =>
    attempt.status === 'running' ? { ...attempt, status: 'lost' as const } : attempt,
  )
  return {
    runId: run.id,
    pipeline: run.pipeline,
    partition: run.engine?.partition ?? null,
    step: step.name,
    place,
    title: step.title,
    status: 'waiting',
    figure: '',
    startedAtUs: null,
    endedAtUs: null,
    before: stepsBefore(step),
    key: null,
    parts: null,
    cache: null,
    attempts,
    inputs: {},
    outputs: {},
    checks: [],
    problem: null,
    approval: null,
  }
}
