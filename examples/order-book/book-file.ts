/**
 * The public sample of a best level (`ASK_1_PRICE,ASK_1_QTY,BID_1_PRICE,BID_1_QTY`, prices in
 * ten-thousandths of a dollar, one line an event) as a file of the source `quotes`. The sample names
 * no times and no symbol: times here are constructed, one event every 400 milliseconds, which puts
 * its 57,515 events evenly over the six and a half hours that they took.
 */
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { createGunzip } from 'node:zlib'
import { dollars, timeText } from './constructed.ts'

const EVENT_MS = 400
const HEADER = 'ASK_1_PRICE,ASK_1_QTY,BID_1_PRICE,BID_1_QTY'

/** The lines of CSV, the header first. A file of another shape is an error that names the line. */
export async function* bookQuotes(path: string, symbol: string): AsyncGenerator<string> {
  yield 'quote_id,at,symbol,bid,ask,bid_size,ask_size\n'
  const bytes = createReadStream(path)
  const input = path.endsWith('.gz') ? bytes.pipe(createGunzip()) : bytes
  let id = -1
  for await (const line of createInterface({ input })) {
    if (++id === 0) {
      if (line !== HEADER) throw new Error(`${path} does not begin with ${HEADER}`)
      continue
    }
    const cells = line.split(',')
    if (cells.length !== 4 || cells.some((cell) => !/^\d+$/.test(cell))) {
      throw new Error(`${path}, line ${id + 1}: "${line}" is not four whole numbers`)
    }
    const [ask, askSize, bid, bidSize] = cells.map(Number)
    const prices = `${cents(bid)},${cents(ask)}`
    yield `${id},${timeText(id * EVENT_MS)},${symbol},${prices},${bidSize},${askSize}\n`
  }
}

/** The tick is a cent; the contract refuses what is finer, as it does any other bad price. */
function cents(tenThousandths: number): string {
  return tenThousandths % 100 === 0 ? dollars(tenThousandths / 100) : String(tenThousandths / 1e4)
}
