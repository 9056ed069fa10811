// Public tables that learners are compared on, read from the folders that hold their published files.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import type { Matrix } from '../src/lib/matrix.ts'

export interface LearnersTable {
  readonly x: Matrix
  readonly y: Float64Array
  /** Features whose values are codes, by the order of their names. */
  readonly categorical: readonly string[]
}

interface Source {
  readonly files: readonly string[]
  readonly separator: RegExp
  /** Names in the order of the columns; absent: the first line has them. */
  readonly names?: readonly string[]
  readonly target: string
  /** Whether a target's text is the positive class. */
  readonly positive: (text: string) => boolean
  readonly leaveOut: readonly string[]
  readonly missing: string
  readonly categorical: readonly string[]
}

const adultNames =
  'age workclass fnlwgt education education-num marital-status occupation relationship race sex capital-gain capital-loss hours-per-week native-country income'
const germanNames =
  'status duration history purpose amount savings employment rate personal debtors residence property age plans housing credits job dependants telephone foreign risk'

export const sources = {
  give_me_some_credit: {
    files: ['cs-training.csv.gz'],
    separator: /,/,
    target: 'SeriousDlqin2yrs',
    positive: (text) => text === '1',
    leaveOut: [''],
    missing: 'NA',
    categorical: [],
  },
  uci_adult: {
    files: ['adult.data.gz', 'adult.test.gz'],
    separator: /, /,
    names: adultNames.split(' '),
    target: 'income',
    positive: (text) => text.startsWith('>50K'),
    leaveOut: [],
    missing: '?',
    categorical:
      'workclass education marital-status occupation relationship race sex native-country'.split(
        ' ',
      ),
  },
  uci_german_credit: {
    files: ['german.data.gz'],
    separator: /,/,
    names: germanNames.split(' '),
    target: 'risk',
    positive: (text) => text === '2',
    leaveOut: [],
    missing: '',
    categorical:
      'status history purpose savings employment personal debtors property plans housing job telephone foreign'.split(
        ' ',
      ),
  },
  uci_bank_marketing: {
    files: ['bank-full.csv.gz'],
    separator: /;/,
    target: 'y',
    positive: (text) => text === 'yes',
    // The length of the call is known only when its outcome is.
    leaveOut: ['duration'],
    missing: '',
    categorical: 'job marital education default housing loan contact month poutcome'.split(' '),
  },
} as const satisfies Record<string, Source>

export type SourceName = keyof typeof sources

export function readTable(folder: string, name: SourceName): LearnersTable {
  const source: Source = sources[name]
  const lines = source.files
    .flatMap((file) =>
      gunzipSync(readFileSync(join(folder, name, file)))
        .toString()
        .split('\n'),
    )
    // Adult's second file begins with a remark, and files end with an empty line.
    .filter((line) => line !== '' && !line.startsWith('|'))
  const cells = lines.map((line) => line.replaceAll('"', '').split(source.separator))
  const names = source.names ?? cells.shift() ?? []
  const at = (column: string) => names.indexOf(column)
  const y = Float64Array.from(cells, (row) => (source.positive(row[at(source.target)]) ? 1 : 0))
  const kept = names.filter(
    (column) => column !== source.target && !source.leaveOut.includes(column),
  )
  const columns = kept.map((column) => {
    const texts = cells.map((row) => row[at(column)])
    const known = [...new Set(texts)].filter((text) => text !== source.missing).toSorted()
    const codes = new Map(known.map((text, code) => [text, code]))
    const isCode = source.categorical.includes(column)
    return Float64Array.from(texts, (text) => {
      if (text === source.missing) return NaN
      return isCode ? codes.get(text)! : Number(text)
    })
  })
  return { x: { names: kept, rows: cells.length, columns }, y, categorical: source.categorical }
}
