/** Evaluation of nodes by several threads on one shared memory. */
import { Worker } from 'node:worker_threads'
import { type CompiledKernels } from './compiled-kernels.ts'
import { type Evaluator, type Split, splitOf, worthOf } from './evaluate.ts'
import { FOUND_LENGTH } from './kernels.ts'
import {
  CLAIMS,
  CONTROL_LENGTH,
  DONE,
  FAILED,
  job,
  JOB_LENGTH,
  PARTS_MAX,
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

/**
 * Workers start while the caller goes on: until one is there, the caller does its parts. Sums are
 * exact and parts are compared in the order of features, so the result is that of one thread.
 */
export function teamEvaluator(kernels: CompiledKernels, threads: number): Evaluator {
  const { shared } = kernels
  // Of bytes, because control words are signed.
  const space = kernels.wholes(CONTROL_LENGTH)
  const control = new Int32Array(space.buffer, space.byteOffset, CONTROL_LENGTH)
  const jobs = kernels.numbers(JOB_LENGTH)
  const found = kernels.numbers(PARTS_MAX * SIDES_MAX * FOUND_LENGTH)
  const workerData: TeamData = {
    module: shared.module,
    memory: shared.memory,
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

  return {
    evaluate({ binned, derivatives, rows, features, penalties, sum, parent, sides }) {
      const block = blockOf(features.length, threads)
      const parts = Math.ceil(features.length / block)
      jobs.fill(0)
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
      jobs[job.parent] = parent?.byteOffset ?? 0
      jobs[job.missing] = binned.missing.byteOffset
      jobs[job.hasMissing] = binned.hasMissing.byteOffset
      jobs[job.block] = block
      jobs[job.found] = found.byteOffset
      jobs[job.l1] = penalties.l1
      jobs[job.l2] = penalties.l2
      jobs[job.gamma] = penalties.gamma
      jobs[job.leastHessian] = Math.max(penalties.minChildWeight, Number.MIN_VALUE)
      sides.forEach((side, index) => {
        const own = [side.histogram.byteOffset, side.gradient, side.hessian]
        jobs.set([...own, worthOf(side, penalties)], job.sides + 4 * index)
      })
      runParts(parts)
      return sides.map((_, side) => bestOfParts(parts, side))
    },
    close() {
      Atomics.store(control, STOP, 1)
      Atomics.add(control, SIGNAL, 1)
      Atomics.notify(control, SIGNAL)
    },
  }

  function runParts(parts: number): void {
    Atomics.store(control, DONE, 0)
    Atomics.store(control, CLAIMS, parts << 16)
    Atomics.add(control, SIGNAL, 1)
    if (Atomics.load(control, SLEEPERS) > 0) Atomics.notify(control, SIGNAL)
    workParts(control, jobs, shared.exports)
    awaitParts(parts)
    if (Atomics.load(control, FAILED) === 1) throw new Error('a thread of training failed')
  }

  function awaitParts(parts: number): void {
    for (let spin = 0; spin < SPINS; spin++) if (Atomics.load(control, DONE) === parts) return
    for (;;) {
      const done = Atomics.load(control, DONE)
      if (done === parts) return
      Atomics.wait(control, DONE, done)
    }
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

/** As many features a part as let every thread have one; whole eights, which are read at once. */
function blockOf(features: number, threads: number): number {
  const parts = Math.min(threads, PARTS_MAX)
  return Math.ceil(features / parts / 8) * 8
}
