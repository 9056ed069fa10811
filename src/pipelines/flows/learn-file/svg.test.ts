import { expect, test } from 'vitest'
import { lineChart } from './svg.ts'

test('a chart of numbers at both ends of the range has a place for each', () => {
  const wide = { title: 'x', from: -1.7e308, to: 1.7e308 }
  const points = [
    [-1.7e308, 0],
    [0, 0],
    [1.7e308, 0],
  ] as const
  const chart = lineChart('wide', wide, { title: 'y', from: 0, to: 0 }, [{ kind: 'line', points }])
  expect(chart).not.toMatch(/NaN|Infinity/)
  expect(chart).toContain('points="46,200 177,200 308,200"')
})
