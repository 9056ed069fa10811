// What a bank's project may rely on. A change here is a change for every bank: write a decision
// record (docs/decisions/0006-public-api.md), then correct the lists.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import * as api from '../src/index.ts'
import { category, eventTime, featureSet, id, key, labels, money, source } from '../src/index.ts'
import { readSources, repositoryRoot } from './source-text.ts'

test('the values that the package exports', () => {
  expect(Object.keys(api).toSorted()).toMatchInlineSnapshot(`
    [
      "AssayError",
      "action",
      "approval",
      "arrivalTime",
      "boolean",
      "boostedTrees",
      "calibrated",
      "category",
      "check",
      "createRandom",
      "cron",
      "decisionPolicy",
      "eventTime",
      "featureProject",
      "featureSet",
      "finance",
      "freshness",
      "gatePolicy",
      "given",
      "graphSnapshots",
      "id",
      "integer",
      "key",
      "labels",
      "list",
      "logStream",
      "logisticRegression",
      "market",
      "model",
      "money",
      "number",
      "onData",
      "onModel",
      "partitionBy",
      "pipeline",
      "pipelineProject",
      "project",
      "randomForest",
      "rule",
      "source",
      "step",
      "streamProject",
      "text",
      "timeSplit",
      "typology",
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

test('the methods that features are declared with', () => {
  const payments = source('payments', {
    columns: {
      payment_id: id(),
      at: eventTime({ min: '2020-01-01', max: '2030-01-01' }),
      customer: key('integer'),
      amount: money('EUR', { min: '0.00', max: '1.00' }),
      channel: category(['online', 'shop']),
    },
  })
  const values = { no: 0, yes: 1 }
  const fraud = labels('fraud', { of: payments, values, positive: 'yes', delay: '7d' })
  const found: Record<string, string> = {}
  featureSet('all', payments, (event) => {
    const group = event.per('customer')
    const value = event.value('amount')
    found['event'] = methodsOf(event)
    found['time'] = methodsOf(event.time())
    found['text'] = methodsOf(event.value('customer'))
    found['number'] = methodsOf(value)
    found['condition'] = methodsOf(value.above(1))
    found['group'] = methodsOf(group)
    found['window'] = methodsOf(group.count().over('1d'))
    found['windows'] = methodsOf(group.share(fraud).over('1d', '7d'))
    found['rate'] = methodsOf(group.rate('1h'))
    found['category'] = methodsOf(event.value('channel'))
    const looked = event.lookup(payments, { by: { customer: 'customer' } })
    found['lookup'] = methodsOf(looked.staleAfter('1d'))
    found['looked up'] = methodsOf(looked.staleAfter('1d').value('amount'))
    found['looked up category'] = methodsOf(looked.value('channel'))
    found['aggregation'] = methodsOf(group.count())
    found['composition'] = methodsOf(group.zScore('amount'))
    found['feature'] = methodsOf(value.as('amount'))
    return [value.as('amount')]
  })
  expect(found).toMatchInlineSnapshot(`
    {
      "aggregation": "momentum over overLast shortAgainstLong within",
      "category": "index is isOneOf sameAs",
      "composition": "over overLast",
      "condition": "and as choose not or",
      "event": "derive graph lookup other per time value",
      "feature": "describe inWords",
      "group": "approximatePercentile count countOf countWhere decayedCount decayedMean decayedSum delayed distinct entropy excludingCurrent first lag last max mean median min percentile rate ratio share std sum timeSinceFirst timeSinceLast top topShare variance vpin where zScore",
      "looked up": "above absolute as atLeast atMost below dividedBy equals exp greatest isMissing least ln log1p minus onlyWhere orElse plus sign squareRoot times whenAbsent whenStale",
      "looked up category": "index is isOneOf",
      "lookup": "age isAbsent isStale staleAfter value",
      "number": "above absolute as atLeast atMost below dividedBy equals exp greatest isMissing least ln log1p minus onlyWhere orElse plus sign squareRoot times",
      "rate": "over",
      "text": "is isOneOf sameAs",
      "time": "dayOfMonth hour isWeekend minuteOfDay month weekday",
      "window": "above absolute as atLeast atMost below delayed dividedBy equals excludingCurrent exp greatest isMissing least ln log1p minus onlyWhere orElse plus sign squareRoot times",
      "windows": "as delayed excludingCurrent orElse",
    }
  `)
})

/** What the compiler keeps from projects although it can be called. */
const declarations = [...readSources(['src/features'])].filter(([path]) =>
  /\/(declare|group|aggregations|lookup|values|feature)\.ts$/.test(path),
)
const privateNames = new Set(
  declarations.flatMap(([, text]) =>
    [...text.matchAll(/\b(?:private|protected) (\w+)[<(]/g)].map(([, name]) => name),
  ),
)

/** Names of all that can be called on an object, its own and inherited, without Object's. */
function methodsOf(value: object): string {
  const names = new Set<string>()
  for (let at = value; at !== Object.prototype; at = Object.getPrototypeOf(at) as object) {
    for (const [name, { value: member }] of Object.entries(Object.getOwnPropertyDescriptors(at))) {
      if (typeof member === 'function' && name !== 'constructor') names.add(name)
    }
  }
  return [...names]
    .filter((name) => !privateNames.has(name))
    .toSorted()
    .join(' ')
}
