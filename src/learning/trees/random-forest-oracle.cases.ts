/** One tree of a random forest written down plainly: every cut of every feature. For tests only. */
import type { Matrix } from '../../lib/matrix.ts'

export type NaiveTask = {
  readonly x: Matrix
  readonly weights: Float64Array
  /** Classes, or 0 where labels are numbers. */
  readonly classes: number
  readonly y: Float64Array
  readonly minChildRows: number
  readonly depth: number
}

/** What the tree says of each training row: the mean label, or the share of each class. */
export function naiveTree(task: NaiveTask): number[][] {
  const said: number[][] = []
  grow(
    Array.from(task.y, (_, row) => row),
    0,
  )
  return said

  function grow(rows: number[], depth: number): void {
    const parts = depth < task.depth && !pure(rows) ? bestParts(rows) : undefined
    if (parts !== undefined) {
      for (const part of parts) grow(part, depth + 1)
      return
    }
    const value = sums(rows, task).map((sum) => sum / weightOf(rows, task))
    for (const row of rows) said[row] = value
  }

  function pure(rows: number[]): boolean {
    return rows.every((row) => task.y[row] === task.y[rows[0]])
  }

  function bestParts(rows: number[]): [number[], number[]] | undefined {
    let best: { worth: number; parts: [number[], number[]] } | undefined
    for (const column of task.x.columns) {
      const present = [...new Set(rows.map((row) => column[row]).filter((v) => v === v))]
      for (const cut of present.sort((a, b) => a - b)) {
        for (const missingLeft of [false, true]) {
          const goes = (row: number) =>
            column[row] === column[row] ? column[row] <= cut : missingLeft
          const parts = [rows.filter(goes), rows.filter((row) => !goes(row))] as [
            number[],
            number[],
          ]
          if (parts.some((part) => part.length < task.minChildRows)) continue
          const worth = worthOf(parts[0], task) + worthOf(parts[1], task)
          if (best === undefined || worth > best.worth + 1e-12) best = { worth, parts }
        }
      }
    }
    return best?.parts
  }
}

/** Σ Sₖ²/W of some rows. */
export function worthOf(rows: readonly number[], task: Omit<NaiveTask, 'x'>): number {
  return sums(rows, task).reduce((total, sum) => total + sum * sum, 0) / weightOf(rows, task)
}

function sums(rows: readonly number[], { y, weights, classes }: Omit<NaiveTask, 'x'>): number[] {
  if (classes === 0) return [rows.reduce((sum, row) => sum + weights[row] * y[row], 0)]
  return Array.from({ length: classes }, (_, k) =>
    rows.reduce((sum, row) => sum + (y[row] === k ? weights[row] : 0), 0),
  )
}

function weightOf(rows: readonly number[], { weights }: Omit<NaiveTask, 'x'>): number {
  return rows.reduce((sum, row) => sum + weights[row], 0)
}
