import { expect, test } from 'vitest'
import { siteLines } from './site.ts'

const FROM_US = Date.UTC(2026, 4, 5, 9, 0) * 1000

function linesFrom(fromUs: number, count: number): { timeUs: number; line: string }[] {
  const found = []
  for (const line of siteLines(fromUs)) {
    if (found.length === count) break
    found.push(line)
  }
  return found
}

test('the log is the same wherever one begins to read it, each line later than the one before', () => {
  const whole = linesFrom(FROM_US, 3000)
  expect(whole.every(({ timeUs }, i) => i === 0 || timeUs > whole[i - 1].timeUs)).toBe(true)
  for (const at of [1, 500, 1999]) {
    expect(linesFrom(whole[at].timeUs, 1000)).toEqual(whole.slice(at, at + 1000))
  }
})

test('it has customers of several countries, a search engine, and errors now and then', () => {
  const lines = linesFrom(FROM_US, 5000).map(({ line }) => line)
  for (const part of ['"country":"DE"', 'ExampleBot', '"status":401', '"status":503']) {
    expect(lines.some((line) => line.includes(part))).toBe(true)
  }
})
