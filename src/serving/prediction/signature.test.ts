import { describe, expect, test } from 'vitest'
import { checkInputs, Mismatches, type ModelSignature } from './signature.ts'
import type { NumberType, Tensor } from './tensor.ts'

const signature: ModelSignature = {
  inputs: [
    { name: 'amount', datatype: 'FP64', shape: [-1], missing: false },
    { name: 'hour', datatype: 'FP64', shape: [-1], min: 0, max: 23 },
  ],
  outputs: [],
  table: { name: 'input', datatype: 'FP64', shape: [-1, 2] },
  widens: true,
}
const texts: ModelSignature = {
  inputs: [
    { name: 'place', datatype: 'BYTES', shape: [-1], texts: ['north', 'south'], missing: false },
  ],
  outputs: [],
  widens: true,
}

function numbers(name: string, data: number[], shape = [data.length], type: NumberType = 'FP64') {
  return { name, datatype: type, shape, data: Float64Array.from(data) } satisfies Tensor
}

function told(given: readonly Tensor[], by = signature): string {
  try {
    return `${checkInputs(by, given)} rows`
  } catch (error) {
    return (error as Error).message
  }
}

describe('a signature', () => {
  test('takes columns in any order, of any numeric type, and as a table of one column', () => {
    expect(told([numbers('hour', [1, 2], [2], 'INT32'), numbers('amount', [5, 6], [2, 1])])).toBe(
      '2 rows',
    )
  })

  test('takes one table of all columns', () => {
    expect(told([numbers('input', [1, 2, 3, 4], [2, 2], 'FP32')])).toBe('2 rows')
  })

  test('tells everything that is wrong at once', () => {
    const wrong = told([
      numbers('hour', [1, 99], [2]),
      numbers('hour', [1]),
      { name: 'place', datatype: 'BYTES', shape: [1], data: ['x'] },
    ])
    expect(wrong).toContain('input "hour" is there twice')
    expect(wrong).toContain('input "amount" (FP64[-1]) is missing')
    expect(wrong).toContain('input "place" is not one of the model\'s')
  })

  test.each<[string, readonly Tensor[], string]>([
    [
      'another type',
      [{ name: 'amount', datatype: 'BYTES', shape: [1], data: ['1'] }],
      'BYTES[1]; the model takes FP64[-1]',
    ],
    [
      'another shape',
      [numbers('amount', [1, 2, 3, 4], [2, 2])],
      'FP64[2,2]; the model takes FP64[-1]',
    ],
    [
      'a table of another width',
      [numbers('input', [1, 2, 3], [1, 3])],
      'FP64[1,3]; the model takes FP64[-1,2]',
    ],
    [
      'a value out of range',
      [numbers('amount', [1]), numbers('hour', [24])],
      'input "hour" is 24 in row 0, outside of 0 to 23',
    ],
    [
      'a value out of range in a table',
      [numbers('input', [1, 2, 1, -1], [2, 2])],
      'input "hour" is -1 in row 1',
    ],
    [
      'an infinite value, whatever the model says of its numbers',
      [numbers('amount', [1, -Infinity]), numbers('hour', [1, 1])],
      'input "amount" is -Infinity in row 1; a value is a finite number',
    ],
    [
      'a missing value',
      [numbers('amount', [NaN]), numbers('hour', [1])],
      'takes no missing values',
    ],
    [
      'rows that differ',
      [numbers('amount', [1, 2]), numbers('hour', [1])],
      'input "hour" has 1 rows and "amount" has 2',
    ],
  ])('refuses %s', (_, given, expected) => {
    expect(told(given)).toContain(expected)
  })

  test('refuses texts that it does not know, and missing ones', () => {
    const place = (data: (string | null)[]): Tensor[] => [
      { name: 'place', datatype: 'BYTES', shape: [data.length], data },
    ]
    expect(told(place(['north']), texts)).toBe('1 rows')
    expect(told(place(['west']), texts)).toContain('"west", which is not known')
    expect(told(place([null]), texts)).toContain('no text')
  })

  test('tells twenty mismatches and the number of the others', () => {
    const wrong = new Mismatches()
    for (let n = 0; n < 50; n++) wrong.add(`m${n}`)
    expect(() => wrong.refuse()).toThrow('m19; and 30 more.')
  })
})
