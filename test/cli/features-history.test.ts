// `assay features history` against values worked out by hand.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { repositoryRoot } from '../source-text.ts'
import { needs, sharedData } from '../tools.ts'
import { assay, makeProject } from './command-line.ts'

const folder = mkdtempSync(join(tmpdir(), 'assay-history-'))
const example = join(repositoryRoot, 'examples', 'card-fraud')
const out = join(folder, 'X.csv')
afterAll(() => rmSync(folder, { recursive: true, force: true }))

// The terminal's first payment is known as fraud a week after it, in time for the last two rows.
const data = join(folder, 'transactions.csv')
beforeAll(() => {
  writeFileSync(
    data,
    'TRANSACTION_ID,TX_DATETIME,CUSTOMER_ID,TERMINAL_ID,TX_AMOUNT,TX_FRAUD\n' +
      '1,2018-07-01 06:59:59,1,7,10.00,1\n' +
      '2,2018-07-01 07:00:00,1,7,20.00,0\n' +
      '3,2018-07-07 06:00:00,1,8,0.30,0\n' +
      'oops,not a time,1,8,5.00,0\n' +
      '4,2018-07-08 06:59:58,2,7,99.99,0\n' +
      '5,2018-07-08 06:59:59,2,7,0.01,0\n' +
      '6,2018-07-09 00:00:00,1,7,40.00,1\n',
  )
})

const history = (...more: string[]) =>
  assay(folder, [
    'features',
    'history',
    example,
    '--data',
    data,
    '--set',
    'handbook',
    '--out',
    out,
    ...more,
  ])
const rowsOf = (text: string) =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => line.split(','))

test('the handbook’s features are written under its names, between id and label', () => {
  const { code, out: said, err } = history()
  expect(code).toBe(0)
  expect(said).toMatch(/7 events read, 1 refused; 15 features of handbook; 6 rows written/)
  // Labels of so few events are no work for another engine.
  expect(said).toMatch(/Calculated in \d+\.\d s: .* by a replay of the live operator\./)
  expect(err).toMatch(/row 4 \(line 5\): transaction_id|row 4 \(line 5\): datetime/)
  const [header, ...rows] = rowsOf(readFileSync(out, 'utf8'))
  const windows = ['1DAY_WINDOW', '7DAY_WINDOW', '30DAY_WINDOW']
  expect(header).toEqual([
    'TRANSACTION_ID',
    'TX_AMOUNT',
    'TX_DURING_WEEKEND',
    'TX_DURING_NIGHT',
    ...windows.map((window) => `CUSTOMER_ID_NB_TX_${window}`),
    ...windows.map((window) => `CUSTOMER_ID_AVG_AMOUNT_${window}`),
    ...windows.map((window) => `TERMINAL_ID_NB_TX_${window}`),
    ...windows.map((window) => `TERMINAL_ID_RISK_${window}`),
    'TX_FRAUD',
  ])
  expect(rows).toEqual(
    [
      '1,10,1,1,1,1,1,10,10,10,0,0,0,0,0,0,1',
      '2,20,1,0,2,2,2,15,15,15,0,0,0,0,0,0,0',
      '3,0.3,1,1,1,3,3,0.3,10.1,10.1,0,0,0,0,0,0,0',
      '4,99.99,1,1,1,1,1,99.99,99.99,99.99,0,0,0,0,0,0,0',
      '5,0.01,1,1,2,2,2,50,50,50,1,1,1,1,1,1,0',
      '6,40,0,1,1,2,4,40,20.15,17.575,2,2,2,0.5,0.5,0.5,1',
    ].map((line) => line.split(',')),
  )
})

test('only the wanted days are written, both ends included, with windows over all events', () => {
  const { code } = history('--from', '2018-07-07', '--to', '2018-07-08')
  expect(code).toBe(0)
  const [, ...rows] = rowsOf(readFileSync(out, 'utf8'))
  expect(rows.map(([id]) => id)).toEqual(['3', '4', '5'])
  expect(rows[2].slice(-4)).toEqual(['1', '1', '1', '0'])
})

test('a file without labels is taken, with a word about the features that need them', () => {
  const bare = join(folder, 'bare.csv')
  const lines = readFileSync(data, 'utf8').trimEnd().split('\n')
  writeFileSync(bare, lines.map((line) => `${line.slice(0, line.lastIndexOf(','))}\n`).join(''))
  const { code, err } = history('--data', bare)
  expect(code).toBe(0)
  expect(err).toContain('The file has no labels (column TX_FRAUD)')
  const [header, ...rows] = rowsOf(readFileSync(out, 'utf8'))
  expect(header.at(-1)).toBe('TERMINAL_ID_RISK_30DAY_WINDOW')
  expect(rows.map((row) => row.at(-1))).toEqual(['0', '0', '0', '0', '0', '0'])
})

test('a name that ends in .parquet gets Parquet, which reads back as the same rows', () => {
  const parquet = join(folder, 'events.parquet')
  const project = makeProject(folder, 'parquet-bank')
  const csv = join(folder, 'payments.csv')
  writeFileSync(
    csv,
    'payment_id,paid_at,customer_id,shop_id,amount\na,2026-01-01T00:00:00Z,1,1,5.00\nb,2026-01-01T00:00:01Z,1,1,7.00\n',
  )
  const args = [
    'features',
    'history',
    project,
    '--data',
    csv,
    '--set',
    'behaviour',
    '--out',
    parquet,
  ]
  const { code, err } = assay(folder, args)
  expect(err).toBe('')
  expect(code).toBe(0)
  expect(readFileSync(parquet).subarray(0, 4).toString()).toBe('PAR1')
})

