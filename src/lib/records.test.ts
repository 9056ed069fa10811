import { expect, test } from 'vitest'
import { own } from './records.ts'

test('a name that every object inherits has no value of its own', () => {
  expect(own({ a: 1 }, 'a')).toBe(1)
  expect(own({ a: 1 }, 'constructor')).toBeUndefined()
  expect(own({ a: 1 }, '__proto__')).toBeUndefined()
  expect(own(JSON.parse('{"__proto__": 2}') as Record<string, number>, '__proto__')).toBe(2)
})
