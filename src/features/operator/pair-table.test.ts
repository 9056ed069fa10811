import fc from 'fast-check'
import { expect, test } from 'vitest'
import { PairTable } from './pair-table.ts'
import { Pieces } from './pieces.ts'

test('what stands for a pair is what was set last and not deleted', () => {
  const steps = fc.array(
    fc.record({
      kind: fc.constantFrom('set', 'set', 'delete'),
      entity: fc.nat(3),
      code: fc.oneof(fc.nat(15), fc.constantFrom(2 ** 29, 2 ** 30 - 1)),
      position: fc.nat(2 ** 30),
    }),
    { maxLength: 400 },
  )
  fc.assert(
    fc.property(steps, (all) => {
      const table = new PairTable()
      const plain = new Map<string, number>()
      for (const { kind, entity, code, position } of all) {
        const name = `${entity} ${code}`
        if (kind === 'set') {
          table.set(entity, code, position)
          plain.set(name, position)
        } else {
          table.delete(entity, code)
          plain.delete(name)
        }
        expect(table.get(entity, code)).toBe(plain.get(name) ?? -1)
      }
      for (const [name, position] of plain) {
        const [entity, code] = name.split(' ').map(Number)
        expect(table.get(entity, code)).toBe(position)
      }
    }),
  )
})

test('pairs that come and go need no more memory than those that are there', () => {
  const table = new PairTable()
  for (let code = 0; code < 100; code++) table.set(7, code, code)
  const bytes = table.bytes()
  for (let code = 100; code < 100_000; code++) {
    table.set(7, code, code)
    table.delete(7, code - 100)
  }
  expect(table.bytes()).toBe(bytes)
  expect([table.get(7, 99_899), table.get(7, 99_900), table.get(8, 99_900)]).toEqual([
    -1, 99_900, -1,
  ])
})

test('pieces never lie over each other, and are used again', () => {
  const steps = fc.array(fc.oneof(fc.integer({ min: 4, max: 11 }), fc.constant(-1)), {
    maxLength: 200,
  })
  fc.assert(
    fc.property(steps, fc.infiniteStream(fc.nat()), (all, picks) => {
      const pieces = new Pieces()
      const live: { readonly at: number; readonly length: number; readonly mark: number }[] = []
      all.forEach((step, mark) => {
        if (step >= 0) {
          const length = 2 ** step
          const at = pieces.claim(length)
          pieces.slots.fill(mark, at, at + length)
          live.push({ at, length, mark })
        } else if (live.length > 0) {
          const [gone] = live.splice(picks.next().value % live.length, 1)
          pieces.recycle(gone.at, gone.length)
        }
      })
      for (const { at, length, mark } of live) {
        const own = pieces.slots.subarray(at, at + length)
        expect(own.length).toBe(length)
        expect(own.every((slot) => slot === mark)).toBe(true)
      }
    }),
  )
  const pieces = new Pieces()
  const bytes = pieces.bytes()
  for (let i = 0; i < 1000; i++) pieces.recycle(pieces.claim(512), 512)
  expect(pieces.bytes()).toBe(bytes)
})
