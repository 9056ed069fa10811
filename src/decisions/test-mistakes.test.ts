// An example of a draft that names what is not there is a mistake, not a result.
import { expect, test } from 'vitest'
import type { DeployedPolicy } from './deployed.ts'
import type { CompiledPolicy } from './policy.ts'
import type { RuleTest } from './policy-changes.ts'
import { testMistakes } from './test-mistakes.ts'

const document = {
  source: {
    columns: [
      { name: 'payment', kind: 'id', type: 'text' },
      { name: 'customer', kind: 'key', type: 'integer' },
      { name: 'amount', kind: 'money' },
      { name: 'speed', kind: 'number' },
    ],
  },
  featureSets: [{ features: [{ name: 'spent' }] }],
} as unknown as DeployedPolicy
const policy = { lists: [{ name: 'blocked' }] } as unknown as CompiledPolicy

const saidOf = (more: Partial<RuleTest>) => {
  const plain = { name: 'one', event: {}, features: {}, score: null, listed: [], expect: {} }
  return testMistakes([{ ...plain, ...more }], policy, document).map(({ sentence }) => sentence)
}

test('an example of what there is has no mistake', () => {
  const event = { payment: 'p', customer: 7, amount: 1050, speed: 1.5 }
  expect(saidOf({ event, features: { spent: 1 }, score: 0.3, listed: ['blocked'] })).toEqual([])
})

test.each([
  [
    { event: { nope: 1 } },
    'there is no column “nope”; there are: payment, customer, amount, speed',
  ],
  [{ features: { nope: 1 } }, 'there is no feature “nope”; there are: spent'],
  [{ listed: ['nope'] }, 'there is no list “nope”; there are: blocked'],
  [
    { event: { amount: 'x' } },
    'amount takes a whole number of minor units, such as cents, not "x"',
  ],
  [
    { event: { amount: 10.5 } },
    'amount takes a whole number of minor units, such as cents, not 10.5',
  ],
  [{ event: { customer: '7' } }, 'customer takes a whole number, not "7"'],
  [{ event: { payment: 7 } }, 'payment takes a text, not 7'],
  [{ score: 5 }, 'the score is 5, not 0 to 1'],
])('an unknown name or a wrong type is told, with what there is: %j', (more, said) => {
  expect(saidOf(more)).toEqual([`Test “one”: ${said}`])
})
