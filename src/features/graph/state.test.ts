import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { needs, sharedData } from '../../../test/tools.ts'
import { createRandom } from '../../lib/random.ts'
import type { GraphAggregateOf } from './compiled.ts'
import { searchFigures, vertexFigures, withinWindow } from './graph.cases.ts'
import type { Edge } from './oracle.cases.ts'
import { graphValueByDefinition } from './oracle.cases.ts'
import type { GraphPlan } from './plan.ts'
import { planGraph } from './plan.ts'
import { GraphState, restoreGraphState } from './state.ts'

/** A stream as it happens: events with their lateness, batches, restarts, evictions. */
type Step =
  | { readonly kind: 'events'; readonly edges: readonly Edge[] }
  | { readonly kind: 'evict' }
  | { readonly kind: 'restart' }
  | { readonly kind: 'look'; readonly edge: Edge }

const LATENESS = 40

/** Few vertices and times, so that edges meet: ties, self-loops and multi-edges abound. */
function steps(vertices: number, longest: number): fc.Arbitrary<Step[]> {
  const edge = fc.record({
    from: fc.integer({ min: 1, max: vertices }),
    to: fc.integer({ min: 1, max: vertices }),
    amount: fc.oneof(
      { weight: 4, arbitrary: fc.integer({ min: 1, max: 5 }) },
      { weight: 1, arbitrary: fc.maxSafeInteger() },
    ),
    // How long after the newest event, or how late.
    time: fc.oneof(
      { weight: 6, arbitrary: fc.integer({ min: 0, max: 6 }) },
      { weight: 2, arbitrary: fc.integer({ min: 1 - LATENESS, max: 0 }) },
      { weight: 1, arbitrary: fc.integer({ min: 20, max: 300 }) },
    ),
  })
  const step = fc.oneof(
    {
      weight: 12,
      arbitrary: fc
        .array(edge, { minLength: 1, maxLength: 1 })
        .map((edges): Step => ({ kind: 'events', edges })),
    },
    {
      weight: 2,
      arbitrary: fc
        .array(edge, { minLength: 2, maxLength: 5 })
        .map((edges): Step => ({ kind: 'events', edges })),
    },
    { weight: 2, arbitrary: edge.map((edge): Step => ({ kind: 'look', edge })) },
    { weight: 2, arbitrary: fc.constant<Step>({ kind: 'evict' }) },
    { weight: 1, arbitrary: fc.constant<Step>({ kind: 'restart' }) },
  )
  const plain = fc.array(step, { minLength: 1, maxLength: longest, size: 'max' })
  return plain.map((all) => absolute(all))
}

/** Times counted from the newest event so far become times. */
function absolute(all: readonly Step[]): Step[] {
  let newest = 1000
  const at = (edge: Edge): Edge => {
    const time = newest + edge.time
    newest = Math.max(newest, time)
    return { ...edge, time }
  }
  return all.map((step) => {
    if (step.kind === 'events') return { ...step, edges: step.edges.map(at) }
    return step.kind === 'look' ? { ...step, edge: at(step.edge) } : step
  })
}

const SCALE = 100

function planOf(aggregates: readonly GraphAggregateOf<null>[]): GraphPlan {
  return planGraph(aggregates, SCALE)
}

/** Runs the operator over the steps and compares each value with the definition. */
function compare(plan: GraphPlan, all: readonly Step[]): void {
  let state = new GraphState(plan)
  const known: Edge[] = []
  const values = new Float64Array(plan.aggregates.length)
  let newest = -Infinity
  const look = ({ from, to, time }: Edge): void => {
    state.values(from, to, time, values)
    plan.aggregates.forEach((asked, i) => {
      const expected = graphValueByDefinition(asked, known, from, to, time, SCALE) + 0
      if (Object.is(values[i], expected)) return
      expect.fail(`${JSON.stringify(asked)} is ${values[i]}, not ${expected}`)
    })
  }
  for (const step of all) {
    if (step.kind === 'look') {
      newest = Math.max(newest, step.edge.time)
      look(step.edge)
    } else if (step.kind === 'events') {
      for (const edge of step.edges) look(edge)
      for (const edge of step.edges) {
        state.insert(edge.from, edge.to, edge.amount, edge.time)
        known.push(edge)
        newest = Math.max(newest, edge.time)
      }
    } else if (step.kind === 'evict') {
      state.evict(newest - LATENESS - plan.horizonUs)
    } else {
      state = restoreGraphState(plan, state.facts())
    }
  }
}

