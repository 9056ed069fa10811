// Training rows replay only what they can depend on: the values are those of a replay of everything.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { CompiledSource, Frame, FrameColumn, Row } from '../data/index.ts'
import { HOUR_US } from '../lib/time.ts'
import { createFeatureState } from './operator/state.ts'
import type { Fact } from './oracle.cases.ts'
import { scopeOf } from './training-scope.ts'
import { trainingRows } from './training.ts'
import {
  vocabularies,
  vocabularyFacts,
  vocabularyOthers,
  vocabularySet,
  vocabularySource,
} from './vocabulary.cases.ts'

const sources = [...vocabularyOthers, vocabularySource]

interface Arrived {
  readonly row: Row
  readonly timeUs: number
  readonly arrivalUs: number
  readonly source: CompiledSource
}

/** Each fact arrives when the newest so far had happened. */
function arrivedOf(facts: readonly Fact[]): Arrived[] {
  let nowUs = -Infinity
  return facts.map((fact) => {
    if (fact.kind === 'label') throw new Error('The facts hold no labels.')
    const timeUs = fact.row[1] as number
    nowUs = Math.max(nowUs, timeUs)
    const source = sources.find(({ name }) => name === (fact.source ?? vocabularySource.name))!
    return { row: fact.row, timeUs, arrivalUs: nowUs, source }
  })
}

function eventsOf(source: CompiledSource, all: readonly Arrived[]) {
  const own = all.filter((each) => each.source === source).toSorted((a, b) => a.timeUs - b.timeUs)
  const columns = source.columns.map((column, at): [string, FrameColumn] => {
    const values = own.map(({ row }) => row[at])
    const isText = ['id', 'text', 'category'].includes(column.kind)
    if (isText || (column.kind === 'key' && column.type === 'text')) {
      return [column.name, values as (string | undefined)[]]
    }
    return [column.name, Float64Array.from(values, (value) => (value as number | undefined) ?? NaN)]
  })
  const frame: Frame = { rows: own.length, columns: Object.fromEntries(columns) }
  return { source, frame, arrivalsUs: Float64Array.from(own, ({ arrivalUs }) => arrivalUs) }
}

const questions = fc.array(
  fc.record({
    hours: fc.integer({ min: 0, max: 400 }),
    customer: fc.constantFrom(1, 2, 2 ** 40, 3, undefined),
    merchant: fc.constantFrom('a', 'b', undefined),
  }),
  { minLength: 1, maxLength: 4 },
)

test.each(Object.keys(vocabularies))('%s', (name) => {
  const set = vocabularySet(name)
  fc.assert(
    fc.property(vocabularyFacts(), questions, (facts, asked) => {
      const arrived = arrivedOf(facts)
      const startUs = arrived[0].timeUs
      const timesUs = Float64Array.from(asked, ({ hours }) => startUs + hours * HOUR_US)
      const found = trainingRows({
        sets: [set],
        ...eventsOf(vocabularySource, arrived),
        others: vocabularyOthers.map((source) => eventsOf(source, arrived)),
        rows: {
          rows: asked.length,
          timesUs,
          columns: {
            customer: Float64Array.from(asked, ({ customer }) => customer ?? NaN),
            merchant: asked.map(({ merchant }) => merchant),
          },
        },
      })
      const inOrder = arrived.toSorted(
        (a, b) =>
          a.arrivalUs - b.arrivalUs ||
          sources.indexOf(a.source) - sources.indexOf(b.source) ||
          a.timeUs - b.timeUs,
      )
      for (const [at, { customer, merchant }] of asked.entries()) {
        const state = createFeatureState([set], vocabularySource, vocabularyOthers)
        let sequence = 0
        for (const { row, arrivalUs, timeUs, source } of inOrder) {
          if (arrivalUs > timesUs[at] || timeUs <= state.tooLateUsOf(source.name)) continue
          if (source === vocabularySource) state.apply(row, ++sequence)
          else state.applyOther(source.name, row, ++sequence)
        }
        const row = vocabularySource.columns.map(() => undefined) as (number | string | undefined)[]
        row[1] = timesUs[at]
        row[2] = customer
        row[3] = merchant
        const expected = [...state.valuesAt(row)]
        expect(found.matrix.columns.map((column) => column[at])).toEqual(expected)
      }
    }),
    { numRuns: 60 },
  )
})

test('leaves out the events of others, and those that no window reaches any more', () => {
  const set = vocabularySet('figures')
  const row = (n: number, customer: number, timeUs: number): Fact => {
    const cells = [`p${n}`, timeUs, customer, 'a', 1, 1, 1, 1, 1, 'shop', 'NL', 'NL']
    return { kind: 'event', row: cells }
  }
  const arrived = arrivedOf([row(1, 1, 0), row(2, 2, HOUR_US), row(3, 1, 9000 * HOUR_US)])
  const rows = {
    rows: 1,
    timesUs: Float64Array.of(9001 * HOUR_US),
    columns: { customer: Float64Array.of(1) },
  }
  const scope = scopeOf(set, eventsOf(vocabularySource, arrived), [], rows)
  const matters = scope?.get('payments')
  expect([0, 1, 2].map((at) => matters?.(at))).toEqual([false, false, true])
})
