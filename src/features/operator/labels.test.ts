/** What becomes known of events later, and what it changes in long windows. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Row } from '../../data/index.ts'
import { labels } from '../../data/index.ts'
import { createRandom } from '../../lib/random.ts'
import { DAY_US, HOUR_US } from '../../lib/time.ts'
import { compileFeatureSet } from '../compile.ts'
import { featureSet } from '../declare.ts'
import type { Fact } from '../oracle.cases.ts'
import { valuesByDefinition } from '../oracle.cases.ts'
import type { VocabularyScope } from '../vocabulary.cases.ts'
import { payments, vocabularySource } from '../vocabulary.cases.ts'
import { denseFacts } from './dense.cases.ts'
import type { FeatureState, LabelOutcome } from './state.ts'
import { createFeatureState, restoreFeatureState } from './state.ts'

const fraud = labels('fraud', {
  of: payments,
  values: { genuine: 0, fraud: 1 },
  positive: 'fraud',
  delay: '1d',
})
const dispute = labels('dispute', {
  of: payments,
  values: { none: 0, lost: 3 },
  positive: 'lost',
  delay: '1h',
})

const labelled = compileFeatureSet(
  featureSet('labelled', payments, (tx: VocabularyScope) => {
    const customer = tx.per('customer')
    const merchant = tx.per('merchant')
    const shop = customer.where(tx.value('channel').is('shop'))
    return [
      customer.countOf(fraud).over('3d').as('frauds'),
      ...customer
        .share(fraud)
        .over('1d', '3d')
        .delayed('1d')
        .as((w) => `share_${w.text}`),
      shop.countOf(fraud).over('3d').as('frauds_shop'),
      shop.share(dispute).over('1d').delayed('1h').as('disputes_shop'),
      merchant.share(fraud).over('3d').delayed('1d').orElse(0).as('risk'),
      merchant.countOf(dispute).within('2d').overLast(20).as('disputes_last'),
      customer.distinct('country').over('3d').as('countries'),
      customer.max('amount').over('3d').as('max'),
    ]
  }),
)

/** Dense facts of one source with a label after every third: of any earlier event, or of none. */
function factsWithLabels(seed: number, count: number): Fact[] {
  const random = createRandom(`labels ${seed}`)
  const ids: string[] = ['never']
  return denseFacts(seed, count).flatMap((fact): Fact[] => {
    if (fact.kind === 'label' || fact.source !== undefined) return []
    ids.push(String(fact.row[0]))
    if (random.int(3) > 0) return [fact]
    const reach = random.int(4) === 0 ? ids.length : Math.min(ids.length, 300)
    const id = ids[ids.length - 1 - random.int(reach)]
    const [name, value] = [
      ['fraud', 1] as const,
      ['fraud', 1] as const,
      ['fraud', 0] as const,
      ['fraud', null] as const,
      ['dispute', 3] as const,
    ][random.int(5)]
    return [fact, { kind: 'label', labels: name, id, value }]
  })
}

function named(values: ArrayLike<number>): Record<string, number> {
  return Object.fromEntries(labelled.features.map(({ name }, index) => [name, values[index]]))
}

function rowOf(id: string, timeUs: number, customer: number): Row {
  return [id, timeUs, customer, 'a', 100, 1, 1, 1, 1, 'shop', 'NL', 'NL']
}