describe('the live graph', () => {
  const runs = { numRuns: 150 }

  test('gives fan and vertex statistics as they are defined', () => {
    const plan = planOf([
      ...withinWindow(vertexFigures, 50),
      ...withinWindow(vertexFigures, 7),
      ...withinWindow(vertexFigures, 400),
    ])
    fc.assert(
      fc.property(steps(4, 40), (all) => compare(plan, all)),
      runs,
    )
  })

  test('gives what needs a search as it is defined', () => {
    const plan = planOf([
      ...withinWindow(searchFigures(1000, 100), 60),
      ...withinWindow(searchFigures(1000, 100), 9),
    ])
    fc.assert(
      fc.property(steps(5, 40), (all) => compare(plan, all)),
      runs,
    )
  })

  test('explores no more of a hub than is declared', () => {
    const plan = planOf([
      ...withinWindow(searchFigures(1, 1), 60),
      ...withinWindow(searchFigures(3, 2), 60),
    ])
    fc.assert(
      fc.property(steps(5, 60), (all) => compare(plan, all)),
      runs,
    )
  })

  test('gives one figure the same alone as beside others', () => {
    const all = [...withinWindow(vertexFigures, 50), ...withinWindow(searchFigures(4, 3), 50)]
    fc.assert(
      fc.property(fc.constantFrom(...all), steps(4, 25), (aggregate, all) =>
        compare(planOf([aggregate]), all),
      ),
      runs,
    )
  })
})

