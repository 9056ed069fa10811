import { afterEach, expect, test } from 'vitest'
import { closeServices, codeOf, deployedBank } from '../../test/running-bank.ts'
import { payment, startUs } from '../../test/small-bank.ts'

afterEach(closeServices)

const risk = { namespace: 'live', feature: 'TERMINAL_RISK_7D' }
const spending = { namespace: 'live', feature: 'CUSTOMER_MEAN_7D' }

test('a value is explained by the events in its window, newest first, and changes nothing', async () => {
  const { remote, answer, service } = await deployedBank()
  for (const n of [1, 2, 3]) await answer(payment(n, { customer: 7, amount: `${n}0.00` }))
  await answer(payment(4, { customer: 8, amount: '99.00' }))
  const asked = { ...spending, values: { customer: 7 } }
  const explained = await remote.explainFeature(asked)
  expect(explained).toMatchObject({ feature: 'CUSTOMER_MEAN_7D', value: 20 })
  const [window] = explained.aggregates
  expect(window).toMatchObject({ events: 3, value: 20, toUs: explained.asOfUs })
  expect(window.newest.map(({ value, timeUs }) => [value, timeUs])).toEqual([
    [30, startUs + 3_000_000],
    [20, startUs + 2_000_000],
    [10, startUs + 1_000_000],
  ])
  expect(await remote.explainFeature(asked)).toEqual(explained)
  expect(service.namespaces()[0]).toMatchObject({ events: 4, decisions: 4 })
})

test('labels are seen as soon as they are known, and a look-up counts no event of its own', async () => {
  const { remote, answer, service } = await deployedBank()
  await answer(payment(1, { terminal: 5 }))
  await answer(payment(2, { terminal: 5 }))
  const rows = [{ event_id: 'p1', value: 'fraud', arrival_time: '2024-05-01T13:00:00Z' }]
  await service.ingest({ namespace: 'live', source: 'fraud', rows, author: 'desk' })
  const explained = await remote.explainFeature({ ...risk, values: { terminal: 5 } })
  expect(explained.value).toBe(0.5)
  expect(explained.aggregates[0].newest.map(({ id, counts }) => [id, counts])).toEqual([
    ['p2', false],
    ['p1', true],
  ])
})

test('an entity that nothing is known of has no value, and no event is no error', async () => {
  const { remote, answer } = await deployedBank()
  await answer(payment(1))
  const explained = await remote.explainFeature({ ...spending, values: { customer: 4711 } })
  expect(explained).toMatchObject({ value: null, aggregates: [{ value: null, events: 0 }] })
  const count = { ...risk, feature: 'CUSTOMER_COUNT_1D', values: { customer: 4711 } }
  expect((await remote.explainFeature(count)).value).toBe(0)
})

test('as of an earlier time the window holds what came before it', async () => {
  const { remote, answer } = await deployedBank()
  for (const n of [1, 2, 3]) await answer(payment(n, { customer: 7 }))
  const atUs = startUs + 2_000_000
  const explained = await remote.explainFeature({ ...spending, values: { customer: 7 }, atUs })
  expect(explained.asOfUs).toBe(atUs)
  const times = explained.aggregates[0].newest.map(({ timeUs }) => timeUs)
  expect(times).toEqual([startUs + 2_000_000, startUs + 1_000_000])
})

test('columns of the event itself may be given, as the contract has them', async () => {
  const { remote, answer } = await deployedBank()
  await answer(payment(1))
  const amount = { namespace: 'live', feature: 'AMOUNT' }
  const given = await remote.explainFeature({ ...amount, values: { amount: '12.50' } })
  expect(given).toMatchObject({ value: 12.5, aggregates: [] })
  expect((await remote.explainFeature({ ...amount, values: {} })).value).toBeNull()
})

test.each([
  ['an unknown column', { values: { custommer: 7 } }, 'entity_invalid'],
  ['the id, which names an event', { values: { payment_id: 'p1' } }, 'entity_invalid'],
  ['a value that is none', { values: { customer: 'seven' } }, 'entity_invalid'],
  ['a time that is forgotten', { values: { customer: 7 }, atUs: 0 }, 'entity_invalid'],
  ['an unknown feature', { values: { customer: 7 }, feature: 'NONE' }, 'feature_unknown'],
])('%s is refused', async (_, over, code) => {
  const { remote, answer } = await deployedBank()
  await answer(payment(1))
  expect(await codeOf(remote.explainFeature({ ...spending, ...over }))).toBe(code)
})
