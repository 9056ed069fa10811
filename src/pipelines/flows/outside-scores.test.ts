import { describe, expect, test } from 'vitest'
import { deployment } from '../../../test/small-bank.ts'
import { usualCircumstances, type OutsideModel, type PastEvent } from '../../decisions/index.ts'
import type { Matrix } from '../../lib/matrix.ts'
import { answersOn, outsideModels, withAnswers } from './outside-scores.ts'

const body = (served: string): OutsideModel => ({ kind: 'outside', features: ['A'], served })
const thresholds = { decline: 0.9, review: 0.5 }
const elsewhere = (number: number) => {
  return { name: 'graph', number, version: `v${number}`, body: body(`served ${number}`) }
}
const names = ['A', 'B']

/** A tenth of the first column, and no chance below zero; it says how many rows it was asked for. */
function asking() {
  const asked: [string, number][] = []
  const score = async ({ served }: OutsideModel, x: Matrix) => {
    asked.push([served, x.rows])
    return x.columns[0].map((value) => (value < 0 ? Number.NaN : value / 10))
  }
  return { asked, score }
}

function eventOf(n: number, outside = usualCircumstances.outside, vector = Float64Array.of(n, 0)) {
  return {
    eventId: `e${n}`,
    vector,
    circumstances: { ...usualCircumstances, outside },
  } as PastEvent
}

async function answersOf(past: Iterable<PastEvent>, score = asking().score) {
  const events = (async function* () {
    yield* past
  })()
  const found: [string, unknown][] = []
  for await (const { eventId, circumstances } of withAnswers(events, names, [elsewhere(1)], score))
    found.push([eventId, circumstances.outside.get('v1')])
  return found
}

describe('models of a document that are computed elsewhere', () => {
  test('are those that may be asked live, each once', () => {
    const live = { name: 'c', model: elsewhere(3), thresholds }
    const document = deployment({
      model: elsewhere(1),
      lastGood: { model: elsewhere(1), thresholds },
      challengers: [
        { ...live, traffic: { mode: 'live', share: 0.1 } },
        { ...live, name: 's', model: elsewhere(4), traffic: { mode: 'shadow', share: 1 } },
      ],
    })
    const found = outsideModels(document, deployment({ model: elsewhere(5) }), deployment())
    expect(found.map(({ number }) => number)).toEqual([1, 3, 5])
  })

  test('give an answer a row, or say that there is none', async () => {
    const { score, asked } = asking()
    const x = { names, rows: 2, columns: [Float64Array.of(5, -1), Float64Array.of(0, 0)] }
    const at = await answersOn([elsewhere(1), elsewhere(2)], x, score)
    expect([...at(0)]).toEqual([
      ['v1', 0.5],
      ['v2', 0.5],
    ])
    expect(at(1).get('v1')).toBe('It answered no chance')
    expect(asked).toEqual([
      ['served 1', 2],
      ['served 2', 2],
    ])
  })

  test('are refused where nothing could ask them', async () => {
    const x = { names, rows: 0, columns: [] }
    await expect(answersOn([elsewhere(1)], x, undefined)).rejects.toMatchObject({
      code: 'outside_model_unasked',
      detail: 'graph version 1 is computed elsewhere, and nothing here could ask it.',
    })
    expect((await answersOn([], x, undefined))(0).size).toBe(0)
  })
})

describe('recorded events', () => {
  test('get the answers that they lack, in their order, and keep those that they have', async () => {
    const recorded = new Map([['v1', 0.77]])
    const past = [eventOf(1), eventOf(2, recorded), eventOf(3, new Map([['v9', 0.1]]))]
    expect(await answersOf(past)).toEqual([
      ['e1', 0.1],
      ['e2', 0.77],
      ['e3', 0.3],
    ])
  })

  test('are asked about many at a time, whose vectors are used again meanwhile', async () => {
    const { score, asked } = asking()
    const shared = new Float64Array(2)
    function* past() {
      for (let n = 0; n < 2500; n++) {
        shared[0] = n % 10
        yield eventOf(n, undefined, shared)
      }
    }
    const found = await answersOf(past(), score)
    expect(found).toHaveLength(2500)
    found.forEach(([id, answer], n) => expect([id, answer]).toEqual([`e${n}`, (n % 10) / 10]))
    expect(asked.map(([, rows]) => rows)).toEqual([1000, 1000, 500])
  })

  test('that were all answered then are asked about no more', async () => {
    const { score, asked } = asking()
    expect(await answersOf([eventOf(1, new Map([['v1', 0.2]]))], score)).toEqual([['e1', 0.2]])
    expect(asked).toEqual([])
  })
})