describe('a graph state', () => {
  const figures = [...vertexFigures, ...searchFigures(10, 10)]
  const plan = planOf(withinWindow(figures, 1_000_000))

  const valuesOf = (state: GraphState, from: number, to: number, time: number): number[] => {
    const values = new Float64Array(plan.aggregates.length)
    state.values(from, to, time, values)
    return [...values]
  }

  test('has no value for an end that an event lacks', () => {
    const state = new GraphState(plan)
    state.insert(1, 2, 5, 0)
    const values = valuesOf(state, -1, 2, 1)
    plan.aggregates.forEach((asked, i) => {
      const expected = graphValueByDefinition(
        asked,
        [{ from: 1, to: 2, amount: 5, time: 0 }],
        undefined,
        2,
        1,
        SCALE,
      )
      expect(values[i]).toBe(expected)
    })
  })

  test('knows nothing of vertices that it never saw', () => {
    const state = new GraphState(plan)
    state.insert(1, 2, 5, 0)
    const values = valuesOf(state, 0, 1_000_000, 1)
    plan.aggregates.forEach((asked, i) => {
      expect(values[i]).toBe(graphValueByDefinition(asked, [], 3, 4, 1, SCALE))
    })
  })

  test('keeps no trace of a vertex whose edges have gone: its code can be used again', () => {
    const state = new GraphState(plan)
    for (let i = 0; i < 200; i++) state.insert(1 + (i % 7), 1 + ((i * 3) % 5), i, i * 10)
    valuesOf(state, 1, 2, 2000)
    state.evict(2000)
    expect(state.edges).toBe(0)
    state.insert(3, 1, 7, 5000)
    const fresh = new GraphState(plan)
    fresh.insert(3, 1, 7, 5000)
    for (const [from, to] of [
      [1, 3],
      [3, 1],
      [2, 4],
    ]) {
      expect(valuesOf(state, from, to, 6000)).toEqual(valuesOf(fresh, from, to, 6000))
    }
  })

  test('takes no more memory over a long stream than its window needs', () => {
    const state = new GraphState(plan)
    let bytes = 0
    for (let i = 0; i < 60_000; i++) {
      const time = i * 1000
      state.insert(1 + ((i * 7919) % 500), 1 + ((i * 104_729) % 300), i % 1000, time)
      state.evict(time - 1_000_000)
      if (i === 10_000) bytes = state.bytes()
    }
    expect(state.edges).toBe(1000)
    expect(state.bytes()).toBeLessThan(bytes * 1.5)
  })

  test('stays exact while its memory grows and shrinks', () => {
    const random = createRandom('growth')
    const short = planOf(withinWindow(vertexFigures, 3000))
    const state = new GraphState(short)
    const known: Edge[] = []
    const values = new Float64Array(short.aggregates.length)
    let time = 0
    for (let i = 0; i < 12_000; i++) {
      // Quiet times and bursts take turns; one vertex is a hub, the others come and go.
      time += i % 4000 < 2500 ? 1 : 40
      const late = random.int(10) === 0 ? random.int(50) : 0
      const from = random.int(3) === 0 ? 1 : 1 + random.int(400)
      const edge = { from, to: 1 + random.int(400), amount: random.int(1e9), time: time - late }
      if (i % 301 === 0) {
        const seen = known.filter((one) => one.time > edge.time - 3000)
        state.values(edge.from, edge.to, edge.time, values)
        short.aggregates.forEach((asked, at) => {
          const expected = graphValueByDefinition(asked, seen, from, edge.to, edge.time, SCALE)
          expect(values[at], JSON.stringify(asked)).toBe(expected + 0)
        })
      }
      state.insert(edge.from, edge.to, edge.amount, edge.time)
      known.push(edge)
      state.evict(time - 50 - short.horizonUs)
    }
    expect(state.edges).toBeLessThan(200)
  })

  test('shows the edges behind a figure, the newest first', () => {
    const state = new GraphState(plan)
    for (let i = 0; i < 9; i++) state.insert(1 + (i % 2), 3, i, i * 10)
    const other = (edges: readonly { other: number; timeUs: number }[]): number[][] =>
      edges.map(({ other, timeUs }) => [other, timeUs])
    expect(other(state.edgesOf(3, 'in', 20, 60, 3))).toEqual([
      [1, 60],
      [2, 50],
      [1, 40],
    ])
    expect(other(state.edgesOf(3, 'in', 50, 1000, 100))).toEqual([
      [1, 80],
      [2, 70],
      [1, 60],
    ])
    expect(state.edgesOf(3, 'out', 0, 1000, 100)).toEqual([])
    expect(state.edgesOf(99, 'out', 0, 1000, 100)).toEqual([])
  })

  test('refuses what is no edge', () => {
    const state = new GraphState(plan)
    expect(() => state.insert(0, 1, 5, 0)).toThrow('no edge')
    expect(() => state.insert(1, 2, 0.5, 0)).toThrow('no edge')
  })
})

