import { describe, expect, test } from 'vitest'
import { behaviour, deployment, payments, policy } from '../../test/small-bank.ts'
import { compileFeatureSet } from '../features/index.ts'
import { isAssayError } from '../lib/errors.ts'
import { createEngine, usualCircumstances } from './engine.ts'
import { action } from './actions.ts'
import { differenceOf } from './draft-checks.ts'
import {
  compilePolicy,
  decisionPolicy,
  list,
  partsOf,
  rule,
  typology,
  withParts,
} from './policy.ts'
import type { PolicyOptions } from './policy.ts'

const usual: PolicyOptions = {
  source: payments,
  features: [behaviour],
  model: 'card-fraud',
  thresholds: { decline: 0.9, review: 0.5 },
}
const compiled = (over: Partial<PolicyOptions>) =>
  compilePolicy(decisionPolicy('card', { ...usual, ...over }))

function refusal(over: Partial<PolicyOptions>): string {
  try {
    compiled(over)
  } catch (error) {
    return isAssayError(error, 'policy_invalid') ? error.detail : `unexpected: ${String(error)}`
  }
  return 'accepted'
}

test('what a policy does not declare leaves no trace in it, so that its hash stays', () => {
  const plain = compilePolicy(policy)
  expect(Object.keys(plain)).toEqual([
    'kind',
    'name',
    'description',
    'source',
    'featureSets',
    'model',
    'rules',
    'thresholds',
    'reviewCapacityPerDay',
    'ruleLanguage',
    'version',
  ])
  expect(plain.rules[0]).toEqual({
    name: 'huge',
    when: 'event.amount > 5000.0',
    then: 'decline',
    reason: 'The amount is huge',
  })
})

test('a draft may say who is told; where it says nothing, whoever was told before is', () => {
  const tell = { name: 'tell-desk', to: { webhook: 'https://desk.bank.example/x', secret: 'desk' } }
  const base = compiled({ actions: [action('tell-desk', { to: tell.to })] })
  const { actions, ...others } = partsOf(base)
  expect(actions).toEqual([tell])
  expect(withParts(base, partsOf(base))).toEqual(base)
  expect(withParts(base, others)).toEqual(base)
  const none = withParts(base, { ...others, actions: [] })
  expect(none).toEqual(compiled({}))
  const stream = { name: 'stream', to: { topic: 'decided' }, outcomes: ['decline'] as const }
  const more = withParts(base, { ...others, actions: [tell, stream] })
  expect(differenceOf(base, more)).toEqual(['Action stream is new: decline to topic decided'])
  expect(differenceOf(base, none)).toEqual(['Action tell-desk is removed'])
})

test('a policy declares lists, signals, typologies, caps and what answers without a model', () => {
  const made = compiled({
    lists: [list('blocked-customers', { column: 'customer' })],
    rules: [
      rule('blocked', {
        when: 'listed("blocked-customers")',
        then: 'decline',
        reason: 'Blocked',
        priority: 10,
      }),
      rule('large', { when: 'event.amount > 100.0', reason: 'Large', capPerHour: 5 }),
      rule('tried', { when: 'score > 0.4', then: 'review', reason: 'Tried', mode: 'shadow' }),
    ],
    typologies: [typology('odd', { weights: { large: 3 }, alert: 3, reason: 'Odd' })],
    fallback: { outcome: 'allow' },
  })
  expect(made).toMatchObject({
    lists: [{ name: 'blocked-customers', column: 'customer', description: '' }],
    rules: [{ priority: 10 }, { capPerHour: 5 }, { mode: 'shadow' }],
    typologies: [{ name: 'odd', weights: { large: 3 }, alert: 3, interdict: null }],
    fallback: { outcome: 'allow', deadlineMs: 50, lastGood: true, failures: 5, pauseS: 10 },
  })
  expect(made.rules[1]).not.toHaveProperty('then')
})

describe('reasons', () => {
  const names = compileFeatureSet(behaviour).features.map(({ name }) => name)
  const [first, ...rest] = names
  const reasons = [
    { code: 'A1', features: [first], raised: 'The amount is high', lowered: 'It is low' },
    { code: 'C9', features: rest, raised: 'Unusual behaviour', lowered: 'Usual behaviour' },
  ]

  test('are the words that an answer gives for a score, features of one reason added up', () => {
    const policyWithReasons = compiled({ reasons })
    const engine = createEngine(deployment({ policy: policyWithReasons }), names)
    const row = ['p1', 0, 1, 1, 300_000]
    const vector = Float64Array.from(names, () => 900)
    const { result } = engine.decide(row, vector, usualCircumstances)
    expect(result.outcome).toBe('decline')
    expect(result.reasons.map(({ name, sentence }) => `${name}: ${sentence}`)).toEqual(
      expect.arrayContaining(['C9: Unusual behaviour', 'A1: The amount is high']),
    )
    expect(result.reasons).toHaveLength(2)
  })

  test('cover every feature, each once', () => {
    expect(refusal({ reasons: [reasons[0]] })).toContain(rest[0])
    expect(refusal({ reasons: [...reasons, { ...reasons[0], code: 'A2' }] })).toContain(first)
  })
})

describe('a policy is refused in words', () => {
  const r = (name: string, over: object = {}) => rule(name, { when: 'true', reason: 'r', ...over })
  const odd = { weights: { a: 3 }, alert: 3, reason: 'Odd' }
  test.each<[string, Partial<PolicyOptions>, string]>([
    ['two rules of one name', { rules: [r('a'), r('a')] }, 'two rules have the same name'],
    ['a name with a control character', { rules: [r('a\u0007')] }, 'the name of rule "a\\u0007"'],
    ['a name that turns around', { rules: [r('a\u202eb')] }, 'must be one line'],
    [
      'a reason of two lines',
      { rules: [r('a', { reason: 'b\nc' })] },
      'the reason of rule "a" must be one line without control characters',
    ],
    [
      'a typology’s name with a control character',
      { rules: [r('a')], typologies: [typology('t\n', odd)] },
      'the name of typology',
    ],
    ['an outcome that is none', { rules: [r('a', { then: 'stop' })] }, 'answers "stop"'],
    ['a priority that is none', { rules: [r('a', { priority: -1 })] }, 'must be 0 to 100'],
    ['a cap that is none', { rules: [r('a', { capPerHour: 0 })] }, '1 or more an hour'],
    ['a mode that is none', { rules: [r('a', { mode: 'draft' })] }, 'may be live or shadow'],
    ['a list of no column', { lists: [list('b', { column: 'card' })] }, 'has no column "card"'],
    ['a list of amounts', { lists: [list('b', { column: 'amount' })] }, 'is of kind money'],
    ['a typology of no rule', { typologies: [typology('t', odd)] }, 'there is no rule "a"'],
    [
      'a typology whose thresholds cross',
      { rules: [r('a')], typologies: [typology('t', { ...odd, interdict: 2 })] },
      'not below alert',
    ],
    [
      'a weight that is no whole number',
      { rules: [r('a')], typologies: [typology('t', { ...odd, weights: { a: 0.5 } })] },
      'must be a whole number',
    ],
    ['a deadline that is none', { fallback: { deadlineMs: 0 } }, '1 to 10,000 ms'],
    ['thresholds that cross', { thresholds: { decline: 0.1, review: 0.5 } }, 'lies above'],
  ])('%s', (_, over, said) => {
    expect(refusal(over)).toContain(said)
  })
})
