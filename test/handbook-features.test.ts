import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { handbook } from '../examples/card-fraud/features.ts'
import { transactions } from '../examples/card-fraud/sources.ts'
import { compileSource } from '../src/data/index.ts'
import { parseMinor } from '../src/lib/decimal.ts'
import { DAY_US, parseTimestamp } from '../src/lib/time.ts'
import { compileFeatureSet, history } from '../src/features/index.ts'

const file = fileURLToPath(
  new URL('../../shared/data/fraud_handbook/transactions_raw.csv.gz', import.meta.url),
)
/** Six weeks: every window and its delay are full by then. */
const rowsMax = 400_000

test.skipIf(!existsSync(file))('the handbook’s features are as the handbook defines them', () => {
  const { frame, fraud } = readTransactions()
  const { datetime, customer_id, terminal_id, amount } = frame.columns
  const matrix = history({
    sets: [compileFeatureSet(handbook)],
    source: compileSource(transactions),
    frame,
    labels: [
      {
        labels: 'fraud',
        eventIds: frame.columns.transaction_id,
        values: fraud,
        arrivalsUs: datetime.map((time) => time + 7 * DAY_US),
      },
    ],
  })
  /** Rows up to this one that share a key with it, between two ages. */
  const window = (row: number, key: Float64Array, delayUs: number, lengthUs: number): number[] => {
    const found: number[] = []
    const last = datetime[row] - delayUs
    for (let i = row; i >= 0 && datetime[i] > last - lengthUs; i--) {
      if (datetime[i] <= last && key[i] === key[row]) found.push(i)
    }
    return found
  }
  const value = (name: string, row: number): number =>
    matrix.columns[matrix.names.indexOf(name)][row]
  for (let row = 5; row < frame.rows; row = Math.ceil(row * 1.15) + 1) {
    const date = new Date(datetime[row] / 1000)
    expect(value('TX_AMOUNT', row)).toBe(amount[row] / 100)
    expect(value('TX_DURING_WEEKEND', row)).toBe(Number([0, 6].includes(date.getUTCDay())))
    expect(value('TX_DURING_NIGHT', row)).toBe(Number(date.getUTCHours() <= 6))
    for (const days of [1, 7, 30]) {
      const own = window(row, customer_id, 0, days * DAY_US)
      const mean = own.reduce((sum, i) => sum + amount[i] / 100, 0) / own.length
      expect(value(`CUSTOMER_ID_NB_TX_${days}DAY_WINDOW`, row)).toBe(own.length)
      expect(value(`CUSTOMER_ID_AVG_AMOUNT_${days}DAY_WINDOW`, row)).toBeCloseTo(mean, 9)
      const there = window(row, terminal_id, 7 * DAY_US, days * DAY_US)
      const frauds = there.reduce((sum, i) => sum + fraud[i], 0)
      expect(value(`TERMINAL_ID_NB_TX_${days}DAY_WINDOW`, row)).toBe(there.length)
      const risk = there.length === 0 ? 0 : frauds / there.length
      expect(value(`TERMINAL_ID_RISK_${days}DAY_WINDOW`, row)).toBe(risk)
    }
  }
})

/** The publisher's file, in the order of (time, row); columns as the example's contract has them. */
function readTransactions() {
  const text = gunzipSync(readFileSync(file)).toString('latin1')
  const rows: number[][] = []
  for (let at = text.indexOf('\n') + 1; at < text.length && rows.length < rowsMax;) {
    const end = text.indexOf('\n', at)
    const [id, time, customer, terminal, amount, , , isFraud] = text.slice(at, end).split(',')
    const own = [Number(id), parseTimestamp(time)!, Number(customer), Number(terminal)]
    rows.push([...own, parseMinor(amount, 2)!, Number(isFraud)])
    at = end < 0 ? text.length : end + 1
  }
  rows.sort((a, b) => a[1] - b[1] || a[0] - b[0])
  const column = (index: number): Float64Array => Float64Array.from(rows, (row) => row[index])
  const columns = {
    transaction_id: column(0),
    datetime: column(1),
    customer_id: column(2),
    terminal_id: column(3),
    amount: column(4),
  }
  return { frame: { rows: rows.length, columns }, fraud: column(5) }
}
