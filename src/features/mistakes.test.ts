import { describe, expect, expectTypeOf, test } from 'vitest'
import { labels, source } from '../data/index.ts'
import { AssayError } from '../lib/errors.ts'
import { compileFeatureSet } from './compile.ts'
import { featureSet } from './declare.ts'
import type { Feature } from './feature.ts'
import type { CategoryValue } from './values.ts'
import type { VocabularyScope } from './vocabulary.cases.ts'
import { customers, logins, payments } from './vocabulary.cases.ts'
import type { Duration } from './window.ts'

const fraud = labels('fraud', {
  of: payments,
  values: { no: 0, yes: 1 },
  positive: 'yes',
  delay: '7d',
})

type Declare = (tx: VocabularyScope) => { as(name: string): Feature }

/** What compilation says of one feature, without the words that name it. */
function mistakeOf(declare: Declare): string {
  try {
    compileFeatureSet(featureSet('set', payments, (tx) => [declare(tx).as('F')]))
  } catch (error) {
    if (!(error instanceof AssayError)) throw error
    return error.detail.replaceAll('Feature "F" of set "set": ', '')
  }
  return 'none'
}

/** What is said of a set whose function returns these, typed as an editor would not let pass. */
function setMistakeOf(declare: (tx: VocabularyScope) => readonly unknown[]): string {
  try {
    compileFeatureSet(featureSet('set', payments, (tx) => declare(tx) as Feature[]))
  } catch (error) {
    return error instanceof AssayError ? error.detail : (error as Error).message
  }
  return 'none'
}

describe('what the editor would have marked is said too:', () => {
  const ok = (tx: VocabularyScope) => tx.value('amount').as('AMOUNT')
  const after = 'Feature set "set": item 2, after "AMOUNT",'
  const mistakes: [string, (tx: VocabularyScope) => readonly unknown[], string][] = [
    [
      'a figure without a name',
      (tx) => [ok(tx), tx.per('customer').count().over('1d')],
      `${after} has no name; end it with .as('NAME').`,
    ],
    [
      'a figure without a window',
      (tx) => [ok(tx), tx.per('customer').count()],
      `${after} has no window and no name; end it with .over('7d').as('NAME').`,
    ],
    [
      'a family that is not spread',
      (tx) => [
        ok(tx),
        tx
          .per('customer')
          .count()
          .over('1d', '7d')
          .as((w) => `N_${w.days}D`),
      ],
      `${after} is a family of features; write ... before it.`,
    ],
    [
      'a family without names',
      (tx) => [ok(tx), tx.per('customer').count().over('1d', '7d')],
      `${after} is a family; name it with .as((w) => \`NAME_\${w.text}\`), with ... before it.`,
    ],
    [
      'a function that returns nothing',
      () => undefined as never,
      'Feature set "set": its function returns no list; write (tx) => [ … ] or a return.',
    ],
    [
      'a text',
      (tx) => [tx.value('channel')],
      `Feature set "set": item 1 is a text; compare it with .is('VALUE') and name that with ` +
        `.as('NAME').`,
    ],
    ['nothing', () => [undefined], 'Feature set "set": item 1 is no feature but undefined.'],
    [
      'one name for several windows',
      (tx) => [
        tx
          .per('customer')
          .count()
          .over('1d', '7d')
          .as('N' as never),
      ],
      'Several windows need a name each; write .as((w) => `NAME_${w.text}`).',
    ],
    [
      'a number in quotes',
      (tx) => [
        tx
          .value('amount')
          .above('100' as never)
          .as('F'),
      ],
      '"100" stands where a number belongs; write a number, without quotes.',
    ],
    [
      'a figure without a window in a sum',
      (tx) => [
        tx
          .value('amount')
          .dividedBy(tx.per('customer').count() as never)
          .as('F'),
      ],
      "A figure without a window is calculated with; add .over('7d') to it.",
    ],
    [
      'several windows in a sum',
      (tx) => {
        const means = tx.per('customer').mean('amount').over('1d', '7d')
        return [
          tx
            .value('amount')
            .dividedBy(means as never)
            .as('F'),
        ]
      },
      'Several windows are calculated with; write .map((value) => …) on them.',
    ],
    [
      'a feature in a sum',
      (tx) => [
        tx
          .value('amount')
          .plus(ok(tx) as never)
          .as('F'),
      ],
      'A feature is calculated with here; leave out its .as().',
    ],
    [
      'a long window before a short one',
      (tx) => [tx.per('customer').count().shortAgainstLong('30d', '1d').as('F')],
      "shortAgainstLong('30d', '1d') needs the shorter window first and a longer one after it.",
    ],
  ]
  test.each(mistakes)('%s', (_, declare, sentence) => {
    expect(setMistakeOf(declare)).toBe(sentence)
  })

  test('a mistake that a declaration makes twice is said once', () => {
    const said = setMistakeOf((tx) => {
      const none = tx.per('nobody' as never).count()
      return [none.shortAgainstLong('1d', '7d').as('F')]
    })
    expect(said.split('\n')).toHaveLength(1)
  })
})

