/**
 * Reason codes: what a person who is decided on can be told, in words that the bank wrote.
 *
 * A declaration maps every feature of a model to one reason; several features may share one, and
 * what they add is then added up before reasons are compared. A reason has words for both
 * directions. A declaration is data with a hash, which versions it: what was told can be told
 * again. At most four are told, the strongest first, and only those that really pushed the way that
 * is asked for (12 CFR 1002.9(b)(2) and its commentary: specific, principal, factors actually
 * scored, no more than four are likely to help).
 */
import { contentHash } from '../../lib/hash.ts'
import { fail } from '../errors.ts'

export type ReasonDeclaration = {
  /** Short, stable, unique: stands for the reason in records. */
  readonly code: string
  readonly features: readonly string[]
  /** Said where the features raised the score, and where they lowered it. */
  readonly raised: string
  readonly lowered: string
}

export type ToldReason = {
  readonly code: string
  readonly words: string
  /** What its features added to the margin together. */
  readonly contribution: number
  /** Those of its features that pushed the same way, the strongest first. */
  readonly features: readonly string[]
}

export type ReasonCodes = {
  readonly features: readonly string[]
  readonly reasons: readonly ReasonDeclaration[]
  /** SHA-256 of the canonical form. */
  readonly hash: string
  /**
   * The reasons that pushed the score one way, from Shapley values in the order of `features`;
   * equally strong ones in declared order. May be fewer than `most`, and none.
   */
  tell(values: Float64Array, direction: 'raised' | 'lowered', most?: number): ToldReason[]
}

export const REASONS_FORMAT = 'assay-reasons/1'

const TOLD_MAX = 4
const WORDS_MAX = 500

/**
 * Throws `reasons_invalid` where a feature of the model has no reason or two, a reason names a
 * feature that the model has not, or lacks words for a direction.
 */
export function reasonCodes(
  features: readonly string[],
  reasons: readonly ReasonDeclaration[],
): ReasonCodes {
  const owner = ownersOf(features, reasons)
  const document = {
    format: REASONS_FORMAT,
    features: [...features],
    reasons: reasons.map(({ code, features: own, raised, lowered }) => ({
      code,
      features: [...own],
      raised,
      lowered,
    })),
  }
  return {
    features: document.features,
    reasons: document.reasons,
    hash: contentHash(document),
    tell(values, direction, most = TOLD_MAX) {
      if (values.length !== features.length) {
        throw fail.features_mismatch(
          `There are ${values.length} values for the ${features.length} features of the reasons.`,
        )
      }
      if (!Number.isInteger(most) || most < 1 || most > TOLD_MAX) {
        throw fail.reasons_invalid(`"most" is ${most}; 1 to ${TOLD_MAX} reasons can be told.`)
      }
      const sign = direction === 'raised' ? 1 : -1
      const totals = new Float64Array(reasons.length)
      values.forEach((value, j) => (totals[owner[j]] += value))
      return document.reasons
        .map((reason, index) => ({ reason, contribution: totals[index] }))
        .filter(({ contribution }) => contribution * sign > 0)
        .sort((a, b) => sign * (b.contribution - a.contribution))
        .slice(0, most)
        .map(({ reason, contribution }) => ({
          code: reason.code,
          words: reason[direction],
          contribution,
          features: pushersOf(reason, features, values, sign),
        }))
    },
  }
}

function pushersOf(
  reason: ReasonDeclaration,
  features: readonly string[],
  values: Float64Array,
  sign: number,
): string[] {
  return reason.features
    .map((name) => ({ name, push: sign * values[features.indexOf(name)] }))
    .filter(({ push }) => push > 0)
    .sort((a, b) => b.push - a.push)
    .map(({ name }) => name)
}

/** The reason of each feature, by position. */
function ownersOf(features: readonly string[], reasons: readonly ReasonDeclaration[]): Int32Array {
  const owner = new Int32Array(features.length).fill(-1)
  const codes = new Set<string>()
  reasons.forEach((reason, index) => {
    const { code } = reason
    if (typeof code !== 'string' || code === '' || codes.has(code)) {
      throw fail.reasons_invalid(`The code "${code}" is empty or stands twice.`)
    }
    codes.add(code)
    for (const direction of ['raised', 'lowered'] as const) {
      const words: unknown = reason[direction]
      if (typeof words !== 'string' || words.trim() === '' || words.length > WORDS_MAX) {
        throw fail.reasons_invalid(
          `The reason "${code}" needs words for "${direction}", at most ${WORDS_MAX} characters.`,
        )
      }
    }
    if (reason.features.length === 0) {
      throw fail.reasons_invalid(`The reason "${code}" names no feature.`)
    }
    for (const name of reason.features) {
      const position = features.indexOf(name)
      if (position < 0) {
        throw fail.reasons_invalid(`The reason "${code}" names "${name}", which the model lacks.`)
      }
      if (owner[position] >= 0) {
        throw fail.reasons_invalid(`The feature "${name}" has two reasons.`)
      }
      owner[position] = index
    }
  })
  const without = features.filter((_, position) => owner[position] < 0)
  if (without.length > 0) {
    throw fail.reasons_invalid(`There is no reason for ${without.map((n) => `"${n}"`).join(', ')}.`)
  }
  return owner
}
