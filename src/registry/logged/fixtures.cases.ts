/** The logged models of test/fixtures/logged-models, which `bench/peers/logged_model_fixtures.py` made. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { LoggedFiles } from './describe.ts'

const folder = join(import.meta.dirname, '../../../test/fixtures/logged-models')

/** What Python itself predicted. */
export const expected = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')) as {
  readonly rows: readonly (readonly (number | null)[])[]
  readonly fullRows: readonly (readonly number[])[]
} & Readonly<
  Record<
    | 'xgboostMargin'
    | 'xgboostScore'
    | 'xgboostClassifierScore'
    | 'lightgbmScore'
    | 'logisticScore'
    | 'forestScore',
    readonly number[]
  >
>

export const columns = ['amount', 'age', 'rate']

/** A row of numbers as a row by names. */
export function named(rows: readonly (readonly (number | null)[])[]) {
  return rows.map((row) => Object.fromEntries(columns.map((name, at) => [name, row[at]])))
}

/** `others` are files that are only listed: nothing may read them. */
export function logged(name: string, others: readonly string[] = []): LoggedFiles {
  const own = readdirSync(join(folder, name))
  const sizes = own.map((file) => [file, statSync(join(folder, name, file)).size] as const)
  return {
    sizes: new Map([...sizes, ...others.map((file) => [file, 1000] as const)]),
    async read(file) {
      if (others.includes(file)) throw new Error(`${file} was opened.`)
      return new Uint8Array(readFileSync(join(folder, name, file)))
    },
  }
}

/** A model whose description is given as text. */
export function described(
  text: string,
  files: Readonly<Record<string, Uint8Array>> = {},
): LoggedFiles {
  const all: Readonly<Record<string, Uint8Array>> = {
    ...files,
    MLmodel: new TextEncoder().encode(text),
  }
  return {
    sizes: new Map(Object.entries(all).map(([name, bytes]) => [name, bytes.length])),
    read: async (name) => all[name],
  }
}
