import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeValue, encodeValue } from './rpc-values.ts'

function travelled(value: unknown): unknown {
  return decodeValue(JSON.parse(JSON.stringify(encodeValue(value))))
}

test('what JSON has no word for arrives as it was sent', () => {
  const bytes = Uint8Array.of(0, 255, 7)
  const numbers = Float64Array.of(0.1, NaN, -Infinity, -0)
  const value = { a: [undefined, NaN, Infinity, -0], bytes, numbers, nested: { none: null } }
  expect(travelled(value)).toEqual(value)
  expect(Object.is((travelled({ a: -0 }) as { a: number }).a, -0)).toBe(true)
  expect(travelled(undefined)).toBeUndefined()
  expect(travelled(new Uint8Array(8).subarray(3, 5))).toEqual(new Uint8Array(2))
  expect(travelled(Buffer.from('abc'))).toEqual(Uint8Array.of(97, 98, 99))
})

test('members that are undefined are left out, as in JSON', () => {
  expect(Object.keys(travelled({ a: undefined, b: 1 }) as object)).toEqual(['b'])
})

test('an object that looks like a tag arrives as an object', () => {
  for (const value of [
    { $bytes: 'AAAA' },
    { $undefined: true },
    { $object: { $object: 1 } },
    { $a: 1, b: 2 },
  ]) {
    expect(travelled(value)).toEqual(value)
  }
})

test('any value arrives as it was sent', () => {
  const value = fc.anything({
    withNullPrototype: false,
    withTypedArray: false,
    values: [
      fc.string(),
      fc.double(),
      fc.boolean(),
      fc.constant(null),
      fc.uint8Array(),
      fc.float64Array(),
    ],
    key: fc.oneof(fc.string(), fc.constantFrom('$bytes', '$object', '$number', '__proto__')),
  })
  fc.assert(
    fc.property(value, (sent) => {
      expect(travelled(sent)).toEqual(sent)
    }),
  )
})

test('what cannot travel is refused', () => {
  for (const value of [() => 1, 1n, Symbol('x'), new Map(), new Date(0), new Float32Array(1)]) {
    expect(() => encodeValue([value])).toThrow('cannot travel')
  }
  expect(() => decodeValue({ $unheard: 1 })).toThrow('not known')
})
