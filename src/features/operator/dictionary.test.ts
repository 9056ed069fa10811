import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Dictionary, NO_KEY, UNSEEN } from './dictionary.ts'

const keys = fc.constantFrom<(string | number)[]>('a', '', '1', 1, -1, 2 ** 40, 'k', '1:a')
const steps = fc.array(fc.tuple(fc.constantFrom('acquire', 'hold', 'release', 'release'), keys), {
  maxLength: 300,
})

test('a dictionary numbers the keys that something holds and forgets the others', () => {
  fc.assert(
    fc.property(steps, (all) => {
      const dictionary = new Dictionary()
      const holders = new Map<string | number, number>()
      for (const [step, key] of all) {
        const held = holders.get(key) ?? 0
        const code = dictionary.find(key)
        expect(code > UNSEEN).toBe(held > 0)
        if (step === 'acquire') {
          const acquired = dictionary.acquire(key)
          if (held > 0) expect(acquired).toBe(code)
          expect(dictionary.valueOf(acquired)).toBe(key)
          holders.set(key, held + 1)
        } else if (held > 0) {
          dictionary[step](code)
          holders.set(key, held + (step === 'hold' ? 1 : -1))
        }
      }
      const live = [...holders].filter(([, held]) => held > 0).map(([key]) => key)
      expect(dictionary.size).toBe(live.length)
      expect(new Set(live.map((key) => dictionary.find(key))).size).toBe(live.length)
    }),
  )
})

test('codes that nothing holds are given out again, so that their number follows what is live', () => {
  const dictionary = new Dictionary()
  for (let i = 0; i < 10_000; i++) {
    const code = dictionary.acquire(`k${i}`)
    if (i >= 50) dictionary.release(dictionary.find(`k${i - 50}`))
    expect(code).toBeLessThanOrEqual(51)
  }
  expect(dictionary.limit).toBe(52)
})

test('no value has no code, and to hold or release none changes nothing', () => {
  const dictionary = new Dictionary()
  expect(dictionary.acquire(undefined)).toBe(NO_KEY)
  expect(dictionary.find(undefined)).toBe(NO_KEY)
  expect(dictionary.find('x')).toBe(UNSEEN)
  for (const code of [NO_KEY, UNSEEN]) {
    dictionary.hold(code)
    dictionary.release(code)
  }
  expect(dictionary.acquire('x')).toBe(1)
  expect(dictionary.size).toBe(1)
})
