import { expect, test } from 'vitest'
import { parseTimestamp } from '../../lib/time.ts'
import { cursorOf, resolveRange } from './range.ts'

const now = parseTimestamp('2018-08-15T14:03:07.25Z')!
const at = (text: string) => parseTimestamp(text)!

test('without a range everything there is', () => {
  for (const query of [{}, { last: 'all' }] as const) {
    expect(resolveRange(query, now)).toEqual({
      fromUs: undefined,
      toUs: undefined,
      view: { from: null, to: null, sentence: 'Everything there is' },
    })
  }
})

test('a relative range ends with the bank’s clock and includes its instant', () => {
  const { fromUs, toUs, view } = resolveRange({ last: '24h' }, now)
  expect(fromUs).toBe(at('2018-08-14T14:03:07.25Z'))
  expect(toUs).toBe(now + 1)
  expect(view.sentence).toBe('The last 24 hours to 2018-08-15 14:03 UTC')
})

test('an absolute range may be open on either side', () => {
  const from = '2018-08-01T00:00:00Z'
  expect(resolveRange({ from }, now)).toMatchObject({ fromUs: at(from), toUs: undefined })
  expect(resolveRange({ to: from }, now)).toMatchObject({ fromUs: undefined, toUs: at(from) })
  expect(resolveRange({ from, to: '2018-08-02T12:00:00+02:00' }, now).view).toEqual({
    from: '2018-08-01T00:00:00Z',
    to: '2018-08-02T10:00:00Z',
    sentence: '2018-08-01 00:00 to 2018-08-02 10:00, UTC',
  })
})

test('what is no time, and a range that runs backwards, are refused', () => {
  const refused = { code: 'request_invalid' }
  for (const query of [
    { from: 'yesterday' },
    { to: '2018-02-30T00:00:00Z' },
    { from: '2018-08-02T00:00:00Z', to: '2018-08-01T00:00:00Z' },
  ]) {
    expect(() => resolveRange(query, now)).toThrow(expect.objectContaining(refused))
  }
})

test('a cursor is a whole number or refused, and never guessed', () => {
  expect(cursorOf(undefined)).toBeUndefined()
  expect(cursorOf('0')).toBe(0)
  expect(cursorOf('123456789')).toBe(123_456_789)
  for (const text of ['', '-1', '1.5', '1e3', ' 1', 'NaN', '9'.repeat(16)]) {
    expect(() => cursorOf(text)).toThrow(expect.objectContaining({ code: 'request_invalid' }))
  }
})
