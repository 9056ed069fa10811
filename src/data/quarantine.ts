import { sha256Hex } from '../lib/hash.ts'
import type { Failure, Rule } from './failures.ts'
import type { QuarantinedRow, QuarantineStore } from './ports.ts'

/** Where a row came from, as its reader knows it. */
export interface RowOrigin {
  /** Data row, from 1. */
  readonly row: number
  /** Physical line, from 1. */
  readonly line: number
  readonly raw: string
  readonly rawCut: boolean
}

export interface RuleCount {
  readonly column: string | null
  readonly rule: Rule
  readonly rows: number
}

/** How many rows, and how many bytes of them, one ingestion keeps; the rest are only counted. */
const rowsKeptMax = 100_000
const bytesKeptMax = 64 * 1024 * 1024
const putMax = 1000

/**
 * Gathers the rows that one ingestion refuses. They are held in memory, within bounds, until the
 * accepted rows are safe, so that an ingestion that fails as a whole leaves nothing behind.
 */
export class QuarantineBatch {
  readonly rows: QuarantinedRow[] = []
  /** Every refused row, kept or not. */
  count = 0
  private bytes = 0
  private readonly counts = new Map<string, { column: string | null; rule: Rule; rows: number }>()
  private readonly about: Omit<
    QuarantinedRow,
    'id' | 'row' | 'line' | 'raw' | 'rawCut' | 'header' | 'failures'
  >
  header: readonly string[] = []

  constructor(about: QuarantineBatch['about']) {
    this.about = about
  }

  add(origin: RowOrigin, failures: readonly Failure[]): void {
    this.count++
    this.countRules(failures)
    if (this.rows.length >= rowsKeptMax || this.bytes >= bytesKeptMax) return
    const { row, line, raw, rawCut } = origin
    const { dataset, input, contractVersion } = this.about
    const content = [dataset, input, contractVersion, String(row), raw].join('\n')
    this.rows.push({
      ...this.about,
      id: `qr_${sha256Hex(content).slice(0, 32)}`,
      row,
      line,
      raw,
      rawCut,
      header: this.header,
      failures,
    })
    this.bytes += raw.length + 100 * failures.length
  }

  /** Rows by column and rule, most first. A row with two failures counts under both. */
  byRule(): RuleCount[] {
    return [...this.counts.values()].sort((a, b) => b.rows - a.rows)
  }

  async store(quarantine: QuarantineStore): Promise<void> {
    for (let start = 0; start < this.rows.length; start += putMax) {
      await quarantine.put(this.rows.slice(start, start + putMax))
    }
  }

  private countRules(failures: readonly Failure[]): void {
    const counted = new Set<string>()
    for (const { column, rule } of failures) {
      // Unknown fields have names without bound, so they count together.
      const shown = rule === 'unknown_field' ? null : column
      const name = `${rule}/${shown ?? ''}`
      if (counted.has(name)) continue
      counted.add(name)
      const known = this.counts.get(name)
      if (known === undefined) this.counts.set(name, { column: shown, rule, rows: 1 })
      else known.rows++
    }
  }
}
