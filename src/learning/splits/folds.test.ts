import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Fold, type FoldPlan, type FoldRows, foldsOf, nestedFolds } from './folds.ts'

const seed = fc.integer({ min: 0, max: 1000 })
const folds = fc.integer({ min: 2, max: 5 })

/** Rows with a class and a group each; groups are of very unequal size. */
const rows = fc
  .array(fc.tuple(fc.nat(3), fc.nat(30)), { minLength: 12, maxLength: 80 })
  .map((list): Required<Pick<FoldRows, 'count' | 'classes' | 'groups'>> => ({
    count: list.length,
    classes: list.map(([label]) => (label === 3 ? 1 : 0)),
    // The first rows make sure of five groups.
    groups: list.map(([, group], i) => (i < 5 ? `g${i}` : `g${Math.floor((group * group) / 60)}`)),
  }))

const countBy = <T>(list: Iterable<T>) => {
  const counts = new Map<T, number>()
  for (const value of list) counts.set(value, (counts.get(value) ?? 0) + 1)
  return counts
}

const ascending = (list: Uint32Array) => list.every((row, i) => i === 0 || row > list[i - 1])

function expectPartition(of: readonly Fold[], count: number): void {
  for (const { train, test: tested } of of) {
    expect(ascending(train) && ascending(tested)).toBe(true)
    expect(new Set([...train, ...tested]).size).toBe(count)
    expect(train.length + tested.length).toBe(count)
  }
}

describe('k folds by chance', () => {
  const plans = fc.record({
    kind: fc.constant('k-fold' as const),
    folds,
    seed,
    repeats: fc.integer({ min: 1, max: 3 }),
    stratified: fc.boolean(),
    grouped: fc.boolean(),
  })

  test('try every row once in each repetition, and never a row learnt from', () => {
    fc.assert(
      fc.property(plans, rows, (plan, given) => {
        const all = foldsOf(plan, given)
        expect(all.length).toBe(plan.folds * plan.repeats)
        expectPartition(all, given.count)
        for (let repeat = 0; repeat < plan.repeats; repeat++) {
          const tested = all.filter((one) => one.repeat === repeat).flatMap((one) => [...one.test])
          expect(tested.toSorted((a, b) => a - b)).toEqual(
            Array.from({ length: given.count }, (_, row) => row),
          )
        }
        expect(foldsOf(plan, given)).toEqual(all)
      }),
    )
  })

  test('have sizes within one row of each other', () => {
    fc.assert(
      fc.property(plans, rows, (plan, given) => {
        const sizes = foldsOf({ ...plan, grouped: false }, given).map((one) => one.test.length)
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1)
      }),
    )
  })

  test('hold each class to within one row of its share where they are stratified', () => {
    fc.assert(
      fc.property(plans, rows, (plan, given) => {
        const all = foldsOf({ ...plan, stratified: true, grouped: false }, given)
        for (const [label, total] of countBy(given.classes as number[])) {
          for (const one of all) {
            const held = one.test.filter((row) => given.classes[row] === label).length
            expect(Math.abs(held - total / plan.folds)).toBeLessThan(1)
          }
        }
      }),
    )
  })

  test('never part a group, and then differ by the largest group at most', () => {
    fc.assert(
      fc.property(plans, rows, (plan, given) => {
        for (const one of foldsOf({ ...plan, grouped: true }, given)) {
          const learnt = new Set(Array.from(one.train, (row) => given.groups[row]))
          expect([...one.test].filter((row) => learnt.has(given.groups[row]))).toEqual([])
        }
        const balanced = foldsOf({ ...plan, grouped: true, stratified: false }, given)
        const sizes = balanced.map((one) => one.test.length)
        const largest = Math.max(...countBy(given.groups as string[]).values())
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(largest)
      }),
    )
  })

  test('balance the classes of groups far better than chance when asked', () => {
    const groups = Array.from({ length: 4000 }, (_, row) => Math.floor(row / 20))
    const classes = groups.map((group, row) => (group % 10 === 0 && row % 2 === 0 ? 1 : 0))
    const plan = { kind: 'k-fold', folds: 5, seed: 1, grouped: true } as const
    const spread = (stratified: boolean) => {
      const shares = foldsOf({ ...plan, stratified }, { count: 4000, classes, groups }).map(
        (one) => one.test.filter((row) => classes[row] === 1).length,
      )
      return Math.max(...shares) - Math.min(...shares)
    }
    expect(spread(true)).toBe(0)
    expect(spread(false)).toBeGreaterThan(0)
  })

  test('leave none empty where there are as many groups, each of one class alone', () => {
    const groups = Array.from({ length: 15 }, (_, row) => Math.floor(row / 3))
    const classes = groups.map((group) => (group < 2 ? 1 : 0))
    const plan = { kind: 'k-fold', folds: 5, grouped: true, stratified: true } as const
    fc.assert(
      fc.property(seed, (at) => {
        for (const one of foldsOf({ ...plan, seed: at }, { count: 15, groups, classes })) {
          expect(one.test).toHaveLength(3)
        }
      }),
    )
  })

  test('are dealt anew by repetition and by seed, groups of unequal size too', () => {
    const count = 300
    const groups = Array.from({ length: count }, (_, row) => Math.floor(Math.sqrt(row * 7)))
    for (const grouped of [true, false]) {
      const plan = { kind: 'k-fold', folds: 3, repeats: 2, seed: 1, grouped } as const
      const texts = [plan, { ...plan, seed: 2 }].flatMap((one) =>
        foldsOf(one, { count, groups })
          .filter(({ fold }) => fold === 0)
          .map((fold) => fold.test.join()),
      )
      expect(new Set(texts).size).toBe(4)
    }
  })
})

