/** Kernels that go over many rows or columns, done by several threads at once. */
import { at, type CompiledKernels } from './compiled-kernels.ts'
import type { Kernels } from './kernels.ts'
import type { Board } from './team.ts'
import { CALL_LENGTH, CALLS, CALLS_AT, JOB_EVALUATES, PARTS_MAX } from './team-protocol.ts'

/** Fewer rows are done by one thread before another would have begun. */
const ROWS_MIN = 8192
/** `sortValues` counts digits of 11 bits. */
const COUNTS = 2048

export function teamKernels(kernels: CompiledKernels, board: Board): Kernels {
  const lanes = Math.min(board.threads, PARTS_MAX)
  const counts = Array.from({ length: lanes }, () => kernels.wholes(COUNTS))
  return {
    ...kernels,
    lanes,

    sortColumns(values, scratch) {
      const starts = callEach(board, 'sortValues', values.length, (i) => {
        return [at(values[i]), at(scratch[i]), at(counts[i]), values[i].length]
      })
      return values.map((own, i) =>
        starts[i] >>> 0 === at(own) ? own : scratch[i].subarray(0, own.length),
      )
    },

    binColumns(bins, values, cuts, missing) {
      callEach(board, 'binColumn', values.length, (i) => {
        return [at(bins[i]), at(values[i]), at(cuts[i]), missing[i], values[i].length]
      })
    },

    transposeBins(byRow, byColumn, rows, stride) {
      const features = byColumn.length / rows
      const lists = [at(byRow), at(byColumn), rows, features, stride]
      callRanges(board, 'transposeBins', { from: 0, to: rows }, (from, to) => [...lists, from, to])
    },

    differentiate(derivatives, margins, labels, weights, quantum) {
      callRanges(board, 'differentiate', { from: 0, to: margins.length }, (from, to) => {
        const lists = [margins, labels, weights].map((list) => at(list) + 8 * from)
        return [at(derivatives) + 16 * from, ...lists, to - from, quantum]
      })
    },

    partition(rows, from, to, column, bin, alsoLeft, scratch) {
      if (to - from < ROWS_MIN) {
        return kernels.partition(rows, from, to, column, bin, alsoLeft, scratch)
      }
      const ends = callRanges(board, 'partition', { from, to }, (start, end) => {
        const own = at(scratch) + 4 * (start - from)
        return [at(rows), start, end, at(column), bin, alsoLeft, own]
      })
      return joinParts(rows, ends, scratch)
    },

    partitionSet(rows, from, to, column, table, scratch) {
      if (to - from < ROWS_MIN) {
        return kernels.partitionSet(rows, from, to, column, table, scratch)
      }
      const ends = callRanges(board, 'partitionSet', { from, to }, (start, end) => {
        const own = at(scratch) + 4 * (start - from)
        return [at(rows), start, end, at(column), at(table), own]
      })
      return joinParts(rows, ends, scratch)
    },

    addLeaves(margins, rows, leaves) {
      const lists = [at(margins), at(rows), at(leaves), leaves.length / 3]
      callRanges(board, 'addLeaves', { from: 0, to: rows.length }, (from, to) => [
        ...lists,
        from,
        to,
      ])
    },
  }
}

/** A range of rows, and what the kernel returned of it. */
type Range = { readonly from: number; readonly to: number; readonly result: number }

/** Calls a kernel once a thread, each for its share of the rows. */
export function callRanges(
  board: Board,
  name: (typeof CALLS)[number],
  { from, to }: { readonly from: number; readonly to: number },
  argumentsOf: (from: number, to: number, part: number) => number[],
): Range[] {
  const parts = to - from < ROWS_MIN ? 1 : Math.min(board.threads, PARTS_MAX)
  // Whole blocks: pairs of rows and tiles of bins are done at once.
  const block = Math.ceil((to - from) / parts / 256) * 256
  const ranges = Array.from({ length: Math.ceil((to - from) / block) }, (_, part) => {
    return { from: from + part * block, to: Math.min(from + (part + 1) * block, to) }
  })
  const results = callEach(board, name, ranges.length, (part) =>
    argumentsOf(ranges[part].from, ranges[part].to, part),
  )
  return ranges.map((range, part) => ({ ...range, result: results[part] }))
}

/** Calls a kernel so many times, each with its own arguments; returns what it returned. */
function callEach(
  { jobs, run }: Board,
  name: (typeof CALLS)[number],
  parts: number,
  argumentsOf: (part: number) => number[],
): number[] {
  jobs[JOB_EVALUATES] = 0
  for (let part = 0; part < parts; part++) {
    jobs.set([CALLS.indexOf(name), ...argumentsOf(part)], CALLS_AT + part * CALL_LENGTH)
  }
  if (parts > 0) run(parts)
  return Array.from({ length: parts }, (_, part) => jobs[CALLS_AT + part * CALL_LENGTH])
}

/** Ranges that follow one another, each parted at its `result`, become one parted range. */
function joinParts(rows: Uint32Array, parts: readonly Range[], scratch: Uint32Array): number {
  let border = parts[0].from
  let held = 0
  for (const { from, to, result } of parts) {
    // The right side is put away before lefts of later parts take its place.
    scratch.set(rows.subarray(result, to), held)
    held += to - result
    rows.copyWithin(border, from, result)
    border += result - from
  }
  rows.set(scratch.subarray(0, held), border)
  return border
}
