import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  category,
  compileSource,
  eventTime,
  id,
  integer,
  key,
  money,
  number,
  source,
  type Frame,
} from '../../data/index.ts'
import { DAY_US, HOUR_US, MINUTE_US } from '../../lib/time.ts'
import { compileFeatureSet } from '../compile.ts'
import type { EventScope } from '../declare.ts'
import { featureSet } from '../declare.ts'
import type { Feature } from '../feature.ts'
import { history } from '../history.ts'
import { createSweepEngine } from './engine.ts'

const columns = {
  payment_id: id(),
  paid_at: eventTime(),
  customer_id: key('integer', { nullable: true }),
  merchant_id: key('text', { nullable: true }),
  amount: money('EUR'),
  items: integer({ nullable: true }),
  score: number({ nullable: true }),
  channel: category(['online', 'shop', 'phone'], { nullable: true }),
}
const payments = source('payments', { columns })
const contract = compileSource(payments)
type Scope = EventScope<typeof columns>

/** Every function of a sweep over every kind of window that the function knows. */
function everything(tx: Scope): Feature[] {
  const large = tx.value('amount').atLeast(3)
  const online = tx.value('channel').is('online')
  const features: Feature[] = []
  const entities = [
    tx.per('customer_id'),
    tx.per('customer_id', 'merchant_id'),
    tx.per('merchant_id').where(large),
  ]
  for (const [e, entity] of entities.entries()) {
    const figures = {
      count: entity.count(),
      countWhere: entity.countWhere(online),
      share: entity.share(online),
      sum: entity.sum('amount'),
      items: entity.sum('items'),
      mean: entity.mean('items'),
      std: entity.std('amount'),
      variance: entity.variance('items'),
      min: entity.min('score'),
      max: entity.max('amount'),
      distinct: entity.distinct('channel'),
      first: entity.first('score'),
      last: entity.last('channel'),
      since: entity.timeSinceLast(),
      sinceFirst: entity.timeSinceFirst(),
    }
    for (const [name, figure] of Object.entries(figures)) {
      const as = (ending: string) => `${name}_${e}_${ending}`
      features.push(
        ...figure.over('1h', '3d', 'ever').as((window) => as(window.text)),
        figure.over('1d').excludingCurrent().as(as('past')),
      )
      // The newest event needs no choice of newest ones, and times are told from the event itself.
      if (!name.startsWith('since'))
        features.push(figure.over('1d').delayed('1h').as(as('delayed')))
      if (name === 'since') continue
      features.push(
        figure.within('1d').overLast(2).as(as('newest')),
        figure.within('3d').overLast(3).excludingCurrent().as(as('newest_past')),
      )
    }
    features.push(entity.lag('items', 1).over('1d').as(`lag_${e}`))
    features.push(entity.lag('channel', 2).over('3d').as(`lag_channel_${e}`))
  }
  return features
}
const set = compileFeatureSet(featureSet('swept', payments, everything))

const rows = fc.array(
  fc.record({
    gap: fc.oneof(
      fc.constantFrom(0, 0, 1, MINUTE_US, HOUR_US, HOUR_US - 1, DAY_US, 3 * DAY_US),
      fc.nat(10 * HOUR_US),
    ),
    customer: fc.constantFrom(1, 2, NaN),
    merchant: fc.constantFrom('a', 'b', undefined),
    amount: fc.integer({ min: -1_000_000, max: 1_000_000 }),
    items: fc.oneof(fc.integer({ min: -9, max: 9 }), fc.constant(NaN)),
    score: fc.oneof(fc.double({ noDefaultInfinity: true }), fc.nat(3)),
    channel: fc.constantFrom('online', 'shop', 'phone', undefined),
  }),
  { maxLength: 40 },
)

test('a sweep gives the operator’s values for all that it says it may calculate', async () => {
  const engine = createSweepEngine()
  await fc.assert(
    fc.asyncProperty(rows, fc.nat(40), async (seeds, from) => {
      const frame = frameOf(seeds)
      const times = frame.columns['paid_at'] as Float64Array
      const request = { sets: [set], source: contract, frame, fromUs: times[from] ?? -Infinity }
      expect(engine.unsupported(request)).toEqual([])
      expect(await engine.history(request)).toEqual(history(request))
    }),
    { numRuns: 60 },
  )
})

type Seed = typeof rows extends fc.Arbitrary<readonly (infer Item)[]> ? Item : never

function frameOf(seeds: readonly Seed[]): Frame {
  let time = Date.UTC(2024, 1, 27) * 1000
  const numbers = (of: (seed: Seed) => number) => Float64Array.from(seeds, of)
  return {
    rows: seeds.length,
    columns: {
      payment_id: seeds.map((_, index) => `p-${index}`),
      paid_at: numbers(({ gap }) => (time += gap)),
      customer_id: numbers(({ customer }) => customer),
      merchant_id: seeds.map(({ merchant }) => merchant),
      amount: numbers(({ amount }) => amount),
      items: numbers(({ items }) => items),
      score: numbers(({ score }) => score),
      channel: seeds.map(({ channel }) => channel),
    },
  }
}
