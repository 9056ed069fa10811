/**
 * How columns become features, as data: canonical JSON, so that a hash names a preparation.
 * Nothing here looks at values; `fitPreparation` learns what a step needs from training rows.
 */
import { shown } from '../../lib/shown.ts'
import { fail } from '../errors.ts'

export type PreparationSpec = {
  /** What is done with columns of numbers that `columns` does not name. */
  readonly numbers: ColumnStep
  /** What is done with columns of categories that `columns` does not name. */
  readonly categories: ColumnStep
  /** Steps of single columns, by name. */
  readonly columns: Readonly<Record<string, ColumnStep>>
  /**
   * What becomes of a column that no training row has a value of, where the imputation needs one:
   * it is refused, or imputed with 0 or empty text.
   */
  readonly empty: 'refuse' | 'constant'
  readonly balance: BalanceSpec
}

export type ColumnStep = NumberStep | OrdinalStep | OneHotStep | TargetStep | DropStep

/** One feature of a column of numbers: logarithm, then imputation, then scaling, each optional. */
export type NumberStep = {
  readonly step: 'number'
  /** x becomes sign(x)·ln(1 + |x|), which draws skewed amounts together. */
  readonly log1p: boolean
  /** What stands in for missing values; "none" leaves them to the learner. */
  readonly impute: NumberImputation
  /** Adds a feature `missing(column)`: 1 where the value is missing, else 0. */
  readonly indicator: boolean
  readonly scale: NumberScale
}

/** A constant is in the units of the column. */
export type NumberImputation = 'none' | 'mean' | 'median' | 'most-frequent' | { constant: number }

/**
 * "standard": mean 0, population deviation 1; "robust": median 0, interquartile range 1;
 * "min-max": 0 to 1 over the training rows. A column without spread is only centred.
 */
export type NumberScale = 'none' | 'standard' | 'robust' | 'min-max'

/** Which categories a step keeps: the most frequent ones, by count, then by name. */
export type CategoryLimits = {
  /** How many categories keep a code of their own; the others seen in training are one, rare. */
  readonly categoriesMax: number
  /** Training rows that a category needs to keep a code of its own. */
  readonly rowsMin: number
}

/** Codes 0, 1, 2, … in the order of frequency; rare categories share the code after the last. */
export type OrdinalStep = CategoryLimits & {
  readonly step: 'ordinal'
  readonly impute: CategoryImputation
  readonly indicator: boolean
  /** Of a category not seen in training: a missing value, or the code after all others. */
  readonly unseen: 'missing' | 'own-code'
  /** Whether the learner is told that the codes have no order. */
  readonly unordered: boolean
}

export type CategoryImputation = 'none' | 'most-frequent' | { constant: string }

/** A feature of 0 and 1 a category, `column=category`, and `rare(column)` if any is rare. */
export type OneHotStep = CategoryLimits & {
  readonly step: 'one-hot'
  readonly impute: CategoryImputation
  readonly indicator: boolean
}

/**
 * The mean label of a category's training rows, drawn towards the mean of all:
 * (Σy + smoothing·mean) / (n + smoothing), Micci-Barreca 2001. One feature; of a multi-class
 * task one a class. A missing value is a category of its own; an unseen one has the mean of all.
 * Training rows get values from the other inner folds only, never from their own label.
 */
export type TargetStep = CategoryLimits & {
  readonly step: 'target'
  readonly smoothing: number
  readonly folds: number
}

export type DropStep = { readonly step: 'drop' }

/**
 * What is done about classes of unlike size. Both shift the margins of the model by a known
 * amount, which the fitted preparation records and `preparedPredictor` takes back.
 */
export type BalanceSpec =
  | { readonly kind: 'none' }
  /** Weight of each class, in the order of the classes; "balanced": rows / (classes · its rows). */
  | { readonly kind: 'weights'; readonly weights: 'balanced' | readonly number[] }
  /** At most so many rows of any class for one of the rarest, drawn at random. */
  | { readonly kind: 'under-sampling'; readonly ratio: number }

/** Features that a preparation may make, at most. */
export const FEATURES_MAX = 100_000

/** Values (features × rows) that a preparation may make at once, at most; four gigabytes. */
export const CELLS_MAX = 2 ** 29

/** Categories that a step may keep, at most. */
const CATEGORIES_MAX = 100_000

/** What trees take: numbers as they are, categories as codes without an order. */
export function preparation(declared: Partial<PreparationSpec> = {}): PreparationSpec {
  const spec: PreparationSpec = {
    numbers: numericFeature(),
    categories: ordinalCodes(),
    columns: {},
    empty: 'refuse',
    balance: { kind: 'none' },
    ...declared,
  }
  checkPreparation(spec)
  return spec
}

