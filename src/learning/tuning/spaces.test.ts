import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createRandom } from '../../lib/random.ts'
import {
  boostedTrees,
  isolationForest,
  linearRegression,
  logisticRegression,
  multinomialRegression,
  randomForest,
} from '../learners.ts'
import { checkSpace, drawAtRandom, drawSetting } from './space.ts'
import { defaultSpace, learnerWith } from './spaces.ts'

const bases = [
  boostedTrees(),
  randomForest(),
  logisticRegression(),
  multinomialRegression(),
  linearRegression(),
]

describe.each(bases.map((base) => [base.kind, base] as const))(
  'the usual space of %s',
  (kind, base) => {
    test('gives settings that the learner takes, and changes nothing else', () => {
      const space = defaultSpace(kind)
      checkSpace(space)
      fc.assert(
        fc.property(fc.integer(), (seed) => {
          const random = createRandom(seed)
          const setting = drawSetting(space, (parameter) => drawAtRandom(parameter, random))
          const learner = learnerWith(base, setting)
          expect(learner.kind).toBe(kind)
          expect(learner.params).toMatchObject(setting)
          expect(learnerWith(base, {})).toEqual(base)
        }),
        { numRuns: 50 },
      )
    })
  },
)

describe('the learner of a setting', () => {
  test('bounds trees by what the setting bounds them by', () => {
    const base = boostedTrees()
    const deep = learnerWith(base, { growth: 'depth-wise', depth: 3 })
    expect(deep.params).toMatchObject({ depth: 3, leaves: 8 })
    const leafy = learnerWith(base, { growth: 'leaf-wise', leaves: 100 })
    expect(leafy.params).toMatchObject({ depth: 32, leaves: 100 })
    const both = learnerWith(base, { growth: 'leaf-wise', leaves: 100, depth: 9 })
    expect(both.params).toMatchObject({ depth: 9, leaves: 100 })
  })

  test('is refused where the learner has no such parameter, value or space', () => {
    expect(() => learnerWith(boostedTrees(), { dept: 3 })).toThrow('"dept"')
    expect(() => learnerWith(boostedTrees(), { depth: -3 })).toThrow('"depth"')
    expect(() => defaultSpace('isolation-forest')).toThrow('no usual space')
    expect(() => learnerWith(isolationForest(), { trees: 3 })).toThrow('not tuned by name')
  })
})
