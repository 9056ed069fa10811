import fc from 'fast-check'
import { expect, test } from 'vitest'
import { PackedReader, PackedWriter } from './packed-bytes.ts'

type Written =
  | { readonly kind: 'integer' | 'double'; readonly value: number }
  | { readonly kind: 'value'; readonly value: number | string }

const anyTime = fc.integer({ min: 1_600_000_000, max: 1_900_000_000 }).map((s) => s * 1_000_000)
const anyDouble = fc.oneof(
  fc.double(),
  fc.integer(),
  fc.maxSafeInteger(),
  anyTime,
  anyTime.map((timeUs) => timeUs + 1),
  fc.constantFrom(0, -0, NaN, Infinity, -Infinity, 2 ** 40, -(2 ** 40), 2 ** 53, 1 / 3),
)
const anyWritten: fc.Arbitrary<Written> = fc.oneof(
  fc.record({ kind: fc.constant('integer' as const), value: fc.integer() }),
  fc.record({ kind: fc.constant('double' as const), value: anyDouble }),
  fc.record({
    kind: fc.constant('value' as const),
    value: fc.oneof(fc.string(), fc.string({ unit: 'grapheme' }), fc.maxSafeInteger()),
  }),
)

test('what is written comes back bit for bit, whatever came before it', () => {
  const writer = new PackedWriter()
  fc.assert(
    fc.property(fc.array(anyWritten, { maxLength: 60 }), (all) => {
      writer.clear()
      for (const each of all) write(writer, each)
      const reader = new PackedReader(writer.written.slice())
      for (const { kind, value } of all) expect(Object.is(reader[kind](), value)).toBe(true)
    }),
    { numRuns: 500 },
  )
})

test('bytes that were cut short are refused', () => {
  const writer = new PackedWriter()
  for (const value of [1, 300, 0.5, 'text']) writer.value(value)
  const { written } = writer
  for (let length = 0; length < written.length; length++) {
    const reader = new PackedReader(written.slice(0, length))
    expect(() => Array.from({ length: 4 }, () => reader.value())).toThrow(RangeError)
  }
})

test('an event of a second, an amount and a few codes takes some ten bytes', () => {
  const writer = new PackedWriter()
  for (let event = 0; event < 100; event++) {
    writer.double(1_700_000_000_000_000 + event * 7_200_000_000)
    writer.double(4999)
    for (const code of [3, -1, 70]) writer.integer(code)
  }
  expect(writer.written.length).toBeLessThan(1100)
})

function write(writer: PackedWriter, { kind, value }: Written): void {
  if (kind === 'value') writer.value(value)
  else writer[kind](value)
}
