// What is said of a draft: its mistakes with their places, what its examples answer, and what it changes.
import { conditionInWords, targetInWords } from './actions.ts'
import type { CompiledSource } from '../data/index.ts'
import type { CompiledFeatureSet } from '../features/index.ts'
import { canonicalJson } from '../lib/canonical-json.ts'
import { isAssayError } from '../lib/errors.ts'
import type { DeployedPolicy } from './deployed.ts'
import { judge, sumTypologies } from './judge.ts'
import { fallbackDefaults, policyMistakes } from './policy.ts'
import type { CompiledPolicy, CompiledRule } from './policy.ts'
import type { RuleTest, RuleTestResult } from './policy-changes.ts'
import { checkRules, readyRules, whyRuleFailed } from './rules.ts'

/** One thing that keeps a policy from being used. */
export interface PolicyMistake {
  /** The rule it is in; null where it is in none, or in its name. */
  readonly rule: string | null
  /** The character of the rule's expression, from 1. */
  readonly at: number | null
  readonly sentence: string
}

/** All mistakes of a policy as data; empty where it can be used. */
export function mistakesOf(
  policy: CompiledPolicy,
  source: CompiledSource,
  featureSets: readonly CompiledFeatureSet[],
): PolicyMistake[] {
  const found: PolicyMistake[] = [...policyMistakes(policy, source)].map((sentence) => {
    return { rule: null, at: null, sentence }
  })
  for (const rule of policy.rules) {
    if (!/\S/.test(rule.name) || rule.name.length > 100) {
      found.push({ rule: null, at: null, sentence: 'A rule needs a name of 1 to 100 characters' })
    }
    if (!/\S/.test(rule.reason)) {
      found.push({ rule: rule.name, at: null, sentence: `rule "${rule.name}" needs a reason` })
    }
    try {
      checkRules(
        { rules: [rule], ...(policy.lists && { lists: policy.lists }) },
        source,
        featureSets,
      )
    } catch (error) {
      if (!isAssayError(error, 'rule_invalid')) throw error
      const at = error.extra?.['at']
      const place = typeof at === 'number' ? at : null
      found.push({ rule: rule.name, at: place, sentence: error.detail })
    }
  }
  const { review, decline } = policy.thresholds
  if (typeof review === 'number' && typeof decline === 'number' && review > decline) {
    const sentence = `The review threshold ${review} lies above the decline threshold ${decline}`
    found.push({ rule: null, at: null, sentence })
  }
  return found
}

/** What each example answers by the rules of a document, and whether that is what it asks for. */
export function runTests(
  { policy, source, featureSets, thresholds }: DeployedPolicy,
  tests: readonly RuleTest[],
): RuleTestResult[] {
  const names = featureSets.flatMap((set) => set.features.map(({ name }) => name))
  const rules = readyRules(policy, source, names)
  return tests.map(({ name, event, features, score, listed, expect }) => {
    const row = source.columns.map((column) => event[column.name])
    const vector = Float64Array.from(names, (feature) => features[feature] ?? Number.NaN)
    const scope = { score: score ?? Number.NaN, isListed: (list: string) => listed.includes(list) }
    const evaluated = rules.evaluate(row, vector, scope)
    const counting = evaluated.fired.filter(({ mode }) => mode !== 'shadow')
    const points = sumTypologies(policy.typologies ?? [], counting)
    const fallback = (policy.fallback ?? fallbackDefaults).outcome
    const { outcome } = judge(scope.score, counting, points, { thresholds, fallback })
    const fired = evaluated.fired.map((rule) => rule.name)
    const differences: string[] = []
    if (expect.outcome !== undefined && expect.outcome !== outcome) {
      differences.push(`it answers ${outcome}, not ${expect.outcome}`)
    }
    if (expect.rules !== undefined && !isSameSet(expect.rules, fired)) {
      const say = (of: readonly string[]) => of.join(', ') || 'no rule'
      differences.push(`${say(fired)} fired, not ${say(expect.rules)}`)
    }
    const sentence = [
      differences.join('; ') || `It answers ${outcome}`,
      ...evaluated.failed.map((each) => {
        return `rule ${each.rule} could not be calculated on it (${whyRuleFailed(each)})`
      }),
    ].join('; ')
    return { name, passed: differences.length === 0, outcome, rules: fired, sentence }
  })
}

