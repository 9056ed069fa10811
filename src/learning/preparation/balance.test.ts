import { describe, expect, test } from 'vitest'
import { createRandom } from '../../lib/random.ts'
import { balanceRows } from './balance.ts'
import type { Target } from './target.ts'

const rows = Uint32Array.from({ length: 1000 }, (_, row) => row)
const y = Float64Array.from(rows, (row) => (row % 10 === 0 ? 1 : 0))
const target: Target = { task: 'binary', y }
const random = () => createRandom('balance')

describe('under-sampling', () => {
  test('draws at most so many rows a class for one of the rarest, all of which stay', () => {
    const { balance, learnt } = balanceRows(
      { kind: 'under-sampling', ratio: 3 },
      target,
      rows,
      random(),
    )
    expect(balance.rows).toEqual([900, 100])
    expect(balance.learnt).toEqual([300, 100])
    expect(learnt).toHaveLength(400)
    expect(learnt).toEqual(Uint32Array.from(new Set(learnt)).sort())
    expect(learnt.filter((row) => y[row] === 1)).toHaveLength(100)
  })

  test('records what to add to the log-odds to undo it', () => {
    const spec = { kind: 'under-sampling', ratio: 3 } as const
    const { corrections } = balanceRows(spec, target, rows, random()).balance
    // Odds were 1:9 and are learnt as 1:3.
    expect(corrections[0]).toBe(0)
    expect(corrections[1]).toBeCloseTo(Math.log(1 / 3), 12)
  })

  test('leaves classes alone that are not too large', () => {
    const { learnt, balance } = balanceRows(
      { kind: 'under-sampling', ratio: 20 },
      target,
      rows,
      random(),
    )
    expect(learnt).toEqual(rows)
    expect(balance.corrections).toEqual([0, 0])
  })
})

describe('weights of classes', () => {
  test('make classes weigh alike, and record the change of odds', () => {
    const { balance, learnt } = balanceRows(
      { kind: 'weights', weights: 'balanced' },
      target,
      rows,
      random(),
    )
    expect(learnt).toEqual(rows)
    expect(balance.weights).toEqual([1000 / 1800, 5])
    expect(balance.corrections[1]).toBeCloseTo(Math.log(1 / 9), 12)
  })

  test('may be given, one a class', () => {
    const spec = { kind: 'weights', weights: [1, 2, 4] } as const
    expect(() => balanceRows(spec, target, rows, random())).toThrow('3 class weights for 2')
    const three: Target = {
      task: 'multiclass',
      classes: ['a', 'b', 'c'],
      y: y.map((v, i) => v + (i % 2)),
    }
    const { corrections } = balanceRows(spec, three, rows, random()).balance
    expect(corrections[1]).toBeCloseTo(-Math.log(2), 12)
    expect(corrections[2]).toBe(0)
  })

  test('are refused where there are no classes', () => {
    const numbers: Target = { task: 'regression', y }
    const spec = { kind: 'weights', weights: 'balanced' } as const
    expect(() => balanceRows(spec, numbers, rows, random())).toThrow('only where there are classes')
  })
})
