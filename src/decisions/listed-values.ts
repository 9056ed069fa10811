// Values of lists as an event has them. A rule compares the text of the column's value, so a number that
// is written otherwise would never be found.
import type { CompiledColumn } from '../data/index.ts'
import { decisionErrors } from './errors.ts'

const NAMED_MAX = 5

/**
 * The values as rules compare them, by the columns of the list: whole numbers without leading zeros, a
 * plus, or an empty fraction as spreadsheets write it. What is taken off may also stand there as it was
 * written, from before it was checked. Error: `list_values_invalid`, with lines from 1.
 */
export function listedValues(
  values: readonly string[],
  columns: readonly CompiledColumn[],
  change: 'add' | 'remove',
): string[] {
  if (!columns.some(isWhole)) return [...values]
  const wrong: string[] = []
  const found = values.flatMap((value, index) => {
    const number = /^[+-]?\d+(?:\.0*)?$/.test(value) ? Number(value) : Number.NaN
    if (!Number.isSafeInteger(number)) {
      if (change === 'add') wrong.push(`value ${index + 1} is “${value.slice(0, 50)}”`)
      return [value]
    }
    const compared = String(number)
    const isText = !columns.every(isWhole)
    return (change === 'remove' || isText) && compared !== value ? [value, compared] : [compared]
  })
  if (wrong.length === 0 || !columns.every(isWhole)) return found
  const rest = wrong.length > NAMED_MAX ? `, and ${wrong.length - NAMED_MAX} more` : ''
  const { name } = columns[0]
  throw decisionErrors.list_values_invalid(
    `The column ${name} holds whole numbers; ${wrong.slice(0, NAMED_MAX).join(', ')}${rest}. Nothing was put on the list.`,
  )
}

function isWhole(column: CompiledColumn): boolean {
  return (column.kind === 'id' || column.kind === 'key') && column.type === 'integer'
}
