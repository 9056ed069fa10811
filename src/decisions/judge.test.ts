import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { judge, sumTypologies } from './judge.ts'
import { outcomes } from './policy.ts'
import type { CompiledRule, Outcome } from './policy.ts'

const thresholds = { review: 0.5, decline: 0.9 }
const rule = (then?: Outcome, priority = 0): CompiledRule => {
  return { name: `${then} ${priority}`, when: 'true', reason: 'r', ...(then && { then }), priority }
}
const judged = (score: number, fired: readonly CompiledRule[]) =>
  judge(score, fired, [], { thresholds, fallback: 'review' })

describe('without rules', () => {
  test.each([
    [0.2, 'allow'],
    [0.5, 'review'],
    [0.9, 'decline'],
  ])('a score of %d is answered with %s', (score, outcome) => {
    expect(judged(score, [])).toEqual({ outcome, path: 'score' })
  })

  test('what is declared holds where no model answered', () => {
    expect(judged(Number.NaN, [])).toEqual({ outcome: 'review', path: 'default' })
  })
})

describe('of rules of the usual priority', () => {
  test('the strongest wins, and the score where it is stronger still', () => {
    expect(judged(0.1, [rule('review'), rule('decline')])).toEqual({
      outcome: 'decline',
      path: 'rule',
    })
    expect(judged(0.95, [rule('review')])).toEqual({ outcome: 'decline', path: 'score' })
    expect(judged(0.6, [rule('review')])).toEqual({ outcome: 'review', path: 'rule' })
  })

  test('one that allows exempts from the score, and yields to any that does not', () => {
    expect(judged(0.99, [rule('allow')])).toEqual({ outcome: 'allow', path: 'rule' })
    expect(judged(0.1, [rule('allow'), rule('review')])).toMatchObject({ outcome: 'review' })
  })

  test('a signal asks for nothing', () => {
    expect(judged(0.1, [rule()])).toEqual({ outcome: 'allow', path: 'score' })
    expect(judged(Number.NaN, [rule()])).toEqual({ outcome: 'review', path: 'default' })
  })
})

test('rules of a higher priority decide alone, over lower ones and the score', () => {
  const anyRule = fc.record({
    then: fc.option(fc.constantFrom(...outcomes), { nil: undefined }),
    priority: fc.integer({ min: 0, max: 3 }),
  })
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1, noNaN: true }), fc.array(anyRule), (score, drawn) => {
      const fired = drawn.map(({ then, priority }) => rule(then, priority))
      const asking = drawn.filter(({ then }) => then !== undefined)
      const highest = Math.max(0, ...asking.map(({ priority }) => priority))
      if (highest === 0) return
      const first = asking.filter(({ priority }) => priority === highest)
      const ranks = first.map(({ then }) => outcomes.indexOf(then!))
      expect(judged(score, fired)).toEqual({
        outcome: outcomes[Math.max(...ranks)],
        path: 'rule',
      })
    }),
  )
})

describe('a typology', () => {
  const mule = {
    name: 'mule',
    weights: { 'new payee': 30, night: 20, 'long customer': -25 },
    alert: 40,
    interdict: 50,
    reason: 'Looks like a mule account',
  }
  const fired = (...names: string[]) => names.map((name) => ({ name, when: '', reason: '' }))

  test('sums up the weights of what fired, and asks from its thresholds on', () => {
    expect(sumTypologies([mule], fired('new payee'))).toEqual([
      { name: 'mule', points: 30, then: null },
    ])
    expect(sumTypologies([mule], fired('new payee', 'night'))).toEqual([
      { name: 'mule', points: 50, then: 'decline' },
    ])
    expect(sumTypologies([mule], fired('new payee', 'night', 'long customer'))).toEqual([
      { name: 'mule', points: 25, then: null },
    ])
    expect(sumTypologies([mule], fired('something else'))).toEqual([])
  })

  test('counts beside rules and score by the strength of what it asks for', () => {
    const points = sumTypologies([mule], fired('new payee', 'night'))
    const ask = (score: number, rules: readonly CompiledRule[]) =>
      judge(score, rules, points, { thresholds, fallback: 'review' })
    expect(ask(0.1, [])).toEqual({ outcome: 'decline', path: 'typology' })
    expect(ask(0.1, [rule('allow')])).toEqual({ outcome: 'decline', path: 'typology' })
    expect(ask(0.1, [rule('allow', 1)])).toEqual({ outcome: 'allow', path: 'rule' })
    expect(ask(0.95, [])).toEqual({ outcome: 'decline', path: 'typology' })
  })
})
