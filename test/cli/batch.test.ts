// Scoring many rows: what is refused is kept, what was killed goes on, and a row has one score.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { readTableFile } from '../../src/adapters/duckdb/index.ts'
import { createRandom } from '../../src/lib/random.ts'
import { servedVersion } from '../../src/roles/commands/serve-version.ts'
import { startInferenceServer } from '../../src/server/inference/index.ts'
import { createModelHost } from '../../src/serving/index.ts'
import { assay, killedAt, type Ended } from './command-line.ts'

vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 })

const folder = mkdtempSync(join(tmpdir(), 'assay-batch-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const HEADER = 'id,income,region,visits,bought'
const BAD = ['7,a lot,north,1,no', '8,50.00,north', '9,9007199254740993,east,2,no', '"10,1,2,3,4']

/** Customers who buy by income and region, with a value missing here and there. */
function customers(count: number, seed: number, bad: readonly string[] = []): string {
  const random = createRandom(seed)
  const lines = Array.from({ length: count }, (_, i) => {
    const income = random.normal(50, 15)
    const region = ['north', 'south', 'east'][random.int(3)]
    const margin = (income - 50) / 10 + (region === 'south' ? 1.5 : -0.5)
    const bought = random.next() < 1 / (1 + Math.exp(-margin)) ? 'yes' : 'no'
    return `${i},${income.toFixed(2)},${region},${random.next() < 0.1 ? '' : random.int(9)},${bought}`
  })
  bad.forEach((line, at) => lines.splice(3 + at * Math.floor(count / bad.length), 0, line))
  return `${[HEADER, ...lines].join('\n')}\n`
}

const inFolder = (name: string) => join(folder, name)
const textOf = (name: string) => readFileSync(inFolder(name), 'utf8')

beforeAll(() => {
  writeFileSync(inFolder('customers.csv'), customers(400, 1))
  writeFileSync(inFolder('later.csv'), customers(300, 2))
  writeFileSync(inFolder('many.csv'), customers(45_000, 3, BAD))
  const learnt = assay(folder, ['learn', 'customers.csv', '--target', 'bought', '--register', 'b'])
  if (learnt.code !== 0) throw new Error(learnt.err)
})

/** The run that nothing came between. */
let undisturbed: Ended
beforeAll(() => {
  undisturbed = models(['many.csv', '--out', 'all.csv', '--reasons', '2'])
})

const models = (args: readonly string[], env: NodeJS.ProcessEnv = {}): Ended =>
  assay(folder, ['models', 'score', 'b@1', ...args], '', env)

describe('rows that a model does not take', () => {
  test('are told and counted', () => {
    expect(undisturbed.code).toBe(0)
    expect(undisturbed.err).toContain('45,000 rows scored by b version 1')
    expect(undisturbed.err).toMatch(
      /4 rows were refused and left out:\n {2}row 4 \(line 5\): income: "a lot"/,
    )
  })

  test('are kept with line, column and reason, and all others are scored under their numbers', () => {
    const [header, ...rows] = textOf('all.rejects.csv').trimEnd().split('\n')
    expect(header).toBe('line,row,column,reason,raw')
    expect(rows.map((row) => row.split(',').slice(0, 3).join())).toEqual([
      '5,4,income',
      '11255,11254,',
      '22505,22504,income',
      '33755,33754,',
    ])
    expect(rows[0]).toContain('"7,a lot,north,1,no"')
    const scored = textOf('all.csv').trimEnd().split('\n').slice(1)
    expect(scored).toHaveLength(45_000)
    expect(scored.at(-1)).toMatch(/^45004,/)
    expect(scored.map((row) => row.split(',')[0])).not.toContain('22504')
  })

  test('leave the file of rejects away where there are none', () => {
    writeFileSync(inFolder('none.rejects.csv'), 'of an earlier run\n')
    expect(models(['later.csv', '--out', 'none.csv']).code).toBe(0)
    expect(existsSync(inFolder('none.rejects.csv'))).toBe(false)
  })

  test('end the command where there are no others', () => {
    writeFileSync(inFolder('bad.csv'), `${HEADER}\n1,much,north,1,no\n`)
    const { code, err } = models(['bad.csv', '--out', 'bad.out.csv'])
    expect(code).toBe(1)
    expect(err).toContain('no_row_scored')
    expect(existsSync(inFolder('bad.out.csv'))).toBe(false)
    expect(textOf('bad.out.rejects.csv')).toContain('"much')
  })
})

describe('a batch that is killed', () => {
  const args = (out: string) => ['many.csv', '--out', out, '--reasons', '2']

  // Names are given to the head, then to rows, rejects and record of each of the three parts, then to
  // the rejects and the result as a whole.
  test.each([2, 4, 9, 11, 12])(
    'after %i renames goes on there and ends with the same bytes',
    (place) => {
      const out = `killed-${place}.csv`
      const killed = models(args(out), killedAt(folder, place))
      expect(killed.signal).toBe('SIGKILL')
      expect(existsSync(inFolder(out))).toBe(place === 12)
      const { code, err } = models(args(out))
      expect(code, err).toBe(0)
      const parts = Math.min(3, Math.floor((place - 1) / 3))
      const done = [undefined, '20,000', '40,000', '45,004'][parts]
      if (done === undefined) expect(err).not.toContain('Goes on')
      else expect(err).toContain(`Goes on behind ${done} rows`)
      expect(textOf(out) === textOf('all.csv')).toBe(true)
      expect(textOf(out.replace('.csv', '.rejects.csv'))).toBe(textOf('all.rejects.csv'))
      expect(readdirSync(folder).filter((name) => name.startsWith(`${out}.`))).toEqual([])
    },
  )

  test('goes on with nothing else in its place, unless it is told to begin anew', () => {
    writeFileSync(inFolder('changing.csv'), textOf('many.csv'))
    const changing = (...more: string[]) => ['changing.csv', '--out', 'changed.csv', ...more]
    expect(models(changing(), killedAt(folder, 5)).signal).toBe('SIGKILL')
    const reasons = models(changing('--reasons'))
    expect(reasons.code).toBe(1)
    expect(reasons.err).toMatch(/1 finished part of a run with another number of reasons/)
    expect(reasons.err).toContain('--fresh')
    writeFileSync(inFolder('changing.csv'), textOf('many.csv').replace('north', 'south'))
    const { code, err } = models(changing())
    expect(code).toBe(1)
    expect(err).toMatch(/a run with another input/)
    expect(existsSync(inFolder('changed.csv'))).toBe(false)
    expect(models(changing('--fresh')).code).toBe(0)
    expect(textOf('changed.csv').split('\n')).toHaveLength(45_002)
  })
})

test('Parquet holds what CSV holds', async () => {
  expect(models(['many.csv', '--out', 'all.parquet', '--reasons', '2']).code).toBe(0)
  const [csv, parquet] = await Promise.all(
    ['all.csv', 'all.parquet'].map((name) => readTableFile(inFolder(name))),
  )
  expect(parquet.frame.columns['score']).toEqual(csv.frame.columns['score'])
  expect(parquet.frame.columns['reason_2']).toEqual(csv.frame.columns['reason_2'])
})

test('standard output has the same rows, and --rejects what was refused', () => {
  const { code, out, err } = models(['many.csv', '--reasons', '2', '--rejects', 'piped.csv'])
  expect(code, err).toBe(0)
  expect(out === textOf('all.csv')).toBe(true)
  expect(textOf('piped.csv')).toBe(textOf('all.rejects.csv'))
})

test('an output that cannot be written is told before any work is done', () => {
  for (const asked of [
    ['--out', join('nowhere', 'x.csv')],
    ['--rejects', join('later.csv', 'x')],
  ]) {
    const { code, err } = models(['later.csv', ...asked])
    expect(code, err).toBe(1)
    expect(err).toContain('output_unwritable')
  }
  expect(models(['later.csv', '--rejects', 'later.csv']).code).toBe(2)
})

test('a row has the score that a request gets', async () => {
  expect(models(['later.csv', '--out', 'few.csv']).code).toBe(0)
  const scores = textOf('few.csv').trimEnd().split('\n').slice(1)
  const host = createModelHost(() => Promise.reject(new Error('The model is computed here.')))
  await host.load(await servedVersion('b@1', inFolder('.assay')))
  const onDefect = () => {}
  const where = { host: '127.0.0.1', port: 0 }
  const door = { models: host, version: '0', only: 'b', onDefect, ...where }
  const server = await startInferenceServer(door)
  try {
    const answers = await fetch(`${server.url}/invocations`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ dataframe_records: records('later.csv') }),
    })
    const { predictions } = (await answers.json()) as {
      predictions: readonly { readonly predict_proba: readonly [number, number] }[]
    }
    expect(scores).toEqual(
      predictions.map(({ predict_proba: [, yes] }, at) => `${at + 1},${String(yes)}`),
    )
  } finally {
    await server.close(0)
    await host.close()
  }
})

/** Rows as a client sends them. */
function records(name: string) {
  const lines = textOf(name).trimEnd().split('\n').slice(1)
  return lines.map((line) => {
    const [, income, region, visits] = line.split(',')
    return { income: Number(income), region, visits: visits === '' ? null : Number(visits) }
  })
}
