import { afterEach, expect, test } from 'vitest'
import { closeServices, codeOf, deployedBank, openBank } from '../../test/running-bank.ts'
import { payment, startUs } from '../../test/small-bank.ts'

afterEach(closeServices)

const live = { namespace: 'live', set: 'behaviour' }

async function bankWithPayments() {
  const made = await deployedBank()
  for (let n = 1; n <= 3; n++)
    await made.decide(payment(n, { customer: 1, terminal: n, amount: `${n}.50` }))
  return made
}

test('the present features of an entity count what happened, and not the question', async () => {
  const { remote } = await bankWithPayments()
  const found = await remote.liveValues({
    ...live,
    rows: [{ customer: 1 }, { CUSTOMER: 1, terminal: 2, amount: '80.00' }, { customer: 5 }],
  })
  expect(found.names).toEqual([
    'AMOUNT',
    'CUSTOMER_COUNT_1D',
    'CUSTOMER_COUNT_7D',
    'CUSTOMER_MEAN_7D',
    'TERMINAL_RISK_7D',
  ])
  expect(found.values).toEqual([
    [null, 3, 3, 2.5, null],
    [80, 3, 3, 2.5, 0],
    [null, 0, 0, null, null],
  ])
  expect(found).toMatchObject({ set: 'behaviour', newestEventUs: startUs + 3_000_000 })
  const again = await remote.liveValues({ ...live, rows: [{ customer: 1 }] })
  expect(again.values[0]).toEqual(found.values[0])
})

test('they may be asked as of a later or earlier time that the state still reaches', async () => {
  const { remote } = await bankWithPayments()
  const at = async (atUs: number) => {
    const { values, asOfUs } = await remote.liveValues({ ...live, rows: [{ customer: 1 }], atUs })
    expect(asOfUs).toBe(atUs)
    return values[0][1]
  }
  expect(await at(startUs + 2_000_000)).toBe(2)
  expect(await at(startUs + 86_400_000_000 + 2_000_000)).toBe(1)
})

test.each([
  ['another set', { set: 'none', rows: [{ customer: 1 }] }, 'feature_set_not_live'],
  ['an unknown column', { rows: [{ client: 1 }] }, 'entity_invalid'],
  ['a time of its own', { rows: [{ at: '2024-05-01T12:00:00Z' }] }, 'entity_invalid'],
  ['a key of another type', { rows: [{ customer: 'one' }] }, 'entity_invalid'],
  ['a time out of reach', { rows: [{ customer: 1 }], atUs: 0 }, 'entity_invalid'],
  ['too many rows', { rows: Array.from({ length: 1001 }, () => ({})) }, 'batch_too_large'],
])('a question with %s is refused', async (_, question, code) => {
  const { remote } = await bankWithPayments()
  expect(await codeOf(remote.liveValues({ ...live, ...question }))).toBe(code)
})

test('before anything is deployed there is nothing to ask', async () => {
  const { remote } = await openBank()
  expect(await codeOf(remote.liveValues({ ...live, rows: [{}] }))).toBe('not_ready')
})
