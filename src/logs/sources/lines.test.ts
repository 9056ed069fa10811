import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Encoding, LineSplitter, type SplitLines } from './lines.ts'

function split(pieces: readonly Buffer[], options: { encoding?: Encoding; lineBytesMax?: number }) {
  const splitter = new LineSplitter(options)
  const out: SplitLines = { lines: [], flaws: [] }
  const take = ({ lines, flaws }: SplitLines) => {
    for (const { index, kind } of flaws) out.flaws.push({ index: index + out.lines.length, kind })
    out.lines.push(...lines)
  }
  for (const piece of pieces) take(splitter.push(piece))
  take(splitter.end())
  return { ...out, taken: splitter.taken }
}

function inPieces(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const pieces: Buffer[] = []
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length]
    pieces.push(bytes.subarray(at, at + size))
    at += size
  }
  return pieces
}

const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 })
const anyBytes = fc
  .array(
    fc.oneof(
      fc.constantFrom(0x0a, 0x0d, 0, 0xff, 0xfe, 0xc3, 0xa4, 0xef, 0xbb, 0xbf),
      fc.integer({ min: 32, max: 126 }),
    ),
    { maxLength: 60 },
  )
  .map((bytes) => Buffer.from(bytes))

test('lines are the same however their bytes were split, whatever the bytes are', () => {
  fc.assert(
    fc.property(
      anyBytes,
      sizes,
      fc.constantFrom<Encoding>('utf-8', 'latin-1', 'utf-16le', 'utf-16be'),
      fc.integer({ min: 2, max: 40 }),
      (bytes, pieces, encoding, lineBytesMax) => {
        const whole = split([bytes], { encoding, lineBytesMax })
        expect(split(inPieces(bytes, pieces), { encoding, lineBytesMax })).toEqual(whole)
        expect(whole.taken).toBe(bytes.length)
      },
    ),
    { numRuns: 1000 },
  )
})

const text = fc.array(fc.string({ unit: 'binary', maxLength: 12 }).map(clean), { maxLength: 8 })

test('text comes out as it went in, in every encoding, also behind a byte order mark', () => {
  fc.assert(
    fc.property(text, sizes, fc.boolean(), (lines, pieces, ends) => {
      const written = lines.join('\n') + (ends && lines.length > 0 ? '\n' : '')
      const read = written === '' ? [] : written.replace(/\n$/, '').split('\n')
      const utf8 = Buffer.from(`\ufeff${written}`)
      const little = Buffer.from(`\ufeff${written}`, 'utf16le')
      const big = Buffer.from(little).swap16()
      for (const bytes of [utf8, little, big]) {
        const out = split(inPieces(bytes, pieces), {})
        expect(out.lines).toEqual(read)
        expect(out.flaws).toEqual([])
      }
    }),
    { numRuns: 500 },
  )
})

function clean(line: string): string {
  // oxlint-disable-next-line no-control-regex -- Line ends and control characters have tests of their own.
  return line.replace(/[\u0000-\u001f\ufeff]/g, '').toWellFormed()
}

test('a line that is far too long is cut and said, in little memory, and those around it are whole', () => {
  const splitter = new LineSplitter({ lineBytesMax: 1000 })
  const out: SplitLines[] = [splitter.push(Buffer.from('before\n'))]
  const piece = Buffer.alloc(1_000_000, 'x')
  for (let n = 0; n < 100; n++) out.push(splitter.push(piece))
  out.push(splitter.push(Buffer.from('x\nafter\n')))
  const lines = out.flatMap((each) => each.lines)
  expect(lines.map((line) => line.length)).toEqual([6, 1000, 5])
  expect(out.flatMap((each) => each.flaws)).toEqual([{ index: 0, kind: 'cut' }])
  expect(splitter.taken).toBe(7 + 100_000_002 + 6)
})

test('what is no UTF-8 is replaced and counted in its own line only', () => {
  const bytes = Buffer.concat([
    Buffer.from('gut: ä\nb'),
    Buffer.from([0xe4]),
    Buffer.from('d\nend'),
  ])
  expect(split([bytes], {})).toMatchObject({
    lines: ['gut: ä', 'b\ufffdd', 'end'],
    flaws: [{ index: 1, kind: 'replaced' }],
  })
  expect(split([bytes], { encoding: 'latin-1' }).lines[1]).toBe('bäd')
})

test('zeros before a line are left out, and control characters are said', () => {
  const bytes = Buffer.from('\0\0\0good line\nbad \u0001\u0002\r\nlast\r\n')
  expect(split([bytes], {})).toMatchObject({
    lines: ['good line', 'bad \u0001\u0002', 'last'],
    flaws: [
      { index: 0, kind: 'binary' },
      { index: 1, kind: 'binary' },
    ],
  })
})

test('a line whose beginning was given before is not given again', () => {
  const splitter = new LineSplitter({}, 4, true)
  expect(splitter.push(Buffer.from('rest\nnext\n'))).toEqual({
    lines: ['', 'next'],
    flaws: [{ index: 0, kind: 'cut' }],
  })
  const whole = new LineSplitter({}, 4, true)
  expect(whole.push(Buffer.from('\nnext\n')).lines).toEqual(['next'])
})
