// The Fraud-Detection-Handbook's benchmark: the declarations of the example bank, through the code
// that `npm start` runs, on the data and the split that the handbook publishes. No figure comes
// from rows that were learned from. Without --data it runs on the example's own generator.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ingestFile, numbersOf, type Frame } from '../src/data/index.ts'
import { historyWithState, type LabelArrivals } from '../src/features/index.ts'
import { shiftSplit, type TimeSplit } from '../src/learning/index.ts'
import { monotonicUs } from '../src/lib/clock.ts'
import { DAY_US } from '../src/lib/time.ts'
import {
  countSkew,
  labelArrivals,
  rowsBefore,
  trainingTable,
  trainModel,
  type Candidate,
  type TrainingTable,
} from '../src/pipelines/index.ts'
import { loadProject, type CompiledProject, type LoadedProject } from '../src/projects/index.ts'
import { dataFile } from '../src/roles/project-data.ts'
import { bankInMemory, type Bank } from './handbook-bank.ts'
import { decideTestPeriod, type LivePeriod } from './handbook-live.ts'
import type { BenchOptions, Figures } from './run.ts'

/** Features and parameters were chosen this much earlier than the split that is reported. */
const SELECTION_EARLIER_US = 14 * DAY_US

const shortNames: Readonly<Record<string, string>> = {
  'logistic-regression': 'lr',
  'boosted-trees': 'gbdt',
  roc_auc: 'auc',
  average_precision: 'ap',
  card_precision_100: 'cp100',
}

type Say = (line: string) => void

