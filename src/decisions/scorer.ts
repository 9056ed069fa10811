// One model of a deployment made ready for the vectors of live state, and who answers where it does not.
import { predictor } from '../learning/index.ts'
import type { Predictor } from '../learning/index.ts'
import type { DeployedModel, ScoredBy } from './deployed.ts'
import { decisionErrors } from './errors.ts'
import type { Thresholds } from './judge.ts'
import type { Unanswered } from './records.ts'

/** A model that can be asked. */
export interface Scorer {
  /** `champion`, `last-good`, or the name of a challenger. */
  readonly name: string
  readonly model: DeployedModel
  readonly thresholds: Thresholds
  readonly predictor: Predictor
  /** Where each of the model's features stands in a vector. */
  readonly positions: readonly number[]
}

/** What one of them answered. */
export interface Scored {
  readonly by: Scorer
  /** The values of the model's own features. */
  readonly row: Float64Array
  readonly margin: number
  readonly score: number
}

/** Error: `deployment_invalid` where the model needs a feature that is not among the names. */
export function readyScorer(
  name: string,
  { model, thresholds }: ScoredBy,
  featureNames: readonly string[],
): Scorer {
  const ready = predictor(model.body, { lasting: true })
  if (ready.task !== 'binary') {
    throw decisionErrors.deployment_invalid('A policy needs a model that tells two classes apart.')
  }
  const positions = ready.features.map((feature) => {
    const position = featureNames.indexOf(feature)
    if (position >= 0) return position
    throw decisionErrors.deployment_invalid(
      `Model ${model.name} version ${model.number} needs the feature ${feature}, which the live state does not compute.`,
    )
  })
  return { name, model, thresholds, predictor: ready, positions }
}

/** Asks one after the other; a model that fails must not fail the customer. */
export function firstAnswer(
  ladder: readonly Scorer[],
  vector: Float64Array,
  down: ReadonlyMap<string, string>,
): { readonly scored: Scored | undefined; readonly unanswered: readonly Unanswered[] } {
  const unanswered: Unanswered[] = []
  for (const by of ladder) {
    const why = down.get(by.name)
    const answer = why ?? ask(by, vector)
    if (typeof answer !== 'string') return { scored: answer, unanswered }
    unanswered.push({ by: by.name, why: answer })
  }
  return { scored: undefined, unanswered }
}

/** A score, or why there is none. */
function ask(by: Scorer, vector: Float64Array): Scored | string {
  const row = Float64Array.from(by.positions, (position) => vector[position])
  try {
    const margin = by.predictor.margin(row)
    const score = by.predictor.score(row)
    if (Number.isNaN(score)) return 'It answered no number.'
    return { by, row, margin, score }
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

/** Strongest push towards the positive class first; equal ones in the order of the model. */
export function pushesOf({ predictor: model }: Scorer, row: Float64Array): Push[] {
  const { values } = model.explain(row)
  return model.features
    .map((feature, index): Push => {
      const contribution = values[index] === 0 ? 0 : values[index]
      return { feature, value: row[index], contribution }
    })
    .sort((a, b) => b.contribution - a.contribution)
}
