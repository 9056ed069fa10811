/** Features that look at events of several sources. */
import { describe, expect, test } from 'vitest'
import type { Row } from '../../data/index.ts'
import { compileSource, eventTime, id, key, source } from '../../data/index.ts'
import { DAY_US, HOUR_US } from '../../lib/time.ts'
import { compileFeatureSet } from '../compile.ts'
import { featureSet } from '../declare.ts'
import type { VocabularyScope } from '../vocabulary.cases.ts'
import {
  customers,
  logins,
  payments,
  vocabularyOthers,
  vocabularySource,
} from '../vocabulary.cases.ts'
import type { FeatureState } from './state.ts'
import { createFeatureState, restoreFeatureState } from './state.ts'

const START_US = 1_700_000_000_000_000

const several = compileFeatureSet(
  featureSet('several', payments, (tx: VocabularyScope) => {
    const tries = tx.other(logins, { by: { user: 'customer' } })
    const limit = tx.lookup(customers, { by: { customer: 'customer' } })
    return [
      tries.count().over('1d').as('tries'),
      tries.distinct('device').over('ever').as('devices'),
      limit.value('limit').as('limit'),
      tx.per('customer').count().over('1d').as('payments'),
    ]
  }),
)
const paymentsOnly = compileFeatureSet(
  featureSet('own', payments, (tx: VocabularyScope) => [
    tx.per('customer').count().over('1d').as('payments'),
  ]),
)

function payment(id: string, timeUs: number): Row {
  return [id, timeUs, 1, 'a', 100, 1, 1, 1, 1, 'shop', 'NL', 'NL']
}
function login(id: string, timeUs: number, device: string): Row {
  return [id, timeUs, 1, device, 1, 1]
}

function create(): FeatureState {
  return createFeatureState([several], vocabularySource, vocabularyOthers)
}

describe('events of other sources', () => {
  test('count from their own time on, whenever they come, and only for what comes after', () => {
    const state = create()
    state.applyOther('logins', login('l1', START_US + HOUR_US, 'x'), 1)
    expect([...state.apply(payment('p1', START_US), 2)]).toEqual([0, 0, NaN, 1])
    expect([...state.apply(payment('p2', START_US + HOUR_US), 3)]).toEqual([1, 1, NaN, 2])
    state.applyOther('logins', login('l2', START_US + HOUR_US, 'y'), 4)
    state.applyOther('customers', ['c1', START_US, 1, 5000, 'gold'], 5)
    const look = payment('p3', START_US + HOUR_US)
    expect([...state.peek(look)]).toEqual([2, 2, 50, 3])
    expect([...state.valuesAt(look)]).toEqual([2, 2, 50, 2])
  })

  test('are never late within one instant, even where nothing may be late', () => {
    const options = { late: '0s', future: '0s' } as const
    const own = source('own', {
      ...options,
      columns: { id: id(), at: eventTime(), who: key('text') },
    })
    const set = compileFeatureSet(
      featureSet('counts', own, (tx) => [tx.per('who').count().over('1h').as('count')]),
    )
    const state = createFeatureState([set], compileSource(own))
    expect([...state.apply(['a', START_US, 'x'], 1)]).toEqual([1])
    expect([...state.apply(['b', START_US, 'x'], 2)]).toEqual([2])
    expect(() => state.apply(['c', START_US - 1, 'x'], 3)).toThrow(/came when the newest/)
  })

  test('may be as late as their own source allows, behind the newest event of the features', () => {
    const state = create()
    const now = START_US + 10 * DAY_US
    state.apply(payment('p1', now), 1)
    expect(() => state.apply(payment('p2', now - 36 * HOUR_US), 2)).toThrow(/came when the newest/)
    state.applyOther('logins', login('l1', now - 36 * HOUR_US, 'x'), 2)
    const before = state.statistics()
    expect(() => state.applyOther('logins', login('l2', now - 3 * DAY_US, 'y'), 3)).toThrow(
      /came when the newest/,
    )
    expect(() => state.applyOther('customers', ['c', now - DAY_US, 1, 1, 'gold'], 3)).toThrow(
      /came when the newest/,
    )
    expect(state.statistics()).toEqual(before)
    // In nobody's day any more, but one of the devices of all time.
    expect([...state.peek(payment('p3', now))]).toEqual([0, 1, NaN, 2])
  })

  test('change nothing but the sequence where no feature looks at their source', () => {
    const state = createFeatureState([paymentsOnly], vocabularySource, vocabularyOthers)
    expect(state.reads('logins')).toBe(false)
    const before = state.statistics()
    state.applyOther('logins', login('l1', START_US, 'x'), 1)
    state.applyOther('nowhere', [], 2)
    expect(state.statistics()).toEqual({ ...before, lastSequence: 2 })
    expect(() => state.applyOther('logins', login('l2', START_US, 'x'), 2)).toThrow(/follow/)
  })

  test('are known after a restart, before and after the first event of the features', () => {
    let state = create()
    const restart = (): void => {
      state = restoreFeatureState(state.snapshot(), [several], vocabularySource, vocabularyOthers)
    }
    state.applyOther('logins', login('l1', START_US, 'x'), 1)
    state.applyOther('customers', ['c1', START_US, 1, 700, 'gold'], 2)
    restart()
    expect([...state.apply(payment('p1', START_US), 3)]).toEqual([1, 1, 7, 1])
    restart()
    state.applyOther('logins', login('l2', START_US + 1, 'x'), 4)
    const later = START_US + 30 * DAY_US
    state.apply(payment('p2', later), 5)
    restart()
    expect([...state.peek(payment('p3', later))]).toEqual([0, 1, 7, 2])
    expect(state.lastSequence).toBe(5)
  })
})

describe('decayed figures', () => {
  const halfLives = compileFeatureSet(
    featureSet('decayed', payments, (tx: VocabularyScope) => [
      tx.per('customer').decayedCount({ halfLife: '1h' }).as('count'),
      tx.per('customer').decayedSum('amount', { halfLife: '1h' }).as('sum'),
    ]),
  )

  test('take late events in at their own place, even after what is older has left the ring', () => {
    const state = createFeatureState([halfLives], vocabularySource)
    const at = (hours: number): number => START_US + hours * HOUR_US
    state.apply(payment('p1', at(0)), 1)
    // A day later the first has left the ring: what it was is kept in one number.
    expect([...state.apply(payment('p2', at(26)), 2)]).toEqual([1 + 2 ** -26, 1 + 2 ** -26])
    state.apply(payment('p3', at(28)), 3)
    const late = state.apply(payment('late', at(27)), 4)
    expect([...late]).toEqual([1.5 + 2 ** -27, 1.5 + 2 ** -27])
    const [count] = state.peek(payment('p4', at(28)))
    expect(count).toBe(2 + 0.5 + 0.25 + 2 ** -28)
    const restored = restoreFeatureState(state.snapshot(), [halfLives], vocabularySource)
    expect(restored.peek(payment('p4', at(28)))).toEqual(state.peek(payment('p4', at(28))))
  })
})
