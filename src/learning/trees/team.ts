/** Evaluation of nodes by several threads on one shared memory. */
import { Worker } from 'node:worker_threads'
import { at, type CompiledKernels } from './compiled-kernels.ts'
import {
  type Evaluation,
  type Evaluator,
  type Split,
  splitOf,
  worthOf,
  writeNode,
} from './evaluate.ts'
import { FEATURE_SLOTS, FOUND_LENGTH, type Kernels, NODE_LENGTH } from './kernels.ts'
import { callRanges, teamKernels } from './team-kernels.ts'
import {
  CLAIMS,
  CONTROL_LENGTH,
  DONE,
  FAILED,
  job,
  JOB_EVALUATES,
  JOB_LENGTH,
  type PartKernels,
  PARTS_MAX,
  SIDE_LENGTH,
  SIDES_MAX,
  SIGNAL,
  SLEEPERS,
  STOP,
  workParts,
} from './team-protocol.ts'

/** What a worker is started with; the numbers are pointers. */
export type TeamData = {
  readonly module: object
  readonly memory: { readonly buffer: ArrayBuffer }
  readonly control: number
  readonly jobs: number
}

/** Looks for the last parts so many times before it sleeps. */
const SPINS = 2000

/** Threads that work on the memory of compiled kernels. */
export type Team = {
  readonly evaluator: Evaluator
  /** The kernels, of which those that go over many rows or columns are shared. */
  readonly kernels: Kernels
  /** Tells the threads to end; the team cannot be used any more. */
  close(): void
}

/**
 * Workers start while the caller goes on: until one is there, the caller does its parts. Sums are
 * exact, parts are put together in the order of features and of rows, and so the result is that of
 * one thread.
 */
export function createTeam(kernels: CompiledKernels, threads: number): Team {
  // Of bytes, because control words are signed.
  const space = kernels.wholes(CONTROL_LENGTH)
  const control = new Int32Array(space.buffer, space.byteOffset, CONTROL_LENGTH)
  const jobs = kernels.numbers(JOB_LENGTH)
  const { module, memory, exports } = kernels.shared
  const workerData: TeamData = {
    module,
    memory,
    control: control.byteOffset,
    jobs: jobs.byteOffset,
  }
  for (let helper = 1; helper < threads; helper++) {
    const worker = new Worker(new URL('./team-worker.ts', import.meta.url), { workerData })
    worker.unref()
    // A thread that cannot start takes no part, and the others do its share. One that fails at its
    // part says so in the control words, where the caller sees it.
    worker.on('error', () => {})
  }
  const board: Board = { threads, jobs, run: (parts) => runParts(control, jobs, exports, parts) }
  return {
    evaluator: teamEvaluator(kernels, board),
    kernels: teamKernels(kernels, board),
    close() {
      Atomics.store(control, STOP, 1)
      Atomics.add(control, SIGNAL, 1)
      Atomics.notify(control, SIGNAL)
    },
  }
}

/** Where jobs are written, and what has them done. */
export type Board = {
  readonly threads: number
  readonly jobs: Float64Array
  readonly run: (parts: number) => void
}

/** Fewer rows of a node are summed feature by feature: threads' own sums cost 256 additions each. */
const OWN_SUMS_MIN = 8192

