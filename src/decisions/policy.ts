// What decides: rules and thresholds over a model's score, declared once and compiled to data.
import { compileSource } from '../data/index.ts'
import type { CompiledSource, SourceDeclaration } from '../data/index.ts'
import { compileFeatureSet } from '../features/index.ts'
import type { CompiledFeatureSet, FeatureSetDeclaration } from '../features/index.ts'
import { reasonCodes, type ReasonDeclaration, type ThresholdRule } from '../learning/index.ts'
import { isAssayError } from '../lib/errors.ts'
import { contentHash } from '../lib/hash.ts'
import { isOneLine } from '../lib/one-line.ts'
import { actionMistakes, compileAction } from './actions.ts'
import type { ActionDeclaration, CompiledAction } from './actions.ts'
import { caseMistakes, type CaseOptions } from './case-options.ts'
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
  /**
   * A CEL expression of type bool over `event`, `features`, `score` and `listed("name")`; money is a
   * double in major units.
   */
  readonly when: string
  /** Missing for a signal: it is recorded, and asks for nothing but what typologies make of it. */
  readonly then?: Outcome | undefined
  /** A sentence that an analyst can say to a customer. */
  readonly reason: string
  /**
   * 0 (the default) to 100. Of the rules that fire those of the highest priority decide; above 0 they
   * decide over the score too.
   */
  readonly priority?: number | undefined
  /** Firings in one hour of the source's clock, beyond which the rule pauses itself. */
  readonly capPerHour?: number | undefined
  /** A rule in `shadow` is evaluated and recorded on all traffic, and asks for nothing. */
  readonly mode?: 'live' | 'shadow' | undefined
}

/** A list whose entries people add and remove while the policy decides, each until it expires. */
export interface ListDeclaration {
  readonly kind: 'list'
  readonly name: string
  /** The column of the source whose value is looked for. */
  readonly column: string
  readonly description: string
}

/** What several rules together mean: the weights of those that fired, summed up. */
export interface TypologyDeclaration {
  readonly kind: 'typology'
  readonly name: string
  /** Points by name of rule. */
  readonly weights: Readonly<Record<string, number>>
  /** Points from which it asks for a review. */
  readonly alert: number
  /** Points from which it asks to decline. */
  readonly interdict?: number | undefined
  readonly reason: string
}

/** What answers when the model does not: the steps are taken in this order, each that can answer ends it. */
export interface FallbackOptions {
  /** The model has this long, ms; default 50. A model inside the process needs microseconds. */
  readonly deadlineMs?: number | undefined
  /** Whether the version that was live before answers next; default true. */
  readonly lastGood?: boolean | undefined
  /** What is answered where no rule asks for anything either; default `review`. */
  readonly outcome?: Outcome | undefined
  /** After so many failures in a row the model is not asked for a while; default 5. */
  readonly failures?: number | undefined
  /** That while, seconds; default 10. */
  readonly pauseS?: number | undefined
}

export interface PolicyOptions {
  readonly description?: string | undefined
  readonly source: SourceDeclaration
  readonly features: readonly FeatureSetDeclaration[]
  /** The registered model whose approved version scores the event. */
  readonly model: string
  readonly rules?: readonly RuleDeclaration[] | undefined
  readonly lists?: readonly ListDeclaration[] | undefined
  readonly typologies?: readonly TypologyDeclaration[] | undefined
  readonly thresholds: { readonly decline: DeclaredThreshold; readonly review: DeclaredThreshold }
  /**
   * What a customer is told of the score, in words of the bank: each feature of the policy belongs to
   * one reason, and features of one reason are added up. Without it a feature is said in its own words.
   */
  readonly reasons?: readonly ReasonDeclaration[] | undefined
  readonly fallback?: FallbackOptions | undefined
  /** Who is told of decisions, after they are answered. */
  readonly actions?: readonly ActionDeclaration[] | undefined
  /** How many reviews the people behind the queue can work in a day. */
  readonly reviewCapacityPerDay?: number | undefined
  /** How alerts become cases, by when they are due, and who closes them. */
  readonly cases?: CaseOptions | undefined
}

export interface PolicyDeclaration extends PolicyOptions {
  readonly kind: 'decision-policy'
  readonly name: string
}

/** What is not declared is absent, so that a policy without it keeps its hash. */
export interface CompiledRule {
  readonly name: string
  readonly when: string
  readonly then?: Outcome
  readonly reason: string
  readonly priority?: number
  readonly capPerHour?: number
  readonly mode?: 'shadow'
}