describe('a mistake is named:', () => {
  const mistakes: [string, Declare, string][] = [
    [
      'a lag of no event',
      (tx) => tx.per('customer').lag('amount', 0).over('1d'),
      'lag(0) is not possible; choose a whole number of events from 1 to 1,000.',
    ],
    [
      'a quantile beyond 1',
      (tx) => tx.per('customer').percentile('amount', 95).over('1d'),
      'percentile needs a quantile from 0 to 1, not 95.',
    ],
    [
      'a relative error of nothing',
      (tx) =>
        tx.per('customer').approximatePercentile('amount', 0.5, { relativeError: 0 }).over('1d'),
      'approximatePercentile needs a relativeError from 0.0001 to 0.5, not 0.',
    ],
    [
      'a half-life that is none',
      (tx) => tx.per('customer').decayedCount({ halfLife: 'soon' as Duration }),
      "\"soon\" is not a half-life; write it like '30m', '24h' or '7d'.",
    ],
    [
      'a decayed figure with a delay',
      (tx) => tx.per('customer').decayedCount({ halfLife: '1h' }).delayed('1h'),
      'decayedCount looks back from the event itself; leave out delayed().',
    ],
    [
      'ever with a delay',
      (tx) => tx.per('customer').count().over('ever').delayed('1h'),
      "'ever' ends with the event itself; leave out delayed().",
    ],
    [
      'ever where the events would have to be kept',
      (tx) =>
        tx
          .per('customer')
          .median('amount')
          .over('ever' as Duration),
      "percentile cannot be followed over 'ever', because every event would have to be kept; " +
        'choose a window of at most 90 days.',
    ],
    [
      'labels over ever',
      (tx) =>
        tx
          .per('customer')
          .share(fraud)
          .over('ever' as Duration),
      'labels "fraud" cannot be followed over \'ever\', because every event would have to be ' +
        'kept; choose a window of at most 90 days.',
    ],
    [
      'the sum of measured numbers over ever',
      (tx) => tx.per('customer').sum('score').over('ever'),
      "sum over 'ever' needs exact values; round them: derive(value, { decimals: 4 }).",
    ],
    [
      'a part of an event',
      (tx) => tx.per('customer').count().overLast(2.5),
      'overLast(2.5) is not possible; choose a whole number of events from 1 to 10,000.',
    ],
    [
      'the last events of a lag',
      (tx) => tx.per('customer').lag('amount', 1).overLast(2),
      "lag picks its own event; write over('30d') instead of overLast().",
    ],
    [
      'too many decimals',
      (tx) =>
        tx
          .per('customer')
          .sum(tx.derive(tx.value('score'), { decimals: 16 }))
          .over('1d'),
      'derive() cannot round to 16 decimals; choose a whole number from 0 to 15.',
    ],
    [
      'what is derived from a window that holds the event',
      (tx) =>
        tx
          .per('customer')
          .max(tx.derive(tx.per('merchant').count().over('1d')))
          .over('1d'),
      'a derived figure is worked out before its event counts, so its count must look at the ' +
        'past; add .excludingCurrent().',
    ],
    [
      'a top that is no category',
      (tx) =>
        tx
          .per('customer')
          .top('country' as never)
          .over('1d'),
      'column "country" is text, not a category. Choose from "channel".',
    ],
    [
      'a volume that is not whole',
      (tx) =>
        tx
          .per('merchant')
          .vpin('amount', { buy: tx.value('online').equals(1), bucketVolume: 5, buckets: 2 })
          .over('1d'),
      'column "amount" is money, not a whole number. Choose from "items", "size".',
    ],
    [
      'buckets of nothing',
      (tx) =>
        tx
          .per('merchant')
          .vpin('items', { buy: tx.value('online').equals(1), bucketVolume: 0, buckets: 0 })
          .over('1d'),
      'vpin needs a whole bucketVolume above 0, not 0.\n' +
        'vpin needs a whole number of buckets from 1 to 1,000, not 0.',
    ],
    [
      'a category that is never there',
      (tx) => tx.value('channel').is('fax' as never),
      'column "channel" is never "fax"; choose from "online", "shop", "phone".',
    ],
    [
      'a column compared with itself',
      (tx) => tx.value('country').sameAs(tx.value('country')),
      'column "country" is compared with itself; name another column.',
    ],
    [
      'another source that is the set’s own',
      (tx) =>
        tx
          .other(payments, { by: { customer: 'customer' } })
          .count()
          .over('1d'),
      '"payments" is the set’s own source; group its events with per().',
    ],
    [
      'another source without a key',
      (tx) => tx.other(logins, { by: {} }).count().over('1d'),
      'by names no key of "logins"; write { by: { its_key: \'our_column\' } }.',
    ],
    [
      'keys that can never be equal',
      (tx) =>
        tx
          .other(logins, { by: { user: 'merchant' } })
          .count()
          .over('1d'),
      '"user" of "logins" is integer and "merchant" is text, so they are never equal; declare ' +
        'both keys alike.',
    ],
    [
      'a key that the other source does not have',
      (tx) =>
        tx
          .other(logins, { by: { usr: 'customer' } as never })
          .count()
          .over('1d'),
      'the source "logins" has no column "usr". Choose from "user", "device".',
    ],
    [
      'a filter of the wrong source',
      (tx) =>
        tx
          .other(logins, { by: { user: 'customer' } })
          .where(tx.value('amount').above(1))
          .count()
          .over('1d'),
      'the source "logins" has no column "amount". Choose from "tries", "seconds".',
    ],
    [
      'labels over another source’s events',
      (tx) =>
        tx
          .other(logins, { by: { user: 'customer' } })
          .share(fraud)
          .over('8d'),
      'labels are counted over the set’s own events; "fraud" cannot be counted over those of ' +
        '"logins".',
    ],
    [
      'a third source inside another’s derived figure',
      (tx) =>
        tx
          .other(logins, { by: { user: 'customer' } })
          .max((login) =>
            login.derive(login.lookup(customers, { by: { customer: 'user' } }).value('limit')),
          )
          .over('1d'),
      'what is derived from events of "logins" looks at them alone; take the figure over ' +
        '"customers" out of it.',
    ],
    [
      'a time to grow stale that is none',
      (tx) =>
        tx
          .lookup(customers, { by: { customer: 'customer' } })
          .staleAfter('never' as Duration)
          .value('limit'),
      "\"never\" is not a time to grow stale; write it like '30m', '24h' or '7d'.",
    ],
  ]
  test.each(mistakes)('%s', (_, declare, sentence) => {
    expect(mistakeOf(declare)).toBe(sentence)
  })

  test('a value that doubles itself again and again', () => {
    const doubled = (tx: VocabularyScope) => {
      let value = tx.value('amount').plus(1)
      for (let i = 0; i < 40; i++) value = value.plus(value)
      return value
    }
    expect(mistakeOf(doubled)).toBe('its expression has more than 1000 parts; split it.')
  })

  test('two sources of one name', () => {
    const { seconds: _, ...fewer } = logins.options.columns
    const again = source('logins', { columns: fewer })
    const by = { by: { user: 'customer' } } as const
    expect(
      mistakeOf((tx) =>
        tx.other(logins, by).count().over('1d').plus(tx.other(again, by).count().over('1d')),
      ),
    ).toBe('two sources are named "logins"; rename one.')
  })

  test('a looked-up category that is not declared', () => {
    const segment = (tx: VocabularyScope) =>
      tx.lookup(customers, { by: { customer: 'customer' } }).value('segment')
    expect(mistakeOf((tx) => segment(tx).is('silver' as never))).toBe(
      'The looked-up category has no value "silver"; choose from "mass", "gold".',
    )
  })
})