describe('labels', () => {
  test('count from their arrival in every window that holds their event, through restarts', () => {
    const outcomes = new Set<LabelOutcome>()
    const runs = fc.record({
      seed: fc.integer(),
      positionMax: fc.constantFrom(undefined, 50),
      restartEach: fc.constantFrom(Infinity, 211),
    })
    fc.assert(
      fc.property(runs, ({ seed, positionMax, restartEach }) => {
        const all = factsWithLabels(seed, 1500)
        const compared = createRandom(seed)
        let state = createFeatureState([labelled], vocabularySource)
        all.forEach((fact, index) => {
          for (const { rings } of state.kinds) rings.positionMax = positionMax ?? rings.positionMax
          if (fact.kind === 'label') {
            outcomes.add(state.applyLabel(fact.labels, fact.id, fact.value, index + 1))
          } else {
            const vector = state.apply(fact.row, index + 1)
            if (compared.int(40) > 0) return
            const expected = valuesByDefinition(labelled, vocabularySource, all, index)
            expect(named(vector), `fact ${index}`).toEqual(named(expected))
          }
          if (index % restartEach < restartEach - 1) return
          state = restoreFeatureState(state.snapshot(), [labelled], vocabularySource)
        })
      }),
      { numRuns: 6 },
    )
    expect([...outcomes].sort()).toEqual(['applied', 'unchanged', 'unknownEvent'])
  })

  test('are in a checkpoint as they were when it was begun, whatever comes while it is written', async () => {
    const runs = fc.record({ seed: fc.integer(), cut: fc.integer({ min: 1, max: 700 }) })
    await fc.assert(
      fc.asyncProperty(runs, async ({ seed, cut }) => {
        const all = factsWithLabels(seed, 1500)
        const takeFrom = (state: FeatureState, from: number, to: number) =>
          all.slice(from, to).map((fact, i) => {
            if (fact.kind !== 'label') return [...state.apply(fact.row, from + i + 1)]
            return state.applyLabel(fact.labels, fact.id, fact.value, from + i + 1)
          })
        const state = createFeatureState([labelled], vocabularySource)
        takeFrom(state, 0, cut)
        const pieces = state.checkpoint(100)
        const expected = takeFrom(state, cut, all.length)
        const bytes = Buffer.concat(await pieces)
        const restored = restoreFeatureState(bytes, [labelled], vocabularySource)
        expect(takeFrom(restored, cut, all.length)).toEqual(expected)
      }),
      { numRuns: 6 },
    )
  })

  const start = 1_700_000_000_000_000
  const valueOf = (state: FeatureState, name: string, timeUs: number): number =>
    state.peek(rowOf('look', timeUs, 1))[state.names.indexOf(name)]

  test('of a late event count in the windows of its time', () => {
    const state = createFeatureState([labelled], vocabularySource)
    state.apply(rowOf('1', start, 1), 1)
    state.apply(rowOf('2', start + 20 * HOUR_US, 1), 2)
    state.apply(rowOf('late', start + 2 * HOUR_US, 1), 3)
    expect(state.applyLabel('fraud', 'late', 1, 4)).toBe('applied')
    expect(valueOf(state, 'frauds', start + 20 * HOUR_US)).toBe(1)
    // Of the events from the second to the 26th hour, one is fraud and none of the others is known.
    expect(valueOf(state, 'share_1d', start + 27 * HOUR_US)).toBe(0.5)
    expect(valueOf(state, 'frauds', start + 3 * DAY_US + 2 * HOUR_US)).toBe(0)
  })

  test('of an event that no window reaches any more change nothing, and are refused once it is gone', () => {
    const state = createFeatureState([labelled], vocabularySource)
    state.apply(rowOf('old', start, 1), 1)
    const later = start + 5 * DAY_US + HOUR_US
    state.apply(rowOf('new', later, 1), 2)
    // Windows of 3 days that end a day before, a day of lateness, and minutes into the future.
    expect(state.applyLabel('fraud', 'old', 1, 3)).toBe('unknownEvent')
    expect(valueOf(state, 'frauds', later)).toBe(0)
    expect(state.applyLabel('fraud', 'new', 1, 4)).toBe('applied')
    expect(valueOf(state, 'frauds', later)).toBe(1)
    expect(state.applyLabel('fraud', 'new', null, 5)).toBe('applied')
    expect(valueOf(state, 'frauds', later)).toBe(0)
  })

  test('of an event without a key change the figures of its other keys', () => {
    const state = createFeatureState([labelled], vocabularySource)
    const row = [...rowOf('x', start, 1)]
    row[3] = undefined
    state.apply(row, 1)
    expect(state.applyLabel('fraud', 'x', 1, 2)).toBe('applied')
    expect(valueOf(state, 'frauds', start)).toBe(1)
    const restored = restoreFeatureState(state.snapshot(), [labelled], vocabularySource)
    expect(restored.applyLabel('fraud', 'x', 0, 3)).toBe('applied')
    expect(valueOf(restored, 'frauds', start)).toBe(0)
  })

  test('find their event after a restart, whatever characters its id begins with', () => {
    const ids = ['\ufeffmarked', '\u00e9', '\u{1f600}', ' spaced', '007']
    const state = createFeatureState([labelled], vocabularySource)
    ids.forEach((id, n) => state.apply(rowOf(id, start + n, 1), n + 1))
    const restored = restoreFeatureState(state.snapshot(), [labelled], vocabularySource)
    const outcomes = ids.map((id, n) => restored.applyLabel('fraud', id, 1, ids.length + n + 1))
    expect(outcomes).toEqual(ids.map(() => 'applied'))
  })
})
