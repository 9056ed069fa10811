/** What every read model tells of the order in which first labels came. */
import { expect, test } from 'vitest'
import type { DecisionReadModel } from './ports.ts'
import type { Sequenced } from './records.ts'

const common = { namespace: 'live', policy: 'p', receivedAtUs: 1, eventTimeUs: 1 }

const versions = (deployment: string) => {
  return { deployment, policy: 'p', model: 'm', modelName: 'm', modelNumber: 1 }
}

function decision(sequence: number, eventId: string, over: object = {}): Sequenced {
  return {
    ...common,
    type: 'decision',
    sequence,
    source: 's',
    eventId,
    clockUs: 1,
    score: 0.5,
    outcome: 'decline',
    reasons: [],
    rules: [],
    late: false,
    shown: { keys: {}, amountMinor: null, currency: null },
    versions: versions('d1'),
    timings: { contractUs: 1, featuresUs: 1, decisionUs: 1 },
    ...over,
  } as unknown as Sequenced
}

function label(sequence: number, eventId: string, positive: boolean): Sequenced {
  const of = { source: 'fraud', of: 's', eventId, value: positive ? 'fraud' : 'genuine' }
  const at = { arrivalTimeUs: sequence, author: 'bank' }
  return { ...common, type: 'label', sequence, ...of, positive, ...at } as unknown as Sequenced
}

function shadow(sequence: number, eventId: string, over: object = {}): Sequenced {
  const answer = { challenger: 'beside', score: 0.1, outcome: 'allow', path: 'score' }
  const of = { eventId, of: 1, deployment: 'd1' }
  return { ...common, type: 'shadow', sequence, ...of, ...answer, ...over } as unknown as Sequenced
}

export function labelledCases(name: string, create: () => Promise<DecisionReadModel>): void {
  test(`${name}: tells labelled decisions once, in the order of their first labels`, async () => {
    const model = await create()
    expect(await model.lastLabelled()).toBe(0)
    const records = [
      decision(1, 'a'),
      shadow(2, 'a'),
      decision(3, 'b', { challenger: 'next', outcome: 'allow' }),
      shadow(4, 'b', { score: null }),
      label(5, 'early', true),
      label(6, 'b', false),
      label(7, 'a', true),
      // A correction: it is shown, and the test that ran keeps what came first.
      label(8, 'a', false),
      decision(9, 'early'),
      decision(10, 'elsewhere', { versions: versions('d9') }),
      label(11, 'elsewhere', true),
    ]
    await model.apply({ namespace: 'live', records, through: 11, layouts: {} })
    const through = await model.lastLabelled()
    expect(through).toBe(4)
    const query = { namespace: 'live', deployments: ['d1'], challenger: 'beside' }
    const all = await model.labelledUnder({ ...query, after: 0, through })
    expect(
      all.map(({ decision: { sequence, challenger }, positive, shadow: beside }) => {
        return [sequence, challenger, positive, beside]
      }),
    ).toEqual([
      [3, 'next', false, null],
      [1, null, true, 'allow'],
      [9, null, true, null],
    ])
    expect(await model.labelledUnder({ ...query, after: 1, through: 2 })).toEqual([all[1]])
    expect(await model.labelledUnder({ ...query, after: through, through })).toEqual([])
  })
}
