// Trains one model of the project, measures it on rows that nobody learned from, and keeps the run.
import type { ChangeBy } from '../../access/index.ts'
import {
  calibrationTable,
  cardPrecisionInterval,
  chooseThreshold,
  fit,
  precisionRecallCurve,
  predictor,
  rank,
  rankingIntervals,
  rocCurve,
  splitRows,
  thresholdEffect,
  type Estimate,
  type ImportedModel,
  type TrainedModel,
} from '../../learning/index.ts'
import type { CompiledPolicy, OutsideModel } from '../../decisions/index.ts'
import { canonicalJson } from '../../lib/canonical-json.ts'
import { isAssayError } from '../../lib/errors.ts'
import { contentHash } from '../../lib/hash.ts'
import { selectColumns, selectRows, selectValues, type Matrix } from '../../lib/matrix.ts'
import { DAY_US, formatTimestamp } from '../../lib/time.ts'
import type { Remote } from '../../lib/rpc.ts'
import type { NewMetric, NewRun, Tracking } from '../../tracking/index.ts'
import { explained, type Explained } from './explained.ts'
import type { Bins, CompiledModel, DeclaredModel, FlowProject, RunReport } from './plan.ts'
import { PREDICTIONS, predictionsJson } from './predictions.ts'
import { cacheTags, setsOf, type TrainedWhere } from './training-key.ts'

/** History as learned from: one row an event, in order of (event time, sequence). */
export interface TrainingTable {
  readonly features: Matrix
  readonly eventTimeUs: Float64Array
  /** 0 or 1, NaN where no label has arrived. */
  readonly label: Float64Array
  /** The key whose later rows leave the test once a positive is known, where the split names one. */
  readonly customer: Float64Array | (string | undefined)[] | undefined
  readonly snapshots: readonly { readonly dataset: string; readonly hash: string }[]
}

/** A trained model with what is known of it. */
export interface Candidate {
  readonly declaration: DeclaredModel
  readonly model: TrainedModel | ImportedModel | OutsideModel
  readonly modelJson: string
  /** Of a model outside of the process: the document by which it is served. */
  readonly served?: string
  readonly runId: string
  readonly metrics: readonly NewMetric[]
  readonly thresholds: { readonly decline: number; readonly review: number }
  readonly report: RunReport
  /** Identities that had a hand in it beside whoever runs this; they may not approve it. */
  readonly trainedBy?: readonly string[]
  /** The rows it was measured on: indices into the table, their labels, its scores. */
  readonly test: {
    readonly rows: Uint32Array
    readonly y: Float64Array
    readonly scores: Float64Array
    readonly customer: (number | string)[] | undefined
  }
}

export interface TrainPorts extends TrainedWhere {
  readonly tracking: Remote<Tracking>
  readonly by: ChangeBy
}

/** A candidate before it has a run. */
export type Measured = Omit<Candidate, 'declaration' | 'runId'>

/** A score never exceeds 1, so nothing reaches this threshold: the rule found no score that serves. */
export const NEVER = 2
/** The artifact of a run that is its model. */
export const MODEL_FILE = 'model.json'
/** The artifact by which a model outside of the process is served. */
const SERVED_FILE = 'served-model.json'
const SCORE_BINS = 20

/** Trains anew, and keeps a run by which `trainOrFind` finds it again. */
export async function trainModel(
  declaration: CompiledModel,
  project: FlowProject,
  table: TrainingTable,
  ports: TrainPorts,
  report: (figure: string) => void,
): Promise<Candidate> {
  const { kind, params } = declaration.learner
  return keepAsRun(
    declaration,
    {
      params: { learner: kind, ...flatParams(params) },
      tags: cacheTags(declaration, project, table, ports),
    },
    { project, table },
    ports,
    () => measured(fitDeclared(declaration, project, table, report), declaration, project, table),
  )
}