export interface CompiledList {
  readonly name: string
  readonly column: string
  readonly description: string
}

export interface CompiledTypology {
  readonly name: string
  readonly weights: Readonly<Record<string, number>>
  readonly alert: number
  readonly interdict: number | null
  readonly reason: string
}

export interface CompiledFallback {
  readonly deadlineMs: number
  readonly lastGood: boolean
  readonly outcome: Outcome
  readonly failures: number
  readonly pauseS: number
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
  readonly lists?: readonly CompiledList[]
  readonly typologies?: readonly CompiledTypology[]
  readonly thresholds: { readonly decline: DeclaredThreshold; readonly review: DeclaredThreshold }
  readonly reasons?: readonly ReasonDeclaration[]
  readonly fallback?: CompiledFallback
  readonly actions?: readonly CompiledAction[]
  readonly reviewCapacityPerDay: number | null
  readonly cases?: CaseOptions
  /** The rule language and its version: a recorded decision names what evaluated it. */
  readonly ruleLanguage: 'cel-1'
}

/** Declares one rule of a policy. The first rule of the strongest outcome gives the main reason. */
export function rule(
  name: string,
  options: Omit<RuleDeclaration, 'kind' | 'name'>,
): RuleDeclaration {
  return { kind: 'rule', name, ...options }
}

/**
 * Declares a list of values of a column, such as blocked cards; rules ask `listed("name")`. What is on
 * it is changed while the policy decides, by people, with a reason and until a time.
 */
export function list(
  name: string,
  options: { readonly column: string; readonly description?: string },
): ListDeclaration {
  return { kind: 'list', name, column: options.column, description: options.description ?? '' }
}

/** Declares a typology: rules that mean more together than each alone. */
export function typology(
  name: string,
  options: Omit<TypologyDeclaration, 'kind' | 'name'>,
): TypologyDeclaration {
  return { kind: 'typology', name, ...options }
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
  const { lists = [], typologies = [], reasons = [], fallback, actions = [] } = declaration
  const body = {
    kind: 'decision-policy',
    name: declaration.name,
    description: declaration.description ?? '',
    source: { name: source.name, version: source.version },
    featureSets: featureSets.map(({ name, version }) => ({ name, version })),
    model: declaration.model,
    rules: (declaration.rules ?? []).map(compileRule),
    ...(lists.length > 0 && {
      lists: lists.map(({ name, column, description }) => ({ name, column, description })),
    }),
    ...(typologies.length > 0 && { typologies: typologies.map(compileTypology) }),
    thresholds: declaration.thresholds,
    ...(reasons.length > 0 && { reasons: compileReasons(declaration.name, reasons, featureSets) }),
    ...(fallback !== undefined && { fallback: { ...fallbackDefaults, ...stated(fallback) } }),
    ...(actions.length > 0 && { actions: actions.map(compileAction) }),
    reviewCapacityPerDay: declaration.reviewCapacityPerDay ?? null,
    ...(declaration.cases !== undefined && { cases: stated(declaration.cases) }),
    ruleLanguage: 'cel-1',
  } as const
  checkPolicy(body, source, featureSets)
  return { ...body, version: contentHash(body) }
}

/** What people change of a policy in a draft; all else stays as it is declared. */
export interface PolicyParts {
  readonly description: string
  readonly rules: readonly Omit<RuleDeclaration, 'kind'>[]
  readonly lists: readonly CompiledList[]
  readonly typologies: readonly Omit<TypologyDeclaration, 'kind'>[]
  readonly thresholds: CompiledPolicy['thresholds']
  readonly fallback: FallbackOptions | null
  readonly reviewCapacityPerDay: number | null
  /** Those of the policy, where nothing is said. */
  readonly actions?: readonly Omit<ActionDeclaration, 'kind'>[] | undefined
}

