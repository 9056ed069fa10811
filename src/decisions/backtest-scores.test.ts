// A model computes an event once, whichever documents ask it: the answers are those of engines that
// each compute their own.
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { deployment } from '../../test/small-bank.ts'
import type { LogisticRegressionModel } from '../learning/index.ts'
import { contentHash } from '../lib/hash.ts'
import type { DeployedModel, DeployedPolicy } from './deployed.ts'
import { canonicalVector, createEngine, usualCircumstances } from './engine.ts'
import type { Circumstances, DecisionEngine } from './engine.ts'

const own = deployment()
const [{ features: compiled }] = own.featureSets
const names = compiled.map(({ name }) => name)

/** Reads the features in another order, and not all of them. */
function otherModel(number: number): DeployedModel {
  const body = own.model.body as LogisticRegressionModel
  const features = names.toReversed().slice(0, names.length - 1)
  const of = (value: number) => features.map(() => value)
  const model = { ...body, features, means: of(0), scales: of(300), coefficients: of(number) }
  return { name: 'card-fraud', number, version: contentHash(model), body: model }
}

const thresholds = { decline: 0.7, review: 0.3 }
const [second, third] = [otherModel(2), otherModel(3)]
const documents: readonly DeployedPolicy[] = [
  own,
  deployment({ thresholds }),
  deployment({ model: second, lastGood: own }),
  deployment({
    sticky: 'customer',
    lastGood: { model: second, thresholds },
    challengers: [
      { name: 'tried', model: third, thresholds, traffic: { mode: 'live', share: 0.4 } },
      { name: 'same', model: own.model, thresholds, traffic: { mode: 'live', share: 0.4 } },
    ],
  }),
]
const engines = documents.map((document) => createEngine(document, names))

const anyEvent = fc.record({
  customer: fc.integer({ min: 1, max: 50 }),
  euros: fc.integer({ min: 1, max: 6000 }),
  values: fc.array(fc.option(fc.double({ min: -1e6, max: 1e6, noNaN: true })), {
    minLength: names.length,
    maxLength: names.length,
  }),
  down: fc.subarray(['champion', 'last-good', 'tried']),
})
const anyOrder = fc.array(fc.integer({ min: 0, max: engines.length - 1 }), { maxLength: 6 })

interface Drawn {
  readonly row: (string | number)[]
  readonly vector: Float64Array
  readonly circumstances: Circumstances
}

type Said = typeof anyEvent extends fc.Arbitrary<infer T> ? T : never

function drawn({ customer, euros, values, down }: Said): Drawn {
  return {
    row: ['p', 1, customer, 1, euros * 100],
    vector: canonicalVector(Float64Array.from(values, (value) => value ?? Number.NaN)),
    circumstances: {
      ...usualCircumstances,
      unanswered: new Map(down.map((name) => [name, 'It is down'])),
    },
  }
}

const ask = (engine: DecisionEngine, { row, vector, circumstances }: Drawn) =>
  engine.decide(row, vector, circumstances)

describe('scores that engines share', () => {
  test('change no answer, in whatever order they are asked', () => {
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 5 }), anyOrder, (events, order) => {
        for (const event of events.map(drawn)) {
          const circumstances = { ...event.circumstances, scores: new Map() }
          for (const at of order) {
            const shared = ask(engines[at], { ...event, circumstances })
            expect(shared).toEqual(ask(engines[at], event))
          }
        }
      }),
    )
  })

  test('may come from the record of a decision', () => {
    fc.assert(
      fc.property(anyEvent, (said) => {
        const event = drawn(said)
        for (const before of engines) {
          const { model, result } = ask(before, event)
          const { margin, score } = result
          const known = score === null ? [] : [[model.version, { margin, score }] as const]
          for (const engine of engines) {
            const circumstances = { ...event.circumstances, scores: new Map(known) }
            expect(ask(engine, { ...event, circumstances })).toEqual(ask(engine, event))
          }
        }
      }),
    )
  })

  test('are computed once a model', () => {
    const scores = new Map()
    const [first] = fc.sample(anyEvent, 1).map(drawn)
    const circumstances = { ...usualCircumstances, scores }
    ask(engines[0], { ...first, circumstances })
    scores.set(own.model.version, { margin: 0, score: 0.123 })
    expect(ask(engines[1], { ...first, circumstances }).result.score).toBe(0.123)
    expect([...scores.keys()]).toEqual([own.model.version])
  })
})
