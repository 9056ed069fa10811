import { describe, expect, test } from 'vitest'
import { chooseHistoryEngine, enginesOf } from './choose.ts'
import { createChosenEngine } from './chosen-engine.ts'
import { historyEngineCases, smallRequest, sqlFeatures } from './engine.cases.ts'
import { createReplayEngine, type HistoryEngine } from './engine.ts'
import { measuredCosts, type EngineCosts } from './measured-costs.ts'
import { createSweepEngine } from '../sweep/engine.ts'
import { subsetOf } from './subset.ts'

const slow: EngineCosts = {
  startS: 0,
  eventNs: 100,
  featureNs: 0,
  entityNs: 100,
  aggregateNs: { count: 1000, distinct: 50 },
  otherAggregateNs: 1000,
}
const quick: EngineCosts = { ...slow, aggregateNs: { count: 10, distinct: 5000 } }
const costs = { ...measuredCosts, replay: slow, sql: quick }
const swapped = { ...costs, replay: quick, sql: slow }
const sqlAtHand = { sql: {} }

const subset = (...names: string[]) => subsetOf(sqlFeatures, new Set(names))

describe('the choice of an engine', () => {
  test('is the one that is expected to take less time', () => {
    const sets = [subset('count_1m', 'count_3d')]
    const plan = chooseHistoryEngine(sets, 1e6, { engines: sqlAtHand, costs })
    expect(plan.features).toEqual({ sweep: [], sql: ['count_1m', 'count_3d'], replay: [] })
    expect(plan.expectedS).toBeCloseTo(0.22)
    expect(plan.replayS).toBeCloseTo(2.2)
    expect(plan.reasons[0]).toEqual({
      feature: 'count_1m',
      engine: 'sql',
      reason:
        'SQL is expected to be fastest: 1,000,000 events take about 0.2 s in SQL, 2.2 s in a replay.',
    })
    const other = chooseHistoryEngine(sets, 1e6, { engines: sqlAtHand, costs: swapped })
    expect(other.features.sql).toEqual([])
  })

  test('is a replay for few events, which SQL’s start would not pay for', () => {
    const sql = { ...quick, startS: 0.05 }
    const sets = [subset('count_1m', 'count_3d')]
    const choice = (rows: number) =>
      chooseHistoryEngine(sets, rows, { engines: sqlAtHand, costs: { ...costs, sql } })
    expect(choice(1000).features.sql).toEqual([])
    expect(choice(100_000).features.replay).toEqual([])
  })

  test('counts on all processors that share the work of SQL', () => {
    const sets = [subset('count_1m', 'count_3d')]
    const choice = (processors: number) =>
      chooseHistoryEngine(sets, 1e6, { engines: { sql: { processors } }, costs: swapped })
    expect(choice(4).features.sql).toEqual([])
    expect(choice(100).features.replay).toEqual([])
  })

  test('gives some features to each where that is fastest', () => {
    const sets = [subset('count_1m', 'count_3d', 'merchants')]
    const plan = chooseHistoryEngine(sets, 1e6, { engines: sqlAtHand, costs })
    expect(plan.features).toEqual({
      sweep: [],
      sql: ['count_1m', 'count_3d'],
      replay: ['merchants'],
    })
  })

  test('is the replay for what no other engine may calculate, with the reason', () => {
    const plan = chooseHistoryEngine([subset('count_1m', 'count_3d', 'std_1d')], 1e6, {
      engines: { sql: { unsupported: [{ feature: 'std_1d', reason: 'its sums are too great' }] } },
      costs,
    })
    expect(plan.features.replay).toEqual(['std_1d'])
    expect(plan.reasons.at(-1)).toEqual({
      feature: 'std_1d',
      engine: 'replay',
      reason: 'Only the operator may: its sums are too great.',
    })
  })

  test('is told as what is fastest together where a replay takes features along', () => {
    const refused = { unsupported: [{ feature: 'merchants', reason: 'it was told not to' }] }
    const replay = { ...slow, eventNs: 10_000, aggregateNs: { count: 10, distinct: 50 } }
    const plan = chooseHistoryEngine([subset('count_1m', 'merchants')], 1e6, {
      engines: { sql: refused },
      costs: { ...costs, replay, sql: { ...replay, aggregateNs: { count: 5, distinct: 5 } } },
    })
    expect(plan.features.replay).toEqual(['count_1m', 'merchants'])
    expect(plan.reasons[0].reason).toBe(
      'All features together are expected to take least time with these in a replay.',
    )
  })

  test('is the fastest of three, and the next one for what that may not calculate', () => {
    const names = ['count_1m', 'count_3d', 'std_1d', 'risk']
    const refused = (...features: string[]) => ({
      unsupported: features.map((feature) => ({ feature, reason: 'it was told not to' })),
    })
    const plan = chooseHistoryEngine([subset(...names)], 1e6, {
      engines: { sweep: refused('std_1d', 'risk'), sql: refused('risk') },
      costs: {
        replay: slow,
        sql: { ...quick, otherAggregateNs: 10 },
        sweep: { ...quick, eventNs: 0, entityNs: 0, aggregateNs: { count: 1 } },
      },
    })
    expect(plan.features).toEqual({
      sweep: ['count_1m', 'count_3d'],
      sql: ['std_1d'],
      replay: ['risk'],
    })
    expect(plan.reasons[0].reason).toMatch(/^A sweep is expected to be fastest: 1,000,000 events/)
  })

  test('is told in short: how many features each engine takes, and why', () => {
    const plan = chooseHistoryEngine([subset('count_1m', 'count_3d', 'std_1d')], 1e6, {
      engines: { sql: { unsupported: [{ feature: 'std_1d', reason: 'its sums are too great' }] } },
      costs,
    })
    expect(enginesOf(plan)).toEqual([
      { engine: 'sql', features: 2, reason: plan.reasons[0].reason },
      { engine: 'replay', features: 1, reason: 'Only the operator may: its sums are too great.' },
    ])
  })

  test('is a replay where no other engine is at hand', () => {
    const plan = chooseHistoryEngine([subset('count_1m')], 1e6, { engines: {} })
    expect(plan.features.replay).toEqual(['count_1m'])
    expect(plan.reasons[0].reason).toBe('No other engine is at hand.')
  })
})

/** An engine that can do all but one feature, and remembers what it was asked for. */
function engineBut(refused: string): HistoryEngine & { readonly asked: string[][] } {
  const replay = createReplayEngine()
  const asked: string[][] = []
  return {
    name: 'almost all',
    processors: 1,
    asked,
    unsupported: () => [{ feature: refused, reason: 'it was told not to' }],
    history(request) {
      asked.push(request.sets.flatMap(({ features }) => features.map(({ name }) => name)))
      return replay.history(request)
    },
  }
}

describe('the engine that chooses', () => {
  test('asks each engine for its features and joins them in the sets’ order', async () => {
    const sql = engineBut('count_1h')
    const engine = createChosenEngine({ sql }, { costs })
    const request = smallRequest(['count_1m', 'count_1h', 'count_3d', 'merchants'])
    expect(await engine.history(request)).toEqual(await createReplayEngine().history(request))
    expect(sql.asked).toEqual([['count_1m', 'count_3d']])
    expect(engine.plan(request).features.replay).toEqual(['count_1h', 'merchants'])
  })
})

historyEngineCases(
  'the choice',
  createChosenEngine({ sweep: createSweepEngine(), sql: engineBut('count_1h') }, { costs }),
)
