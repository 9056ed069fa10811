import { SQUARE_SPLIT, SUM_SPLIT, addWideSquare } from './exact.ts'

/** What a running figure counts; how many lanes of doubles each needs stands in `lanesOf`. */
export type FigureOp = 'count' | 'present' | 'sum' | 'squares' | 'wideSquares' | 'min' | 'max'

export const lanesOf: Readonly<Record<FigureOp, number>> = {
  count: 1,
  present: 1,
  sum: 2,
  squares: 2,
  wideSquares: 3,
  min: 1,
  max: 1,
}

/**
 * Adds (`sign` 1) a value to the figure at `at`, or takes it away (−1). NaN, "no value", counts
 * nowhere but in `count`. An extreme whose record leaves becomes NaN: it must be searched again.
 */
export function change(
  figures: Float64Array,
  at: number,
  op: FigureOp,
  value: number,
  sign: number,
): void {
  if (op === 'count') {
    figures[at] += sign
    return
  }
  if (Number.isNaN(value)) return
  switch (op) {
    case 'present':
      figures[at] += sign
      return
    case 'sum': {
      const high = Math.floor(value / SUM_SPLIT)
      figures[at] += sign * high
      figures[at + 1] += sign * (value - high * SUM_SPLIT)
      return
    }
    case 'squares': {
      const square = value * value
      const high = Math.floor(square / SQUARE_SPLIT)
      figures[at] += sign * high
      figures[at + 1] += sign * (square - high * SQUARE_SPLIT)
      return
    }
    case 'wideSquares':
      addWideSquare(figures, at, value, sign)
      return
    case 'min':
      if (sign > 0) {
        if (value < figures[at]) figures[at] = value
      } else if (value === figures[at]) figures[at] = Number.NaN
      return
    case 'max':
      if (sign > 0) {
        if (value > figures[at]) figures[at] = value
      } else if (value === figures[at]) figures[at] = Number.NaN
  }
}
