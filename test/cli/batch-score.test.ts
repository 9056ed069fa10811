// Events scored in bulk, as of their own times: killed and gone on with, from files and from datasets.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { assay, killedAt, makeProject, type Ended } from './command-line.ts'

vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 })

const folder = mkdtempSync(join(tmpdir(), 'assay-batch-score-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const home = join(folder, 'home')
let project: string
/** The run that nothing came between. */
let undisturbed: Ended

const inFolder = (name: string) => join(folder, name)
const textOf = (name: string) => readFileSync(inFolder(name), 'utf8')
const score = (file: string, out: string, env: NodeJS.ProcessEnv = {}): Ended =>
  assay(project, ['score', file, '--home', home, '--no-reasons', '--out', inFolder(out)], '', env)

beforeAll(() => {
  project = makeProject(folder, 'batch-bank')
  const ran = assay(project, ['run', '--home', home])
  if (ran.code !== 0) throw new Error(ran.err)
  const [header, ...lines] = readFileSync(join(home, 'incoming', 'payments.csv'), 'utf8')
    .trimEnd()
    .split('\n')
  // As it may come: in no order of time, with rows that are wrong and one that is there twice. Events of
  // one instant keep their order, because they see each other in it.
  const isOdd = (line: string) => /[13579]\.\d+Z/.test(line.split(',')[1])
  const mixed = [...lines.filter(isOdd), ...lines.filter((line) => !isOdd(line))]
  mixed.splice(7, 0, 'x1,2026-02-08,1,1,-5,0', mixed[1])
  writeFileSync(inFolder('mixed.csv'), `${[header, ...mixed].join('\n')}\n`)
  writeFileSync(inFolder('ordered.csv'), `${[header, ...lines].join('\n')}\n`)
  undisturbed = score(inFolder('mixed.csv'), 'all.csv')
})

describe('events in bulk', () => {
  test('are the same bytes however they come: in order or not, from a file or a dataset', () => {
    expect(score(inFolder('ordered.csv'), 'ordered.out.csv').code).toBe(0)
    expect(score('payments@latest', 'dataset.csv').code).toBe(0)
    expect(textOf('dataset.csv') === textOf('ordered.out.csv')).toBe(true)
    expect(textOf('all.csv') === textOf('ordered.out.csv')).toBe(true)
  })

  test('that are refused are kept with line, column and reason', () => {
    expect(undisturbed.code, undisturbed.err).toBe(0)
    expect(undisturbed.err).toContain('2 rows were refused and left out')
    const [header, first, second] = textOf('all.rejects.csv').trimEnd().split('\n')
    expect(header).toBe('line,row,column,reason,raw')
    expect(first).toMatch(/^9,8,amount,.*"x1,2026-02-08,1,1,-5,0"$/)
    expect(second).toMatch(/^10,9,payment_id,An earlier row has the same payment_id/)
  })

  // A part has its name with its rows, its rejects and its record; the head has the first.
  test.each([2, 4, 8])('go on after a kill at rename %i and end with the same bytes', (place) => {
    const out = `killed-${place}.csv`
    const killed = score(inFolder('mixed.csv'), out, killedAt(folder, place))
    expect(killed.signal).toBe('SIGKILL')
    const { code, err } = score(inFolder('mixed.csv'), out)
    expect(code, err).toBe(0)
    expect(err.includes('Goes on behind')).toBe(place >= 4)
    expect(textOf(out) === textOf('all.csv')).toBe(true)
    expect(textOf(out.replace('.csv', '.rejects.csv'))).toBe(textOf('all.rejects.csv'))
    expect(existsSync(inFolder(`${out}.assay-progress`))).toBe(false)
  })

  test('do not go on where the history has changed', () => {
    expect(score(inFolder('mixed.csv'), 'grown.csv', killedAt(folder, 4)).signal).toBe('SIGKILL')
    writeFileSync(
      inFolder('more.csv'),
      'payment_id,paid_at,customer_id,shop_id,amount,fraud\nm1,2026-04-09T10:00:00Z,1,2,10.00,0\n',
    )
    expect(assay(project, ['ingest', inFolder('more.csv'), '--home', home]).code).toBe(0)
    const { code, err } = score(inFolder('mixed.csv'), 'grown.csv')
    expect(code).toBe(1)
    expect(err).toMatch(/1 finished part of a run with another history/)
  })
})
