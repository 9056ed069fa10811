// `assay learn`: any table in; an honest comparison, a run, a report and perhaps a version out.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createRandom } from '../../src/lib/random.ts'
import { assay, type Ended } from './command-line.ts'

const folder = mkdtempSync(join(tmpdir(), 'assay-learn-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const HEADER = 'id,income,region,visits,joined,told,bought'

/** Customers who buy by income and region; `told` is filled in once they have bought. */
function customers(count: number, seed: number): string {
  const random = createRandom(seed)
  const lines = Array.from({ length: count }, (_, i) => {
    const income = random.normal(50, 15)
    const region = ['north', 'south', 'east'][random.int(3)]
    const margin = (income - 50) / 10 + (region === 'south' ? 1.5 : -0.5)
    const bought = random.next() < 1 / (1 + Math.exp(-margin)) ? 'yes' : 'no'
    const visits = random.next() < 0.1 ? '' : random.int(9)
    const told = bought === 'yes' && random.next() < 0.97 ? 1 : 0
    const day = String(1 + (i % 28)).padStart(2, '0')
    return `${i},${income.toFixed(2)},${region},${visits},2024-01-${day},${told},${bought}`
  })
  return `${[HEADER, ...lines].join('\n')}\n`
}

const summary = ({ out }: Ended) => JSON.parse(out.trimEnd().split('\n').at(-1)!)

beforeAll(() => {
  writeFileSync(join(folder, 'customers.csv'), customers(600, 1))
  writeFileSync(join(folder, 'later.csv'), customers(300, 2))
})

describe('assay learn', () => {
  let learnt: Ended
  beforeAll(() => {
    const asked = ['--target', 'bought', '--drop', 'told', '--register', 'buyers']
    learnt = assay(folder, ['learn', 'customers.csv', ...asked])
  })

  test('says which estimator does best, with intervals, and what it goes by', () => {
    expect(learnt.code, learnt.err).toBe(0)
    expect(learnt.out).toMatch(
      /does best: Area under the ROC curve 0\.[78]\d+ \(0\.\d+ to 0\.\d+\)/,
    )
    expect(learnt.out).toMatch(/It goes most by (income, region|region, income)/)
    expect(learnt.out).toContain('id: names each row')
    expect(learnt.out).not.toContain('NaN')
  })

  test('writes one HTML file that needs nothing from elsewhere', () => {
    const html = readFileSync(join(folder, 'customers-bought.report.html'), 'utf8')
    expect(html).toMatch(/^<!doctype html>/)
    expect(html).not.toMatch(/<script|src=|href=|NaN|undefined/)
  })

  test('keeps a run with its model and report, and registers a version', () => {
    expect(learnt.out).toMatch(/run {7}run_\w+/)
    expect(learnt.out).toMatch(/version {3}1/)
    const verified = assay(folder, ['audit', 'verify'])
    expect(verified.code, verified.err).toBe(0)
  })
})

describe('assay reproduce', () => {
  const again = (...more: string[]) => assay(folder, ['reproduce', 'buyers@1', ...more])

  test('learns the registered model again from the same file, byte for byte', () => {
    const { code, out, err } = again('--data', 'customers.csv')
    expect(code, err).toBe(0)
    expect(out).toContain('identical, byte for byte')
    expect(out).toMatch(/600 rows learnt from, seed \d+/)
  })

  test('asks for the file, which Assay does not keep, and refuses another', () => {
    expect(again().err).toMatch(/customers\.csv.*--data/)
    const { code, err } = again('--data', 'later.csv')
    expect(code).toBe(1)
    expect(err).toContain('later.csv is not the file that it was learnt from')
  })
})

describe('assay models score', () => {
  test('scores a table with the registered model, a row a line', () => {
    const out = join(folder, 'scores.csv')
    const scored = ['models', 'score', 'buyers@1', 'later.csv', '--out', out]
    const { code, err } = assay(folder, scored)
    expect(code, err).toBe(0)
    expect(err).toContain('300 rows scored by buyers version 1')
    const [header, ...rows] = readFileSync(out, 'utf8').trimEnd().split('\n')
    expect(header).toBe('row,score')
    expect(rows).toHaveLength(300)
    const scores = rows.map((line) => Number(line.split(',')[1]))
    expect(scores.every((score) => score > 0 && score < 1)).toBe(true)
    expect(new Set(scores).size).toBeGreaterThan(100)
  })

  test('says which column a table lacks', () => {
    writeFileSync(join(folder, 'few.csv'), 'income\n1\n2\n')
    const { code, err } = assay(folder, ['models', 'score', 'buyers@1', 'few.csv'])
    expect(code).toBe(2)
    expect(err).toMatch(/no column "\w+"/)
    expect(assay(folder, ['models', 'score', 'buyers', 'few.csv']).err).toContain('NAME@VERSION')
  })
})

describe('with --json', () => {
  test('the last line has what a program needs, and the same seed gives the same figures', () => {
    const asked = ['learn', 'customers.csv', '--target', 'bought', '--drop', 'told', '--json']
    const [one, two] = [assay(folder, asked), assay(folder, asked)].map(summary)
    expect(one.best).toMatchObject({ auc: expect.any(Number), ap: expect.any(Number) })
    expect(one.threshold).toBeGreaterThan(0)
    expect(one.warnings).toEqual([])
    expect(two.best).toEqual(one.best)
    expect(two.threshold).toBe(one.threshold)
  })

  test('a column that is known only afterwards is warned of', () => {
    const { warnings } = summary(
      assay(folder, ['learn', 'customers.csv', '--target', 'bought', '--json']),
    )
    expect(warnings).toContainEqual(expect.objectContaining({ code: 'too_good', column: 'told' }))
  })

  test('a test file is judged on, and the goal says what is best', () => {
    const asked = ['--target', 'bought', '--drop', 'told', '--test', 'later.csv', '--json']
    const {
      best,
      judged,
      threshold_effect: effect,
    } = summary(
      assay(folder, ['learn', 'customers.csv', ...asked, '--goal', 'recall@precision=0.8']),
    )
    expect(judged).toContain('later.csv')
    expect(effect.rows).toBe(300)
    expect(best.figures['recall@precision=0.8'].value).toBeGreaterThan(0)
    expect(effect.precision.value).toBeGreaterThan(0.6)
  })
})

describe('what cannot be learnt', () => {
  test.each([
    [['--target', 'sold'], 'no column "sold"'],
    [['--target', 'bought', '--positive', 'maybe'], 'never is "maybe"'],
    [['--target', 'bought', '--goal', 'fame'], 'fame'],
    [['--target', 'bought', '--goal', 'cost=0:1'], 'cost=A:B'],
    [['--target', 'bought', '--drop', 'gender'], 'no column "gender"'],
    [['--target', 'bought', '--test', 'nothing.csv'], 'nothing.csv'],
    [['--target', 'bought', '--seed', 'x'], 'whole number'],
  ])('%j is refused: %s', (asked, message) => {
    const { code, err } = assay(folder, ['learn', 'customers.csv', ...asked, '--home', 'other'])
    expect(code).not.toBe(0)
    expect(err).toContain(message)
    expect(err).not.toContain('did not expect')
    expect(existsSync(join(folder, 'customers-sold.report.html'))).toBe(false)
  })
})
