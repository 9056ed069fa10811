/** The models of test/fixtures/models, which `bench/peers/model_fixtures.py` made. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const folder = join(import.meta.dirname, '../../../test/fixtures/models')

export type GoldenModel = {
  readonly name: string
  readonly bytes: Uint8Array
  readonly rows: readonly Float64Array[]
  /** What the model's own library gave for each row. */
  readonly expected: readonly (readonly number[])[]
}

/** Those of our own engine. */
export const goldenModels: readonly GoldenModel[] = readdirSync(folder)
  .filter((name) => !name.endsWith('.rows.json') && !name.startsWith('outside-'))
  .map(readGolden)

function readGolden(name: string): GoldenModel {
  const text = readFileSync(join(folder, `${name}.rows.json`), 'utf8')
  const { rows, expected } = JSON.parse(text) as {
    rows: (number | null)[][]
    expected: number[][]
  }
  return {
    name,
    bytes: new Uint8Array(readFileSync(join(folder, name))),
    rows: rows.map((row) => Float64Array.from(row, (value) => value ?? NaN)),
    expected,
  }
}

/** One by its name. */
export function goldenModel(name: string): GoldenModel {
  return readGolden(name)
}
