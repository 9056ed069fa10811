import { columnOf, type CompiledSource, type Frame, type FrameColumn } from '../../data/index.ts'
import type { Aggregate, CompiledFeatureSet, Expression } from '../compiled.ts'
import { evaluatorOf, EventValues, type Bindings } from '../operator/evaluate.ts'

/** Where an expression finds the figures of windows. */
export interface FigureColumns {
  /** By row, from the first wanted one. */
  column(aggregate: Aggregate): Float64Array
}

/** The events' own columns, and expressions over them. */
export interface EventColumns {
  /** Event times of the whole frame, microseconds UTC. */
  readonly times: Float64Array
  /** A number of the events' own, and what to divide it by to get major units. */
  readonly number: (column: string) => { readonly values: Float64Array; readonly scale: number }
  /** By row from the reach on: where a category stands among its values; NaN: none. */
  readonly indexes: (column: string, values: readonly string[]) => Float64Array
  /** By row from the reach on: 1 where the condition holds. */
  readonly passes: (condition: Expression) => Uint8Array
  /** The expression's value by row, from the first wanted one. */
  readonly evaluate: (
    expression: Expression,
    firstRow: number,
    figures: FigureColumns,
  ) => Float64Array
}

/** Columns of the frame's rows [from, to). */
export function eventColumns(
  set: CompiledFeatureSet,
  source: CompiledSource,
  frame: Frame,
  [from, to]: readonly [number, number],
): EventColumns {
  const times = columnOf(frame, source.eventTime) as Float64Array
  const number = (column: string): { values: Float64Array; scale: number } => {
    const declared = source.columns.find(({ name }) => name === column)
    const scale = declared?.kind === 'money' ? 10 ** declared.exponent : 1
    return { values: columnOf(frame, column) as Float64Array, scale }
  }

  function run(
    expression: Expression,
    [begin, end]: readonly [number, number],
    figures: FigureColumns,
    into: Float64Array | Uint8Array,
    take: (value: number) => number,
  ): void {
    const numbers: Float64Array[] = []
    const texts: FrameColumn[] = []
    const aggregates: Float64Array[] = []
    const bindings: Bindings = {
      number: (column) => {
        const { values, scale } = number(column)
        return { at: numbers.push(values) - 1, scale }
      },
      text: (column) => texts.push(columnOf(frame, column)) - 1,
      aggregate: (aggregate) => aggregates.push(figures.column(aggregate)) - 1,
      graph: () => {
        throw new Error('A sweep has no figures of graphs.')
      },
    }
    const evaluator = evaluatorOf(expression, bindings)
    const values = new EventValues(numbers.length, texts.length, aggregates.length, 0, set.timeZone)
    for (let row = begin; row < end; row++) {
      values.begin(times[row])
      // Adding 0 turns −0 into 0: they are one value.
      for (let n = 0; n < numbers.length; n++) values.numbers[n] = numbers[n][row] + 0
      for (let t = 0; t < texts.length; t++) values.texts[t] = textOf(texts[t][row])
      for (let a = 0; a < aggregates.length; a++) values.aggregates[a] = aggregates[a][row - begin]
      into[row - begin] = take(evaluator(values))
    }
  }

  return {
    times,
    number,
    indexes(column, values) {
      const into = new Float64Array(to - from)
      const index: Expression = { op: 'categoryIndex', column, values }
      run(index, [from, to], noFigures, into, (value) => value)
      return into
    },
    passes(condition) {
      const into = new Uint8Array(to - from)
      run(condition, [from, to], noFigures, into, (value) => (value === 1 ? 1 : 0))
      return into
    },
    evaluate(expression, firstRow, figures) {
      const into = new Float64Array(to - firstRow)
      run(expression, [firstRow, to], figures, into, (value) => value + 0)
      return into
    },
  }
}

const noFigures: FigureColumns = {
  column: () => {
    throw new Error('A filter looks at its event’s own columns.')
  },
}

function textOf(value: number | string | undefined): string | undefined {
  if (typeof value !== 'number') return value
  return Number.isNaN(value) ? undefined : String(value)
}
