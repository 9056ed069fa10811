import { expect, test } from 'vitest'
import type { CompiledFeature, FeatureUnit, Words } from './compiled.ts'
import { formatFeatureValue, sayFeature } from './say.ts'

function featureOf(unit: FeatureUnit, words: Partial<Words> | null = null): CompiledFeature {
  return {
    name: 'F',
    version: '',
    expression: { op: 'constant', value: 0 },
    unit,
    currency: unit === 'money' ? 'EUR' : null,
    description: 'what it is.',
    words: words && { text: '', missing: null, zero: null, ...words },
  }
}

test('a value reads as its unit says', () => {
  const read = (unit: FeatureUnit, value: number): string =>
    formatFeatureValue(featureOf(unit), value)
  expect(read('money', 1234.5)).toBe('1,234.50 EUR')
  expect(read('share', 0.3125)).toBe('31 %')
  expect(read('share', 0.0125)).toBe('1.3 %')
  expect(read('count', 4)).toBe('4')
  expect(read('number', -1.234)).toBe('-1.23')
  expect(read('flag', 1)).toBe('yes')
  expect(read('duration', 90)).toBe('90 seconds')
  expect(read('duration', 7300)).toBe('2 hours')
  expect(read('duration', 86_400 * 3)).toBe('3 days')
  expect(read('money', Number.NaN)).toBe('–')
})

test('a sentence takes the value, and the noun follows the number', () => {
  const say = (text: string, value: number, unit: FeatureUnit = 'number'): string =>
    sayFeature(featureOf(unit, { text }), value)
  expect(say('made {count payment}', 1)).toBe('made 1 payment')
  expect(say('made {count payment} in a day', 12)).toBe('made 12 payments in a day')
  expect(say('{percent} were fraud', 0.5)).toBe('50 % were fraud')
  expect(say('{times} the usual', 3)).toBe('3.0 times the usual')
  expect(say('{money} on average', 3, 'money')).toBe('3.00 EUR on average')
  expect(say('{duration} ago', 7200)).toBe('2 hours ago')
})

test('a missing value and a zero have their own sentence where one is declared', () => {
  const feature = featureOf('flag', { text: 'at night', missing: 'at no time', zero: 'by day' })
  expect(sayFeature(feature, 1)).toBe('at night')
  expect(sayFeature(feature, 0)).toBe('by day')
  expect(sayFeature(feature, Number.NaN)).toBe('at no time')
  expect(sayFeature(featureOf('count'), 3)).toBe('What it is: 3')
  expect(sayFeature(featureOf('count', { text: '{count}' }), Number.NaN)).toBe(
    'What it is: not known',
  )
})
