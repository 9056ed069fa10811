// What a model has no number for is never answered as a class.
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Task } from '../../learning/index.ts'
import { answersOf, refuseNaN } from './answers.ts'

const tasks: readonly (readonly [Task, readonly string[]])[] = [
  ['binary', ['yes']],
  ['multiclass', ['a', 'b', 'c']],
  ['clusters', ['near', 'far']],
]

test.each(tasks)('a class of %s is refused where one of its numbers is NaN', (task, outputs) => {
  const { of } = answersOf(task, outputs)
  const rows = fc.integer({ min: 1, max: 5 })
  fc.assert(
    fc.property(rows, fc.nat(), (count, at) => {
      const values = new Float64Array(count * outputs.length).fill(0.5)
      expect(refuseNaN(of(values, count))).toHaveLength(2)
      const place = at % values.length
      values[place] = Number.NaN
      const row = Math.floor(place / outputs.length)
      expect(() => refuseNaN(of(values, count))).toThrow(
        expect.objectContaining({
          code: 'inference_failed',
          detail: expect.stringContaining(`row ${row}:`),
        }),
      )
    }),
  )
})