function isSameSet(a: readonly string[], b: readonly string[]): boolean {
  return canonicalJson(a.toSorted()) === canonicalJson(b.toSorted())
}

/** What one policy changes of another, in sentences; empty where both are the same. */
export function differenceOf(from: CompiledPolicy, to: CompiledPolicy): string[] {
  return [
    ...namedDifference('Rule', from.rules, to.rules, sayRule),
    ...namedDifference('List', from.lists ?? [], to.lists ?? [], ({ column }) => `on ${column}`),
    ...namedDifference('Action', from.actions ?? [], to.actions ?? [], (action) => {
      const signed = 'secret' in action.to ? `, signed by ${action.to.secret ?? ''}` : ''
      return `${conditionInWords(action)} to ${targetInWords(action.to)}${signed}`
    }),
    ...namedDifference('Typology', from.typologies ?? [], to.typologies ?? [], (typology) => {
      const weights = Object.entries(typology.weights).map(([rule, points]) => `${rule} ${points}`)
      return `${weights.join(', ')}; alert from ${typology.alert}, interdict from ${typology.interdict ?? 'never'}`
    }),
    ...order(from.rules, to.rules),
    ...partDifference('The review threshold', from.thresholds.review, to.thresholds.review),
    ...partDifference('The decline threshold', from.thresholds.decline, to.thresholds.decline),
    ...partDifference('The fallback', from.fallback ?? null, to.fallback ?? null),
    ...partDifference('The capacity', from.reviewCapacityPerDay, to.reviewCapacityPerDay),
    ...partDifference('The description', from.description, to.description),
    ...partDifference('The source', from.source, to.source),
    ...partDifference('The features', from.featureSets, to.featureSets),
    ...partDifference('The model', from.model, to.model),
  ]
}

function sayRule({ when, then, priority = 0, capPerHour, mode, reason }: CompiledRule): string {
  const more = [
    `then ${then ?? 'nothing (a signal)'}`,
    ...(priority === 0 ? [] : [`priority ${priority}`]),
    ...(capPerHour === undefined ? [] : [`at most ${capPerHour} an hour`]),
    ...(mode === undefined ? [] : ['in shadow']),
  ]
  return `when ${when} ${more.join(', ')}; “${reason}”`
}

function namedDifference<T extends { readonly name: string }>(
  what: string,
  from: readonly T[],
  to: readonly T[],
  say: (of: T) => string,
): string[] {
  const before = new Map(from.map((each) => [each.name, each]))
  const after = new Map(to.map((each) => [each.name, each]))
  return [
    ...from.filter(({ name }) => !after.has(name)).map(({ name }) => `${what} ${name} is removed`),
    ...to.flatMap((each) => {
      const was = before.get(each.name)
      if (was === undefined) return [`${what} ${each.name} is new: ${say(each)}`]
      if (canonicalJson(was) === canonicalJson(each)) return []
      return [`${what} ${each.name}: ${say(was)} → ${say(each)}`]
    }),
  ]
}

/** The order of rules decides which reason is said first. */
function order(from: readonly CompiledRule[], to: readonly CompiledRule[]): string[] {
  const both = (of: readonly CompiledRule[], other: readonly CompiledRule[]) =>
    of.map(({ name }) => name).filter((name) => other.some((each) => each.name === name))
  const [was, is] = [both(from, to), both(to, from)]
  return was.join('\n') === is.join('\n') ? [] : ['The order of the rules']
}

function partDifference(what: string, from: unknown, to: unknown): string[] {
  const [was, is] = [canonicalJson(from), canonicalJson(to)]
  return was === is ? [] : [`${what}: ${was} → ${is}`]
}

/**
 * The live policy with what a draft changes beside it: rules that are new or changed run in shadow, under
 * a name of their own where the live one goes on; nothing that is answered changes.
 */
export function shadowOf(base: CompiledPolicy, draft: CompiledPolicy): CompiledRule[] {
  const live = new Map(base.rules.map((rule) => [rule.name, rule]))
  const taken = new Set(live.keys())
  const beside = draft.rules.flatMap((rule): CompiledRule[] => {
    const was = live.get(rule.name)
    if (was !== undefined && canonicalJson(was) === canonicalJson(rule)) return []
    let name = was === undefined ? rule.name : `${rule.name}-draft`
    while (taken.has(name)) name += '-draft'
    taken.add(name)
    return [{ ...rule, name, mode: 'shadow' }]
  })
  return [...base.rules, ...beside]
}
