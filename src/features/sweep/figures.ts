/**
 * Figures of windows by one pass over events in the order of their entities. Counts and sums are
 * differences of running sums, exact because `support.ts` lets no sum pass 2^53; extremes and distinct
 * values follow the window's two ends, which only move on.
 */
import { sampleStd, sampleVariance } from '../operator/exact.ts'
import type { Chosen } from './chosen.ts'
import type { Spans } from './spans.ts'

/** Writes the figure of the event at each position of the order to its place in a column. */
export type Figure = (into: Float64Array, placeOf: Int32Array) => void

export function countFigure({ from, to }: Spans, { before }: Chosen): Figure {
  return (into, placeOf) => {
    for (let i = 0; i < from.length; i++) into[placeOf[i]] = before[to[i]] - before[from[i]]
  }
}

export function shareFigure({ from, to }: Spans, some: Chosen, all: Chosen): Figure {
  return (into, placeOf) => {
    for (let i = 0; i < from.length; i++) {
      const n = all.before[to[i]] - all.before[from[i]]
      if (n > 0) into[placeOf[i]] = (some.before[to[i]] - some.before[from[i]]) / n
    }
  }
}

/** Running figures of values, before each position of the order and after the last. */
export interface Running {
  /** Events that are chosen and have a value. */
  readonly present: Int32Array
  readonly sums: Float64Array
  readonly squares: Float64Array
}

/** `values` by position, NaN: none. */
export function runningOf({ passes }: Chosen, values: Float64Array): Running {
  const size = values.length
  const present = new Int32Array(size + 1)
  const sums = new Float64Array(size + 1)
  const squares = new Float64Array(size + 1)
  for (let i = 0; i < size; i++) {
    const value = values[i]
    const counts = (passes === null || passes[i] === 1) && !Number.isNaN(value)
    present[i + 1] = present[i] + (counts ? 1 : 0)
    sums[i + 1] = sums[i] + (counts ? value : 0)
    squares[i + 1] = squares[i] + (counts ? value * value : 0)
  }
  return { present, sums, squares }
}

export function sumFigure({ from, to }: Spans, { sums }: Running, scale: number): Figure {
  return (into, placeOf) => {
    for (let i = 0; i < from.length; i++) into[placeOf[i]] = (sums[to[i]] - sums[from[i]]) / scale
  }
}

export function meanFigure(spans: Spans, { present, sums }: Running, scale: number): Figure {
  const { from, to } = spans
  return (into, placeOf) => {
    for (let i = 0; i < from.length; i++) {
      const n = present[to[i]] - present[from[i]]
      if (n > 0) into[placeOf[i]] = (sums[to[i]] - sums[from[i]]) / (n * scale)
    }
  }
}

export function stdFigure(spans: Spans, running: Running, scale: number): Figure {
  const { from, to } = spans
  const { present, sums, squares } = running
  return (into, placeOf) => {
    for (let i = 0; i < from.length; i++) {
      const n = present[to[i]] - present[from[i]]
      if (n < 2) continue
      const sum = sums[to[i]] - sums[from[i]]
      // The sum of squares is below 2^53: the operator's lower lane holds all of it.
      into[placeOf[i]] = sampleStd(n, sum, 0, squares[to[i]] - squares[from[i]]) / scale
    }
  }
}

export function varianceFigure(spans: Spans, running: Running, scale: number): Figure {
  const { from, to } = spans
  const { present, sums, squares } = running
  return (into, placeOf) => {
    for (let i = 0; i < from.length; i++) {
      const n = present[to[i]] - present[from[i]]
      if (n < 2) continue
      const sum = sums[to[i]] - sums[from[i]]
      into[placeOf[i]] = sampleVariance(n, sum, squares[to[i]] - squares[from[i]], scale)
    }
  }
}

/** The least or greatest value: a queue holds, in order, the events that may yet be it. */
export function extremeFigure(
  { from, to }: Spans,
  { passes }: Chosen,
  values: Float64Array,
  scale: number,
  least: boolean,
): Figure {
  return (into, placeOf) => {
    // Positions that wait; as many as there are positions at most, because none waits twice.
    const queue = new Int32Array(values.length)
    let [head, tail, added] = [0, 0, 0]
    for (let i = 0; i < from.length; i++) {
      for (; added < to[i]; added++) {
        const value = values[added]
        if (Number.isNaN(value) || (passes !== null && passes[added] === 0)) continue
        while (tail > head) {
          const last = values[queue[tail - 1]]
          if (least ? last < value : last > value) break
          tail--
        }
        queue[tail++] = added
      }
      while (head < tail && queue[head] < from[i]) head++
      if (head < tail) into[placeOf[i]] = values[queue[head]] / scale
    }
  }
}

/** How many different codes below `size`; −1 is none. */
export function distinctFigure(
  { from, to }: Spans,
  { passes }: Chosen,
  codes: Int32Array,
  size: number,
): Figure {
  return (into, placeOf) => {
    const counts = new Int32Array(size)
    let [removed, added, different] = [0, 0, 0]
    for (let i = 0; i < from.length; i++) {
      for (; added < to[i]; added++) {
        const code = codes[added]
        if (code < 0 || (passes !== null && passes[added] === 0)) continue
        if (counts[code]++ === 0) different++
      }
      for (; removed < from[i]; removed++) {
        const code = codes[removed]
        if (code < 0 || (passes !== null && passes[removed] === 0)) continue
        if (--counts[code] === 0) different--
      }
      into[placeOf[i]] = different
    }
  }
}

/** Of the chosen events of a window: `back` = 1 is the newest, 2 the one before; null: the oldest. */
export type OneEvent = number | null

/** A value of one event of the window. */
export function valueFigure(
  spans: Spans,
  chosen: Chosen,
  values: Float64Array,
  scale: number,
  back: OneEvent,
): Figure {
  return (into, placeOf) => {
    for (let i = 0; i < placeOf.length; i++) {
      const at = positionOf(spans, chosen, i, back)
      if (at >= 0) into[placeOf[i]] = values[at] / scale
    }
  }
}

/** Seconds since one event of the window; `times` by position, microseconds. */
export function sinceFigure(
  spans: Spans,
  chosen: Chosen,
  times: Float64Array,
  back: OneEvent,
): Figure {
  return (into, placeOf) => {
    for (let i = 0; i < placeOf.length; i++) {
      const at = positionOf(spans, chosen, i, back)
      if (at >= 0) into[placeOf[i]] = (times[i] - times[at]) / 1_000_000
    }
  }
}

/** The position of the event; −1 where the window has none such. */
function positionOf({ from, to }: Spans, chosen: Chosen, i: number, back: OneEvent): number {
  const { before, positions } = chosen
  const [first, end] = [before[from[i]], before[to[i]]]
  const nth = back === null ? first : end - back
  return nth >= first && nth < end ? positions[nth] : -1
}
