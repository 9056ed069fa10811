// Rules and model to outcome and reasons. Pure: the same row, vector and deployment give the same
// result, bit for bit, live and when a record is computed again.
import type { Row } from '../data/index.ts'
import { sayFeature } from '../features/index.ts'
import type { CompiledFeature } from '../features/index.ts'
import type { Challenger, DeployedModel, DeployedPolicy } from './deployed.ts'
import { judge, sumTypologies } from './judge.ts'
import type { Judged, Path, TypologyPoints } from './judge.ts'
import { fallbackDefaults } from './policy.ts'
import type { CompiledRule, Outcome } from './policy.ts'
import type { DecisionRecord, Reason, Unanswered } from './records.ts'
import type { Difference, Explanation, FeatureContribution, Recomputation } from './remote.ts'
import { readyRules, whyRuleFailed } from './rules.ts'
import type { Evaluated, ReadyRules } from './rules.ts'
import { explanationOf, firstAnswer, pushesOf, readyScorer } from './scorer.ts'
import type { KnownScores, OutsideAnswers, Push, Scored, Scorer } from './scorer.ts'
import { readyTraffic } from './traffic.ts'
import type { ReadyTraffic } from './traffic.ts'

const REASONS_MAX = 4

/** What an engine answers for: these fields of a decision's record follow from the others. */
export type EngineResult = Pick<
  DecisionRecord,
  | 'margin'
  | 'score'
  | 'outcome'
  | 'path'
  | 'rules'
  | 'reasons'
  | 'thresholds'
  | 'rulesHeld'
  | 'rulesFailed'
  | 'typologies'
  | 'listed'
  | 'challenger'
  | 'unanswered'
>

/** What a decision rests on beside the event and its features. */
export interface Circumstances {
  /** Whether a value is on a list now. */
  isListed(list: string, value: string): boolean
  /** Names of the rules that are paused now. */
  readonly paused: ReadonlySet<string>
  /** Who cannot be asked now, and why; see `Unanswered`. */
  readonly unanswered: ReadonlyMap<string, string>
  /** What models outside of the process answered on this event. */
  readonly outside: OutsideAnswers
  /**
   * What models of this process are known to say of these values, by hash. Who is asked is added, so
   * that engines which share it compute a model once. Absent: every one computes its own.
   */
  readonly scores?: KnownScores
}

/** Nothing is listed, paused or down. */
export const usualCircumstances: Circumstances = {
  isListed: () => false,
  paused: new Set(),
  unanswered: new Map(),
  outside: new Map(),
}

/** A decision as made, and the model that scored it. */
export interface Decision {
  readonly result: EngineResult
  readonly model: DeployedModel
}

/** What a challenger in shadow would have answered. */
export interface ShadowResult {
  readonly challenger: string
  readonly score: number | null
  readonly outcome: Outcome
  readonly path: Path
}

/**
 * Decides for one deployment. Vectors hold the namespace's live features in the order of the names
 * that the engine was made with; they must be canonical (`canonicalVector`).
 */
export interface DecisionEngine {
  readonly document: DeployedPolicy
  readonly featureNames: readonly string[]
  /** Who is asked on an event, in this order, until one answers. */
  ladder(row: Row, vector: Float64Array): readonly Scorer[]
  /** Whether a model outside of the process may be asked. */
  readonly asksOutside: boolean
  decide(row: Row, vector: Float64Array, circumstances: Circumstances): Decision
  /** What `decide` gives, without reasons: looking for these costs more than all the rest. */
  answer(row: Row, vector: Float64Array, circumstances: Circumstances): EngineResult
  /** The challengers in shadow that are to be asked beside. */
  shadowsOf(row: Row): readonly Scorer[]
  /** What a challenger in shadow answers on the same event and values. */
  shadow(
    challenger: Scorer,
    row: Row,
    vector: Float64Array,
    circumstances: Circumstances,
  ): ShadowResult
  /** Everything that pushed the score, whatever the outcome; its reasons are those of `decide`. */
  explain(row: Row, vector: Float64Array, circumstances: Circumstances): Explanation
}

/**
 * Makes a deployment ready to decide on vectors of the given features.
 * Errors: `deployment_invalid` where a model or rules need a feature that is not among them.
 */
