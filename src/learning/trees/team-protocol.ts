/**
 * How threads share work: a word of claims, a list of numbers that says what to do, and nothing
 * else. Features or rows are divided into parts; whoever is free claims the next part, the asking
 * thread too, so a thread that does not get a processor delays nobody but its own part.
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
  /** 0: nothing is counted. */
  counts: 19,
  parentCounts: 20,
  /** 0: splits have no limits. */
  kinds: 21,
  terms: 22,
  /** 1: the rows are summed already, in the histogram and in so many of the threads' own. */
  summed: 23,
  owns: 24,
  own: 25,
  ownBytes: 26,
  /**
   * Histogram, gradient, hessian and worth of each side, and under limits its node, the features
   * allowed and its counts; a histogram of 0 is none.
   */
  sides: 27,
} as const
export const SIDE_LENGTH = 7
/** Where a list says what it is: 1 is the evaluation of a node, 0 are calls. */
export const JOB_EVALUATES = job.sides + SIDE_LENGTH * SIDES_MAX
/** Calls begin here, one a part: which of `CALLS`, and its arguments. Its result replaces the first. */
export const CALLS_AT = JOB_EVALUATES + 1
export const CALL_LENGTH = 10
export const JOB_LENGTH = CALLS_AT + PARTS_MAX * CALL_LENGTH

export const CALLS = [
  'addToHistogram',
  'addSomeToHistogram',
  'differentiate',
  'partition',
  'partitionSet',
  'addLeaves',
  'sortValues',
  'binColumn',
  'transposeBins',
] as const

type Numeric = (...numbers: number[]) => number

/** The compiled kernels that a part needs. */
export type PartKernels = {
  readonly [
    name in
      | 'drainHistogram'
      | 'subtractHistogram'
      | 'findSplit'
      | 'findSplitWithin'
      | 'countBins'
      | 'subtractCounts'
      | (typeof CALLS)[number]
  ]: Numeric
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
      if (jobs[JOB_EVALUATES] === 1) evaluatePart(jobs, run, part)
      else callPart(jobs, run, part)
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

function evaluatePart(jobs: Float64Array, run: PartKernels, part: number): void {
  const block = jobs[job.block]
  const start = part * block
  const count = Math.min(block, jobs[job.count] - start)
  sumPart(jobs, run, start, count)
  for (let side = 0; side < SIDES_MAX; side++) {
    const from = job.sides + SIDE_LENGTH * side
    if (jobs[from] === 0) continue
    const found = jobs[job.found] + (part * SIDES_MAX + side) * FOUND_BYTES
    searchPart(jobs, run, start, count, found, jobs.subarray(from, from + SIDE_LENGTH))
  }
}

/** Sums the rows of some features, and takes them from the parent's. */
function sumPart(jobs: Float64Array, run: PartKernels, start: number, count: number): void {
  const features = jobs[job.features] + 4 * start
  const histogram = jobs[job.histogram]
  if (histogram === 0) return
  const range = [jobs[job.rows], jobs[job.from], jobs[job.to]]
  const rest = [...range, jobs[job.derivatives]]
  const [byRow, stride] = [jobs[job.byRow], jobs[job.stride]]
  if (jobs[job.summed] === 1) {
    for (let thread = 0; thread < jobs[job.owns]; thread++) {
      const own = jobs[job.own] + thread * jobs[job.ownBytes]
      run.drainHistogram(histogram, own, features, count, jobs[job.missing])
    }
  } else if (jobs[job.isAll] === 1) {
    run.addToHistogram(histogram + 4096 * start, byRow + start, stride, count, ...rest)
  } else {
    run.addSomeToHistogram(histogram, byRow, stride, features, count, ...rest)
  }
  const parent = jobs[job.parent]
  if (parent !== 0) run.subtractHistogram(parent, histogram, features, count, jobs[job.missing])
  const counts = jobs[job.counts]
  if (counts === 0) return
  run.countBins(counts, byRow, stride, features, count, ...range)
  const parentCounts = jobs[job.parentCounts]
  if (parentCounts !== 0) run.subtractCounts(parentCounts, counts, features, count)
}

function searchPart(
  jobs: Float64Array,
  run: PartKernels,
  start: number,
  count: number,
  found: number,
  [histogram, gradient, hessian, worth, node, allowed, counts]: Float64Array,
): void {
  const features = jobs[job.features] + 4 * start
  const what = [found, histogram, features, count, jobs[job.missing], jobs[job.hasMissing]]
  if (jobs[job.kinds] !== 0) {
    run.findSplitWithin(...what, node, jobs[job.kinds], jobs[job.terms], allowed, counts)
    return
  }
  const penalties = [jobs[job.l1], jobs[job.l2], jobs[job.gamma], jobs[job.leastHessian]]
  run.findSplit(...what, gradient, hessian, worth, ...penalties)
}

function callPart(jobs: Float64Array, run: PartKernels, part: number): void {
  const at = CALLS_AT + part * CALL_LENGTH
  const kernel = run[CALLS[jobs[at]]]
  jobs[at] = kernel(...jobs.subarray(at + 1, at + CALL_LENGTH))
}
