// The handbook's payments as a stream of rows, and the declarations that are measured over it.
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { transactions } from '../examples/card-fraud/sources.ts'
import {
  columnOf,
  compileSource,
  ingestFile,
  numbersOf,
  type CompiledSource,
  type Frame,
  type Row,
} from '../src/data/index.ts'
import {
  compileFeatureSet,
  featureSet,
  type CompiledFeatureSet,
  type Feature,
} from '../src/features/index.ts'
import type { LabelArrivals } from '../src/features/index.ts'
import { labelArrivals } from '../src/pipelines/index.ts'
import { loadProject } from '../src/projects/index.ts'
import { dataFile } from '../src/roles/project-data.ts'
import { bankInMemory } from './handbook-bank.ts'
import type { BenchOptions } from './run.ts'

const published = '../../shared/data/fraud_handbook/transactions_raw.csv.gz'

export const windows = ['1h', '6h', '1d', '3d', '7d', '14d', '30d'] as const

/** What is measured, in the order in which a vector holds it. */
export type Figure = 'count' | 'sum' | 'std' | 'min' | 'max' | 'distinct'

export const allFigures: readonly Figure[] = ['count', 'sum', 'std', 'min', 'max', 'distinct']

export interface Entity {
  readonly key: 'customer_id' | 'terminal_id'
  /** What `distinct` tells apart: terminals of a customer, customers of a terminal. */
  readonly other: 'customer_id' | 'terminal_id'
  /** Begins the names of its features. */
  readonly prefix: string
}

export const entities: readonly Entity[] = [
  { key: 'customer_id', other: 'terminal_id', prefix: 'CUSTOMER' },
  { key: 'terminal_id', other: 'customer_id', prefix: 'TERMINAL' },
]

/** `CUSTOMER_COUNT_1H`: every figure over every window of both entities, entity by entity. */
export function windowFeatures(figures: readonly Figure[]): CompiledFeatureSet {
  const declared = featureSet('windows', transactions, (tx) =>
    entities.flatMap(({ key, other, prefix }) =>
      figures.flatMap((figure): readonly Feature[] => {
        const group = tx.per(key)
        const aggregation =
          figure === 'count'
            ? group.count()
            : figure === 'distinct'
              ? group.distinct(other)
              : group[figure]('amount')
        const [first, second, ...more] = windows
        return [
          ...aggregation
            .over(first, second, ...more)
            .as((w) => `${prefix}_${figure.toUpperCase()}_${w.text.toUpperCase()}`),
        ]
      }),
    ),
  )
  return compileFeatureSet(declared)
}

export const handbookSource: CompiledSource = compileSource(transactions)

export interface Stream {
  readonly source: CompiledSource
  /** Payments in order of (event time, row). */
  readonly frame: Frame
  /** What became known of the payments, as it was read and as history takes it. */
  readonly labelsFrame: Frame
  readonly labels: LabelArrivals
}

/**
 * Reads `--data`; without it the published file where it lies beside the repository, else what the
 * example generates. `--events` takes only so many of the first.
 */
export async function readStream({ data, events }: BenchOptions): Promise<Stream> {
  const folder = mkdtempSync(join(tmpdir(), 'assay-bench-'))
  try {
    const beside = join(import.meta.dirname, published)
    const named = data ?? (existsSync(beside) ? beside : null)
    const project = await loadProject(join(import.meta.dirname, '../examples/card-fraud'))
    const path = await dataFile(named, project, folder)
    const { ingest, by } = await bankInMemory()
    const labels = project.compiled.labels[0]
    const report = await ingestFile({ path, source: handbookSource, labels, by }, ingest)
    const frame = await ingest.snapshots.read(report.snapshot.hash)
    const rows = Math.min(frame.rows, Number(events ?? Infinity))
    const labelsFrame = await ingest.snapshots.read(report.labelsSnapshot!.hash)
    return {
      source: handbookSource,
      frame: firstRows(frame, rows),
      labelsFrame,
      labels: labelArrivals(labels.name, labelsFrame),
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function firstRows(frame: Frame, rows: number): Frame {
  if (rows === frame.rows) return frame
  const columns = Object.entries(frame.columns).map(([name, values]) => [
    name,
    values.slice(0, rows),
  ])
  return { rows, columns: Object.fromEntries(columns) }
}

/**
 * A function that gives the frame's row at a position as an array that it fills anew each time: what
 * a caller has at hand when an event arrives.
 */
export function rowReader({ source, frame }: Stream): (at: number) => Row {
  const columns = source.columns.map(({ name }) => columnOf(frame, name))
  const row: (number | string | undefined)[] = Array.from({ length: columns.length })
  return (at) => {
    for (let c = 0; c < columns.length; c++) row[c] = columns[c][at]
    return row
  }
}

/** Event times, microseconds UTC. */
export function timesOf({ source, frame }: Stream): Float64Array {
  return numbersOf(frame, source.eventTime)
}