export function createEngine(
  document: DeployedPolicy,
  featureNames: readonly string[],
): DecisionEngine {
  const features = new Map<string, CompiledFeature>(
    document.featureSets.flatMap((set) => set.features.map((each) => [each.name, each] as const)),
  )
  const { policy, source, lastGood, challengers = [] } = document
  const engine: Engine = {
    document,
    features,
    champion: readyScorer('champion', document, featureNames, policy.reasons),
    lastGood: lastGood && readyScorer('last-good', lastGood, featureNames, policy.reasons),
    traffic: readyTraffic(document, featureNames, (challenger) =>
      readyScorer(challenger.name, challenger, featureNames, policy.reasons),
    ),
    rules: readyRules(policy, source, featureNames),
  }
  return {
    document,
    featureNames,
    ladder: (row, vector) => ladderOf(engine, row, vector).ladder,
    asksOutside: [document, ...challengers.filter(isLive), ...(lastGood ? [lastGood] : [])].some(
      ({ model }) => model.body.kind === 'outside',
    ),
    decide: (row, vector, circumstances) => decide(engine, { row, vector, circumstances }),
    answer: (row, vector, circumstances) =>
      decide(engine, { row, vector, circumstances }, false).result,
    shadowsOf: (row) => engine.traffic.shadows(row),
    shadow(challenger, row, vector, circumstances) {
      const asked = { row, vector, circumstances }
      const { scored, outcome, path } = answer(engine, asked, [challenger])
      return { challenger: challenger.name, score: scored?.score ?? null, outcome, path }
    },
    explain: (row, vector, circumstances) => explain(engine, { row, vector, circumstances }),
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
  const { result } = engine.decide(row, vector, circumstancesOf(record))
  const recorded: Record<string, unknown> = {
    margin: record.margin,
    score: record.score,
    outcome: record.outcome,
    path: record.path,
    rules: record.rules,
    reasons: record.reasons,
    thresholds: record.thresholds,
    rulesHeld: record.rulesHeld,
    rulesFailed: record.rulesFailed,
    typologies: record.typologies,
    listed: record.listed,
    challenger: record.challenger,
    unanswered: record.unanswered,
  }
  const recomputed: Record<string, unknown> = { ...result }
  const differences: Difference[] = []
  for (const [field, value] of Object.entries(recorded)) {
    if (JSON.stringify(value) === JSON.stringify(recomputed[field])) continue
    differences.push({ field, recorded: value, recomputed: recomputed[field] })
  }
  const compared = Object.entries(recorded).filter(([, value]) => value !== undefined).length
  return differences.length === 0
    ? { identical: true, compared }
    : { identical: false, compared, differences }
}

/** As they were when the decision was made; its record holds all that made a difference. */
export function circumstancesOf(record: DecisionRecord): Circumstances {
  const { rulesHeld = [], listed = [], unanswered = [] } = record
  return {
    isListed: (list) => listed.includes(list),
    paused: new Set(rulesHeld),
    unanswered: new Map(unanswered.map(({ by, why }) => [by, why])),
    // Nobody but the model itself could compute it again.
    outside: new Map(record.score === null ? [] : [[record.versions.model, record.score]]),
  }
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
  readonly features: ReadonlyMap<string, CompiledFeature>
  readonly champion: Scorer
  readonly lastGood: Scorer | undefined
  readonly traffic: ReadyTraffic<Scorer>
  readonly rules: ReadyRules
}

/** What is decided on. */
interface Asked {
  readonly row: Row
  readonly vector: Float64Array
  readonly circumstances: Circumstances
}

/** All that was found out about one event. */
interface Answered extends Judged {
  readonly challenger: Scorer | undefined
  readonly scored: Scored | undefined
  readonly unanswered: readonly Unanswered[]
  readonly evaluated: Evaluated
  /** Of the rules that fired, those that count: neither in shadow nor paused. */
  readonly fired: readonly CompiledRule[]
  readonly typologies: readonly TypologyPoints[]
}

/** Asks the models in turn until one answers, then rules and typologies, and judges. */
function answer(
  engine: Engine,
  asked: Asked,
  ladder: readonly Scorer[],
): Omit<Answered, 'challenger'> {
  const { row, vector, circumstances } = asked
  const { policy } = engine.document
  const { scored, unanswered } = firstAnswer(ladder, vector, circumstances)
  const score = scored?.score ?? Number.NaN
  const { isListed, paused } = circumstances
  const evaluated = engine.rules.evaluate(row, vector, { score, isListed })
  const counts = ({ name, mode }: CompiledRule) => mode !== 'shadow' && !paused.has(name)
  const fired = evaluated.fired.filter(counts)
  const typologies = sumTypologies(policy.typologies ?? [], fired)
  const judged = judge(score, fired, typologies, {
    thresholds: (scored?.by ?? engine.champion).thresholds,
    fallback: (policy.fallback ?? fallbackDefaults).outcome,
  })
  return { ...judged, scored, unanswered, evaluated, fired, typologies }
}

function answerLive(engine: Engine, asked: Asked): Answered {
  const { challenger, ladder } = ladderOf(engine, asked.row, asked.vector)
  return { challenger, ...answer(engine, asked, ladder) }
}

function ladderOf({ champion, lastGood, traffic }: Engine, row: Row, vector: Float64Array) {
  const challenger = traffic.taker(row, vector)
  const ladder = [challenger, champion, lastGood].filter((each) => each !== undefined)
  return { challenger, ladder }
}

const isLive = ({ traffic }: Challenger) => traffic.mode === 'live'

function decide(engine: Engine, asked: Asked, withReasons = true): Decision {
  const answered = answerLive(engine, asked)
  const { scored, fired, evaluated, typologies, challenger, unanswered } = answered
  const { thresholds, model } = scored?.by ?? engine.champion
  const result: EngineResult = {
    margin: scored?.margin ?? null,
    score: scored?.score ?? null,
    outcome: answered.outcome,
    path: answered.path,
    rules: fired.map(({ name }) => name),
    reasons: answered.outcome === 'allow' || !withReasons ? [] : reasonsFor(engine, answered),
    thresholds,
    // What did not happen is left out: nearly always all of it.
    ...(fired.length < evaluated.fired.length && {
      rulesHeld: evaluated.fired.filter((rule) => !fired.includes(rule)).map(({ name }) => name),
    }),
    ...(evaluated.failed.length > 0 && { rulesFailed: evaluated.failed.map(({ rule }) => rule) }),
    ...(typologies.length > 0 && { typologies }),
    ...(evaluated.listed.length > 0 && { listed: evaluated.listed }),
    ...(challenger !== undefined && { challenger: challenger.name }),
    ...(unanswered.length > 0 && { unanswered }),
  }
  return { result, model }
}

/**
 * Rules that ask for this outcome first, in declared order, then typologies; then what pushed the
 * score up most. An outcome that nothing asked for says that the model did not answer.
 */
function reasonsFor(
  engine: Engine,
  { outcome, path, fired, typologies, scored }: Omit<Answered, 'challenger'>,
): Reason[] {
  const { policy } = engine.document
  const plain = { contribution: null, value: null }
  const reasons: Reason[] = [
    ...fired
      .filter((rule) => rule.then === outcome)
      .map(({ name, reason }) => ({ kind: 'rule', name, sentence: reason, ...plain }) as const),
    ...typologies
      .filter(({ then }) => then === outcome)
      .map(({ name }) => {
        const { reason } = policy.typologies!.find((each) => each.name === name)!
        return { kind: 'typology', name, sentence: reason, ...plain } as const
      }),
  ]
  if (path === 'default') {
    reasons.push({ kind: 'fallback', name: 'no-model', sentence: NO_MODEL, ...plain })
  }
  const left = REASONS_MAX - reasons.length
  if (left <= 0 || scored === undefined) return reasons.slice(0, REASONS_MAX)
  return [...reasons, ...scoreReasons(engine, scored, left)]
}

/** What raised the score most: in the policy's words where it declares them, else feature by feature. */
function scoreReasons(engine: Engine, { by, row }: Scored, most: number): Reason[] {
  const explanation = by.codes && explanationOf(by.predictor, row)
  if (by.codes !== undefined && explanation !== undefined) {
    return by.codes
      .tell(explanation.values, 'raised', most)
      .map(({ code, words, contribution }) => {
        return { kind: 'feature', name: code, sentence: words, contribution, value: null }
      })
  }
  return pushesOf(by, row)
    .filter(({ contribution }) => contribution > 0)
    .slice(0, most)
    .map((push) => {
      const { feature, value, contribution, sentence } = said(engine, push)
      return { kind: 'feature', name: feature, sentence, contribution, value }
    })
}

const NO_MODEL =
  'The model did not answer in time, so the outcome that is declared for that was given'

/** Words are looked for only where they are shown: they cost more than the score. */
function said({ features }: Engine, { feature, value, contribution }: Push): FeatureContribution {
  const compiled = features.get(feature)
  const sentence = compiled === undefined ? feature : sayFeature(compiled, value)
  return { feature, value: Number.isNaN(value) ? null : value, contribution, sentence }
}

function explain(engine: Engine, asked: Asked): Explanation {
  const { result } = decide(engine, asked)
  const answered = answerLive(engine, asked)
  const { scored, evaluated } = answered
  const names = new Set(evaluated.fired.map(({ name }) => name))
  const failed = new Map(evaluated.failed.map((each) => [each.rule, whyRuleFailed(each)]))
  return {
    marginUnit: (scored?.by ?? engine.champion).predictor?.marginUnit ?? 'probability',
    base:
      scored === undefined ? null : (explanationOf(scored.by.predictor, scored.row)?.base ?? null),
    margin: result.margin,
    score: result.score,
    outcome: result.outcome,
    reasons:
      result.outcome === 'allow' ? reasonsFor(engine, { ...answered, fired: [] }) : result.reasons,
    contributions:
      scored === undefined ? [] : pushesOf(scored.by, scored.row).map((push) => said(engine, push)),
    rules: engine.document.policy.rules.map(({ name, when, then = null, reason }) => {
      return { name, then, when, reason, fired: names.has(name), failed: failed.get(name) ?? null }
    }),
  }
}
