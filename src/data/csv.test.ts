import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createCsvReader, csvField, fieldText, recordRaw, type CsvFault } from './csv.ts'

interface Read {
  readonly rows: string[][]
  readonly lines: number[]
  readonly raws: string[]
  readonly faults: CsvFault[]
}

/** Reads the bytes in chunks of the given sizes, the last size repeated. */
function read(
  input: string | Buffer,
  sizes: readonly number[] = [1 << 16],
  bytesMax?: number,
): Read {
  const result: Read = { rows: [], lines: [], raws: [], faults: [] }
  const reader = createCsvReader(
    {
      record(record) {
        const row: string[] = []
        for (let field = 0; field < record.count; field++) row.push(fieldText(record, field))
        result.rows.push(row)
        result.lines.push(record.line)
        result.raws.push(recordRaw(record).raw)
      },
      fault: (fault) => result.faults.push(fault),
    },
    bytesMax,
  )
  const bytes = Buffer.from(input)
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = sizes[Math.min(turn, sizes.length - 1)]
    // Each chunk's memory is overwritten afterwards, as a stream may do.
    const chunk = Buffer.from(bytes.subarray(at, at + size))
    reader.push(chunk)
    chunk.fill(0x21)
    at += size
  }
  reader.end()
  return result
}

describe('a CSV file', () => {
  test('is read with LF or CRLF, with or without a last line break, and without empty lines', () => {
    const expected = [
      ['a', 'b'],
      ['1', '2'],
    ]
    for (const text of ['a,b\n1,2\n', 'a,b\r\n1,2\r\n', 'a,b\n\n1,2', 'a,b\r\n\r\n1,2\r']) {
      expect(read(text).rows).toEqual(expected)
    }
  })

  test('may quote fields that hold commas, quotes and line breaks', () => {
    const { rows, lines } = read('x,"a ""b"", c"\n"two\nlines",y\nz,"")\n')
    expect(rows.slice(0, 2)).toEqual([
      ['x', 'a "b", c'],
      ['two\nlines', 'y'],
    ])
    expect(lines).toEqual([1, 2])
  })

  test('keeps quotes inside an unquoted field as they are', () => {
    expect(read('5" disk,b\n').rows).toEqual([['5" disk', 'b']])
  })

  test('gives back any fields that were written, however the bytes are cut', () => {
    const field = fc.string({ unit: fc.constantFrom('a', ',', '"', '\n', '\r', 'ü', '€', ' ') })
    fc.assert(
      fc.property(
        fc.array(fc.array(field, { minLength: 1, maxLength: 4 }), { maxLength: 6 }),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 }),
        fc.constantFrom('\n', '\r\n'),
        (rows, sizes, lineBreak) => {
          const text = rows.map((row) => row.map(csvField).join(',') + lineBreak).join('')
          const result = read(text, sizes)
          expect(result.rows).toEqual(rows)
          expect(result.faults).toEqual([])
        },
      ),
    )
  })

  test('is read alike however the bytes are cut, right or wrong', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('a', 'bc', ',', '"', '\n', '\r', 'é'), maxLength: 60 }),
        fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 5 }),
        (text, sizes) => {
          expect(read(text, sizes, 20)).toEqual(read(text, [1000], 20))
        },
      ),
      { numRuns: 500 },
    )
  })
})

describe('a faulty CSV line', () => {
  test('with a quote that is never closed is reported alone; the rows after it are read', () => {
    const { rows, faults, lines } = read('a,b\n1,"x\n2,y\n3,z\n')
    expect(rows).toEqual([
      ['a', 'b'],
      ['2', 'y'],
      ['3', 'z'],
    ])
    expect(lines).toEqual([1, 3, 4])
    expect(faults).toEqual([{ rule: 'quote', line: 2, raw: '1,"x', rawCut: false }])
  })

  test('with text after a closing quote is reported alone', () => {
    const { rows, faults } = read('a,b\n1,"x"y\n2,z\n')
    expect(rows).toEqual([
      ['a', 'b'],
      ['2', 'z'],
    ])
    expect(faults).toEqual([{ rule: 'quote', line: 2, raw: '1,"x"y', rawCut: false }])
  })

  test('that is too long is reported with its beginning and skipped', () => {
    const { rows, faults, lines } = read(`a\n${'x'.repeat(50)}\nb\n`, [7], 20)
    expect(rows).toEqual([['a'], ['b']])
    expect(lines).toEqual([1, 3])
    expect(faults).toEqual([{ rule: 'line_too_long', line: 2, raw: 'x'.repeat(20), rawCut: true }])
  })

  test('of gigabytes takes no more memory than one record', () => {
    let records = 0
    const faults: CsvFault[] = []
    const reader = createCsvReader({
      record: () => records++,
      fault: (fault) => faults.push(fault),
    })
    reader.push(Buffer.from('a,b\n1,2\n'))
    const chunk = Buffer.alloc(1 << 20, 'x')
    const before = process.memoryUsage().rss
    for (let chunks = 0; chunks < 2048; chunks++) reader.push(chunk)
    reader.push(Buffer.from('\n3,4\n'))
    reader.end()
    expect(records).toBe(3)
    expect(faults).toMatchObject([{ rule: 'line_too_long', line: 3, rawCut: true }])
    expect(faults[0].raw.length).toBe(4096)
    expect(process.memoryUsage().rss - before).toBeLessThan(200 * 1024 * 1024)
  })
})