export async function run({ data }: BenchOptions, say: Say): Promise<Figures> {
  const folder = mkdtempSync(join(tmpdir(), 'assay-bench-'))
  try {
    const project = await loadProject(join(import.meta.dirname, '../examples/card-fraud'))
    return await measure(project, data, folder, say)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function measure(
  loaded: LoadedProject,
  data: string | undefined,
  folder: string,
  say: Say,
): Promise<Figures> {
  const project = loaded.compiled
  const bank = await bankInMemory()
  const { timed, seconds } = stopwatch(say)

  const path = await timed('data', () => dataFile(data ?? null, loaded, folder))
  const rows = await timed('ingestion', () => readRows(project, path, bank))
  const past = await timed('history', async () => valuesOf(project, rows))
  const selection = await timed('selection', () =>
    train(project, shiftSplit(project.split, -SELECTION_EARLIER_US), past.table, bank, say),
  )
  const final = await timed('learning', () => train(project, project.split, past.table, bank, say))
  const skew = await timed('skew', async () => countSkew({ project, ...rows, ...past }))
  const best = final.toSorted(
    (a, b) => metric(b, 'average_precision') - metric(a, 'average_precision'),
  )[0]
  const live = await timed('decisions', () =>
    decideTestPeriod({ project, candidate: best, ...rows, ...past, folder }),
  )
  return {
    ...Object.assign({}, ...final.map((candidate) => figuresOf(candidate, ''))),
    ...Object.assign({}, ...selection.map((candidate) => figuresOf(candidate, 'selection_'))),
    skew_mismatches: skew.mismatches,
    skew_compared: skew.compared,
    decision_mismatches: live.mismatches,
    decision_values_compared: live.compared,
    decisions: live.decisions,
    ...outcomesOf(live, project.split),
    decline_threshold: rounded(best.thresholds.decline),
    review_threshold: rounded(best.thresholds.review),
    rows: rows.read,
    rows_quarantined: rows.quarantined,
    features: past.table.features.names.length,
    ...sizeOf(final[0], past.table, project.split),
    ...seconds,
  }
}

interface Rows {
  readonly frame: Frame
  readonly labelsFrame: Frame
  readonly labels: LabelArrivals
  readonly read: number
  readonly quarantined: number
}

/** The accepted rows up to the end of the test: what comes later says nothing about it. */
async function readRows(project: CompiledProject, path: string, bank: Bank): Promise<Rows> {
  const source = project.sources[0]
  const labels = project.labels[0]
  const { ingest, by } = bank
  const report = await ingestFile({ path, source, labels, by }, ingest)
  const frame = await ingest.snapshots.read(report.snapshot.hash)
  const labelsFrame = await ingest.snapshots.read(report.labelsSnapshot!.hash)
  return {
    frame: rowsBefore(frame, numbersOf(frame, source.eventTime), project.split.test.toUs),
    labelsFrame,
    labels: labelArrivals(labels.name, labelsFrame),
    read: report.read,
    quarantined: report.quarantined,
  }
}

interface Past {
  readonly table: TrainingTable
  /** The frame's row that is the table's first. */
  readonly firstRow: number
}

function valuesOf(project: CompiledProject, { frame, labelsFrame, labels }: Rows): Past {
  const { split, featureSets } = project
  const source = project.sources[0]
  const past = historyWithState({
    sets: featureSets,
    source,
    frame,
    labels: [labels],
    fromUs: split.train.fromUs - SELECTION_EARLIER_US,
    toUs: split.test.toUs,
  })
  return { table: trainingTable(project, frame, labelsFrame, past, []), firstRow: past.firstRow }
}

async function train(
  project: CompiledProject,
  split: TimeSplit,
  table: TrainingTable,
  { tracking, by }: Bank,
  say: Say,
): Promise<Candidate[]> {
  const candidates: Candidate[] = []
  for (const model of project.models) {
    const ports = { tracking, by, codeRevision: 'bench', environment: 'bench' }
    const candidate = await trainModel(model, { ...project, split }, table, ports, () => undefined)
    say(`  ${model.name}: average precision ${metric(candidate, 'average_precision').toFixed(4)}`)
    candidates.push(candidate)
  }
  return candidates
}

/** `gbdt_ap`, `gbdt_ap_low`, `gbdt_ap_high` and so on; the bounds hold 95 % of the resamples. */
function figuresOf({ declaration, metrics }: Candidate, prefix: string): Record<string, number> {
  const figures: Record<string, number> = {}
  for (const { name, value, low, high } of metrics) {
    const short = shortNames[name]
    if (short === undefined) continue
    const key = `${prefix}${shortNames[declaration.name] ?? declaration.name}_${short}`
    figures[key] = rounded(value)
    if (low !== undefined) figures[`${key}_low`] = rounded(low)
    if (high !== undefined) figures[`${key}_high`] = rounded(high)
  }
  return figures
}

/** What the policy, rules included, makes of the test period; precision is the share of fraud. */
function outcomesOf({ outcomes }: LivePeriod, { test }: TimeSplit): Figures {
  const days = (test.toUs - test.fromUs) / DAY_US
  const { decline, review } = outcomes
  return {
    declines_per_day: rounded(decline.events / days),
    decline_precision: rounded(decline.frauds / decline.events),
    reviews_per_day: rounded(review.events / days),
    review_precision: rounded(review.frauds / review.events),
  }
}

function sizeOf({ model, test }: Candidate, table: TrainingTable, split: TimeSplit): Figures {
  const training = 'training' in model ? model.training : undefined
  return {
    train_rows: training?.rows ?? 0,
    train_frauds: training?.positives ?? 0,
    test_rows: test.rows.length,
    test_frauds: test.y.reduce((sum, y) => sum + y, 0),
    fraud_share: rounded(
      table.label.reduce((sum, y) => sum + (y === 1 ? 1 : 0), 0) / table.label.length,
    ),
    test_days: (split.test.toUs - split.test.fromUs) / DAY_US,
  }
}

function metric({ metrics }: Candidate, name: string): number {
  return metrics.find((each) => each.name === name)!.value
}

/** Times the stages by name: `ingestion_s`. */
function stopwatch(say: Say) {
  const seconds: Record<string, number> = {}
  return {
    seconds,
    async timed<T>(stage: string, work: () => Promise<T>): Promise<T> {
      const startUs = monotonicUs()
      const result = await work()
      seconds[`${stage}_s`] = Math.round((monotonicUs() - startUs) / 10_000) / 100
      say(`${stage}: ${seconds[`${stage}_s`]} s`)
      return result
    },
  }
}

function rounded(value: number): number {
  return Math.round(value * 1e6) / 1e6
}
