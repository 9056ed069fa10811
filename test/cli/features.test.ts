// `assay features list`, `show`, `history --rows`, `audit` and `materialize`, as a person calls them.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { repositoryRoot } from '../source-text.ts'
import { assay } from './command-line.ts'

const folder = mkdtempSync(join(tmpdir(), 'assay-features-'))
const example = join(repositoryRoot, 'examples', 'card-fraud')
const out = join(folder, 'X.csv')
const data = join(folder, 'transactions.csv')
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const features = (...args: string[]) => assay(folder, ['features', ...args])

describe('list and show', () => {
  test('every feature has a line with its set, entity, window and unit', () => {
    const { code, out: said } = features('list', example, '--set', 'handbook')
    expect(code).toBe(0)
    const [header, ...rows] = said.trimEnd().split('\n')
    expect(header).toMatch(/^feature +set +of +window +unit +description$/)
    expect(rows).toHaveLength(15)
    expect(rows[0]).toMatch(/^TX_AMOUNT +handbook +the event +– +EUR +\S/)
    expect(said).toMatch(
      /^TERMINAL_ID_RISK_7DAY_WINDOW +handbook +terminal_id +7d, delayed 7d +share +\S/m,
    )
  })

  test('one feature is shown with its declaration, version and what it follows from', () => {
    const { code, out: said } = features('show', 'TERMINAL_ID_RISK_7DAY_WINDOW', example)
    expect(code).toBe(0)
    expect(said).toMatch(/^declared as +.*share known as fraud among events.*terminal_id/m)
    expect(said).toMatch(/^window +7d, delayed 7d$/m)
    expect(said).toMatch(/^labels +fraud$/m)
    expect(said).toMatch(/^version +[0-9a-f]{64}$/m)
    expect(said).toMatch(/^models +\S/m)
    expect(features('show', 'handbook/TX_AMOUNT', example).code).toBe(0)
  })

  test.each([
    [['show', 'NONE'], 'There is no feature "NONE"'],
    [['list', '--set', 'none'], 'There is no feature set "none"; there are: handbook,'],
  ])('%s is refused with what there is', ([command, ...more], message) => {
    const args = command === 'show' ? [command, more[0], example] : [command, example, ...more]
    const { code, err } = features(...args)
    expect(code).toBe(2)
    expect(err).toContain(message)
  })
})

describe('history of given rows', () => {
  beforeAll(() => {
    writeFileSync(
      data,
      'TRANSACTION_ID,TX_DATETIME,CUSTOMER_ID,TERMINAL_ID,TX_AMOUNT,TX_FRAUD\n' +
        '1,2018-07-01 07:00:00,1,7,10.00,1\n' +
        '2,2018-07-01 08:00:00,1,7,20.00,0\n' +
        '3,2018-07-09 00:00:00,1,8,0.30,0\n',
    )
  })
  const history = (...more: string[]) =>
    features('history', example, '--data', data, '--set', 'handbook', '--out', out, ...more)
  const table = () => {
    const [header, ...rows] = readFileSync(out, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => line.split(','))
    return rows.map((row) => Object.fromEntries(header.map((name, i) => [name, row[i]])))
  }

  test('has their order, their columns, and values that count only what came before', () => {
    const rows = join(folder, 'rows.csv')
    writeFileSync(
      rows,
      'CUSTOMER_ID,terminal_id,datetime\n' +
        '1,7,2018-07-01 07:30:00\n1,,2018-07-01 09:00:00\n2,7,2018-07-09 00:00:00\n',
    )
    const { code, err, out: said } = history('--rows', rows)
    expect(err).toBe('')
    expect(code).toBe(0)
    expect(said).toMatch(/3 events read, 0 refused; 15 features of handbook; 3 rows written/)
    const [first, second, third] = table()
    expect(first).toMatchObject({
      datetime: '2018-07-01T07:30:00Z',
      customer_id: '1',
      terminal_id: '7',
      TX_AMOUNT: '',
      CUSTOMER_ID_NB_TX_1DAY_WINDOW: '1',
      CUSTOMER_ID_AVG_AMOUNT_1DAY_WINDOW: '10',
    })
    expect(second).toMatchObject({
      terminal_id: '',
      CUSTOMER_ID_NB_TX_1DAY_WINDOW: '2',
      TERMINAL_ID_NB_TX_30DAY_WINDOW: '',
    })
    expect(third).toMatchObject({
      CUSTOMER_ID_NB_TX_30DAY_WINDOW: '0',
      TERMINAL_ID_RISK_7DAY_WINDOW: '0.5',
    })
  })

  test('of named events is what their own history says, also as corrected', () => {
    const rows = join(folder, 'ids.csv')
    writeFileSync(rows, 'TRANSACTION_ID\n3\n1\n')
    expect(history('--rows', rows).code).toBe(0)
    const [third, first] = table()
    expect([third['transaction_id'], third['fraud']]).toEqual(['3', '0'])
    expect([first['transaction_id'], first['fraud']]).toEqual(['1', '1'])
    expect(history('--as', 'corrected').code).toBe(0)
    const corrected = table()
    expect(history().code).toBe(0)
    // No fact of this file came late, so both orders are the same.
    expect(table()).toEqual(corrected)
    expect(table()[2]['CUSTOMER_ID_NB_TX_7DAY_WINDOW']).toBe(third['CUSTOMER_ID_NB_TX_7DAY_WINDOW'])
  })

  test.each([
    ['customer_id\n1\n', [], 1, 'training_row_timeless'],
    ['client,datetime\n1,2018-07-01\n', [], 1, 'header_mismatch'],
    ['customer_id,datetime\none,2018-07-01\n', [], 1, 'entity_rows_invalid'],
    ['customer_id,datetime\n1,2018-07-01\n', ['--from', '2018-07-01'], 2, '--rows says the times'],
  ])('rows %j with %j end with code %d and what to do', (text, more, code, message) => {
    const rows = join(folder, 'wrong.csv')
    writeFileSync(rows, text)
    const ended = history('--rows', rows, ...more)
    expect(ended.code).toBe(code)
    expect(ended.err).toContain(message)
  })
})

describe('audit and materialize', () => {
  test.each([
    ['audit', []],
    ['materialize', ['--set', 'handbook', '--to', 'redis://127.0.0.1:1']],
  ])('%s wants a home', (command, more) => {
    const ended = features(command, '--home', join(folder, 'nowhere'), ...more)
    expect(ended.code).toBe(1)
    expect(ended.err).toContain('home_missing')
  })
})