/** A policy with other parts, in its one canonical form; it is not checked (`checkPolicy`). */
export function withParts(base: CompiledPolicy, parts: PolicyParts): CompiledPolicy {
  const { lists, typologies, fallback, actions = base.actions ?? [] } = parts
  const { version: _, lists: _l, typologies: _t, fallback: _f, actions: _a, ...rest } = base
  const body = {
    ...rest,
    description: parts.description,
    rules: parts.rules.map((rule) => compileRule({ kind: 'rule', ...rule })),
    ...(lists.length > 0 && {
      lists: lists.map(({ name: list, column, description }) => {
        return { name: list, column, description }
      }),
    }),
    ...(typologies.length > 0 && {
      typologies: typologies.map((each) => compileTypology({ kind: 'typology', ...each })),
    }),
    thresholds: parts.thresholds,
    ...(fallback !== null && { fallback: { ...fallbackDefaults, ...stated(fallback) } }),
    ...(actions.length > 0 && {
      actions: actions.map((each) => compileAction({ kind: 'action', ...each })),
    }),
    reviewCapacityPerDay: parts.reviewCapacityPerDay,
  }
  return { ...body, version: contentHash(body) }
}

/** The parts of a policy that people change. */
export function partsOf(policy: CompiledPolicy): PolicyParts {
  const { description, rules, thresholds, reviewCapacityPerDay } = policy
  return {
    description,
    rules,
    thresholds,
    reviewCapacityPerDay,
    lists: policy.lists ?? [],
    typologies: (policy.typologies ?? []).map(({ interdict, ...rest }) => ({
      ...rest,
      ...(interdict !== null && { interdict }),
    })),
    fallback: policy.fallback ?? null,
    actions: policy.actions ?? [],
  }
}

/** What holds where a policy declares no fallback. */
export const fallbackDefaults: CompiledFallback = {
  deadlineMs: 50,
  lastGood: true,
  outcome: 'review',
  failures: 5,
  pauseS: 10,
}

function compileRule(declared: RuleDeclaration): CompiledRule {
  const { name, when, then, reason, priority = 0, capPerHour, mode } = declared
  return {
    name,
    when,
    ...(then !== undefined && { then }),
    reason,
    ...(priority !== 0 && { priority }),
    ...(capPerHour !== undefined && { capPerHour }),
    ...(mode !== undefined && mode !== 'live' && { mode }),
  }
}

/** Error: `policy_invalid` where a feature has no reason or two, or words are missing. */
function compileReasons(
  policy: string,
  reasons: readonly ReasonDeclaration[],
  featureSets: readonly CompiledFeatureSet[],
): readonly ReasonDeclaration[] {
  const features = featureSets.flatMap((set) => set.features.map(({ name }) => name))
  try {
    return reasonCodes(features, reasons).reasons
  } catch (error) {
    if (!isAssayError(error)) throw error
    throw decisionErrors.policy_invalid(`policy "${policy}": ${error.detail}`, { cause: error })
  }
}

function compileTypology(declared: TypologyDeclaration): CompiledTypology {
  const { name, weights, alert, interdict = null, reason } = declared
  return { name, weights, alert, interdict, reason }
}

function stated<T extends object>(options: T): { [Key in keyof T]?: Exclude<T[Key], undefined> } {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined)
  return Object.fromEntries(entries) as { [Key in keyof T]?: Exclude<T[Key], undefined> }
}

type Unnamed = Omit<CompiledPolicy, 'version'>

/** Checks a policy as data. Errors: `policy_invalid`, `rule_invalid` (its place in `extra`). */
export function checkPolicy(
  policy: Unnamed,
  source: CompiledSource,
  featureSets: readonly CompiledFeatureSet[],
): void {
  const invalid = (detail: string) =>
    decisionErrors.policy_invalid(`policy "${policy.name}": ${detail}`)
  if (!NAME.test(policy.name)) throw invalid(`a name is ${NAMES_ARE}`)
  const { decline, review } = policy.thresholds
  if (typeof decline === 'number' && typeof review === 'number' && review > decline) {
    throw invalid(`the review threshold ${review} lies above the decline threshold ${decline}`)
  }
  const foreign = featureSets.find((set) => set.source !== source.name)
  if (foreign !== undefined) {
    throw invalid(`feature set "${foreign.name}" is not computed from source "${source.name}"`)
  }
  const [mistake] = policyMistakes(policy, source)
  if (mistake !== undefined) throw invalid(mistake)
  checkRules(policy, source, featureSets)
}

const NAME = /^[a-z0-9][a-z0-9-]{0,62}$/
const NAMES_ARE = '1 to 63 lower-case letters, digits and dashes'

