import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { shown } from './shown.ts'

describe('a value in a message', () => {
  test('is text as it is, and anything else as one would write it', () => {
    expect([shown('a'), shown(-0.5), shown(NaN), shown(undefined), shown(null)]).toEqual([
      'a',
      '-0.5',
      'NaN',
      'undefined',
      'null',
    ])
    expect(shown({ toString: 0 })).toBe('{ toString: 0 }')
    expect(shown([1, 'x'])).toBe("[ 1, 'x' ]")
  })

  test('is cut where it is long', () => {
    expect(shown('x'.repeat(200))).toBe(`${'x'.repeat(80)}…`)
  })

  test('can be of any kind', () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        expect(shown(value).length).toBeLessThanOrEqual(81)
      }),
    )
  })
})
