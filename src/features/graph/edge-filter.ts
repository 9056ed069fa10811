// Which events of a source are edges: a condition over one event's columns and calendar.
import type { CompiledSource, Frame } from '../../data/index.ts'
import { columnOf, columnPosition, numbersOf } from '../../data/index.ts'
import type { Expression } from '../compiled.ts'
import { EventValues, evaluatorOf } from '../operator/evaluate.ts'

/** Tells of each row of a frame whether it fulfils a condition; a missing answer is a no. */
export function edgeFilter(
  where: Expression | null,
  source: CompiledSource,
  frame: Frame,
): (row: number) => boolean {
  if (where === null) return () => true
  const numbers: string[] = []
  const texts: string[] = []
  const placeOf = (names: string[], name: string): number => {
    const known = names.indexOf(name)
    return known < 0 ? names.push(name) - 1 : known
  }
  const nothing = (): never => {
    throw new Error('A filter holds no aggregate.')
  }
  const holds = evaluatorOf(where, {
    number: (name) => ({ at: placeOf(numbers, name), scale: scaleOf(source, name) }),
    text: (name) => placeOf(texts, name),
    aggregate: nothing,
    graph: nothing,
  })
  const values = new EventValues(numbers.length, texts.length, 0, 0, source.timeZone)
  const times = numbersOf(frame, source.eventTime)
  const numbersRead = numbers.map((name) => numbersOf(frame, name))
  const textsRead = texts.map((name) => columnOf(frame, name))
  return (row) => {
    values.begin(times[row])
    // Adding 0 turns −0 into 0: they are one value.
    for (let i = 0; i < numbersRead.length; i++) values.numbers[i] = numbersRead[i][row] + 0
    for (let i = 0; i < textsRead.length; i++) {
      const value = textsRead[i][row]
      const isMissing = value === undefined || Number.isNaN(value)
      values.texts[i] = isMissing ? undefined : String(value)
    }
    return holds(values) === 1
  }
}

function scaleOf(source: CompiledSource, name: string): number {
  const column = source.columns[columnPosition(source, name)]
  return column.kind === 'money' ? 10 ** column.exponent : 1
}
