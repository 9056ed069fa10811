/**
 * The categories of a column as a preparation knows them: those with a code of their own, the
 * rare ones, and all others, which are unseen. Learnt from training rows alone.
 */
import { fail } from '../errors.ts'
import type { CategoryLimits } from './spec.ts'
import type { CategoryColumn } from './table.ts'

export type Dictionary = {
  /** By training rows, most first, then by name (UTF-16 units). */
  readonly kept: readonly string[]
  /** Seen in training, but too rare to keep; in the same order. */
  readonly rare: readonly string[]
  /** How many more there were, rarer than all above, which are treated as unseen. */
  readonly forgotten: number
}

/**
 * Categories that a fitted column remembers, at most. Where a column has more, as an identifier
 * has, the rarest are forgotten: those of one count all or none, so that names do not decide.
 */
const REMEMBERED_MAX = 100_000

/** The codes of rare, unseen and missing categories among those of a dictionary. */
export type CategoryCodes = {
  readonly rare: number
  readonly unseen: number
  readonly missing: number
}

/** Kept categories are 0 … n−1; the others follow. */
export function codesOf(dictionary: Dictionary): CategoryCodes {
  const { length } = dictionary.kept
  return { rare: length, unseen: length + 1, missing: length + 2 }
}

export function fitDictionary(
  column: CategoryColumn,
  rows: Uint32Array,
  limits: CategoryLimits,
): Dictionary {
  const counts = new Uint32Array(column.dictionary.length)
  for (const row of rows) if (column.codes[row] >= 0) counts[column.codes[row]]++
  const countMin = leastRemembered(counts)
  const remembered: number[] = []
  let distinct = 0
  counts.forEach((count, code) => {
    if (count > 0) distinct++
    if (count >= countMin) remembered.push(code)
  })
  remembered.sort((a, b) => {
    if (counts[a] !== counts[b]) return counts[b] - counts[a]
    return column.dictionary[a] < column.dictionary[b] ? -1 : 1
  })
  let keep = Math.min(limits.categoriesMax, remembered.length)
  while (keep > 0 && counts[remembered[keep - 1]] < limits.rowsMin) keep--
  const names = remembered.map((code) => column.dictionary[code])
  return {
    kept: names.slice(0, keep),
    rare: names.slice(keep),
    forgotten: distinct - remembered.length,
  }
}

/** The least count of which all categories can be remembered. */
function leastRemembered(counts: Uint32Array): number {
  const descending = counts
    .filter((count) => count > 0)
    .sort()
    .reverse()
  if (descending.length <= REMEMBERED_MAX) return 1
  return descending[REMEMBERED_MAX] + 1
}

/**
 * A dictionary made ready: the code of every row of a column, as `codesOf` numbers them. Missing
 * values count as the category `fill`, where there is one.
 */
export function createCoder(
  dictionary: Dictionary,
  fill: string | null = null,
): (column: CategoryColumn, rows?: Uint32Array) => Int32Array {
  const { rare, unseen, missing } = codesOf(dictionary)
  const codeOf = new Map(dictionary.kept.map((name, code) => [name, code]))
  for (const name of dictionary.rare) codeOf.set(name, rare)
  const translate = (name: string) => codeOf.get(name) ?? unseen
  const absent = fill === null ? missing : translate(fill)

  return (column, rows) => {
    const count = rows?.length ?? column.codes.length
    // A few rows of a large table need only their own texts looked up.
    const table =
      count < column.dictionary.length ? undefined : tableOf(column.dictionary, translate)
    const codes = new Int32Array(count)
    for (let i = 0; i < count; i++) {
      const code = column.codes[rows === undefined ? i : rows[i]]
      if (code < 0) codes[i] = absent
      else codes[i] = table === undefined ? translate(column.dictionary[code]) : table[code]
    }
    return codes
  }
}

function tableOf(names: readonly string[], translate: (name: string) => number): Int32Array {
  const table = new Int32Array(names.length)
  for (let code = 0; code < table.length; code++) table[code] = translate(names[code])
  return table
}

/** Throws `model_invalid` unless the dictionary, perhaps from a file, is one that was fitted. */
export function checkDictionary(dictionary: Dictionary, column: string): void {
  const { kept, rare, forgotten } = dictionary ?? {}
  const isText = (name: unknown) => typeof name === 'string'
  const listed =
    Array.isArray(kept) && Array.isArray(rare) && kept.every(isText) && rare.every(isText)
  if (!listed || new Set([...kept, ...rare]).size !== kept.length + rare.length) {
    throw fail.model_invalid(`The categories of the column "${column}" are not distinct texts.`)
  }
  if (!Number.isSafeInteger(forgotten) || forgotten < 0) {
    throw fail.model_invalid(`The number of forgotten categories of "${column}" is not a count.`)
  }
}
