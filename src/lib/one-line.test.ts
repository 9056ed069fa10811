import { expect, test } from 'vitest'
import { isOneLine } from './one-line.ts'

test.each(['Ada Lovelace', 'Größe > 5 €', '夜間', 'ليل', 'e\u0301', '👩‍💻'])(
  '%j is one line',
  (text) => {
    expect(isOneLine(text)).toBe(true)
  },
)

test.each([
  'two\nlines',
  'tab\there',
  'nul\u0000',
  'bell\u0007',
  '\u001b[31mred',
  'c1\u0085',
  'separator\u2028',
  'turned \u202e around',
  'isolated \u2066',
])('%j is not', (text) => {
  expect(isOneLine(text)).toBe(false)
})
