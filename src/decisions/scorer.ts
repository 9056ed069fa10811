// One model of a deployment made ready for the vectors of live state, and who answers where it does not.
import { predictor, reasonCodes } from '../learning/index.ts'
import type { Explanation, Predictor, ReasonCodes, ReasonDeclaration } from '../learning/index.ts'
import { isAssayError } from '../lib/errors.ts'
import type { DeployedModel, ScoredBy } from './deployed.ts'
import type { Circumstances } from './engine.ts'
import { decisionErrors } from './errors.ts'
import type { Thresholds } from './judge.ts'
import type { Unanswered } from './records.ts'

/** A model that can be asked. */
export interface Scorer {
  /** `champion`, `last-good`, or the name of a challenger. */
  readonly name: string
  readonly model: DeployedModel
  readonly thresholds: Thresholds
  /** Undefined for a model outside of the process. */
  readonly predictor: Predictor | undefined
  /** Where each of the model's features stands in a vector. */
  readonly positions: readonly number[]
  /** What is told of its score, where the policy declares that. */
  readonly codes: ReasonCodes | undefined
}

/** What one of them answered. */
export interface Scored {
  readonly by: Scorer
  /** The values of the model's own features. */
  readonly row: Float64Array
  /** Null where the model tells a chance alone. */
  readonly margin: number | null
  readonly score: number
}

/** What models outside of the process answered, by hash: a score, or why there is none. */
export type OutsideAnswers = ReadonlyMap<string, number | string>

/** Margins and scores of models on one event, by hash. */
export type KnownScores = Map<string, { readonly margin: number | null; readonly score: number }>

/** Error: `deployment_invalid` where the model needs a feature that is not among the names. */
export function readyScorer(
  name: string,
  { model, thresholds }: ScoredBy,
  featureNames: readonly string[],
  reasons: readonly ReasonDeclaration[] | undefined,
): Scorer {
  const { body } = model
  const ready = body.kind === 'outside' ? undefined : predictor(body, { lasting: true })
  if (ready !== undefined && ready.task !== 'binary') {
    throw decisionErrors.deployment_invalid('A policy needs a model that tells two classes apart.')
  }
  const { features } = ready ?? body
  const positions = features.map((feature) => {
    const position = featureNames.indexOf(feature)
    if (position >= 0) return position
    throw decisionErrors.deployment_invalid(
      `Model ${model.name} version ${model.number} needs the feature ${feature}, which the live state does not compute.`,
    )
  })
  const codes = reasons && reasonCodes(features, reasonsOf(features, reasons))
  return { name, model, thresholds, predictor: ready, positions, codes }
}

/** A model may read fewer features than its policy. */
function reasonsOf(
  features: readonly string[],
  reasons: readonly ReasonDeclaration[],
): readonly ReasonDeclaration[] {
  return reasons.flatMap((reason) => {
    const own = reason.features.filter((feature) => features.includes(feature))
    return own.length === 0 ? [] : [{ ...reason, features: own }]
  })
}

/** The values of a model's own features. */
export function modelRow({ positions }: Scorer, vector: Float64Array): Float64Array {
  const row = new Float64Array(positions.length)
  for (let i = 0; i < row.length; i++) row[i] = vector[positions[i]]
  return row
}

/** Asks one after the other; a model that fails must not fail the customer. */
export function firstAnswer(
  ladder: readonly Scorer[],
  vector: Float64Array,
  { unanswered: down, outside, scores }: Pick<Circumstances, 'unanswered' | 'outside' | 'scores'>,
): { readonly scored: Scored | undefined; readonly unanswered: readonly Unanswered[] } {
  const unanswered: Unanswered[] = []
  for (const by of ladder) {
    const answer = down.get(by.name) ?? ask(by, modelRow(by, vector), outside, scores)
    if (typeof answer !== 'string') return { scored: answer, unanswered }
    unanswered.push({ by: by.name, why: answer })
  }
  return { scored: undefined, unanswered }
}

/** Whether a model inside the process has a score for these values. */
export function answersInside(by: Scorer, vector: Float64Array): boolean {
  return typeof ask(by, modelRow(by, vector), new Map()) !== 'string'
}

/** A score, or why there is none. */
function ask(
  by: Scorer,
  row: Float64Array,
  outside: OutsideAnswers,
  scores?: KnownScores,
): Scored | string {
  if (by.predictor === undefined) {
    const answer = outside.get(by.model.version) ?? 'It was not asked'
    return typeof answer === 'string' ? answer : { by, row, margin: null, score: answer }
  }
  try {
    const said = scores?.get(by.model.version) ?? by.predictor.marginAndScore(row)
    scores?.set(by.model.version, said)
    return { by, row, ...said }
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** What one feature added to the margin. */
export interface Push {
  readonly feature: string
  readonly value: number
  readonly contribution: number
}

/** Undefined for a model that tells no contributions. */
export function explanationOf(
  model: Predictor | undefined,
  row: Float64Array,
): Explanation | undefined {
  try {
    return model?.explain(row)
  } catch (error) {
    if (isAssayError(error, 'explanation_unavailable')) return undefined
    throw error
  }
}

/**
 * Strongest push towards the positive class first; equal ones in the order of the model. None for a
 * model outside of the process, which tells no contributions.
 */
export function pushesOf({ predictor: model }: Scorer, row: Float64Array): Push[] {
  const explanation = explanationOf(model, row)
  if (model === undefined || explanation === undefined) return []
  const { values } = explanation
  return model.features
    .map((feature, index): Push => {
      const contribution = values[index] === 0 ? 0 : values[index]
      return { feature, value: row[index], contribution }
    })
    .sort((a, b) => b.contribution - a.contribution)
}
