// What a bank's project may rely on. A change here is a change for every bank: write a decision
// record (docs/decisions/0006-public-api.md), then correct the lists.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import * as api from '../src/index.ts'
import { eventTime, featureSet, id, key, labels, money, source } from '../src/index.ts'
import { repositoryRoot } from './source-text.ts'

test('the values that the package exports', () => {
  expect(Object.keys(api).toSorted()).toMatchInlineSnapshot(`
    [
      "AssayError",
      "boolean",
      "boostedTrees",
      "category",
      "createRandom",
      "decisionPolicy",
      "eventTime",
      "featureSet",
      "gatePolicy",
      "id",
      "integer",
      "key",
      "labels",
      "logisticRegression",
      "model",
      "money",
      "number",
      "project",
      "rule",
      "source",
      "text",
      "timeSplit",
    ]
  `)
})

test('the types that the package exports', () => {
  const text = readFileSync(join(repositoryRoot, 'src', 'index.ts'), 'utf8')
  const exported = [...text.matchAll(/\btype (\w+)/g)].map(([, name]) => name)
  expect(exported.toSorted()).toMatchInlineSnapshot(`
    [
      "Random",
    ]
  `)
})

describe('what features are declared with', () => {
  const payments = source('payments', {
    columns: {
      payment_id: id(),
      at: eventTime({ min: '2020-01-01', max: '2030-01-01' }),
      customer: key('integer'),
      amount: money('EUR', { min: '0.00', max: '1.00' }),
    },
  })
  const fraud = labels('fraud', { of: payments, values: { no: 0, yes: 1 }, positive: 'yes', delay: '7d' })
  const found: Record<string, string[]> = {}
  featureSet('all', payments, (event) => {
    const group = event.per('customer')
    const value = event.value('amount')
    const window = group.count().over('1d')
    Object.assign(found, {
      event: methodsOf(event),
      time: methodsOf(event.time()),
      value: methodsOf(value),
      condition: methodsOf(value.above(1)),
      group: methodsOf(group),
      window: methodsOf(window),
      family: methodsOf(group.share(fraud).over('1d', '7d')),
      feature: methodsOf(value.as('amount')),
    })
    return [value.as('amount')]
  })

  test.each(Object.entries(found))('%s offers these methods', (_name, methods) => {
    expect(methods).toMatchSnapshot()
  })
})

/** Names of all that can be called on an object, its own and inherited, without Object's. */
function methodsOf(value: object): string[] {
  const names = new Set<string>()
  for (let at: object | null = value; at !== null && at !== Object.prototype; at = Object.getPrototypeOf(at) as object | null) {
    for (const name of Object.getOwnPropertyNames(at)) {
      const { value: member } = Object.getOwnPropertyDescriptor(at, name)!
      if (typeof member === 'function' && name !== 'constructor') names.add(name)
    }
  }
  return [...names].toSorted()
}