/** Keeps what is made as a run of the project's experiment, also where making it fails. */
export async function keepAsRun(
  declaration: DeclaredModel,
  { params, tags }: Pick<NewRun, 'params' | 'tags'>,
  { project, table }: { readonly project: FlowProject; readonly table: TrainingTable },
  ports: TrainPorts,
  make: () => Measured | Promise<Measured>,
): Promise<Candidate> {
  const { tracking, by } = ports
  const sets = setsOf(declaration, project)
  const experiment = await tracking.ensureExperiment(project.name, by)
  const run = await tracking.startRun(
    {
      experimentId: experiment.id,
      name: declaration.name,
      params: {
        features: sets.reduce((sum, set) => sum + set.features.length, 0),
        feature_sets: declaration.featureSets.join(', '),
        ...params,
      },
      tags: {
        code_revision: ports.codeRevision,
        split: contentHash([project.split, table.snapshots]),
        ...tags,
      },
    },
    by,
  )
  try {
    const trained = await make()
    await tracking.logMetrics(run.id, trained.metrics)
    for (const { name, content } of filesOf(trained)) {
      await tracking.logArtifact(run.id, { name, contentType: 'application/json', content })
    }
    await tracking.endRun(run.id, 'finished', by)
    return { ...trained, declaration, runId: run.id }
  } catch (error) {
    await tracking.logTags(run.id, {
      problem: error instanceof Error ? error.message : String(error),
    })
    await tracking.endRun(run.id, 'failed', by)
    throw error
  }
}

/** What a run keeps of a training. Predictions of very many rows are not kept. */
export function filesOf({
  report,
  modelJson,
  served,
  test,
}: Measured): { readonly name: string; readonly content: string }[] {
  const { y, scores, customer } = test
  const predictions = predictionsJson([
    { task: 'binary', y, scores, ...(customer && { groups: customer }) },
  ])
  return [
    { name: 'report.json', content: canonicalJson(report) },
    { name: MODEL_FILE, content: modelJson },
    ...(served === undefined ? [] : [{ name: SERVED_FILE, content: served }]),
    ...(predictions === undefined ? [] : [{ name: PREDICTIONS, content: predictions }]),
  ]
}

/** The model that a declaration gives on a table: the same table, the same bytes. */
export function fitDeclared(
  declaration: CompiledModel,
  project: FlowProject,
  table: TrainingTable,
  report: (figure: string) => void,
): Fitted {
  const { features, rows } = groundOf(declaration, project, table)
  const model = fit(
    declaration.learner,
    {
      x: selectRows(features, rows.train),
      y: selectValues(table.label, rows.train),
      ...(table.customer && { groups: pickAny(table.customer, rows.train) }),
    },
    {
      seed: project.seed,
      onProgress: ({ done, total }) => report(`${declaration.name}: ${done} of ${total}`),
    },
  )
  return { model, features, rows }
}

export interface Fitted<Model = TrainedModel | ImportedModel> {
  readonly model: Model
  /** The columns that the model reads, of all rows of the table. */
  readonly features: Matrix
  readonly rows: ReturnType<typeof splitRows>
}

/** What a model is fitted on and measured on. */
export function groundOf(
  declaration: DeclaredModel,
  project: FlowProject,
  table: TrainingTable,
): Omit<Fitted, 'model'> {
  const names = setsOf(declaration, project).flatMap((set) => set.features.map(({ name }) => name))
  const rows = splitRows(project.split, {
    eventTimeUs: table.eventTimeUs,
    label: table.label,
    ...(table.customer && { customer: table.customer as ArrayLike<number | string> }),
  })
  return { features: selectColumns(table.features, names), rows }
}

/** All that is known of a model on a table. Pure: the same model and table, the same bytes. */
export function measured(
  { model, features, rows }: Fitted,
  declaration: DeclaredModel,
  project: FlowProject,
  table: TrainingTable,
): Measured {
  const scorer = predictor(model)
  const sets = setsOf(declaration, project)
  return measuredBy(
    {
      model,
      rows,
      scoreRows: (chosen) => scorer.scoreMatrix(selectRows(features, chosen)),
      explained: explained(scorer, features, rows.test, sets),
    },
    declaration,
    project,
    table,
  )
}

/** A model and its scores, wherever they were computed. */
export interface ScoredModel {
  readonly model: Measured['model']
  readonly rows: ReturnType<typeof splitRows>
  /** The scores of rows between training and test, and of test rows. */
  readonly scoreRows: (rows: Uint32Array) => Float64Array
  readonly explained: Explained
}