describe('the editor', () => {
  test('refuses columns that do not exist or do not fit', () => {
    const unfit = (tx: VocabularyScope) => {
      const customer = tx.per('customer')
      const other = tx.other(logins, { by: { user: 'customer' } })
      const looked = tx.lookup(customers, { by: { customer: 'customer' } })
      // @ts-expect-error there is no such column
      customer.variance('amuont')
      // @ts-expect-error a text is no number
      customer.median('country')
      // @ts-expect-error only a declared category has a top
      customer.top('country')
      // @ts-expect-error an amount is not told apart
      customer.entropy('amount')
      // @ts-expect-error a text has no number to read
      customer.last('country')
      // @ts-expect-error percentiles need their events
      customer.median('amount').over('ever')
      // @ts-expect-error labels become known later
      customer.share(fraud).over('ever')
      // @ts-expect-error a duration, not a number of days
      customer.count().over(7)
      // @ts-expect-error logins have no amount
      other.sum('amount')
      // @ts-expect-error a login has no amount
      other.where((login) => login.value('amount').above(1))
      // @ts-expect-error the key is called user
      tx.other(logins, { by: { customer: 'customer' } })
      // @ts-expect-error an amount is no key
      tx.other(logins, { by: { user: 'amount' } })
      // @ts-expect-error customers have no score
      looked.value('score')
      // @ts-expect-error nothing grows stale unless it is said when
      looked.value('limit').whenStale(0)
      // @ts-expect-error there is no silver segment
      looked.value('segment').is('silver')
      // @ts-expect-error there is no such channel
      tx.value('channel').is('fax')
      // @ts-expect-error a number has no index
      tx.value('items').index()
    }
    expectTypeOf(unfit).toBeFunction()
    type Channel = ReturnType<typeof channelOf>
    const channelOf = (tx: VocabularyScope) => tx.value('channel')
    expectTypeOf<Channel>().toEqualTypeOf<CategoryValue<'online' | 'shop' | 'phone'>>()
  })
})
