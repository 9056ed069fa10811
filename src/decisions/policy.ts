// What decides: rules and thresholds over a model's score, declared once and compiled to data.
import { compileSource } from '../data/index.ts'
import type { CompiledSource, SourceDeclaration } from '../data/index.ts'
import { compileFeatureSet } from '../features/index.ts'
import type { CompiledFeatureSet, FeatureSetDeclaration } from '../features/index.ts'
import type { ThresholdRule } from '../learning/index.ts'
import { contentHash } from '../lib/hash.ts'
import { decisionErrors } from './errors.ts'
import { checkRules } from './rules.ts'

/** What the customer is told. People approve versions; a payment is allowed. */
export type Outcome = 'allow' | 'review' | 'decline'

/** The order in which outcomes win over one another, weakest first. */
export const outcomes: readonly Outcome[] = ['allow', 'review', 'decline']

/** A fixed score, or how it is found on the test rows at training (learning's `chooseThreshold`). */
export type DeclaredThreshold = number | ThresholdRule

export interface RuleDeclaration {
  readonly kind: 'rule'
  readonly name: string
  /** A CEL expression of type bool over `event` and `features`; money is a double in major units. */
  readonly when: string
  readonly then: Outcome
  /** A sentence that an analyst can say to a customer. */
  readonly reason: string
}

export interface PolicyOptions {
  readonly description?: string | undefined
  readonly source: SourceDeclaration
  readonly features: readonly FeatureSetDeclaration[]
  /** The registered model whose approved version scores the event. */
  readonly model: string
  readonly rules?: readonly RuleDeclaration[] | undefined
  readonly thresholds: { readonly decline: DeclaredThreshold; readonly review: DeclaredThreshold }
  /** How many reviews the people behind the queue can work in a day. */
  readonly reviewCapacityPerDay?: number | undefined
}

export interface PolicyDeclaration extends PolicyOptions {
  readonly kind: 'decision-policy'
  readonly name: string
}

export interface CompiledRule {
  readonly name: string
  readonly when: string
  readonly then: Outcome
  readonly reason: string
}

/** A policy as data: canonical JSON, named by its content. */
export interface CompiledPolicy {
  readonly kind: 'decision-policy'
  readonly name: string
  readonly version: string
  readonly description: string
  readonly source: { readonly name: string; readonly version: string }
  readonly featureSets: readonly { readonly name: string; readonly version: string }[]
  readonly model: string
  readonly rules: readonly CompiledRule[]
  readonly thresholds: { readonly decline: DeclaredThreshold; readonly review: DeclaredThreshold }
  readonly reviewCapacityPerDay: number | null
  /** The rule language and its version: a recorded decision names what evaluated it. */
  readonly ruleLanguage: 'cel-1'
}

/** Declares one rule of a policy. The first rule of the strongest outcome gives the main reason. */
export function rule(
  name: string,
  options: { readonly when: string; readonly then: Outcome; readonly reason: string },
): RuleDeclaration {
  return { kind: 'rule', name, ...options }
}

/** Declares a decision policy: rules and a model's score, judged by two thresholds. */
export function decisionPolicy(name: string, options: PolicyOptions): PolicyDeclaration {
  return { kind: 'decision-policy', name, ...options }
}

/**
 * Compiles a declaration to data and checks every rule against the contract and the features.
 * Errors: `policy_invalid`, `rule_invalid`.
 */
export function compilePolicy(declaration: PolicyDeclaration): CompiledPolicy {
  const source = compileSource(declaration.source)
  const featureSets = declaration.features.map((set) => compileFeatureSet(set))
  checkPolicy(declaration, source, featureSets)
  const body = {
    kind: 'decision-policy',
    name: declaration.name,
    description: declaration.description ?? '',
    source: { name: source.name, version: source.version },
    featureSets: featureSets.map(({ name, version }) => ({ name, version })),
    model: declaration.model,
    rules: (declaration.rules ?? []).map(({ name, when, then, reason }) => ({
      name,
      when,
      then,
      reason,
    })),
    thresholds: declaration.thresholds,
    reviewCapacityPerDay: declaration.reviewCapacityPerDay ?? null,
    ruleLanguage: 'cel-1',
  } as const
  return { ...body, version: contentHash(body) }
}

function checkPolicy(
  declaration: PolicyDeclaration,
  source: CompiledSource,
  featureSets: readonly CompiledFeatureSet[],
): void {
  const invalid = (detail: string) =>
    decisionErrors.policy_invalid(`policy "${declaration.name}": ${detail}`)
  if (!/^[a-z0-9][a-z0-9-]{0,62}$/.test(declaration.name)) {
    throw invalid('a name is 1 to 63 lower-case letters, digits and dashes')
  }
  const rules = declaration.rules ?? []
  const names = new Set(rules.map((each) => each.name))
  if (names.size !== rules.length) throw invalid('two rules have the same name')
  for (const each of rules) {
    if (!outcomes.includes(each.then)) {
      throw invalid(`rule "${each.name}" answers "${each.then}"; it may be ${outcomes.join(', ')}`)
    }
  }
  const { decline, review } = declaration.thresholds
  if (typeof decline === 'number' && typeof review === 'number' && review > decline) {
    throw invalid(`the review threshold ${review} lies above the decline threshold ${decline}`)
  }
  const foreign = featureSets.find((set) => set.source !== source.name)
  if (foreign !== undefined) {
    throw invalid(`feature set "${foreign.name}" is not computed from source "${source.name}"`)
  }
  checkRules(rules, source, featureSets)
}