export function measuredBy(
  { model, rows, scoreRows, explained: told }: ScoredModel,
  declaration: DeclaredModel,
  project: FlowProject,
  table: TrainingTable,
): Measured {
  const { split, seed } = project
  const sets = setsOf(declaration, project)
  const test = {
    rows: rows.test,
    y: selectValues(table.label, rows.test),
    scores: scoreRows(rows.test),
    // Payments of one customer are not independent: customers are drawn, not rows.
    customer: table.customer && pickAny(table.customer, rows.test),
  }
  const thresholds = chooseThresholds(project.policies[0], table, split, scoreRows)
  const metrics = [...measure(table, test, seed), ...measureAt(thresholds.decline, test)]
  return {
    model,
    modelJson: canonicalJson(model),
    metrics,
    thresholds,
    test,
    report: {
      split: splitInWords(project, rows),
      seed,
      snapshots: table.snapshots,
      featureSets: sets.map(({ name, version }) => ({ name, version })),
      ...curves(test),
      ...told,
      threshold: thresholdsInWords(project.policies[0], thresholds),
      log: [
        `${rows.train.length} rows to learn from, ${sum(selectValues(table.label, rows.train))} of them positive.`,
        `${rows.test.length} rows to test on, ${sum(test.y)} of them positive.`,
        'training' in model
          ? `Mean loss on the training rows ${model.training.loss.toFixed(6)} after ${model.training.iterations} iterations.`
          : 'It learned elsewhere; the rows above are those of this project.',
      ],
    },
  }
}

function measure(table: TrainingTable, test: Candidate['test'], seed: number): NewMetric[] {
  const n = test.y.length
  const cluster = test.customer
  const { rocAuc, averagePrecision } = rankingIntervals(test.y, test.scores, {
    seed,
    ...(cluster && { cluster }),
  })
  const metrics: NewMetric[] = [
    toMetric('average_precision', averagePrecision, n),
    toMetric('roc_auc', rocAuc, n),
  ]
  if (cluster) {
    const day = Float64Array.from(test.rows, (row) => Math.floor(table.eventTimeUs[row] / DAY_US))
    const cards = cardPrecisionInterval(100, { ...test, day, customer: cluster }, { seed })
    metrics.push(toMetric('card_precision_100', cards, n))
  }
  return metrics
}

function toMetric(name: string, { value, lower, upper }: Estimate, n: number): NewMetric {
  return { name, value, low: lower, high: upper, n }
}

function measureAt(
  threshold: number,
  test: { y: Float64Array; scores: Float64Array },
): NewMetric[] {
  const effect = thresholdEffect(test, threshold)
  const { precisionInterval, recallInterval } = effect
  return [
    {
      name: 'precision',
      value: effect.precision,
      low: precisionInterval.lower,
      high: precisionInterval.upper,
      n: effect.alerts,
    },
    {
      name: 'recall',
      value: effect.recall,
      low: recallInterval.lower,
      high: recallInterval.upper,
      n: effect.truePositives + effect.falseNegatives,
    },
  ]
}

/**
 * Thresholds are chosen on the rows between training and test, whose labels have arrived by the end
 * of the test: neither learned from nor used to report what the thresholds achieve.
 */
function chooseThresholds(
  policy: CompiledPolicy,
  table: TrainingTable,
  split: FlowProject['split'],
  scoreRows: (rows: Uint32Array) => Float64Array,
): { decline: number; review: number } {
  const rows = rowsBetween(table, split)
  const days = (split.test.fromUs - split.train.toUs) / DAY_US
  const all = { y: selectValues(table.label, rows), scores: scoreRows(rows), days }
  const choose = (rule: CompiledPolicy['thresholds']['decline'], data: typeof all) => {
    if (typeof rule === 'number') return rule
    try {
      return chooseThreshold(rule, data).threshold
    } catch (error) {
      if (isAssayError(error, 'threshold_rule_unmet')) return NEVER
      throw error
    }
  }
  const decline = choose(policy.thresholds.decline, all)
  // Nobody reviews what is declined, so the rule for reviews is held against the other rows.
  const open = Uint32Array.from(all.scores.keys()).filter((row) => all.scores[row] < decline)
  const rest = { y: selectValues(all.y, open), scores: selectValues(all.scores, open), days }
  return { decline, review: Math.min(choose(policy.thresholds.review, rest), decline) }
}

