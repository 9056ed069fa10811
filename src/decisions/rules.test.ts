import { expect, test } from 'vitest'
import {
  boolean,
  category,
  compileSource,
  eventTime,
  id,
  integer,
  key,
  money,
  number,
  source,
  text,
} from '../data/index.ts'
import { isAssayError } from '../lib/errors.ts'
import { parseTimestamp } from '../lib/time.ts'
import { readyRules, whyRuleFailed } from './rules.ts'
import type { RuleScope } from './rules.ts'

const all = compileSource(
  source('all', {
    columns: {
      event_id: id(),
      at: eventTime({ min: '2020-01-01', max: '2030-01-01' }),
      customer: key('integer'),
      device: key('text', { nullable: true }),
      amount: money('EUR', { min: '0.00', max: '100000.00' }),
      tip: money('EUR', { nullable: true, min: '0.00', max: '100.00' }),
      items: integer({ nullable: true, min: 0, max: 100 }),
      weight: number(),
      note: text({ nullable: true }),
      channel: category(['web', 'till']),
      present: boolean(),
    },
  }),
)
const at = parseTimestamp('2024-05-01T03:15:00Z')!
const row = ['e1', at, 42, undefined, 1250, undefined, undefined, 2.5, 'gift for you', 'web', 1]
const features = Float64Array.of(0.25, Number.NaN)
const lists = [
  { name: 'blocked', column: 'customer', description: '' },
  { name: 'known-devices', column: 'device', description: '' },
]

function evaluated(when: string, scope: Partial<RuleScope> = {}) {
  const policy = { rules: [{ name: 'r', when, reason: 'x' }], lists }
  const names = ['SHARE', 'EMPTY']
  const usual = { score: 0.5, isListed: () => false }
  return readyRules(policy, all, names).evaluate(row, features, { ...usual, ...scope })
}

function fires(when: string): boolean {
  return evaluated(when).fired.length === 1
}

function refusal(when: string): string {
  try {
    fires(when)
  } catch (error) {
    return isAssayError(error, 'rule_invalid') ? error.detail : `unexpected: ${String(error)}`
  }
  return 'accepted'
}

test.each([
  ['event.amount > 12.49 && event.amount < 12.51', true],
  ['event.amount > 12', true],
  ['event.amount == 12.5', true],
  ['event.customer == 42', true],
  ['event.customer in [1, 42]', true],
  ['event.channel == "web" && event.present', true],
  ['event["channel"] == "till"', false],
  ['event.note.startsWith("gift") || event.note.contains("x")', true],
  ['event.at.getHours() < 6', true],
  ['event.event_id == "e1"', true],
  ['features.SHARE >= 0.25', true],
  ['features.SHARE * 2.0 > event.weight', false],
  ['!(features.SHARE > 1.0)', true],
  ['event.present ? features.SHARE > 0.1 : false', true],
  ['size(event.note) > 4', true],
])('%s is %s', (when, expected) => {
  expect(fires(when)).toBe(expected)
})

test('what is missing fires nothing by comparison, and can be asked for', () => {
  for (const comparison of ['<', '<=', '>', '>=', '==']) {
    expect(fires(`features.EMPTY ${comparison} 0.0`)).toBe(false)
    expect(fires(`event.tip ${comparison} 0.0`)).toBe(false)
    expect(fires(`event.items ${comparison} 0.0`)).toBe(false)
  }
  expect(fires('isMissing(features.EMPTY) && isMissing(event.tip) && isMissing(event.items)')).toBe(
    true,
  )
  expect(fires('isMissing(features.SHARE)')).toBe(false)
  expect(fires('event.device == ""')).toBe(true)
})

test('a rule whose calculation fails does not fire, and stops nothing', () => {
  for (const when of ['1 / (event.customer - 42) == 1', 'int(features.EMPTY) == 0']) {
    expect(evaluated(when)).toMatchObject({ fired: [], failed: [{ rule: 'r' }], listed: [] })
  }
})

test('what a calculation failed on is said in a line', () => {
  const why = (when: string) => whyRuleFailed(evaluated(when).failed[0])
  expect(why('1 / (event.customer - 42) == 1')).toBe('division by zero')
  expect(why('int(features.EMPTY) == 0')).toMatch(/^int\(\).*/)
})

test('a rule that asks an example for what it does not say cannot be calculated; others can', () => {
  const bare = row.with(1, undefined).with(2, undefined)
  const rules = ['event.customer == 42', 'event.at.getHours() < 6', 'event.amount > 12.0'].map(
    (when, at) => ({ name: `r${at}`, when, reason: 'x' }),
  )
  const scope = { score: 0.5, isListed: () => false }
  const found = readyRules({ rules, lists }, all, []).evaluate(bare, features, scope)
  expect(found.fired.map(({ name }) => name)).toEqual(['r2'])
  expect(found.failed.map((each) => [each.rule, whyRuleFailed(each)])).toEqual([
    ['r0', 'No such key: customer'],
    ['r1', 'No such key: at'],
  ])
})

test('a rule sees the score, which is missing where no model answered', () => {
  expect(evaluated('score > 0.4').fired).toHaveLength(1)
  expect(evaluated('score > 0.4', { score: Number.NaN }).fired).toEqual([])
  expect(evaluated('isMissing(score)', { score: Number.NaN }).fired).toHaveLength(1)
})

test('a rule asks a list for the value of its column, and what was found is told', () => {
  const isListed = (list: string, value: string) => list === 'blocked' && value === '42'
  const when = 'listed("blocked") && event.amount > 1.0'
  expect(evaluated(when, { isListed })).toMatchObject({
    fired: [{ name: 'r' }],
    listed: ['blocked'],
  })
  expect(evaluated(when)).toMatchObject({ fired: [], listed: [] })
  expect(evaluated('listed("known-devices")', { isListed: () => true }).fired).toEqual([])
})

test('a rule asks by name for lists that are declared', () => {
  expect(refusal('listed("blockd")')).toContain('there are: blocked, known-devices')
  expect(refusal('listed(event.note)')).toContain('in quotes')
  expect(refusal('listed()')).not.toBe('accepted')
})

test('a refusal names the rule, the place and the names that may be used', () => {
  expect(refusal('event.amont > 1.0')).toMatch(
    /^rule "r": No such key: amont, at "amont" \(character 7\)\. event has event_id, at,/,
  )
  expect(refusal('features.SHAR > 1.0')).toContain('features has SHARE, EMPTY')
  expect(refusal('amount > 1.0')).toContain('A rule may use event, features and score')
  expect(refusal('event.amount > ')).toContain('at "the end"')
  expect(refusal('event.amount + "x" == ""')).toContain('no such overload')
  expect(refusal('event.amount')).toContain('it must be true or false')
  expect(refusal('')).toContain('1 to 2,000 characters')
  expect(refusal('true ||'.repeat(400))).toContain('1 to 2,000 characters')
})

test('what could run for ever, or hide what is read, is not offered', () => {
  expect(refusal('event.note.matches("(a+)+$")')).toContain('"matches" is not offered')
  expect(refusal('[1, 2].exists(x, x > 1)')).toContain('not offered')
  expect(refusal('event == event')).not.toBe('accepted')
  expect(refusal('type(event) == type(event)')).not.toBe('accepted')
  expect(refusal('event[event.note] == ""')).not.toBe('accepted')
  expect(refusal(`${'('.repeat(60)}true${')'.repeat(60)}`)).not.toBe('unexpected')
  expect(refusal(Array.from({ length: 300 }, () => '1 == 1').join(' && '))).not.toBe('accepted')
})
