import { SQUARE_SPLIT, SUM_SPLIT, addWideSquare } from './exact.ts'
import type { FigureGroup } from './plan.ts'

/**
 * Adds (`sign` 1) a value to the figures of a group, or takes it away (−1); `lanes` is where those of
 * the entity begin. NaN, "no value", counts nowhere but in `count`. An extreme whose record leaves
 * becomes NaN: it must be searched again.
 */
export function changeGroup(
  figures: Float64Array,
  lanes: number,
  group: FigureGroup,
  value: number,
  sign: number,
): void {
  if (group.count >= 0) figures[lanes + group.count] += sign
  if (group.number < 0 || Number.isNaN(value)) return
  if (group.present >= 0) figures[lanes + group.present] += sign
  if (group.sum >= 0) changeSum(figures, lanes + group.sum, group.sumLanes, value, sign)
  if (group.squares >= 0) {
    changeSquares(figures, lanes + group.squares, group.squareLanes, value, sign)
  }
  if (group.min >= 0) {
    const at = lanes + group.min
    if (sign > 0) {
      if (value < figures[at]) figures[at] = value
    } else if (value === figures[at]) figures[at] = Number.NaN
  }
  if (group.max >= 0) {
    const at = lanes + group.max
    if (sign > 0) {
      if (value > figures[at]) figures[at] = value
    } else if (value === figures[at]) figures[at] = Number.NaN
  }
}

function changeSum(
  figures: Float64Array,
  at: number,
  lanes: 1 | 2,
  value: number,
  sign: number,
): void {
  if (lanes === 1) {
    figures[at] += sign * value
    return
  }
  const high = Math.floor(value * (1 / SUM_SPLIT))
  figures[at] += sign * high
  figures[at + 1] += sign * (value - high * SUM_SPLIT)
}

function changeSquares(
  figures: Float64Array,
  at: number,
  lanes: 2 | 3,
  value: number,
  sign: number,
): void {
  if (lanes === 3) {
    addWideSquare(figures, at, value, sign)
    return
  }
  const square = value * value
  const high = Math.floor(square * (1 / SQUARE_SPLIT))
  figures[at] += sign * high
  figures[at + 1] += sign * (square - high * SQUARE_SPLIT)
}
