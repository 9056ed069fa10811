// `assay data` as a person uses it: two ingestions, what lies between them, and the way back.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { repositoryRoot } from '../source-text.ts'
import { assay } from './command-line.ts'

const directory = mkdtempSync(join(tmpdir(), 'assay-data-'))
const project = join(repositoryRoot, 'examples/card-fraud')

function payments(amounts: readonly string[]): string {
  const rows = amounts.map(
    (amount, row) => `${row},2018-04-0${row + 1} 10:00:00,596,3156,${amount},${row % 2}`,
  )
  const header = 'TRANSACTION_ID,TX_DATETIME,CUSTOMER_ID,TERMINAL_ID,TX_AMOUNT,TX_FRAUD'
  return [header, ...rows, ''].join('\n')
}

const run = (...args: readonly string[]) => assay(directory, args)

function json(...args: readonly string[]): Record<string, any> {
  const { code, out, err } = run('data', ...args, '--json')
  expect(err).toBe('')
  expect(code).toBe(0)
  return JSON.parse(out) as Record<string, any>
}

describe('assay data', () => {
  beforeAll(() => {
    writeFileSync(join(directory, 'first.csv'), payments(['57.16', '81.51', '146.00']))
    writeFileSync(join(directory, 'second.csv'), payments(['57.16', '81.50', '146.00', '9.99']))
    for (const file of ['first.csv', 'second.csv']) {
      const { code, err } = run('ingest', file, '--replace', '--project', project)
      if (code !== 0) throw new Error(err)
    }
  }, 30_000)
  afterAll(() => rmSync(directory, { recursive: true, force: true }))

  test('lists datasets and versions, and shows one', () => {
    expect(run('data', 'list').out).toMatch(/transactions +events +4/)
    const { versions } = json('versions', 'transactions')
    expect(versions).toMatchObject([
      { number: 2, parent: 1, rows: 4, mode: 'replace' },
      { number: 1, parent: null, rows: 3 },
    ])
    const { version, manifest, snapshots } = json(
      'show',
      `transactions@${versions[1].hash.slice(0, 9)}`,
    )
    expect(version.number).toBe(1)
    expect(manifest.snapshots).toHaveLength(1)
    expect(snapshots).toMatchObject([{ rows: 3, parts: [{ rows: 3 }] }])
  }, 30_000)

  test('says what lies between two versions, without personal values', () => {
    const { out } = run('data', 'diff', 'transactions', '1', 'latest', '--profile')
    expect(out).toContain('Rows: 1 added, 0 removed, 1 changed')
    expect(out).toContain('~ 1: amount 81.51 → 81.50')
    expect(out).toMatch(/\+ 3: datetime 2018-04-04T10:00:00Z, customer_id \(personal\)/)
    expect(out).toMatch(/amount: missing 0 → 0, .*mean 94.89 → 73.66/)
    expect(out).not.toContain('596')
    expect(out).toMatch(/customer_id: missing 0 → 0, distinct 1 → 1, PSI/)
    expect(json('diff', 'transactions', '1', '2').difference.rows).toMatchObject({ changed: 1 })
  }, 30_000)

  test('tags, holds, rolls back, keeps and exports', () => {
    const tag = ['tag', 'transactions', 'training-2018-04', '1', '--reason', 'The first']
    expect(json(...tag)).toMatchObject({ tag: 'training-2018-04', version: 1 })
    expect(run('data', 'rollback', 'transactions', '1').code).toBe(2)
    const back = json(
      'rollback',
      'transactions',
      'training-2018-04',
      '--reason',
      'Second was wrong',
    )
    expect(back).toMatchObject({ number: 3, restores: 1, rows: 3 })
    const held = json('hold', 'transactions@2', '--reason', 'Case 17', '--until', '2100-01-01')
    json('retention', 'transactions', '--keep', '1v', '--keep', '1d')
    expect(run('data', 'retention', 'transactions').out).toContain('the newest 1 version, and')
    expect(json('clean', '--dry-run')).toMatchObject({ dryRun: true, versions: [], files: 0 })
    expect(json('release', 'transactions', held.id, '--reason', 'Closed').hold).toBe(held.id)
    json('untag', 'transactions', 'training-2018-04')
    expect(run('data', 'versions', 'transactions').out).toMatch(/^3 .*roll-back to 1/m)

    json('export', 'transactions@2', '--out', 'two.csv')
    const lines = readFileSync(join(directory, 'two.csv'), 'utf8').trim().split('\n')
    expect(lines[0]).toBe('transaction_id,datetime,customer_id,terminal_id,amount')
    expect(lines[2]).toBe('1,2018-04-02T10:00:00Z,596,3156,81.50')
    expect(json('export', 'transactions', '--out', 'three.parquet')).toMatchObject({ rows: 3 })
    const wrong = run('data', 'show', 'transactions@9')
    expect(wrong).toMatchObject({ code: 1, out: '' })
    expect(wrong.err).toContain('transactions has no version "9"')
  }, 60_000)
})