function teamEvaluator(kernels: CompiledKernels, board: Board): Evaluator {
  const { threads, jobs, run } = board
  const found = kernels.numbers(PARTS_MAX * SIDES_MAX * FOUND_LENGTH)
  const owns: Float64Array[] = []
  const nodes = Array.from({ length: SIDES_MAX }, () => kernels.numbers(NODE_LENGTH))
  return {
    evaluate(evaluation) {
      const { binned, derivatives, rows, features, penalties, limits, sum, sides } = evaluation
      const block = blockOf(features.length, threads)
      const parts = Math.ceil(features.length / block)
      const summed = sumApart(evaluation)
      jobs.fill(0, 0, JOB_EVALUATES)
      jobs[JOB_EVALUATES] = 1
      jobs[job.histogram] = sum?.into.byteOffset ?? 0
      jobs[job.byRow] = binned.byRow.byteOffset
      jobs[job.stride] = binned.stride
      jobs[job.features] = features.byteOffset
      jobs[job.count] = features.length
      jobs[job.isAll] = features.length === binned.features ? 1 : 0
      jobs[job.rows] = rows.byteOffset
      jobs[job.from] = sum?.from ?? 0
      jobs[job.to] = sum?.to ?? 0
      jobs[job.derivatives] = derivatives.byteOffset
      jobs[job.parent] = evaluation.parent?.byteOffset ?? 0
      jobs[job.counts] = sum?.counts?.byteOffset ?? 0
      jobs[job.parentCounts] = evaluation.parentCounts?.byteOffset ?? 0
      jobs[job.summed] = summed ? 1 : 0
      jobs[job.owns] = owns.length
      jobs[job.own] = owns[0]?.byteOffset ?? 0
      jobs[job.ownBytes] = owns[0]?.byteLength ?? 0
      jobs[job.kinds] = limits?.kinds.byteOffset ?? 0
      jobs[job.terms] = limits?.terms.byteOffset ?? 0
      jobs[job.missing] = binned.missing.byteOffset
      jobs[job.hasMissing] = binned.hasMissing.byteOffset
      jobs[job.block] = block
      jobs[job.found] = found.byteOffset
      jobs[job.l1] = penalties.l1
      jobs[job.l2] = penalties.l2
      jobs[job.gamma] = penalties.gamma
      jobs[job.leastHessian] = Math.max(penalties.minChildWeight, Number.MIN_VALUE)
      sides.forEach((side, index) => {
        const worth = worthOf(side, evaluation)
        writeNode(nodes[index], side, worth)
        const own = [side.histogram.byteOffset, side.gradient, side.hessian, worth]
        const { allowed, counts } = side.limits ?? {}
        const limited = [allowed?.byteOffset ?? 0, counts?.byteOffset ?? 0]
        const place = job.sides + SIDE_LENGTH * index
        jobs.set([...own, nodes[index].byteOffset, ...limited], place)
      })
      run(parts)
      return sides.map((_, side) => bestOfParts(parts, side))
    },
  }

  /** Sums the rows of a large node in shares, one into the histogram, others into threads' own. */
  function sumApart({ binned, derivatives, rows, features, sum }: Evaluation): boolean {
    if (sum === undefined || sum.to - sum.from < OWN_SUMS_MIN) return false
    if (owns.length === 0) {
      const all = kernels.numbers((threads - 1) * binned.features * FEATURE_SLOTS)
      const length = all.length / (threads - 1)
      for (let at = 0; at < all.length; at += length) owns.push(all.subarray(at, at + length))
    }
    const isAll = features.length === binned.features
    const list = isAll ? [] : [at(features)]
    callRanges(board, isAll ? 'addToHistogram' : 'addSomeToHistogram', sum, (from, to, part) => {
      const into = part === 0 ? sum.into : owns[part - 1]
      const bins = [at(into), at(binned.byRow), binned.stride, ...list, features.length]
      return [...bins, at(rows), from, to, at(derivatives)]
    })
    return true
  }

  function bestOfParts(parts: number, side: number): Split | undefined {
    let best: Split | undefined
    for (let part = 0; part < parts; part++) {
      const start = (part * SIDES_MAX + side) * FOUND_LENGTH
      const split = splitOf(found.subarray(start, start + FOUND_LENGTH))
      if (split !== undefined && !(best !== undefined && best.gain >= split.gain)) best = split
    }
    return best
  }
}

function runParts(
  control: Int32Array,
  jobs: Float64Array,
  kernels: PartKernels,
  parts: number,
): void {
  Atomics.store(control, DONE, 0)
  Atomics.store(control, CLAIMS, parts << 16)
  Atomics.add(control, SIGNAL, 1)
  if (Atomics.load(control, SLEEPERS) > 0) Atomics.notify(control, SIGNAL)
  workParts(control, jobs, kernels)
  awaitParts(control, parts)
  if (Atomics.load(control, FAILED) === 1) throw new Error('a thread of training failed')
}

function awaitParts(control: Int32Array, parts: number): void {
  for (let spin = 0; spin < SPINS; spin++) if (Atomics.load(control, DONE) === parts) return
  for (;;) {
    const done = Atomics.load(control, DONE)
    if (done === parts) return
    Atomics.wait(control, DONE, done)
  }
}

/** As many features a part as let every thread have one; whole eights, which are read at once. */
function blockOf(features: number, threads: number): number {
  const parts = Math.min(threads, PARTS_MAX)
  return Math.ceil(features / parts / 8) * 8
}
