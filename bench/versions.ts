// Versions of a dataset of two million rows of which one day changed: what is written for the second,
// and how long it takes to say what lies between them, with shared parts and with every row read.
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { duckdbDifferences, duckdbSnapshots } from '../src/adapters/duckdb/index.ts'
import {
  compileSource,
  eventTime,
  id,
  key,
  money,
  partStarts,
  source,
  sourceSchema,
  type Frame,
} from '../src/data/index.ts'
import { monotonicUs } from '../src/lib/clock.ts'
import { createRandom } from '../src/lib/random.ts'
import { DAY_US } from '../src/lib/time.ts'
import type { BenchOptions, Figures } from './run.ts'

const contract = compileSource(
  source('payments', {
    columns: {
      payment_id: id(),
      paid_at: eventTime(),
      customer_id: key('integer'),
      terminal_id: key('integer'),
      amount: money('EUR'),
    },
  }),
)

/** `--rows 2000000`, `--days 180`; of the day in the middle every third amount changes. */
export async function run(options: BenchOptions, say: (line: string) => void): Promise<Figures> {
  const rows = Number(options.rows ?? 2_000_000)
  const days = Number(options.days ?? 180)
  const directory = mkdtempSync(join(tmpdir(), 'assay-versions-'))
  try {
    const frame = payments(rows, days)
    const parts = partStarts(frame.columns['paid_at'] as Float64Array)
    const cut = join(directory, 'cut')
    const whole = join(directory, 'whole')
    say(`${rows} rows in ${parts.length} parts`)
    const first = await write(cut, frame, parts)
    const firstWhole = await write(whole, frame, [0])
    changeOneDay(frame, parts)
    const second = await write(cut, frame, parts)
    const secondWhole = await write(whole, frame, [0])
    say(`written: ${first.bytes} bytes, then ${second.bytes}`)
    const shared = await compare(cut, first.hash, second.hash, false)
    const full = await compare(whole, firstWhole.hash, secondWhole.hash, false)
    const profiled = await compare(cut, first.hash, second.hash, true)
    return {
      rows,
      parts: parts.length,
      first_bytes: first.bytes,
      first_s: first.s,
      changed_day_bytes: second.bytes,
      changed_day_share: round(second.bytes / first.bytes),
      changed_day_s: second.s,
      whole_again_bytes: secondWhole.bytes,
      whole_again_s: secondWhole.s,
      changed_rows: shared.changed,
      diff_s: shared.s,
      diff_full_s: full.s,
      diff_ratio: round(full.s / shared.s),
      diff_with_profile_s: profiled.s,
    }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

function payments(rows: number, days: number): Frame {
  const random = createRandom('versions')
  const drawn = (below: number) => Float64Array.from({ length: rows }, () => random.int(below))
  return {
    rows,
    columns: {
      payment_id: Float64Array.from({ length: rows }, (_, row) => row),
      paid_at: Float64Array.from({ length: rows }, (_, row) =>
        Math.floor((row * days * DAY_US) / rows),
      ),
      customer_id: drawn(5000),
      terminal_id: drawn(10_000),
      amount: drawn(30_000),
    },
  }
}

function changeOneDay({ columns, rows }: Frame, parts: readonly number[]): void {
  const day = parts.length >> 1
  const amounts = columns['amount'] as Float64Array
  for (let row = parts[day]; row < (parts[day + 1] ?? rows); row += 3) amounts[row]++
}

async function write(directory: string, frame: Frame, parts: readonly number[]) {
  const before = bytesIn(directory)
  const startedUs = monotonicUs()
  const schema = sourceSchema(contract, frame)
  const { hash } = await duckdbSnapshots({ directory }).write(frame, schema, { parts })
  return { hash, s: secondsSince(startedUs), bytes: bytesIn(directory) - before }
}

async function compare(directory: string, before: string, after: string, profile: boolean) {
  const startedUs = monotonicUs()
  const { rows } = await duckdbDifferences({ directory }).compare({
    before: { contract, snapshots: [before] },
    after: { contract, snapshots: [after] },
    rowsMax: 20,
    profile,
  })
  return { changed: rows.changed, s: secondsSince(startedUs) }
}

function bytesIn(directory: string): number {
  try {
    const names = readdirSync(directory)
    return names.reduce((sum, name) => sum + statSync(join(directory, name)).size, 0)
  } catch {
    return 0
  }
}

function secondsSince(startedUs: number): number {
  return round((monotonicUs() - startedUs) / 1e6)
}

function round(value: number): number {
  return Number(value.toPrecision(3))
}