describe('one part held out', () => {
  test('has its share of the rows, of each class, or of the groups', () => {
    const shares = fc.double({ min: 0.2, max: 0.8, noNaN: true })
    fc.assert(
      fc.property(rows, shares, seed, (given, testShare, at) => {
        const plan = { kind: 'hold-out', testShare, seed: at } as const
        const [plain] = foldsOf(plan, given)
        expectPartition([plain], given.count)
        expect(Math.abs(plain.test.length - testShare * given.count)).toBeLessThanOrEqual(1)
        const [stratified] = foldsOf({ ...plan, stratified: true }, given)
        for (const [label, total] of countBy(given.classes as number[])) {
          const held = stratified.test.filter((row) => given.classes[row] === label).length
          expect(Math.abs(held - testShare * total)).toBeLessThan(1 + 1e-9)
        }
      }),
    )
  })

  test('keeps groups together and comes near to the share', () => {
    const groups = Array.from({ length: 1000 }, (_, row) => Math.floor(row / 10))
    const [{ train, test: held }] = foldsOf(
      { kind: 'hold-out', testShare: 0.25, seed: 3, grouped: true },
      { count: 1000, groups },
    )
    expect(held.length).toBe(250)
    const learnt = new Set(Array.from(train, (row) => groups[row]))
    expect(held.some((row) => learnt.has(groups[row]))).toBe(false)
  })
})

describe('folds in time', () => {
  const times = fc.array(fc.integer({ min: 0, max: 60 }), { minLength: 30, maxLength: 120 })

  test('learn only from earlier rows, beyond the gap, whose labels were known', () => {
    fc.assert(
      fc.property(
        times,
        fc.record({
          folds: fc.integer({ min: 1, max: 3 }),
          gapUs: fc.nat(5),
          delayUs: fc.nat(8),
        }),
        fc.option(fc.integer({ min: 5, max: 60 }), { nil: undefined }),
        fc.option(fc.integer({ min: 3, max: 10 }), { nil: undefined }),
        (eventTimeUs, given, trainUs, testUs) => {
          const plan: FoldPlan = {
            kind: 'time-folds',
            ...given,
            ...(trainUs !== undefined && { trainUs }),
            ...(testUs !== undefined && { testUs }),
          }
          const all = attempt(() => foldsOf(plan, { count: eventTimeUs.length, eventTimeUs }))
          let before = -Infinity
          for (const one of all) {
            const tested = Array.from(one.test, (row) => eventTimeUs[row])
            const learnt = Array.from(one.train, (row) => eventTimeUs[row])
            const first = Math.min(...tested)
            expect(first).toBeGreaterThan(before)
            before = Math.max(...tested)
            for (const time of learnt) {
              expect(time).toBeLessThan(first - given.gapUs)
              expect(time + given.delayUs).toBeLessThanOrEqual(first)
            }
          }
          // The last period reaches the last row.
          if (all.length > 0) expect(before).toBe(Math.max(...eventTimeUs))
        },
      ),
    )
  })

  test('cut the rows into parts of equally many, the first only learnt from', () => {
    const eventTimeUs = Array.from({ length: 100 }, (_, row) => 99 - row)
    const all = foldsOf({ kind: 'time-folds', folds: 4 }, { count: 100, eventTimeUs })
    expect(all.map((one) => [one.train.length, one.test.length])).toEqual([
      [20, 20],
      [40, 20],
      [60, 20],
      [80, 20],
    ])
  })

  test('take periods of a given length and training of a given reach', () => {
    const eventTimeUs = Array.from({ length: 100 }, (_, row) => row)
    const plan = { kind: 'time-folds', folds: 2, testUs: 10, gapUs: 5, trainUs: 20 } as const
    const [first, second] = foldsOf(plan, { count: 100, eventTimeUs })
    expect([first.train[0], first.train.at(-1), first.test[0], first.test.at(-1)]).toEqual([
      55, 74, 80, 89,
    ])
    expect([second.train[0], second.train.at(-1), second.test[0]]).toEqual([65, 84, 90])
  })

  test('leave out rows whose label was known too late, row by row', () => {
    const eventTimeUs = [0, 1, 2, 3, 4, 5]
    const knownUs = [0, 9, 2, 3, 4, 5]
    const plan = { kind: 'time-folds', folds: 1 } as const
    const [{ train, test: tested }] = foldsOf(plan, { count: 6, eventTimeUs, knownUs })
    expect([[...train], [...tested]]).toEqual([
      [0, 2],
      [3, 4, 5],
    ])
  })
})

