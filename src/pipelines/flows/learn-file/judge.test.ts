import { describe, expect, test } from 'vitest'
import { measure, type Results } from '../../../learning/index.ts'
import { entrantsFor } from './contenders.ts'
import { compare, effectOfRule, thresholdOf, type Judged } from './judge.ts'

const y = Float64Array.from({ length: 60 }, (_, row) => 1 + (row % 7))
const entrants = entrantsFor('regression', y.length)

function judgedAs(index: number, values: Float64Array): Judged {
  const results: Results[] = [{ task: 'regression', y, values }]
  return { entrant: entrants[index], results, rounds: [], seconds: 0, problem: null }
}

const near = judgedAs(
  0,
  y.map((value, row) => value + (row % 3) / 10),
)
const far = judgedAs(
  1,
  y.map((value) => value + 3),
)
const below = judgedAs(
  2,
  y.map((value) => value - 4),
)
const deviance = [measure('regression', 'poisson_deviance'), measure('regression', 'rmse')]

describe('estimators are compared', () => {
  test('by the goal, and one that the goal cannot be measured of comes last with the reason', () => {
    const [first, second, last] = compare([below, far, near], deviance, 1)
    expect([first.name, second.name, last.name]).toEqual(
      [near, far, below].map(({ entrant }) => entrant.name),
    )
    expect(first.problem).toBeNull()
    expect(second.toBest?.value).toBeLessThan(0)
    expect(last).toMatchObject({
      figures: {},
      toBest: null,
      problem: expect.stringContaining('predictions above 0'),
    })
  })

  test('not at all where none can be judged, which says why', () => {
    const refused = expect.objectContaining({ code: 'learn_request_invalid' })
    expect(() => compare([below], deviance, 1)).toThrow(refused)
    expect(() => compare([{ ...near, problem: 'No rows.' }], deviance, 1)).toThrow('No rows.')
  })
})

test('where no threshold keeps the rule, there is none, and nothing would be alerted', () => {
  const labels = Float64Array.from({ length: 100 }, (_, row) => (row % 4 === 0 ? 1 : 0))
  const results: Results = { task: 'binary', y: labels, scores: labels.map(() => 0.5) }
  const rule = { kind: 'precision-at-least', precision: 0.9 } as const
  expect(thresholdOf(rule, results)).toBeUndefined()
  expect(effectOfRule(rule, results, 1)).toMatchObject({ alerts: 0, rows: 100 })
})
