/** A column of categories as codes, or as one feature a category. */
import { fail } from '../errors.ts'
import {
  checkDictionary,
  codesOf,
  createCoder,
  type Dictionary,
  fitDictionary,
} from './dictionary.ts'
import type { CategoryImputation, OneHotStep, OrdinalStep, PreparationSpec } from './spec.ts'
import type { CategoryColumn } from './table.ts'

export type FittedOrdinal = FittedCategories & {
  readonly step: 'ordinal'
  readonly unseen: OrdinalStep['unseen']
  readonly unordered: boolean
}

export type FittedOneHot = FittedCategories & { readonly step: 'one-hot' }

type FittedCategories = {
  readonly dictionary: Dictionary
  /** The category that missing values count as; null: none. */
  readonly fill: string | null
  readonly indicator: boolean
}

/** Turns a column of the table into features; made once a fitted column. */
export type Encode<Column> = (column: Column, rows: Uint32Array | undefined) => Float64Array[]

export function fitOrdinal(
  step: OrdinalStep,
  column: CategoryColumn,
  rows: Uint32Array,
  empty: PreparationSpec['empty'],
): FittedOrdinal {
  const { unseen, unordered } = step
  return { step: 'ordinal', ...fitCategories(step, column, rows, empty), unseen, unordered }
}

export function fitOneHot(
  step: OneHotStep,
  column: CategoryColumn,
  rows: Uint32Array,
  empty: PreparationSpec['empty'],
): FittedOneHot {
  return { step: 'one-hot', ...fitCategories(step, column, rows, empty) }
}

function fitCategories(
  step: OrdinalStep | OneHotStep,
  column: CategoryColumn,
  rows: Uint32Array,
  empty: PreparationSpec['empty'],
): FittedCategories {
  const fill = fillOf(step.impute, column, rows, empty)
  const dictionary = fitDictionary(imputed(column, fill), rows, step)
  return { dictionary, fill, indicator: step.indicator }
}

function fillOf(
  impute: CategoryImputation,
  column: CategoryColumn,
  rows: Uint32Array,
  empty: PreparationSpec['empty'],
): string | null {
  if (impute === 'none') return null
  if (typeof impute === 'object') return impute.constant
  const one = { categoriesMax: 1, rowsMin: 1 }
  const { kept, forgotten } = fitDictionary(column, rows, one)
  if (kept.length === 1) return kept[0]
  if (empty === 'constant' && forgotten === 0) return ''
  throw fail.preparation_invalid(
    forgotten === 0
      ? `No training row has a value of "${column.name}", so it has no most frequent one.`
      : `The column "${column.name}" has no most frequent value: it names rows.`,
  )
}

/** The column with a category in the place of missing values, so that it is counted too. */
function imputed(column: CategoryColumn, fill: string | null): CategoryColumn {
  if (fill === null) return column
  const known = column.dictionary.indexOf(fill)
  const dictionary = known < 0 ? [...column.dictionary, fill] : column.dictionary
  const code = known < 0 ? dictionary.length - 1 : known
  return { ...column, dictionary, codes: column.codes.map((own) => (own < 0 ? code : own)) }
}

export function ordinalFeatures(name: string, fitted: FittedOrdinal): string[] {
  return fitted.indicator ? [name, `missing(${name})`] : [name]
}

/** A missing value that is not imputed is NaN. */
export function encodeOrdinal(fitted: FittedOrdinal): Encode<CategoryColumn> {
  const { fill, dictionary, indicator } = fitted
  const coder = createCoder(dictionary, fill)
  const { rare, unseen, missing } = codesOf(dictionary)
  // Without rare categories the code after the kept ones is free.
  const own = dictionary.rare.length > 0 ? unseen : rare
  return (column, rows) => {
    const codes = coder(column, rows)
    const values = new Float64Array(codes.length)
    for (let i = 0; i < codes.length; i++) {
      const code = codes[i]
      if (code === missing) values[i] = NaN
      else if (code !== unseen) values[i] = code
      else values[i] = fitted.unseen === 'own-code' ? own : NaN
    }
    return indicator ? [values, missingFlags(column, rows)] : [values]
  }
}

export function oneHotFeatures(name: string, fitted: FittedOneHot): string[] {
  const features = fitted.dictionary.kept.map((category) => `${name}=${category}`)
  if (fitted.dictionary.rare.length > 0) features.push(`rare(${name})`)
  if (fitted.indicator) features.push(`missing(${name})`)
  return features
}

/** An unseen category is 0 everywhere, and so is a missing one but for its indicator. */
export function encodeOneHot(fitted: FittedOneHot): Encode<CategoryColumn> {
  const { fill, dictionary, indicator } = fitted
  const coder = createCoder(dictionary, fill)
  const width = dictionary.kept.length + (dictionary.rare.length > 0 ? 1 : 0)
  return (column, rows) => {
    const codes = coder(column, rows)
    const features: Float64Array[] = Array.from(
      { length: width },
      () => new Float64Array(codes.length),
    )
    codes.forEach((code, row) => {
      if (code < width) features[code][row] = 1
    })
    if (indicator) features.push(missingFlags(column, rows))
    return features
  }
}

function missingFlags(column: CategoryColumn, rows: Uint32Array | undefined): Float64Array {
  const flags = new Float64Array(rows?.length ?? column.codes.length)
  for (let i = 0; i < flags.length; i++) {
    flags[i] = column.codes[rows === undefined ? i : rows[i]] < 0 ? 1 : 0
  }
  return flags
}

/** Throws `model_invalid` unless the fitted step, perhaps from a file, is usable. */
export function checkCategories(name: string, fitted: FittedOrdinal | FittedOneHot): void {
  checkDictionary(fitted.dictionary, name)
  const fill = fitted.fill === null || typeof fitted.fill === 'string'
  const ordinal =
    fitted.step === 'one-hot' ||
    (['missing', 'own-code'].includes(fitted.unseen) && typeof fitted.unordered === 'boolean')
  if (!fill || !ordinal || typeof fitted.indicator !== 'boolean') {
    throw fail.model_invalid(`The fitted step of the column "${name}" is damaged.`)
  }
}