test('inner folds part the training rows of their outer fold and keep its groups together', () => {
  fc.assert(
    fc.property(rows, seed, (given, at) => {
      const plan = { kind: 'k-fold', folds: 2, seed: at, grouped: true } as const
      const outer = { ...plan, stratified: true }
      for (const fold of attempt(() => nestedFolds({ outer, inner: plan }, given))) {
        const tested = fold.inner.flatMap((one) => [...one.test])
        expect(tested.toSorted((a, b) => a - b)).toEqual([...fold.train])
        for (const one of fold.inner) {
          expect([...one.train, ...one.test].toSorted((a, b) => a - b)).toEqual([...fold.train])
          const learnt = new Set(Array.from(one.train, (row) => given.groups[row]))
          expect([...one.test].some((row) => learnt.has(given.groups[row]))).toBe(false)
        }
      }
    }),
  )
})

test('a plan that does not fit its rows is refused with the reason', () => {
  const given = { count: 4, classes: [0, 1, NaN, 1] }
  const refused = (plan: FoldPlan, of: FoldRows, reason: string) =>
    expect(() => foldsOf(plan, of)).toThrow(reason)
  const k = { kind: 'k-fold', folds: 2, seed: 1 } as const
  refused({ ...k, folds: 1 }, given, '2 to 1000 folds')
  refused({ ...k, repeats: 0 }, given, 'repetitions')
  refused({ ...k, folds: 5 }, given, '4 rows do not make 5 parts')
  refused({ ...k, stratified: true }, given, 'Row 2 has no class')
  refused({ ...k, stratified: true }, { count: 4 }, 'no classes are given')
  refused({ ...k, grouped: true }, given, 'no groups are given')
  refused({ ...k, grouped: true }, { count: 3, groups: ['a', 'a', 'a'] }, '1 groups')
  refused(k, { count: 4, groups: ['a'] }, 'groups has 1 entries for 4 rows')
  refused({ kind: 'hold-out', testShare: 1, seed: 1 }, given, 'between 0 and 1')
  refused({ kind: 'hold-out', testShare: 0.01, seed: 1 }, given, 'leaves a part empty')
  refused({ kind: 'time-folds', folds: 2 }, given, 'no event times')
  refused({ kind: 'time-folds', folds: 2, gapUs: -1 }, given, 'gapUs')
  const eventTimeUs = [1, 1, 1, 1]
  refused({ kind: 'time-folds', folds: 1 }, { count: 4, eventTimeUs }, 'nothing to learn from')
  refused({ kind: 'time-folds', folds: 1 }, { count: 1, eventTimeUs: [NaN] }, 'no event time')
})

/** Folds, or none where the rows at hand cannot be parted so. */
function attempt<T>(make: () => T[]): T[] {
  try {
    return make()
  } catch (error) {
    expect(error).toMatchObject({ code: 'split_invalid' })
    return []
  }
}