/** What linear models take: no missing values, one scale, a feature a category. */
export function linearPreparation(declared: Partial<PreparationSpec> = {}): PreparationSpec {
  return preparation({
    numbers: numericFeature({ impute: 'median', indicator: true, scale: 'standard' }),
    categories: oneHot(),
    ...declared,
  })
}

export function numericFeature(declared: Partial<Omit<NumberStep, 'step'>> = {}): NumberStep {
  return {
    step: 'number',
    log1p: false,
    impute: 'none',
    indicator: false,
    scale: 'none',
    ...declared,
  }
}

export function ordinalCodes(declared: Partial<Omit<OrdinalStep, 'step'>> = {}): OrdinalStep {
  return {
    step: 'ordinal',
    categoriesMax: 1000,
    rowsMin: 1,
    impute: 'none',
    indicator: false,
    unseen: 'missing',
    unordered: true,
    ...declared,
  }
}

export function oneHot(declared: Partial<Omit<OneHotStep, 'step'>> = {}): OneHotStep {
  return {
    step: 'one-hot',
    categoriesMax: 50,
    rowsMin: 1,
    impute: 'none',
    indicator: true,
    ...declared,
  }
}

export function targetEncoding(declared: Partial<Omit<TargetStep, 'step'>> = {}): TargetStep {
  return { step: 'target', categoriesMax: 10_000, rowsMin: 1, smoothing: 10, folds: 5, ...declared }
}

export function dropColumn(): DropStep {
  return { step: 'drop' }
}

/** Throws `preparation_invalid` that names the step and the parameter that is wrong. */
export function checkPreparation(spec: PreparationSpec): void {
  const known = ['numbers', 'categories', 'columns', 'empty', 'balance']
  for (const key of Object.keys(spec)) holds(key, 'the preparation', known.includes(key))
  checkStep(spec.numbers, 'numbers')
  checkStep(spec.categories, 'categories')
  for (const [name, step] of Object.entries(spec.columns)) checkStep(step, `"${name}"`)
  holds('empty', 'the preparation', spec.empty === 'refuse' || spec.empty === 'constant')
  checkBalance(spec.balance)
}

function checkStep(step: ColumnStep, of: string): void {
  switch (step?.step) {
    case 'number':
      holds('impute', of, isNumberImputation(step.impute))
      holds('scale', of, ['none', 'standard', 'robust', 'min-max'].includes(step.scale))
      holds('log1p', of, typeof step.log1p === 'boolean')
      holds('indicator', of, typeof step.indicator === 'boolean')
      return
    case 'ordinal':
    case 'one-hot':
      checkLimits(step, of)
      holds('impute', of, isCategoryImputation(step.impute))
      holds('indicator', of, typeof step.indicator === 'boolean')
      if (step.step === 'one-hot') return
      holds('unseen', of, step.unseen === 'missing' || step.unseen === 'own-code')
      holds('unordered', of, typeof step.unordered === 'boolean')
      return
    case 'target':
      checkLimits(step, of)
      holds('smoothing', of, step.smoothing >= 0 && Number.isFinite(step.smoothing))
      holds('folds', of, isCount(step.folds) && step.folds >= 2 && step.folds <= 50)
      return
    case 'drop':
      return
    default:
      throw fail.preparation_invalid(
        `The step of ${of} is "${shown((step as { step?: unknown } | undefined)?.step)}"; there ` +
          'are number, ordinal, one-hot, target and drop.',
      )
  }
}

function checkLimits(step: CategoryLimits, of: string): void {
  holds('categoriesMax', of, isCount(step.categoriesMax) && step.categoriesMax <= CATEGORIES_MAX)
  holds('rowsMin', of, isCount(step.rowsMin))
}

function checkBalance(balance: BalanceSpec): void {
  switch (balance?.kind) {
    case 'none':
      return
    case 'weights': {
      const { weights } = balance
      const listed = Array.isArray(weights) && weights.every((w) => w > 0 && Number.isFinite(w))
      holds('weights', 'balance', weights === 'balanced' || listed)
      return
    }
    case 'under-sampling':
      holds('ratio', 'balance', balance.ratio >= 1 && Number.isFinite(balance.ratio))
      return
    default:
      holds('kind', 'balance', false)
  }
}

function isNumberImputation(impute: NumberImputation): boolean {
  if (typeof impute === 'object') return Number.isFinite(impute?.constant)
  return ['none', 'mean', 'median', 'most-frequent'].includes(impute)
}

function isCategoryImputation(impute: CategoryImputation): boolean {
  if (typeof impute === 'object') {
    return typeof impute?.constant === 'string' && impute.constant.isWellFormed()
  }
  return impute === 'none' || impute === 'most-frequent'
}

function holds(parameter: string, of: string, condition: boolean): void {
  if (!condition) {
    throw fail.preparation_invalid(`The parameter "${parameter}" of ${of} is not a valid one.`)
  }
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 1
}
