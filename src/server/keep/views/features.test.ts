import { expect, test } from 'vitest'
import { compileFeatureSet, featureSet } from '../../../features/index.ts'
import { payments } from '../../../../test/small-bank.ts'
import type { FeaturesQuery, FeatureSummary } from '../../contract/index.ts'
import { choicesOf, select, type Listed } from './feature-filters.ts'
import { readsOf } from './feature-reads.ts'
import { newestOnly } from './feature-value.ts'

function listed(over: Partial<FeatureSummary>, windowUs = 0): Listed {
  const summary: FeatureSummary = {
    name: 'AMOUNT',
    set: 'behaviour',
    source: 'payments',
    version: 'a',
    words: 'What is paid',
    entity: null,
    window: null,
    unit: 'EUR',
    referenceMean: 1,
    liveMean: 1,
    psi: 0.01,
    importance: 0.5,
    usedBy: ['card-fraud/1', 'card'],
    verdict: { status: 'ok', sentence: '' },
    ...over,
  }
  return { summary, windowUs }
}

const all = [
  listed({}),
  listed({ name: 'COUNT_7D', entity: 'customer', unit: null, psi: 0.3, importance: 0.1 }, 7),
  listed({ name: 'COUNT_1D', entity: 'customer', unit: null, psi: null, usedBy: [] }, 1),
  listed({ name: 'RISK', entity: 'terminal', set: 'risk', unit: '%', importance: null }, 30),
]
const names = (query: FeaturesQuery) => select(all, query).map(({ name }) => name)

test('filters leave what has all that is asked for', () => {
  expect(names({})).toEqual(['AMOUNT', 'COUNT_7D', 'COUNT_1D', 'RISK'])
  expect(names({ entity: 'customer' })).toEqual(['COUNT_7D', 'COUNT_1D'])
  expect(names({ entity: '-' })).toEqual(['AMOUNT'])
  expect(names({ unit: '-', usedBy: 'card' })).toEqual(['COUNT_7D'])
  expect(names({ usedBy: '-' })).toEqual(['COUNT_1D'])
  expect(names({ set: 'risk', source: 'payments' })).toEqual(['RISK'])
  expect(names({ status: 'alert' })).toEqual([])
})

test('words are looked for in any order, whatever their case', () => {
  expect(names({ text: 'paid count' })).toEqual(['COUNT_7D', 'COUNT_1D'])
  expect(names({ text: '  TERMINAL ' })).toEqual(['RISK'])
})

test('what is not known comes last in either direction', () => {
  expect(names({ sort: 'psi' })).toEqual(['AMOUNT', 'RISK', 'COUNT_7D', 'COUNT_1D'])
  expect(names({ sort: 'psi', descending: 'yes' })).toEqual([
    'COUNT_7D',
    'AMOUNT',
    'RISK',
    'COUNT_1D',
  ])
  expect(names({ sort: 'window' })).toEqual(['COUNT_1D', 'COUNT_7D', 'RISK', 'AMOUNT'])
  expect(names({ sort: 'importance', descending: 'yes' }).at(-1)).toBe('RISK')
  expect(names({ sort: 'name' })).toEqual(['AMOUNT', 'COUNT_1D', 'COUNT_7D', 'RISK'])
  expect(names({ descending: 'yes' })).toEqual(['RISK', 'COUNT_1D', 'COUNT_7D', 'AMOUNT'])
})

test('choices count what each would leave of the whole catalogue', () => {
  const choices = choicesOf(all.map(({ summary }) => summary))
  for (const name of ['set', 'source', 'entity', 'unit', 'usedBy', 'status'] as const) {
    for (const { value, count, title } of choices[name]) {
      expect(names({ [name]: value }), `${name} ${value}`).toHaveLength(count)
      expect(title).not.toBe('')
    }
  }
})

test('a feature reads the keys of its windows, and of the event what it calculates with', () => {
  const set = featureSet('s', payments, (tx) => {
    const usual = tx.per('customer').mean('amount').over('7d').excludingCurrent()
    return [
      tx.value('amount').dividedBy(usual).as('RATIO'),
      tx.per('customer', 'terminal').count().over('1d').as('PAIR'),
      tx.per('customer').distinct('terminal').over('1d').as('TERMINALS'),
      tx.time().hour().as('HOUR'),
    ]
  })
  const reads = compileFeatureSet(set).features.map(({ expression }) => readsOf(expression))
  expect(reads).toEqual([
    { keys: ['customer'], columns: ['amount'], rows: false, staleUs: null },
    { keys: ['customer', 'terminal'], columns: [], rows: false, staleUs: null },
    { keys: ['customer'], columns: [], rows: false, staleUs: null },
    { keys: [], columns: [], rows: false, staleUs: null },
  ])
})

test('of a window of the newest events only those are shown, counted after the filter', () => {
  const event = (at: number, counts = true) => ({ id: String(at), timeUs: at, value: 1, counts })
  const newest = [event(9), event(8, false), event(7), event(6)]
  const where = { op: 'constant', value: 1 } as const
  const shown = (over: { readonly where?: typeof where; readonly name?: 'share' } = {}) => {
    const { where: filter = null, name = 'mean' } = over
    const found = newestOnly({
      aggregate: { events: 2, where: filter, function: name },
      newest,
      events: 4,
    })
    return [found.events, found.newest.map(({ timeUs }) => timeUs)]
  }
  expect(shown()).toEqual([2, [9, 8]])
  expect(shown({ where })).toEqual([3, [9, 8, 7]])
  // What counts is then the numerator, and tells nothing of the filter.
  expect(shown({ where, name: 'share' })).toEqual([4, [9, 8, 7, 6]])
  const many = { aggregate: { events: 300, where: null, function: 'mean' } as const, newest }
  expect(newestOnly({ ...many, events: 900 }).events).toBe(300)
})
