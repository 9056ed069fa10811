/**
 * The one place where the values of leaves are added, in the order of the trees and in the arithmetic
 * of the source engine. However leaves were found, the bits of the sums are the same.
 */
import type { EnsembleForest } from './forest.ts'

export interface Sums {
  /** The margins of a row from its leaf in each tree. */
  row(leaves: Int32Array, into: Float64Array): void
  /** Before the first tree: `count` rows of margins from `at` on. */
  begin(into: Float64Array, at: number, count: number): void
  /** What the leaves of one tree add to the rows. */
  add(tree: number, leaves: Int32Array, into: Float64Array, at: number, count: number): void
  /** After the last tree. */
  finish(into: Float64Array, at: number, count: number): void
}

export function createSums(forest: EnsembleForest): Sums {
  const { base, baseAdded, margins, divisor, roots } = forest
  const start = baseAdded === 'first' ? base : new Float64Array(margins)
  const single = forest.arithmetic === 'float32'
  const simple = margins === 1 && forest.leafWidth === 1
  const add = simple ? addToOne(forest) : addToMany(forest)
  const round = single ? Math.fround : (x: number) => x

  function begin(into: Float64Array, at: number, count: number): void {
    for (let i = 0; i < count; i++) into.set(start, at + i * margins)
  }

  function finish(into: Float64Array, at: number, count: number): void {
    if (divisor === 1 && baseAdded === 'first') return
    for (let n = 0; n < count * margins; n++) {
      const sum = divisor === 1 ? into[at + n] : round(into[at + n] / divisor)
      into[at + n] = baseAdded === 'first' ? sum : round(sum + base[n % margins])
    }
  }

  if (simple) {
    const total = single ? totalOfSingles : totalOfDoubles
    return {
      begin,
      add,
      finish,
      row(leaves, into) {
        into[0] = total(forest.value, leaves, start[0])
        finish(into, 0, 1)
      },
    }
  }
  const leaf = new Int32Array(1)
  return {
    begin,
    add,
    finish,
    row(leaves, into) {
      begin(into, 0, 1)
      for (let tree = 0; tree < roots.length; tree++) {
        leaf[0] = leaves[tree]
        add(tree, leaf, into, 0, 1)
      }
      finish(into, 0, 1)
    },
  }
}

function totalOfDoubles(value: Float64Array, leaves: Int32Array, start: number): number {
  let sum = start
  for (let tree = 0; tree < leaves.length; tree++) sum += value[leaves[tree]]
  return sum
}

function totalOfSingles(value: Float64Array, leaves: Int32Array, start: number): number {
  let sum = start
  for (let tree = 0; tree < leaves.length; tree++) sum = Math.fround(sum + value[leaves[tree]])
  return sum
}

/** One margin, one number a leaf. */
function addToOne({ value, arithmetic }: EnsembleForest): Sums['add'] {
  if (arithmetic === 'float32') {
    return (_, leaves, into, at, count) => {
      for (let i = 0; i < count; i++) into[at + i] = Math.fround(into[at + i] + value[leaves[i]])
    }
  }
  return (_, leaves, into, at, count) => {
    for (let i = 0; i < count; i++) into[at + i] += value[leaves[i]]
  }
}

function addToMany(forest: EnsembleForest): Sums['add'] {
  const { value, output, leafWidth, margins } = forest
  const round = forest.arithmetic === 'float32' ? Math.fround : (x: number) => x
  return (tree, leaves, into, at, count) => {
    // A leaf has a number for the tree's margin, or one for each.
    const first = Math.max(0, output[tree])
    for (let i = 0; i < count; i++) {
      const to = at + i * margins + first
      const from = leaves[i] * leafWidth
      for (let k = 0; k < leafWidth; k++) into[to + k] = round(into[to + k] + value[from + k])
    }
  }
}