describe('figures that can be counted by hand', () => {
  const plan = planOf(withinWindow([...vertexFigures, ...searchFigures(10, 10)], 100))
  const at = (state: GraphState, from: number, to: number, time: number): Map<string, number> => {
    const values = new Float64Array(plan.aggregates.length)
    state.values(from, to, time, values)
    const nameOf = ({ graph: _graph, windowUs: _windowUs, ...figure }: GraphAggregateOf<unknown>) =>
      JSON.stringify(figure)
    return new Map(plan.aggregates.map((asked, i) => [nameOf(asked), values[i]]))
  }

  test('of a payment that comes back over two others', () => {
    const state = new GraphState(plan)
    state.insert(1, 2, 900, 10)
    state.insert(2, 3, 800, 20)
    state.insert(2, 4, 100, 25)
    const values = at(state, 3, 1, 30)
    expect(values.get('{"function":"cycles","shortest":2,"longest":5,"explored":10}')).toBe(1)
    expect(values.get('{"function":"cycles","shortest":3,"longest":3,"explored":10}')).toBe(1)
    expect(values.get('{"function":"cycleFlow","shortest":2,"longest":5,"explored":10}')).toBe(8)
    expect(values.get('{"function":"edges","end":"from","direction":"in"}')).toBe(1)
    // The first edge has left the window of 100 when the payment comes later.
    const later = at(state, 3, 1, 110)
    expect(later.get('{"function":"cycles","shortest":2,"longest":5,"explored":10}')).toBe(0)
  })

  test('of money that is scattered to two and gathered again', () => {
    const state = new GraphState(plan)
    state.insert(1, 2, 500, 1)
    state.insert(1, 3, 500, 2)
    state.insert(4, 9, 500, 3)
    state.insert(1, 4, 500, 4)
    state.insert(2, 9, 450, 5)
    state.insert(3, 9, 450, 6)
    const values = at(state, 1, 9, 7)
    expect(values.get('{"function":"intermediaries","inOrder":false,"explored":10}')).toBe(3)
    expect(values.get('{"function":"intermediaries","inOrder":true,"explored":10}')).toBe(2)
    expect(values.get('{"function":"commonNeighbours","explored":10}')).toBe(3)
    expect(values.get('{"function":"jaccard","explored":10}')).toBe(1)
    // Each of the three has two neighbours.
    expect(values.get('{"function":"adamicAdar","explored":10}')).toBeCloseTo(3 / 0.693147180559945)
    expect(
      values.get('{"function":"twoHopSum","end":"from","direction":"out","explored":10}'),
    ).toBe(14)
  })

  test('of amounts whose moments are in books', () => {
    const state = new GraphState(plan)
    const amounts = [2, 8, 0, 4, 1, 9, 9, 0]
    amounts.forEach((amount, i) => state.insert(1, 2 + i, amount, i))
    const values = at(state, 1, 2, 10)
    const moment = (fn: string): number | undefined =>
      values.get(`{"function":"${fn}","of":"amount","end":"from","direction":"out"}`)
    expect(moment('sum')).toBe(0.33)
    expect(moment('mean')).toBe(33 / 800)
    expect(moment('skewness')).toBeCloseTo(0.2650554122698573, 14)
    expect(moment('kurtosis')).toBeCloseTo(-1.6660010752838508, 14)
  })
})

test.skipIf(!needs('shared-data'))(
  'the AMLSim sample has the cycles that one finds in it by eye (needs ../shared/data)',
  () => {
    const day = 86_400_000_000
    const figures = searchFigures(100, 20).filter(({ function: fn }) => /cycle/.test(fn))
    const plan = planOf(withinWindow(figures, 40 * day))
    const state = new GraphState(plan)
    const values = new Float64Array(plan.aggregates.length)
    const found = new Map<string, number[]>()
    const lines = readFileSync(sharedData('amlsim_sample', 'tx.csv'), 'utf8').trim().split('\n')
    for (const line of lines.slice(1)) {
      const [id, from, to, , , amount, start] = line.split(',')
      const edge = [Number(from) + 1, Number(to) + 1, Number(start) * day] as const
      state.values(edge[0], edge[1], edge[2], values)
      found.set(id, [...values])
      state.insert(edge[0], edge[1], Math.round(Number(amount) * 100), edge[2])
    }
    // 25 → 24 on day 35 comes after two payments 24 → 25, of 147.21 and of 11.17.
    expect(found.get('99')).toEqual([2, 0, 147.21, NaN])
    // 24 → 25 on day 25 follows 25 → 23, but 23 had paid 24 before that: no cycle in time.
    expect(found.get('71')).toEqual([0, 0, NaN, NaN])
  },
)
