/**
 * Ways to find the leaf of each tree for a row. All find the same leaves; which is fastest depends
 * on the shape of the trees and on the processor, so `engine.ts` measures.
 */
import { holdsCode } from '../trees/code-sets.ts'
import { type EnsembleForest } from './forest.ts'
import { decision } from './model.ts'

export interface Walk {
  readonly name: 'pointer' | 'branchless' | 'branchless-stride'
  /** The leaf of every tree for one row of views. */
  row(views: Float64Array, leaves: Int32Array): void
  /** The leaf of one tree for each of `count` rows of views, row after row. */
  block(tree: number, views: Float64Array, count: number, leaves: Int32Array): void
}

/** The walks that the forest allows; the first is always there. */
export function walksOf(forest: EnsembleForest): Walk[] {
  const pointer = createPointerWalk(forest)
  const deepest = forest.depth.reduce((most, own) => Math.max(most, own), 0)
  const few = forest.views.feature.length === 0 || deepest > DEPTH_MAX
  if (forest.hasSpecial || few) return [pointer]
  const walks = [pointer, createBranchlessWalk(forest, 'branchless', DEPTH_MAX)]
  if (deepest > 2 * STRIDE) walks.push(createBranchlessWalk(forest, 'branchless-stride', STRIDE))
  return walks
}

/** Follows each row until its leaf: no step too many, but a branch that is hard to foresee. */
function createPointerWalk(forest: EnsembleForest): Walk {
  return forest.hasSpecial ? createSpecialWalk(forest) : createPlainWalk(forest)
}

function createPlainWalk({ roots, view, threshold, left, views }: EnsembleForest): Walk {
  const width = views.feature.length
  return {
    name: 'pointer',
    row(row, leaves) {
      for (let tree = 0; tree < roots.length; tree++) {
        let node = roots[tree]
        let child = left[node]
        while (child !== node) {
          node = row[view[node]] <= threshold[node] ? child : child + 1
          child = left[node]
        }
        leaves[tree] = node
      }
    },
    block(tree, rows, count, leaves) {
      const root = roots[tree]
      for (let i = 0; i < count; i++) {
        const at = i * width
        let node = root
        let child = left[node]
        while (child !== node) {
          node = rows[at + view[node]] <= threshold[node] ? child : child + 1
          child = left[node]
        }
        leaves[i] = node
      }
    },
  }
}

/** The same where some nodes ask for a category or for equality. */
function createSpecialWalk(forest: EnsembleForest): Walk {
  const { roots, left, views } = forest
  const goesLeft = createDecision(forest)
  const width = views.feature.length
  const leafOf = (root: number, rows: Float64Array, at: number) => {
    let node = root
    let child = left[node]
    while (child !== node) {
      node = goesLeft(node, rows, at) ? child : child + 1
      child = left[node]
    }
    return node
  }
  return {
    name: 'pointer',
    row(row, leaves) {
      for (let tree = 0; tree < roots.length; tree++) leaves[tree] = leafOf(roots[tree], row, 0)
    },
    block(tree, rows, count, leaves) {
      for (let i = 0; i < count; i++) leaves[i] = leafOf(roots[tree], rows, i * width)
    },
  }
}

const EQUAL_OR_MISSING = decision.equal | decision.missingLeft

function createDecision({ view, threshold, special, sets, arithmetic }: EnsembleForest) {
  const { starts, words } = sets
  const single = arithmetic === 'float32'
  return (node: number, rows: Float64Array, at: number): boolean => {
    const x = rows[at + view[node]]
    const bits = special[node]
    if (bits === 0) return x <= threshold[node]
    if (x !== x && !(bits & decision.nanIsZero)) return (bits & decision.missingLeft) !== 0
    if (bits === decision.equal || bits === EQUAL_OR_MISSING) return x === threshold[node]
    if (bits & decision.equal && !Number.isInteger(x)) return false
    // XGBoost takes no value below zero for a category; LightGBM drops the fraction first.
    if (single ? x < 0 : x <= -1) return false
    return holdsCode(words, starts[threshold[node]], Math.trunc(x === x ? x : 0))
  }
}

/** Deeper trees make a walk of fixed length longer than most rows need. */
const DEPTH_MAX = 64
const STRIDE = 3

/**
 * Goes as many steps as the deepest of four trees (or of four rows) has, and stays where it is at a
 * leaf. There is nothing to foresee, and the four chains of loads overlap. After each `stride` steps
 * it ends if all four are at their leaves: most rows end early in deep trees.
 */
function createBranchlessWalk(
  { roots, view, threshold, left, depth, views }: EnsembleForest,
  name: Walk['name'],
  stride: number,
): Walk {
  const width = views.feature.length
  const fours = roots.length - (roots.length % 4)
  return {
    name,
    row(row, leaves) {
      for (let tree = 0; tree < fours; tree += 4) {
        let a = roots[tree]
        let b = roots[tree + 1]
        let c = roots[tree + 2]
        let d = roots[tree + 3]
        const first = Math.max(depth[tree], depth[tree + 1])
        const steps = Math.max(first, depth[tree + 2], depth[tree + 3])
        // V8 turns `+(x > t) | 0` into a comparison without a branch, but not `x > t ? 1 : 0`.
        for (let step = 0; step < steps;) {
          const stop = Math.min(step + stride, steps)
          for (; step < stop; step++) {
            a = (left[a] + +(row[view[a]] > threshold[a])) | 0
            b = (left[b] + +(row[view[b]] > threshold[b])) | 0
            c = (left[c] + +(row[view[c]] > threshold[c])) | 0
            d = (left[d] + +(row[view[d]] > threshold[d])) | 0
          }
          if (left[a] === a && left[b] === b && left[c] === c && left[d] === d) break
        }
        leaves[tree] = a
        leaves[tree + 1] = b
        leaves[tree + 2] = c
        leaves[tree + 3] = d
      }
      for (let tree = fours; tree < roots.length; tree++) {
        let a = roots[tree]
        for (let step = 0; step < depth[tree]; step++) {
          a = (left[a] + +(row[view[a]] > threshold[a])) | 0
        }
        leaves[tree] = a
      }
    },
    block(tree, rows, count, leaves) {
      const root = roots[tree]
      const steps = depth[tree]
      let i = 0
      for (; i + 4 <= count; i += 4) {
        const p = i * width
        const q = p + width
        const r = q + width
        const s = r + width
        let a = root
        let b = root
        let c = root
        let d = root
        for (let step = 0; step < steps;) {
          const stop = Math.min(step + stride, steps)
          for (; step < stop; step++) {
            a = (left[a] + +(rows[p + view[a]] > threshold[a])) | 0
            b = (left[b] + +(rows[q + view[b]] > threshold[b])) | 0
            c = (left[c] + +(rows[r + view[c]] > threshold[c])) | 0
            d = (left[d] + +(rows[s + view[d]] > threshold[d])) | 0
          }
          if (left[a] === a && left[b] === b && left[c] === c && left[d] === d) break
        }
        leaves[i] = a
        leaves[i + 1] = b
        leaves[i + 2] = c
        leaves[i + 3] = d
      }
      for (; i < count; i++) {
        let a = root
        for (let step = 0; step < steps; step++) {
          a = (left[a] + +(rows[i * width + view[a]] > threshold[a])) | 0
        }
        leaves[i] = a
      }
    },
  }
}
