// Rules and model to outcome and reasons. Pure: the same row, vector and deployment give the same
// result, bit for bit, live and when a record is computed again.
import type { Row } from '../data/index.ts'
import { sayFeature } from '../features/index.ts'
import type { CompiledFeature } from '../features/index.ts'
import { predictor } from '../learning/index.ts'
import type { Predictor } from '../learning/index.ts'
import type { DeployedPolicy } from './deployed.ts'
import { decisionErrors } from './errors.ts'
import { outcomes } from './policy.ts'
import type { Outcome } from './policy.ts'
import type { DecisionRecord, Reason } from './records.ts'
import type { Difference, Explanation, FeatureContribution, Recomputation } from './remote.ts'
import { readyRules } from './rules.ts'
import type { ReadyRule } from './rules.ts'

const REASONS_MAX = 4

export interface EngineResult {
  readonly margin: number
  readonly score: number
  readonly outcome: Outcome
  readonly path: 'rule' | 'score'
  /** Names of the rules that fired, in declared order. */
  readonly rules: readonly string[]
  /** Names of the rules that could not be evaluated on the event; absent where all could. */
  readonly failedRules?: readonly string[]
  /** Up to four, strongest first; empty for `allow`. */
  readonly reasons: readonly Reason[]
}

/**
 * Decides for one deployment. Vectors hold the namespace's live features in the order of the names
 * that the engine was made with; they must be canonical (`canonicalVector`).
 */
export interface DecisionEngine {
  readonly document: DeployedPolicy
  readonly featureNames: readonly string[]
  decide(row: Row, vector: Float64Array): EngineResult
  /** Everything that pushed the score, whatever the outcome; its reasons are those of `decide`. */
  explain(row: Row, vector: Float64Array): Explanation
}

/**
 * Makes a deployment ready to decide on vectors of the given features.
 * Errors: `deployment_invalid` where model or rules need a feature that is not among them.
 */
export function createEngine(
  document: DeployedPolicy,
  featureNames: readonly string[],
): DecisionEngine {
  const model = predictor(document.model.body, { lasting: true })
  if (model.task !== 'binary') {
    throw decisionErrors.deployment_invalid('A policy needs a model that tells two classes apart.')
  }
  const positions = positionsOf(model.features, featureNames, document)
  const features = new Map<string, CompiledFeature>(
    document.featureSets.flatMap((set) => set.features.map((each) => [each.name, each] as const)),
  )
  const rules = readyRules(document.policy.rules, document.source, featureNames)
  const engine: Engine = { document, featureNames, model, positions, features, rules }
  return {
    document,
    featureNames,
    decide: (row, vector) => decide(engine, row, vector),
    explain: (row, vector) => explain(engine, row, vector),
  }
}

/**
 * The one form in which a vector is scored and recorded: −0 becomes 0 and infinities become missing,
 * because JSON keeps neither, and a record must give back the very values that were scored.
 */
export function canonicalVector(vector: Float64Array): Float64Array {
  for (let i = 0; i < vector.length; i++) {
    const value = vector[i]
    if (value === 0) vector[i] = 0
    else if (!Number.isFinite(value)) vector[i] = Number.NaN
  }
  return vector
}

/** Makes a decision again from its record and compares every field that the engine answers for. */
export function recomputeDecision(engine: DecisionEngine, record: DecisionRecord): Recomputation {
  const row = rowOf(record.event, engine.document)
  const vector = Float64Array.from(record.features, (value) => value ?? Number.NaN)
  const again = engine.decide(row, vector)
  const { thresholds } = engine.document
  const recorded: Record<string, unknown> = {
    margin: record.margin,
    score: record.score,
    outcome: record.outcome,
    path: record.path,
    rules: record.rules,
    reasons: record.reasons,
    thresholds: record.thresholds,
  }
  const recomputed: Record<string, unknown> = { ...again, thresholds }
  const differences: Difference[] = []
  for (const [field, value] of Object.entries(recorded)) {
    if (JSON.stringify(value) === JSON.stringify(recomputed[field])) continue
    differences.push({ field, recorded: value, recomputed: recomputed[field] })
  }
  const compared = Object.keys(recorded).length
  return differences.length === 0
    ? { identical: true, compared }
    : { identical: false, compared, differences }
}

/** The row that a record's event stands for, in the order of the contract. */
export function rowOf(
  event: DecisionRecord['event'],
  document: Pick<DeployedPolicy, 'source'>,
): Row {
  return document.source.columns.map((column) => event[column.name])
}

interface Engine {
  readonly document: DeployedPolicy
  readonly featureNames: readonly string[]
  readonly model: Predictor
  /** Where each of the model's features stands in a vector. */
  readonly positions: readonly number[]
  readonly features: ReadonlyMap<string, CompiledFeature>
  readonly rules: readonly ReadyRule[]
}