test.each([
  [['--set', 'none'], 2, 'There is no feature set "none"; there are: handbook, card-behaviour.'],
  [['--from', '25.07.2018'], 2, '--from 25.07.2018 is not a day'],
  [['--to', '2018-02-30'], 2, '--to 2018-02-30 is not a day'],
  [['--from', '2018-08-02', '--to', '2018-08-01'], 2, 'lies before'],
  [['--data', 'nowhere.csv'], 1, 'file_not_found'],
  [['--out', join('no', 'folder', 'X.csv')], 1, 'output_unwritable'],
])('%s is answered with code %d and what to do', (args, code, message) => {
  const ended = history(...args)
  expect(ended.code).toBe(code)
  expect(ended.err).toContain(message)
})

test.skipIf(!needs('shared-data'))(
  'the handbook’s own data give its number of rows',
  { timeout: 120_000 },
  () => {
    const file = sharedData('fraud_handbook', 'transactions_raw.csv.gz')
    const days = ['--from', '2018-07-25', '--to', '2018-08-14']
    const { code, out: said } = history('--data', file, ...days)
    expect(code).toBe(0)
    expect(said).toContain('1,754,155 events read, 0 refused')
    expect(rowsOf(readFileSync(out, 'utf8'))).toHaveLength(201_296)
  },
)

test('further sources come from files of their own, and one that is not given has no events', () => {
  const project = join(folder, 'several')
  mkdirSync(join(project, 'node_modules'), { recursive: true })
  symlinkSync(repositoryRoot, join(project, 'node_modules', 'assay'), 'junction')
  writeFileSync(join(project, 'project.ts'), severalSources)
  const write = (name: string, text: string) => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }
  const paid = write(
    'paid.csv',
    'payment_id,at,customer_id,amount\n' +
      'a,2026-01-02T09:00:00Z,1,5.00\nb,2026-01-02T11:00:00Z,1,7.00\n',
  )
  const logins = write(
    'logins.csv',
    'login_id,at,user_id\nx,2026-01-02T08:30:00Z,1\ny,2026-01-02T10:30:00Z,1\n',
  )
  const told = write(
    'customers.csv',
    'row_id,at,customer_id,credit\n' +
      '1,2025-01-01T00:00:00Z,1,100.00\n2,2026-01-02T10:00:00Z,1,50.00\n',
  )
  const set = ['--data', paid, '--set', 'sides', '--out', out]
  const ask = (...more: string[]) =>
    assay(folder, ['features', 'history', project, ...set, ...more])
  const both = ask('--other', `logins=${logins}`, '--other', `customers=${told}`)
  expect(both.err).toBe('')
  expect(readFileSync(out, 'utf8')).toBe('payment_id,LOGINS_1H,CREDIT\na,1,100\nb,1,50\n')
  const one = ask('--other', `customers=${told}`)
  expect(one.err).toMatch(/^No logins are given \(--other logins=FILE\)/)
  expect(readFileSync(out, 'utf8')).toBe('payment_id,LOGINS_1H,CREDIT\na,0,100\nb,0,50\n')
  const unread = ask('--other', `payments=${paid}`)
  expect(unread.err).toContain('it reads logins, customers')
  expect(unread.code).toBe(2)
  expect(ask('--other', 'logins').err).toContain('Write it as NAME=VALUE.')
})

test('a file that is read is never written over, and another kind of file is not passed off as CSV', () => {
  const before = readFileSync(data, 'utf8')
  const onto = (path: string) => history('--out', path)
  const same = onto(data)
  expect(same.code).toBe(2)
  expect(same.err).toContain('is read from; name another')
  expect(readFileSync(data, 'utf8')).toBe(before)
  const link = join(folder, 'link.csv')
  symlinkSync(data, link)
  expect(onto(link).code).toBe(2)
  const json = onto(join(folder, 'X.csv.gz'))
  expect(json.code).toBe(2)
  expect(json.err).toContain('let it end in .csv or .parquet')
})

const severalSources = `import { eventTime, featureProject, featureSet, id, key, money, source } from 'assay'
const payments = source('payments', {
  columns: { payment_id: id(), at: eventTime(), customer_id: key('integer'), amount: money('EUR') },
})
const logins = source('logins', {
  columns: { login_id: id(), at: eventTime(), user_id: key('integer') },
})
const customers = source('customers', {
  columns: { row_id: id(), at: eventTime(), customer_id: key('integer'), credit: money('EUR') },
})
const sides = featureSet('sides', payments, (tx) => [
  tx.other(logins, { by: { user_id: 'customer_id' } }).count().over('1h').as('LOGINS_1H'),
  tx.lookup(customers, { by: { customer_id: 'customer_id' } }).value('credit').as('CREDIT'),
])
export default featureProject('several', {
  title: 'Several sources',
  owner: 'Tests',
  sources: [payments, logins, customers],
  featureSets: [sides],
})
`
