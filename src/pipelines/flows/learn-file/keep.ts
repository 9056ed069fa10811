// What is kept of learning from a file: a run with its report and model, and perhaps a version.
import type { PreparedModel, PreparedSpec, Results } from '../../../learning/index.ts'
import { canonicalJson } from '../../../lib/canonical-json.ts'
import { contentHash } from '../../../lib/hash.ts'
import type { Remote } from '../../../lib/rpc.ts'
import type { Registry } from '../../../registry/index.ts'
import type { NewMetric, Run, Tracking } from '../../../tracking/index.ts'
import { PREDICTIONS, predictionsJson } from '../predictions.ts'
import { flatParams } from '../train.ts'
import { verdict } from './html.ts'
import type { LearnFileRequest } from './learn-file.ts'
import type { Figure, LearnReport } from './report.ts'

export interface Learnt {
  readonly report: LearnReport
  readonly html: string
  readonly model: PreparedModel
  readonly spec: PreparedSpec
  readonly request: LearnFileRequest
  /** What the best said of the rows that it was measured on. */
  readonly results: readonly Results[]
}

/** A run of the experiment that has the file's name. */
export async function keepRun(learnt: Learnt, tracking: Remote<Tracking>): Promise<Run> {
  const { report, html, model, spec, request } = learnt
  const { by, file, test, question, pipelineRun } = request
  const { target, group, time } = question
  const experiment = await tracking.ensureExperiment(`${file.name}: ${report.target}`, by)
  const run = await tracking.startRun(
    {
      experimentId: experiment.id,
      name: report.best,
      params: {
        learner: spec.learner.kind,
        ...flatParams(spec.learner.params),
        target: report.target,
        goal: report.goal,
        seed: report.seed,
        columns: model.preparation.columns.length,
        features: model.preparation.features.length,
      },
      tags: {
        code_revision: request.codeRevision,
        file: file.hash,
        ...(test && { test_file: test.hash }),
        ...(pipelineRun !== undefined && { pipeline_run: pipelineRun }),
        // The same rows in the same folds: figures of such runs may be compared.
        split: contentHash([
          [file.hash, test?.hash ?? '', target, group ?? '', time ?? ''],
          [report.task, report.seed, report.judged],
        ]),
      },
    },
    by,
  )
  try {
    await tracking.logMetrics(run.id, metricsOf(report))
    const predictions = predictionsJson(learnt.results)
    const artifacts = [
      ['report.html', 'text/html; charset=utf-8', html],
      ['learn-report.json', 'application/json', canonicalJson(report)],
      ['model.json', 'application/json', canonicalJson(model)],
      ['report.json', 'application/json', canonicalJson(runReport(report))],
      ...(predictions === undefined
        ? []
        : [[PREDICTIONS, 'application/json', predictions] as const]),
    ] as const
    for (const [name, contentType, content] of artifacts) {
      await tracking.logArtifact(run.id, { name, contentType, content })
    }
    return await tracking.endRun(run.id, 'finished', by)
  } catch (error) {
    await tracking.endRun(run.id, 'failed', by)
    throw error
  }
}

/** The next version of the model that the request names; null where it names none. */
export async function keepVersion(
  { report, model, spec, request }: Learnt,
  run: Run,
  registry: Pick<Remote<Registry>, 'registerVersion'>,
): Promise<number | null> {
  if (request.register === undefined) return null
  const { by, file, codeRevision, environment, seed } = request
  const { version } = await registry.registerVersion(
    {
      model: request.register,
      project: '',
      kind: model.model.kind,
      modelJson: canonicalJson(model),
      build: {
        declaration: report.best,
        runId: run.id,
        snapshots: { [file.name]: file.hash },
        // Columns become features by the fitted preparation alone.
        featureSets: [{ name: 'preparation', version: contentHash(model.preparation) }],
        label: report.target,
        learner: spec,
        split: report.judged,
        codeRevision,
        environment,
        seed,
      },
      thresholds: report.threshold === null ? {} : { alert: report.threshold.threshold },
      metrics: Object.fromEntries(
        metricsOf(report).map(({ name, value, low, high, n }) => [name, { value, low, high, n }]),
      ),
      trainedBy: [by.actor.id],
    },
    by,
  )
  return version
}

function metricsOf(report: LearnReport): NewMetric[] {
  const { contenders, file, measures, shares, test, threshold } = report
  const [best] = contenders
  const n = (test ?? file).rows
  const metrics = measures.flatMap(({ name }): NewMetric[] => {
    const figure = best.figures[name]
    if (figure === undefined) return []
    return [{ name, value: figure.value, low: figure.lower, high: figure.upper, n }]
  })
  if (threshold === null) return metrics
  const { alerts, precision, recall, rows } = threshold
  const positives = Math.round(shares[1] * rows)
  const metric = (name: string, { value, lower, upper }: Figure, of: number): NewMetric => ({
    name,
    value,
    low: lower,
    high: upper,
    n: of,
  })
  return [...metrics, metric('precision', precision, alerts), metric('recall', recall, positives)]
}

/** The same in the form that the page shows of every run. */
function runReport(report: LearnReport) {
  return {
    split: report.judged,
    seed: report.seed,
    snapshots: [],
    featureSets: [],
    roc: report.roc,
    precisionRecall: report.precisionRecall,
    positiveShare: report.task === 'binary' ? report.shares[1] : null,
    calibration: report.calibration,
    scores: null,
    importanceIs: `Loss of ${report.measures[0].title} when a column is shuffled`,
    contributions: report.contributions,
    importance: report.importance.map(({ column, loss }) => ({
      feature: column,
      set: '',
      value: loss.value,
    })),
    threshold:
      report.threshold &&
      `alert from ${report.threshold.threshold.toFixed(4)} on: ${report.threshold.rule}`,
    log: [verdict(report), ...report.warnings.map(({ words }) => words)],
  }
}
