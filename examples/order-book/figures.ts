// What the computed features say: `node figures.ts FOLDER`, where FOLDER holds the files that
// write-data.ts and `assay features history` wrote. Constructed figures are shown beside what was
// planted; of the real book, order flow is held against the moves of the mid.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  amihudAnswer,
  effectiveSpreadAnswer,
  lambdaAnswer,
  shortfallAnswer,
  volatilityAnswer,
  vpinAnswer,
  WINDOW_TRADES,
  type Answer,
} from './answers.ts'
import { plantedDesks, plantedTapes, tapeShape } from './constructed.ts'

/** A figure of constructed data: what was planted, and the mean of independent readings. */
export interface Found extends Answer {
  readonly figure: string
  readonly of: string
  readonly found: number
}

/** A least-squares line through the moves of the mid, in cents, over order flow, in shares. */
export interface Impact {
  readonly events: number
  readonly buckets: number
  readonly centsPerThousandShares: number
  readonly rSquared: number
  /** Of the next bucket's move on this bucket's flow: what it foretells. */
  readonly rSquaredNext: number
}

const DESK_ORDERS = 500

/** The constructed figures of a folder; the error is that of the mean. */
export function constructedFigures(folder: string): Found[] {
  const trades = readTable(join(folder, 'constructed-trades.csv'))
  const tape = readTable(join(folder, 'constructed-tape.csv'))
  const found = plantedTapes.flatMap((planted) => {
    const rows = rowsWhere(trades, 'symbol', planted.symbol)
    const read = (feature: string, every: number) => readings(tape, feature, rows, every)
    const price = mean(read('MEAN_MID', WINDOW_TRADES))
    const halfHours: readonly (readonly [string, Answer])[] = [
      ['MEAN_EFFECTIVE_SPREAD', effectiveSpreadAnswer(planted)],
      ['KYLES_LAMBDA', lambdaAnswer(planted)],
      ['AMIHUD', amihudAnswer(planted, price)],
      ['REALISED_VOLATILITY', volatilityAnswer(planted, price)],
    ]
    return [
      ...halfHours.map(([figure, answer]) =>
        compared(figure, planted.symbol, read(figure, WINDOW_TRADES), answer),
      ),
      // Read where news ends, so that all of its buckets saw the same news.
      compared('VPIN', planted.symbol, read('VPIN', tapeShape.episode), vpinAnswer(planted)),
    ]
  })
  const orders = readTable(join(folder, 'constructed-orders.csv'))
  const execution = readTable(join(folder, 'constructed-execution.csv'))
  const costs = plantedDesks.map((planted) => {
    const rows = rowsWhere(orders, 'desk', planted.desk)
    const values = readings(execution, 'DESK_MEAN_SHORTFALL', rows, DESK_ORDERS)
    const answer = shortfallAnswer(planted, DESK_ORDERS)
    return compared('DESK_MEAN_SHORTFALL', planted.desk, values, answer)
  })
  return [...found, ...costs]
}

/** Order flow against the moves of the mid, over buckets of events that do not overlap. */
export function priceImpact(folder: string): Impact[] {
  const book = readTable(join(folder, 'book.csv'))
  return [25, 100, 400].map((events) => {
    const all = book.columns.get('MID')!.map((_, row) => row)
    const flow = readings(book, `OFI_${events}_EVENTS`, all, events)
    const moves = readings(book, `MID_CHANGE_${events}_EVENTS`, all, events)
    // The first bucket has no mid before it.
    const { slope, rSquared, rows } = line(flow.slice(1), moves.slice(1))
    const next = line(flow.slice(1, -1), moves.slice(2))
    return {
      events,
      buckets: rows,
      centsPerThousandShares: slope * 100 * 1000,
      rSquared,
      rSquaredNext: next.rSquared,
    }
  })
}

function compared(
  figure: string,
  of: string,
  values: readonly number[],
  { expected, error }: Answer,
): Found {
  return { figure, of, found: mean(values), expected, error: error / Math.sqrt(values.length) }
}

interface TableOfText {
  readonly columns: ReadonlyMap<string, readonly string[]>
}

/** Plain CSV without quotes, as the commands of this example write it. */
export function readTable(path: string): TableOfText {
  const [header, ...lines] = readFileSync(path, 'utf8').trimEnd().split('\n')
  const rows = lines.map((line) => line.split(','))
  const names = header.split(',')
  return { columns: new Map(names.map((name, at) => [name, rows.map((row) => row[at])])) }
}

function rowsWhere({ columns }: TableOfText, column: string, value: string): number[] {
  return columns.get(column)!.flatMap((cell, row) => (cell === value ? [row] : []))
}

/** A feature at every so-manieth of the rows: readings that share no event. */
function readings(
  { columns }: TableOfText,
  feature: string,
  rows: readonly number[],
  every: number,
): number[] {
  const cells = columns.get(feature)!
  const read = rows.filter((_, place) => (place + 1) % every === 0)
  return read.map((row) => (cells[row] === '' ? Number.NaN : Number(cells[row])))
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

function line(x: readonly number[], y: readonly number[]) {
  const [meanX, meanY] = [mean(x), mean(y)]
  let [xx, xy, yy] = [0, 0, 0]
  for (let row = 0; row < x.length; row++) {
    const [dx, dy] = [x[row] - meanX, y[row] - meanY]
    xx += dx * dx
    xy += dx * dy
    yy += dy * dy
  }
  return { slope: xy / xx, rSquared: xy ** 2 / (xx * yy), rows: x.length }
}

function textOf(folder: string): string {
  const constructed = constructedFigures(folder).map(({ figure, of, found, expected, error }) => {
    return [figure, of, ...[found, expected, error].map((value) => value.toPrecision(4))]
  })
  const parts = ['Constructed tape and orders']
  parts.push(aligned([['figure', 'of', 'found', 'planted', 'standard error'], ...constructed], 2))
  if (existsSync(join(folder, 'book.csv'))) {
    const impact = priceImpact(folder).map((each) => [
      String(each.events),
      String(each.buckets),
      each.centsPerThousandShares.toFixed(2),
      each.rSquared.toFixed(3),
      each.rSquaredNext.toFixed(3),
    ])
    const header = ['events a bucket', 'buckets', 'cents per 1,000 shares', 'R²', 'R² of the next']
    parts.push('', 'Real book: change of the mid on order-flow imbalance')
    parts.push(aligned([header, ...impact], 0))
  }
  return `${parts.join('\n')}\n`
}

/** Rows of text in columns; so many of them to the left, the numbers after them to the right. */
function aligned(rows: readonly (readonly string[])[], toTheLeft: number): string {
  const widths = rows[0].map((_, at) => Math.max(...rows.map((row) => row[at].length)))
  const lineOf = (row: readonly string[]) =>
    row.map((cell, at) => (at < toTheLeft ? cell.padEnd(widths[at]) : cell.padStart(widths[at])))
  return rows.map((row) => lineOf(row).join('  ')).join('\n')
}

if (import.meta.main) {
  const [folder] = process.argv.slice(2)
  if (folder === undefined) throw new Error('Name a folder: node figures.ts FOLDER')
  process.stdout.write(textOf(folder))
}
