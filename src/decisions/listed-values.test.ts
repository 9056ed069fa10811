// Values of a list that is on a column of whole numbers are those that rules compare with.
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { CompiledColumn } from '../data/index.ts'
import { listedValues } from './listed-values.ts'

const customer = { name: 'customer', kind: 'key', type: 'integer' } as CompiledColumn
const card = { name: 'card', kind: 'key', type: 'text' } as CompiledColumn

test('a whole number is put on a list as the engine writes it, however it was typed', () => {
  const zeros = fc.integer({ min: 0, max: 4 })
  const sign = fc.constantFrom('', '+')
  const fraction = fc.constantFrom('', '.', '.0', '.00')
  fc.assert(
    fc.property(fc.maxSafeNat(), zeros, sign, fraction, (number, count, plus, end) => {
      const typed = `${plus}${'0'.repeat(count)}${number}${end}`
      expect(listedValues([typed], [customer], 'add')).toEqual([String(number)])
    }),
  )
})

test.each(['abc', '1e3', '', '7.5', '9007199254740993', '0x10', '٣'])(
  'what is no whole number is refused with its place: %s',
  (wrong) => {
    expect(() => listedValues(['7', wrong], [customer], 'add')).toThrow(
      expect.objectContaining({
        code: 'list_values_invalid',
        detail: expect.stringContaining(`value 2 is “${wrong}”`),
      }),
    )
  },
)

test('texts stay as they are, and a list of both kinds of column holds both spellings', () => {
  expect(listedValues(['007', 'a'], [card], 'add')).toEqual(['007', 'a'])
  expect(listedValues(['007', 'a'], [card, customer], 'add')).toEqual(['007', '7', 'a'])
})

test('what was put on a list before it was checked can still be taken off', () => {
  expect(listedValues(['009', 'abc'], [customer], 'remove')).toEqual(['009', '9', 'abc'])
})
