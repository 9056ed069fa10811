import { columnOf, type CompiledSource, type Frame } from '../../data/index.ts'
import type { Aggregate, CompiledFeatureSet, Expression } from '../compiled.ts'
import { visit } from '../expressions.ts'
import type { UnsupportedFeature } from '../sql/sql-for.ts'

/** What an aggregate may say: whatever else it says, a sweep does not know. */
const known = new Set<string>([
  'function',
  'per',
  'column',
  'label',
  'condition',
  'where',
  'windowUs',
  'delayUs',
  'current',
  'events',
  'values',
  'lag',
])

const summing = new Set<string>(['sum', 'mean', 'std', 'variance'])
const swept = new Set<string>([
  ...summing,
  'count',
  'share',
  'min',
  'max',
  'distinct',
  'first',
  'last',
  'lag',
  'timeSinceFirst',
  'timeSinceLast',
])

/** The features that a sweep over the rows [from, to) may not calculate, and why. */
export function unsupportedBySweep(
  set: CompiledFeatureSet,
  source: CompiledSource,
  frame: Frame,
  range: readonly [number, number],
): UnsupportedFeature[] {
  const inexact = new Map<string, boolean>()
  const isInexact = (column: string): boolean => {
    const found = inexact.get(column) ?? isTooLarge(frame, column, range)
    inexact.set(column, found)
    return found
  }
  return set.features.flatMap(({ name, expression }) => {
    let reason: string | undefined
    visit(expression, (node) => {
      reason ??= reasonAgainst(node, source, isInexact)
    })
    return reason === undefined ? [] : [{ feature: name, reason }]
  })
}

function reasonAgainst(
  node: Expression,
  source: CompiledSource,
  isInexact: (column: string) => boolean,
): string | undefined {
  if (node.op === 'graph') return 'a graph needs the state of the events before'
  return node.op === 'aggregate' ? reasonOf(node.aggregate, source, isInexact) : undefined
}

function reasonOf(
  aggregate: Aggregate,
  source: CompiledSource,
  isInexact: (column: string) => boolean,
): string | undefined {
  const { function: name, column, label } = aggregate
  if (!swept.has(name)) return `${name} needs the state of the events before`
  const more = Object.keys(aggregate).find((member) => !known.has(member))
  if (more !== undefined) return `${name} with ${more} needs the state of the events before`
  if (label !== null) return 'labels arrive at times of their own'
  if (!summing.has(name)) return undefined
  if (source.columns.find((declared) => declared.name === column)?.kind === 'number') {
    return `a ${name} of measured numbers rounds in the order of events`
  }
  return isInexact(column!) ? `sums of ${column} may pass 2^53` : undefined
}

/**
 * Whether the sizes of all values, or their squares, add up to more than a double holds exactly. All
 * running sums are below; rounding cannot hide a total beyond, because it never goes back below.
 */
function isTooLarge(frame: Frame, column: string, [from, to]: readonly [number, number]): boolean {
  const values = columnOf(frame, column)
  let [sizes, squares] = [0, 0]
  for (let row = from; row < to; row++) {
    const value = values[row] as number
    if (Number.isNaN(value)) continue
    sizes += Math.abs(value)
    squares += value * value
  }
  return sizes > Number.MAX_SAFE_INTEGER || squares > Number.MAX_SAFE_INTEGER
}
