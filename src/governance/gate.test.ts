import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { buildModelCard } from './card.ts'
import { completeCardFacts, sampleEvidence } from './evidence.cases.ts'
import { compileGatePolicy, gatePolicy, gateRequirements, runGate } from './index.ts'
import type { ChampionComparison } from './types.ts'

const gate = compileGatePolicy(
  gatePolicy('card-fraud-gate', {
    minimum: { roc_auc: 0.8 },
    champion: { metric: 'average_precision', margin: 0.01 },
    card: 'complete',
    approvals: 2,
  }),
)
const champion = { version: 7, versionHash: 'v7' }

function comparison(low: number, more: Partial<ChampionComparison> = {}): ChampionComparison {
  return {
    model: 'card-fraud',
    version: 7,
    versionHash: 'v7',
    metric: 'average_precision',
    candidate: 0.68,
    champion: 0.66,
    difference: low + 0.02,
    low,
    high: low + 0.04,
    confidence: 0.95,
    rows: 1000,
    ...more,
  }
}

const checkNamed = (name: string, result: ReturnType<typeof runGate>) =>
  result.checks.find((check) => check.name === name)

describe('a gate', () => {
  test('passes a first version that reaches the minimum with a complete card', () => {
    const result = runGate(gate, sampleEvidence())
    expect(result.passed).toBe(true)
    expect(checkNamed('champion:average_precision', result)?.actual).toBe('first version')
  })

  test('says in a sentence which minimum was missed', () => {
    const metrics = { roc_auc: { value: 0.7312, low: 0.7, high: 0.76, n: 500 } }
    const result = runGate(gate, { ...sampleEvidence(), metrics })
    expect(result.passed).toBe(false)
    expect(checkNamed('minimum:roc_auc', result)?.message).toBe(
      'roc_auc is 0.731 (0.700 to 0.760, n 500); the gate asks for at least 0.8.',
    )
  })

  test('refuses what was not measured', () => {
    const result = runGate(gate, { ...sampleEvidence(), metrics: {} })
    expect(checkNamed('minimum:roc_auc', result)).toMatchObject({
      passed: false,
      actual: 'not measured',
    })
  })

  test('passes exactly when the lower bound of the difference reaches minus the margin', () => {
    fc.assert(
      fc.property(fc.double({ min: -1, max: 1, noNaN: true }), (low) => {
        const evidence = { ...sampleEvidence(), champion: comparison(low) }
        expect(runGate(gate, evidence, champion).passed).toBe(low >= -0.01)
      }),
    )
  })

  test('wants the comparison where there is a champion, with that champion, as declared', () => {
    const cases = [
      undefined,
      comparison(0.1, { versionHash: 'v6', version: 6 }),
      comparison(0.1, { metric: 'roc_auc' }),
      comparison(0.1, { confidence: 0.8 }),
    ]
    for (const compared of cases) {
      const result = runGate(gate, { ...sampleEvidence(), champion: compared }, champion)
      expect(checkNamed('champion:average_precision', result)).toMatchObject({
        passed: false,
        actual: 'not compared',
      })
    }
  })

  test('does not compare the champion with itself', () => {
    const result = runGate(gate, sampleEvidence(), { version: 1, versionHash: 'v1' })
    expect(result.passed).toBe(true)
  })

  test('names the fields that a card lacks', () => {
    const card = buildModelCard({ ...completeCardFacts, limitations: [], users: [' '] })
    const result = runGate(gate, { ...sampleEvidence(), card })
    expect(checkNamed('card:complete', result)).toMatchObject({
      passed: false,
      message: 'The model card lacks considerations.users, considerations.limitations.',
    })
  })

  test('decides alike for the same input, whatever the order of its members', () => {
    const evidence = sampleEvidence()
    const turned = Object.fromEntries(Object.entries(evidence).reverse()) as typeof evidence
    expect(runGate(gate, turned)).toEqual(runGate(gate, evidence))
  })
})

describe('the declaration of a gate', () => {
  const valid = { minimum: { roc_auc: 0.8 }, card: 'complete', approvals: 2 } as const

  test('is named by its content', () => {
    const again = compileGatePolicy(gatePolicy('g', valid))
    expect(compileGatePolicy(gatePolicy('g', valid)).version).toBe(again.version)
    const stricter = compileGatePolicy(gatePolicy('g', { ...valid, minimum: { roc_auc: 0.81 } }))
    expect(stricter.version).not.toBe(again.version)
  })

  test.each([
    ['one approval', { approvals: 1 }],
    ['half an approval', { approvals: 2.5 }],
    ['a minimum that is no number', { minimum: { roc_auc: NaN } }],
    ['nothing asked for', { minimum: {} }],
    ['a negative margin', { champion: { metric: 'roc_auc', margin: -0.1 } }],
    ['a confidence of one', { champion: { metric: 'roc_auc', margin: 0, confidence: 1 } }],
  ])('is refused with %s', (_, change) => {
    expect(() => compileGatePolicy(gatePolicy('g', { ...valid, ...change }))).toThrow(
      expect.objectContaining({ code: 'gate_policy_invalid' }),
    )
  })

  test('reads as sentences', () => {
    expect(gateRequirements(gate)).toEqual([
      'roc_auc is at least 0.8.',
      "average_precision is no worse than the live version's by more than 0.01, with 95 % confidence.",
      'The model card is complete.',
      '2 people approve who neither trained nor registered it.',
    ])
  })
})