/** What is wrong with a policy beside its expressions. */
export function* policyMistakes(policy: Unnamed, source: CompiledSource): Generator<string> {
  yield* ruleMistakes(policy.rules)
  yield* listMistakes(policy.lists ?? [], source)
  yield* typologyMistakes(policy.typologies ?? [], policy.rules)
  if (policy.fallback !== undefined) yield* fallbackMistakes(policy.fallback)
  if (policy.cases !== undefined) yield* caseMistakes(policy.cases, source)
  const names = policy.rules.map(({ name }) => name)
  yield* actionMistakes(policy.actions ?? [], { outcomes, rules: names })
}

function* ruleMistakes(rules: readonly CompiledRule[]): Generator<string> {
  if (isTwice(rules)) yield 'two rules have the same name'
  for (const { name, then, reason, priority = 0, capPerHour = 1, mode = 'shadow' } of rules) {
    yield* lineMistakes('rule', name, { name, reason })
    if (then !== undefined && !outcomes.includes(then)) {
      yield `rule "${name}" answers "${then}"; it may be ${outcomes.join(', ')}`
    }
    if (!isWhole(priority, 0, 100)) yield `the priority of rule "${name}" must be 0 to 100`
    if (!isWhole(capPerHour, 1, 1e9)) yield `the cap of rule "${name}" must be 1 or more an hour`
    if (mode !== 'shadow') yield `the mode of rule "${name}" may be live or shadow`
  }
}

const LISTED_KINDS: readonly string[] = ['id', 'key', 'text', 'category']

function* listMistakes(lists: readonly CompiledList[], source: CompiledSource): Generator<string> {
  if (isTwice(lists)) yield 'two lists have the same name'
  for (const { name, column } of lists) {
    if (!NAME.test(name)) yield `the name of the list "${name}" must be ${NAMES_ARE}`
    const found = source.columns.find((each) => each.name === column)
    if (found === undefined)
      yield `list "${name}": source "${source.name}" has no column "${column}"`
    else if (!LISTED_KINDS.includes(found.kind)) {
      yield `list "${name}": the column "${column}" is of kind ${found.kind}; it may be ${LISTED_KINDS.join(', ')}`
    }
  }
}

function* typologyMistakes(
  typologies: readonly CompiledTypology[],
  rules: readonly CompiledRule[],
): Generator<string> {
  if (isTwice(typologies)) yield 'two typologies have the same name'
  for (const { name, weights, alert, interdict, reason } of typologies) {
    yield* lineMistakes('typology', name, { name, reason })
    const points = Object.entries(weights)
    if (points.length === 0) yield `typology "${name}" weighs no rule`
    for (const [of, weight] of points) {
      if (!rules.some((each) => each.name === of))
        yield `typology "${name}": there is no rule "${of}"`
      if (!isWhole(weight, -1e6, 1e6)) {
        yield `typology "${name}": the weight of "${of}" must be a whole number`
      }
    }
    if (!isWhole(alert, 1, 1e9)) yield `typology "${name}": alert must be a whole number above 0`
    if (interdict !== null && (!isWhole(interdict, 1, 1e9) || interdict < alert)) {
      yield `typology "${name}": interdict must be a whole number, and not below alert`
    }
  }
}

/** What people read in tables, logs and answers is one line; a control character there shows as another text. */
function* lineMistakes(
  kind: string,
  name: string,
  texts: Readonly<Record<string, string>>,
): Generator<string> {
  for (const [what, text] of Object.entries(texts)) {
    if (!isOneLine(text)) {
      yield `the ${what} of ${kind} ${JSON.stringify(name)} must be one line without control characters`
    }
  }
}

function* fallbackMistakes(fallback: CompiledFallback): Generator<string> {
  const { deadlineMs, outcome, failures, pauseS } = fallback
  if (!isWhole(deadlineMs, 1, 10_000)) yield 'the deadline of the model must be 1 to 10,000 ms'
  if (!outcomes.includes(outcome)) yield `the fallback outcome may be ${outcomes.join(', ')}`
  if (!isWhole(failures, 1, 1000)) yield 'failures of the fallback must be 1 to 1,000'
  if (!isWhole(pauseS, 1, 3600)) yield 'pauseS of the fallback must be 1 to 3,600'
}

function isTwice(named: readonly { readonly name: string }[]): boolean {
  return new Set(named.map(({ name }) => name)).size !== named.length
}

function isWhole(value: number, from: number, to: number): boolean {
  return Number.isSafeInteger(value) && value >= from && value <= to
}