function positionsOf(
  wanted: readonly string[],
  names: readonly string[],
  document: DeployedPolicy,
): number[] {
  return wanted.map((name) => {
    const position = names.indexOf(name)
    if (position >= 0) return position
    throw decisionErrors.deployment_invalid(
      `Model ${document.model.name} version ${document.model.number} needs the feature ${name}, which the live state does not compute.`,
    )
  })
}

function decide(engine: Engine, row: Row, vector: Float64Array): EngineResult {
  const modelRow = modelRowOf(engine, vector)
  const margin = engine.model.margin(modelRow)
  const score = engine.model.score(modelRow)
  const failedRules: string[] = []
  const noteFailed = (rule: string) => failedRules.push(rule)
  const fired = engine.rules.filter((rule) => rule.fires(row, vector, noteFailed))
  const { outcome, path } = judge(score, fired, engine.document.thresholds)
  const reasons =
    outcome === 'allow'
      ? []
      : reasonsFor(
          engine,
          outcome,
          fired,
          pushesOf(engine, modelRow, engine.model.explain(modelRow).values),
        )
  const rules = fired.map((rule) => rule.name)
  const failed = failedRules.length > 0 && { failedRules }
  return { margin, score, outcome, path, rules, ...failed, reasons }
}

/**
 * Decline wins over review, review over allow, whether a rule or the score says so. A rule that
 * allows exempts the event from the score's thresholds, and yields to any rule that does not.
 */
function judge(
  score: number,
  fired: readonly ReadyRule[],
  thresholds: { readonly decline: number; readonly review: number },
): { outcome: Outcome; path: 'rule' | 'score' } {
  const byScore: Outcome =
    score >= thresholds.decline ? 'decline' : score >= thresholds.review ? 'review' : 'allow'
  if (fired.length === 0) return { outcome: byScore, path: 'score' }
  const byRule = fired.reduce<Outcome>(
    (strongest, { then }) => (rank(then) > rank(strongest) ? then : strongest),
    'allow',
  )
  if (byRule === 'allow') return { outcome: 'allow', path: 'rule' }
  return rank(byScore) > rank(byRule)
    ? { outcome: byScore, path: 'score' }
    : { outcome: byRule, path: 'rule' }
}

function rank(outcome: Outcome): number {
  return outcomes.indexOf(outcome)
}

/** Rules that ask for this outcome first, in declared order; then what pushed the score up most. */
function reasonsFor(
  engine: Engine,
  outcome: Outcome,
  fired: readonly ReadyRule[],
  pushes: readonly Push[],
): Reason[] {
  const byRule = fired
    .filter((rule) => rule.then === outcome)
    .map(({ name, reason }): Reason => {
      return { kind: 'rule', name, sentence: reason, contribution: null, value: null }
    })
    .slice(0, REASONS_MAX)
  const byFeature = pushes
    .filter(({ contribution }) => contribution > 0)
    .slice(0, REASONS_MAX - byRule.length)
    .map((push): Reason => {
      const { feature, value, contribution, sentence } = said(engine, push)
      return { kind: 'feature', name: feature, sentence, contribution, value }
    })
  return [...byRule, ...byFeature]
}

/** What one feature added to the margin. */
interface Push {
  readonly feature: string
  readonly value: number
  readonly contribution: number
}

/** Strongest push towards the positive class first; equal ones in the order of the model. */
function pushesOf({ model }: Engine, modelRow: Float64Array, values: Float64Array): Push[] {
  return model.features
    .map((feature, index): Push => {
      const contribution = values[index] === 0 ? 0 : values[index]
      return { feature, value: modelRow[index], contribution }
    })
    .sort((a, b) => b.contribution - a.contribution)
}

/** Words are looked for only where they are shown: they cost more than the score. */
function said({ features }: Engine, { feature, value, contribution }: Push): FeatureContribution {
  const compiled = features.get(feature)
  const sentence = compiled === undefined ? feature : sayFeature(compiled, value)
  return { feature, value: Number.isNaN(value) ? null : value, contribution, sentence }
}

function explain(engine: Engine, row: Row, vector: Float64Array): Explanation {
  const modelRow = modelRowOf(engine, vector)
  const { base, values } = engine.model.explain(modelRow)
  const all = pushesOf(engine, modelRow, values)
  const decided = decide(engine, row, vector)
  const fired = engine.rules.filter((rule) => rule.fires(row, vector))
  return {
    marginUnit: engine.model.marginUnit,
    base,
    margin: decided.margin,
    score: decided.score,
    outcome: decided.outcome,
    reasons: decided.outcome === 'allow' ? reasonsFor(engine, 'allow', [], all) : decided.reasons,
    contributions: all.map((push) => said(engine, push)),
    rules: engine.rules.map((rule) => {
      const { name, then, when, reason } = rule
      return { name, then, when, reason, fired: fired.includes(rule) }
    }),
  }
}

function modelRowOf(engine: Engine, vector: Float64Array): Float64Array {
  return Float64Array.from(engine.positions, (position) => vector[position])
}
