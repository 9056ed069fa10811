import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { LabelledAnswer } from '../decisions/index.ts'
import { createRandom } from '../lib/random.ts'
import { createChallengerTests } from './challenger-tests.ts'
import { createPairTests, TEST_ALPHA } from './pair-tests.ts'

interface Bank {
  readonly mode: 'live' | 'shadow'
  /** How often champion and challenger flag fraud, and genuine payments. */
  readonly champion: readonly [fraud: number, genuine: number]
  readonly challenger: readonly [fraud: number, genuine: number]
  readonly share?: number
}

/** Labelled answers as they come home: two in a hundred are fraud. */
function* labelled(seed: number, n: number, bank: Bank): Generator<LabelledAnswer> {
  const { mode, champion, challenger, share = 0.3 } = bank
  const { next } = createRandom(seed)
  const flag = ([fraud, genuine]: readonly [number, number], positive: boolean) =>
    next() < (positive ? fraud : genuine) ? 'decline' : 'allow'
  for (let sequence = 1; sequence <= n; sequence++) {
    const positive = next() < 0.02
    const isTaken = mode === 'live' && next() < share
    const decision = {
      sequence,
      deployment: 'd',
      challenger: isTaken ? 'v2' : null,
      unanswered: [],
      score: 0.5,
      outcome: flag(isTaken ? challenger : champion, positive),
      latencyUs: 1,
      label: null,
    } as const
    yield { decision, positive, shadow: mode === 'shadow' ? flag(challenger, positive) : null }
  }
}

/** Whether anybody who looks after each label would ever have called the two different. */
function isEverSure(seed: number, n: number, bank: Bank): boolean {
  const { add, tests } = createPairTests({ name: 'v2', mode: bank.mode })
  for (const answer of labelled(seed, n, bank)) add(answer)
  // The p-values are those of the largest e-values: whoever stopped at the first alarm saw them.
  return Object.values(tests()).some(({ pValue }) => pValue <= TEST_ALPHA)
}

describe('the tests of a challenger', () => {
  test.each(['live', 'shadow'] as const)(
    'call one that is the same in %s different to one in twenty at most, looked at all the time',
    (mode) => {
      const same = [0.7, 0.03] as const
      const runs = 1000
      let alarms = 0
      for (let seed = 1; seed <= runs; seed++) {
        if (isEverSure(seed, 2000, { mode, champion: same, challenger: same })) alarms++
      }
      // Three standard errors of a share of 0.05 above it.
      expect(alarms / runs).toBeLessThanOrEqual(0.05 + 3 * Math.sqrt((0.05 * 0.95) / runs))
    },
    60_000,
  )

  test.each([
    ['live', [0.7, 0.06]],
    ['shadow', [0.7, 0.06]],
    ['shadow', [0.4, 0.03]],
  ] as const)('find one that differs in %s, nearly always', (mode, challenger) => {
    const runs = 40
    let found = 0
    for (let seed = 1; seed <= runs; seed++) {
      if (isEverSure(seed, 12_000, { mode, champion: [0.7, 0.03], challenger })) found++
    }
    expect(found / runs).toBeGreaterThan(0.9)
  })

  test('leave out an event that the challenger did not answer, and what others took', () => {
    const { add, tests } = createPairTests({ name: 'v2', mode: 'live' })
    const [first] = labelled(1, 1, { mode: 'live', champion: [1, 1], challenger: [1, 1] })
    const of = (challenger: string | null, unanswered: readonly string[] = []) => {
      return { ...first, decision: { ...first.decision, challenger, unanswered } }
    }
    const allowed = of('v2')
    const outcome = 'allow' as const
    for (const answer of [of('v2', ['v2']), of('v9'), of(null, ['champion'])]) add(answer)
    add({ ...allowed, decision: { ...allowed.decision, outcome } })
    add(of(null))
    expect(tests().disturbed).toMatchObject({ discordant: 1, first: 0 })
  })

  test('kept from look to look say what one look over all of it says', async () => {
    const challenger = {
      name: 'v2',
      mode: 'live',
      fromUs: 1,
    } as Parameters<ReturnType<typeof createChallengerTests>['of']>[1]
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 1, max: 1000 }),
        async (looks, seed) => {
          const bank = { mode: 'live', champion: [0.7, 0.1], challenger: [0.6, 0.2] } as const
          const all = [...labelled(seed, 2000, bank)]
          let known = 0
          const kept = createChallengerTests({
            serving: { history: async () => [] },
            decisions: {
              lastLabelled: async () => known,
              labelledUnder: async ({ after, through }) => all.slice(after, through),
            },
          })
          for (const more of looks) {
            known += more
            // Two who look at once count nothing twice.
            const [one, other] = await Promise.all([
              kept.of('p', challenger, 'live'),
              kept.of('p', challenger, 'live'),
            ])
            const { add, tests } = createPairTests(challenger)
            for (const answer of all.slice(0, known)) add(answer)
            expect(one).toEqual(tests())
            expect(other).toEqual(tests())
          }
        },
      ),
      { numRuns: 20 },
    )
  })
})
