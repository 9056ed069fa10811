import type {
  ApprovalAnswer,
  BackfillState,
  CacheEntry,
  Cancellation,
  EarlierStep,
  PartitionRow,
  PartitionStatus,
  PassedSpread,
  PipelineEngineStore,
  ProductVersion,
  StepPlace,
  StepRecord,
} from './records.ts'
import type { PipelineRunStore } from '../types.ts'
import type { OutputKind } from './kinds.ts'

/** The in-memory version of the port; runs themselves go to the store of runs. */
export function createMemoryEngineStore(
  runs: Pick<PipelineRunStore, 'save' | 'get'>,
): PipelineEngineStore {
  const steps = new Map<string, Map<string, StepRecord>>()
  const cache = new Map<string, CacheEntry>()
  const earlier = new Map<string, EarlierStep[]>()
  const products = new Map<string, ProductVersion[]>()
  const spreads = new Map<string, PassedSpread>()
  const answers: ApprovalAnswer[] = []
  const cancellations = new Map<string, Cancellation>()
  const partitions = new Map<string, PartitionRow>()
  const backfills = new Map<string, BackfillState>()
  const marks = new Map<string, string>()
  const keyOf = (...parts: readonly (string | null)[]) => JSON.stringify(parts)

  function keepStep(record: StepRecord): void {
    const ofRun = steps.get(record.runId) ?? new Map<string, StepRecord>()
    steps.set(record.runId, ofRun.set(record.step, record))
    const isEnded = record.status !== 'running' && record.status !== 'waiting'
    if (record.parts === null || !isEnded) return
    const { runId, parts, partition, pipeline, step } = record
    const known = earlier.get(keyOf(pipeline, step)) ?? []
    const others = known.filter((each) => each.runId !== runId)
    const atUs = record.startedAtUs ?? 0
    earlier.set(keyOf(pipeline, step), [{ runId, atUs, partition, parts }, ...others])
  }

  return {
    async record(change) {
      if (change.run !== undefined) await runs.save(change.run)
      for (const record of change.steps ?? []) keepStep(record)
      for (const entry of change.cache ?? []) cache.set(entry.key, entry)
      for (const made of change.products ?? []) {
        const key = keyOf(made.pipeline, made.output, made.partition)
        const versions = products.get(key) ?? []
        const newest = versions.at(-1)
        if (newest?.kept.digest === made.kept.digest) {
          versions[versions.length - 1] = { ...made, version: newest.version }
        } else versions.push({ ...made, version: (newest?.version ?? 0) + 1 })
        products.set(key, versions)
      }
      for (const row of change.partitions ?? []) {
        partitions.set(keyOf(row.pipeline, row.key), row)
      }
      for (const spread of change.spreads ?? []) {
        spreads.set(keyOf(spread.pipeline, spread.step, spread.output, spread.column), spread)
      }
    },
    steps: async (runId) =>
      [...(steps.get(runId)?.values() ?? [])].toSorted((a, b) => a.place - b.place),
    cached: async (key) => cache.get(key),
    earlier: async (pipeline, step, limit) =>
      (earlier.get(keyOf(pipeline, step)) ?? [])
        .toSorted((a, b) => b.atUs - a.atUs)
        .slice(0, limit),
    product: async (pipeline, output, partition) =>
      products.get(keyOf(pipeline, output, partition))?.at(-1),
    products: async (pipeline, limit) =>
      [...products.values()]
        .flat()
        .filter((each) => each.pipeline === pipeline)
        .toSorted((a, b) => b.atUs - a.atUs || b.version - a.version)
        .slice(0, limit),
    async allProducts(after, limit) {
      const place = ({ pipeline, output, partition, version }: ProductVersion) =>
        keyOf(pipeline, output, partition ?? '', `${version}`.padStart(16, '0'))
      return [...products.values()]
        .flat()
        .map((product) => ({ product, at: place(product) }))
        .toSorted((a, b) => (a.at < b.at ? -1 : 1))
        .filter(({ at }) => after === null || at > place(after))
        .map(({ product }) => product)
        .slice(0, limit)
    },
    async usedByRuns(sinceUs, after, limit) {
      const place = ({ runId, step }: StepPlace) => keyOf(runId, step)
      const page = [...steps.values()]
        .flatMap((ofRun) => [...ofRun.values()])
        .toSorted((a, b) => (place(a) < place(b) ? -1 : 1))
        .filter((record) => after === null || place(record) > place(after))
        .slice(0, limit)
      const objects: { digest: string; kind: OutputKind }[] = []
      for (const { runId, inputs, outputs } of page) {
        const run = await runs.get(runId)
        const goesOn = run?.status === 'running' || run?.status === 'waiting'
        const atUs = run?.endedAtUs ?? run?.startedAtUs ?? 0
        if (!goesOn && atUs < sinceUs) continue
        for (const { digest, kind } of [...Object.values(inputs), ...Object.values(outputs)]) {
          objects.push({ digest, kind })
        }
      }
      const last = page.at(-1)
      return {
        objects,
        next: page.length < limit ? null : { runId: last!.runId, step: last!.step },
      }
    },
    spreads: async (pipeline, step) =>
      [...spreads.values()].filter((each) => each.pipeline === pipeline && each.step === step),
    answer: async (answer) => {
      answers.push(answer)
    },
    answers: async (runId) => answers.filter((each) => each.runId === runId),
    cancel: async (cancellation) => {
      const { runId } = cancellation
      if (!cancellations.has(runId)) cancellations.set(runId, cancellation)
    },
    cancellation: async (runId) => cancellations.get(runId),
    partitions: async (pipeline, { status, keys, after, limit }) => {
      const rows = keys
        ? keys.flatMap((key) => partitions.get(keyOf(pipeline, key)) ?? [])
        : [...partitions.values()]
            .filter((row) => row.pipeline === pipeline)
            .toSorted((a, b) => (a.key < b.key ? -1 : 1))
      return rows
        .filter((row) => status === undefined || row.status === status)
        .filter((row) => after === undefined || row.key > after)
        .slice(0, limit)
    },
    partitionCounts: async (pipeline) => {
      const counts: Record<PartitionStatus, number> = {
        running: 0,
        done: 0,
        failed: 0,
        cancelled: 0,
      }
      for (const row of partitions.values()) if (row.pipeline === pipeline) counts[row.status]++
      return counts
    },
    saveBackfill: async (state) => {
      backfills.set(state.id, state)
    },
    backfill: async (id) => backfills.get(id),
    backfills: async (limit, pipeline) =>
      [...backfills.values()]
        .filter((each) => pipeline === undefined || each.pipeline === pipeline)
        .toSorted((a, b) => b.startedAtUs - a.startedAtUs || (a.id < b.id ? 1 : -1))
        .slice(0, limit),
    mark: async (name) => marks.get(name),
    setMark: async (name, text) => {
      marks.set(name, text)
    },
  }
}