/** Those that thresholds are chosen on. */
export function rowsBetween(
  { eventTimeUs, label }: TrainingTable,
  split: FlowProject['split'],
): Uint32Array {
  const between: number[] = []
  for (let row = 0; row < eventTimeUs.length; row++) {
    const at = eventTimeUs[row]
    if (at >= split.train.toUs && at < split.test.fromUs && !Number.isNaN(label[row]))
      between.push(row)
  }
  return Uint32Array.from(between)
}

function curves(test: { y: Float64Array; scores: Float64Array }) {
  const ranking = rank(test.y, test.scores)
  const roc = rocCurve(ranking)
  const precisionRecall = precisionRecallCurve(ranking)
  return {
    roc: { x: roc.map((p) => p.falsePositiveRate), y: roc.map((p) => p.truePositiveRate) },
    precisionRecall: {
      x: precisionRecall.map((p) => p.recall),
      y: precisionRecall.map((p) => p.precision),
    },
    positiveShare: sum(test.y) / test.y.length,
    calibration: calibrationTable(test.y, test.scores).map((bin) => ({
      predicted: bin.meanScore,
      observed: bin.observed,
      n: bin.rows,
    })),
    scores: { positive: scoreBins(test, 1), negative: scoreBins(test, 0) },
  }
}

function scoreBins({ y, scores }: { y: Float64Array; scores: Float64Array }, of: 0 | 1): Bins {
  const counts = new Array<number>(SCORE_BINS).fill(0)
  for (const [row, score] of scores.entries()) {
    if (y[row] === of) counts[Math.min(SCORE_BINS - 1, Math.floor(score * SCORE_BINS))]++
  }
  return { edges: Array.from({ length: SCORE_BINS + 1 }, (_, i) => i / SCORE_BINS), counts }
}

function splitInWords(
  { split }: FlowProject,
  rows: { train: Uint32Array; test: Uint32Array },
): string {
  const day = (us: number) => formatTimestamp(us).slice(0, 10)
  const period = ({ fromUs, toUs }: { fromUs: number; toUs: number }) =>
    `${day(fromUs)} to ${day(toUs - DAY_US)}`
  const known =
    split.dropKnown === undefined
      ? ''
      : `, without each ${split.dropKnown} known as defrauded by then`
  return (
    `Learned from ${period(split.train)} (${rows.train.length} rows), ` +
    `tested on ${period(split.test)} (${rows.test.length} rows${known}); labels take ${split.delayUs / DAY_US} days.`
  )
}

function thresholdsInWords(
  policy: CompiledPolicy,
  chosen: { decline: number; review: number },
): string {
  const say = (outcome: 'decline' | 'review') => {
    const rule = policy.thresholds[outcome]
    const declared = typeof rule === 'number' ? 'declared' : ruleInWords(rule)
    return chosen[outcome] >= NEVER
      ? `${outcome}: never by score, because no threshold has ${declared}`
      : `${outcome} from ${chosen[outcome].toFixed(4)} (${declared})`
  }
  return `${say('decline')}; ${say('review')}. Chosen on the rows between training and test.`
}

function ruleInWords(rule: { readonly kind: string; readonly [option: string]: unknown }): string {
  const options = Object.entries(rule).filter(([name]) => name !== 'kind')
  return `${rule.kind.replaceAll('-', ' ')}: ${options.map(([, value]) => String(value)).join(', ')}`
}

/** Parameters of a learner as a run records them. */
export function flatParams(params: object): Record<string, string | number | boolean> {
  return Object.fromEntries(
    Object.entries(params).map(([name, value]: [string, unknown]) => [
      name,
      typeof value === 'object' ? JSON.stringify(value) : (value as string | number | boolean),
    ]),
  )
}

function pickAny(
  values: Float64Array | (string | undefined)[],
  rows: Uint32Array,
): (number | string)[] {
  return Array.from(rows, (row) => values[row] ?? '')
}

function sum(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0)
}
