/**
 * Classes of unlike size, made more alike for a learner: by weights, or by leaving out rows of
 * the larger ones. Both change the odds that the model learns by a known factor, which is taken
 * back from its margins (King and Zeng 2001; Dal Pozzolo et al. 2015).
 */
import { ln } from '../../lib/math.ts'
import type { Random } from '../../lib/random.ts'
import { fail } from '../errors.ts'
import type { BalanceSpec } from './spec.ts'
import { classCount, type Target } from './target.ts'

export type FittedBalance = {
  readonly kind: BalanceSpec['kind']
  /** Rows of each class before, and as learnt from. Empty where the task has no classes. */
  readonly rows: readonly number[]
  readonly learnt: readonly number[]
  /** Weight of a row of each class. */
  readonly weights: readonly number[]
  /** What to add to each class's log-odds to undo the balancing; 0 for the first class. */
  readonly corrections: readonly number[]
}

/** Which of the training rows are learnt from, and how each class weighs. */
export function balanceRows(
  spec: BalanceSpec,
  target: Target,
  rows: Uint32Array,
  random: Random,
): { readonly balance: FittedBalance; readonly learnt: Uint32Array } {
  const classes = classCount(target)
  if (classes === 0 || !('y' in target)) {
    if (spec.kind !== 'none') {
      throw fail.preparation_invalid('Classes can be balanced only where there are classes.')
    }
    const balance = { kind: spec.kind, rows: [], learnt: [], weights: [], corrections: [] }
    return { balance, learnt: rows }
  }
  const { y } = target
  const before = countByClass(rows, y, classes)
  const learnt = spec.kind === 'under-sampling' ? drawRows(spec, before, rows, y, random) : rows
  const after = countByClass(learnt, y, classes)
  const weights = weightsOf(spec, after)
  const odds = before.map((count, k) => (count === 0 ? 0 : ln(count / after[k] / weights[k])))
  return {
    balance: {
      kind: spec.kind,
      rows: before,
      learnt: after,
      weights,
      corrections: odds.map((value) => value - odds[0] + 0),
    },
    learnt,
  }
}

function countByClass(rows: Uint32Array, y: Float64Array, classes: number): number[] {
  const counts = new Array<number>(classes).fill(0)
  for (const row of rows) counts[y[row]]++
  return counts
}

function weightsOf(spec: BalanceSpec, counts: readonly number[]): number[] {
  if (spec.kind !== 'weights') return counts.map(() => 1)
  const { weights } = spec
  if (weights === 'balanced') {
    const present = counts.filter((count) => count > 0)
    const rows = present.reduce((sum, count) => sum + count, 0)
    return counts.map((count) => (count === 0 ? 1 : rows / (present.length * count)))
  }
  if (weights.length !== counts.length) {
    throw fail.preparation_invalid(
      `There are ${weights.length} class weights for ${counts.length} classes.`,
    )
  }
  return [...weights]
}

/** Of each class at most `ratio` rows for one of the rarest, drawn without replacement. */
function drawRows(
  { ratio }: { readonly ratio: number },
  counts: readonly number[],
  rows: Uint32Array,
  y: Float64Array,
  random: Random,
): Uint32Array {
  const rarest = Math.min(...counts.filter((count) => count > 0))
  const left = [...counts]
  const wanted = counts.map((count) => Math.min(count, Math.round(ratio * rarest)))
  // Selection sampling (Knuth 2, 3.4.2, algorithm S), a class each, in the order of rows.
  return rows.filter((row) => {
    const k = y[row]
    const taken = random.next() * left[k] < wanted[k]
    left[k]--
    if (taken) wanted[k]--
    return taken
  })
}

/** Throws `model_invalid` unless a fitted balance, perhaps from a file, is usable. */
export function checkBalance(balance: FittedBalance, classes: number): void {
  const kinds = ['none', 'weights', 'under-sampling']
  const { kind, rows, learnt, weights, corrections } = balance ?? {}
  const lists = [rows, learnt, weights, corrections]
  const complete = lists.every(
    (list) => Array.isArray(list) && list.length === classes && list.every(Number.isFinite),
  )
  if (!complete || !kinds.includes(kind)) {
    throw fail.model_invalid('The balance of classes of the preparation is damaged.')
  }
}
