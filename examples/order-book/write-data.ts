// Writes the files that the commands read: `node write-data.ts FOLDER [BOOK.csv.gz]`. The trades
// and orders are constructed; the quotes are the real book of the second argument.
import { createWriteStream, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { bookQuotes } from './book-file.ts'
import { constructedOrders, constructedTrades } from './constructed.ts'

const SEED = 2012

/** Writes constructed-trades.csv and constructed-orders.csv, and quotes.csv where a book is given. */
export async function writeData(folder: string, book?: string): Promise<void> {
  mkdirSync(folder, { recursive: true })
  const write = (name: string, lines: Iterable<string> | AsyncIterable<string>) =>
    pipeline(Readable.from(lines), createWriteStream(join(folder, name)))
  await write('constructed-trades.csv', constructedTrades(SEED))
  await write('constructed-orders.csv', constructedOrders(SEED))
  if (book !== undefined) await write('quotes.csv', bookQuotes(book, 'AMZN'))
}

if (import.meta.main) {
  const [folder, book] = process.argv.slice(2)
  if (folder === undefined) throw new Error('Name a folder: node write-data.ts FOLDER [BOOK]')
  await writeData(folder, book)
}
