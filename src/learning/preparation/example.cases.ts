/** Tables that the tests of this folder share. */
import { createRandom } from '../../lib/random.ts'
import {
  dropColumn,
  linearPreparation,
  numericFeature,
  oneHot,
  ordinalCodes,
  preparation,
  type PreparationSpec,
  targetEncoding,
} from './spec.ts'
import { categoryColumn, numberColumn, type Table, tableOf } from './table.ts'
import type { Target } from './target.ts'

export type Example = { readonly table: Table; readonly target: Target & { y: Float64Array } }

/** Numbers, a skewed amount, a flag, two categories and an identifier, with missing values. */
export function exampleOf(rows: number, seed: number | string = 1): Example {
  const random = createRandom(seed)
  const list = <T>(make: () => T) => Array.from({ length: rows }, make)
  const age = list(() => (random.next() < 0.2 ? null : random.normal(40, 10)))
  const amount = list(() => random.next() ** -3)
  const flag = list(() => (random.next() < 0.1 ? null : random.next() < 0.5))
  const job = list(() => (random.next() < 0.1 ? null : `job ${random.int(6)}`))
  const town = list(() => `town ${Math.floor(random.next() ** 3 * 40)}`)
  const y = Float64Array.from(job, (name, row) => {
    const odds = (name === 'job 1' ? 2 : -1) + (flag[row] === true ? 1 : 0)
    return random.uniform(-3, 3) < odds ? 1 : 0
  })
  if (rows > 1) y.set([0, 1])
  const table = tableOf([
    numberColumn('age', age),
    numberColumn('amount', amount),
    numberColumn('flag', flag),
    categoryColumn('job', job),
    categoryColumn('town', town),
    categoryColumn(
      'id',
      list(() => `id ${random.int(1e9)}`),
    ),
  ])
  return { table, target: { task: 'binary', y } }
}

/** Every law of preparations is run over every spec in this table. */
export const specs: Readonly<Record<string, PreparationSpec>> = {
  'for trees': preparation({ columns: { id: dropColumn() } }),
  'for linear models': linearPreparation({ columns: { id: oneHot({ rowsMin: 2 }) } }),
  'of every imputation': preparation({
    columns: {
      age: numericFeature({ impute: 'mean', indicator: true, scale: 'robust' }),
      amount: numericFeature({ log1p: true, impute: 'median', scale: 'min-max' }),
      flag: numericFeature({ impute: 'most-frequent' }),
      job: ordinalCodes({ impute: { constant: 'none' }, unseen: 'own-code', indicator: true }),
      town: oneHot({ categoriesMax: 5, impute: 'most-frequent' }),
      id: dropColumn(),
    },
  }),
  'encoded by labels': preparation({
    columns: {
      age: numericFeature({ impute: { constant: -1 }, scale: 'standard' }),
      job: targetEncoding({ smoothing: 2, folds: 3 }),
      town: targetEncoding({ categoriesMax: 8, rowsMin: 3 }),
      id: targetEncoding(),
      flag: ordinalCodes(),
    },
  }),
  'under-sampled': preparation({
    columns: { job: targetEncoding() },
    balance: { kind: 'under-sampling', ratio: 1 },
  }),
  weighted: preparation({ balance: { kind: 'weights', weights: 'balanced' } }),
}
