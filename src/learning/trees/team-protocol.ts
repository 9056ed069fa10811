/**
 * How threads share the evaluation of a node: a word of claims, a list of numbers that says what to
 * do, and nothing else. Features are divided into parts; whoever is free claims the next part, the
 * asking thread too, so a thread that does not get a processor delays nobody but its own part.
 */
import { FOUND_LENGTH } from './kernels.ts'

/** Places in the control words, a cache line apart. */
export const CLAIMS = 0
export const DONE = 16
export const SIGNAL = 32
export const SLEEPERS = 48
export const STOP = 64
export const FAILED = 80
export const CONTROL_LENGTH = 96

/** Bytes of what `findSplit` writes. */
export const FOUND_BYTES = FOUND_LENGTH * 8
export const SIDES_MAX = 2
export const PARTS_MAX = 64

/** A node's evaluation as numbers: pointers, counts and sums. */
export const job = {
  histogram: 0,
  byRow: 1,
  stride: 2,
  features: 3,
  count: 4,
  isAll: 5,
  rows: 6,
  from: 7,
  to: 8,
  derivatives: 9,
  parent: 10,
  missing: 11,
  hasMissing: 12,
  block: 13,
  found: 14,
  l1: 15,
  l2: 16,
  gamma: 17,
  leastHessian: 18,
  /** Histogram, gradient, hessian and worth of each side; a histogram of 0 is none. */
  sides: 19,
} as const
export const JOB_LENGTH = job.sides + 4 * SIDES_MAX

type Numeric = (...numbers: number[]) => number

/** The compiled kernels that a part needs. */
export type PartKernels = {
  readonly addToHistogram: Numeric
  readonly addSomeToHistogram: Numeric
  readonly subtractHistogram: Numeric
  readonly findSplit: Numeric
}

/** Claims parts and does them until none is left. */
export function workParts(control: Int32Array, jobs: Float64Array, run: PartKernels): void {
  for (;;) {
    // Parts in the upper half, the next one to be claimed in the lower.
    const claims = Atomics.load(control, CLAIMS)
    const part = claims & 0xffff
    if (part >= claims >>> 16) return
    if (Atomics.compareExchange(control, CLAIMS, claims, claims + 1) !== claims) continue
    try {
      workPart(jobs, run, part)
    } catch (error) {
      Atomics.store(control, FAILED, 1)
      throw error
    } finally {
      // Whoever waits for the part must not wait for ever.
      Atomics.add(control, DONE, 1)
      Atomics.notify(control, DONE)
    }
  }
}

function workPart(jobs: Float64Array, run: PartKernels, part: number): void {
  const block = jobs[job.block]
  const start = part * block
  const count = Math.min(block, jobs[job.count] - start)
  const features = jobs[job.features] + 4 * start
  const histogram = jobs[job.histogram]
  const missing = jobs[job.missing]
  if (histogram !== 0) {
    const { from, to, rows, stride, derivatives, byRow } = job
    const rest = [jobs[rows], jobs[from], jobs[to], jobs[derivatives]]
    if (jobs[job.isAll] === 1) {
      const into = histogram + 4096 * start
      run.addToHistogram(into, jobs[byRow] + start, jobs[stride], count, ...rest)
    } else {
      run.addSomeToHistogram(histogram, jobs[byRow], jobs[stride], features, count, ...rest)
    }
    const parent = jobs[job.parent]
    if (parent !== 0) run.subtractHistogram(parent, histogram, features, count, missing)
  }
  for (let side = 0; side < SIDES_MAX; side++) {
    const [own, gradient, hessian, worth] = jobs.subarray(job.sides + 4 * side)
    if (own === 0) continue
    run.findSplit(
      jobs[job.found] + (part * SIDES_MAX + side) * FOUND_BYTES,
      own,
      features,
      count,
      missing,
      jobs[job.hasMissing],
      gradient,
      hessian,
      worth,
      jobs[job.l1],
      jobs[job.l2],
      jobs[job.gamma],
      jobs[job.leastHessian],
    )
  }
}
