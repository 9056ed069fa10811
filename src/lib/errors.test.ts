import { describe, expect, test } from 'vitest'
import { allErrors, AssayError, defineErrors, isAssayError, toProblem } from './errors.ts'

const fail = defineErrors({
  tea_cold: { status: 409, title: 'The tea is cold', action: 'Make some more.' },
})

describe('an expected failure', () => {
  test('says what happened and what to do, as RFC 9457 describes it', () => {
    const error = fail.tea_cold('The pot is at 20 °C.', { extra: { celsius: 20 } })
    expect(error).toBeInstanceOf(AssayError)
    expect(error.message).toBe('The pot is at 20 °C.')
    expect(toProblem(error)).toEqual({
      type: 'urn:assay:error:tea_cold',
      title: 'The tea is cold',
      status: 409,
      detail: 'The pot is at 20 °C.',
      code: 'tea_cold',
      action: 'Make some more.',
      celsius: 20,
    })
  })

  test('cannot be disguised by its extra members', () => {
    const error = fail.tea_cold('x', { extra: { status: 200, code: 'fine', type: 'about:blank' } })
    expect(toProblem(error)).toMatchObject({ status: 409, code: 'tea_cold' })
  })

  test('is told from other errors, and from failures of other codes', () => {
    const error: unknown = fail.tea_cold('x', { cause: new Error('kettle') })
    expect(isAssayError(error)).toBe(true)
    expect(isAssayError(error, 'tea_cold', 'other')).toBe(true)
    expect(isAssayError(error, 'other')).toBe(false)
    expect(isAssayError(new Error('tea_cold'))).toBe(false)
    expect((error as Error).cause).toBeInstanceOf(Error)
  })
})

describe('the table of errors', () => {
  test('lists every code once, sorted', () => {
    const codes = allErrors().map((row) => row.code)
    expect(codes).toContain('tea_cold')
    expect(codes).toContain('internal_error')
    expect(codes).toEqual([...new Set(codes)].sort())
  })

  test('refuses a second meaning of a code, but not the same one again', () => {
    const again = { status: 409, title: 'The tea is cold', action: 'Make some more.' }
    expect(() => defineErrors({ tea_cold: again })).not.toThrow()
    expect(() => defineErrors({ tea_cold: { ...again, status: 400 } })).toThrow('another meaning')
  })

  test('refuses codes that are not lower case words', () => {
    const row = { status: 400, title: 'x', action: 'y' }
    for (const code of ['TeaCold', 'tea-cold', '_tea', 'tea_', '']) {
      expect(() => defineErrors({ [code]: row })).toThrow('lower case')
    }
  })
})

test('a defect becomes a problem that gives nothing away', () => {
  const problem = toProblem(new Error('password is 1234'))
  expect(problem).toMatchObject({ status: 500, code: 'internal_error' })
  expect(JSON.stringify(problem)).not.toContain('1234')
  expect(toProblem('a string').code).toBe('internal_error')
})
