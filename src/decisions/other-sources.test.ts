// Live state that looks at other sources: a dimension table whose rows replace one another, and logins
// beside the payments.
import { afterEach, expect, test } from 'vitest'
import { closeServices, codeOf, openBank, type BankOptions } from '../../test/running-bank.ts'
import {
  besides,
  customers,
  deployment,
  logins,
  payment,
  payments,
  startUs,
} from '../../test/small-bank.ts'
import { compileSource } from '../data/index.ts'
import type { Frame } from '../data/index.ts'
import {
  compileFeatureSet,
  createFeatureState,
  history,
  historyWithState,
} from '../features/index.ts'
import { formatTimestamp } from '../lib/time.ts'
import { auditFeatures } from './audit-features.ts'
import { writeBaseCheckpoint } from './checkpoint.ts'
import { pauseAndRebuild } from './namespace.ts'
import { rebuildLiveState } from './rebuilt-state.ts'
import { replayDecision } from './replay.ts'

afterEach(closeServices)

const sides = compileFeatureSet(besides)
const own = compileSource(payments)
const others = [logins, customers].map((each) => compileSource(each))
const both = deployment({ featureSets: [...deployment().featureSets, sides], others })

const at = (seconds: number) => formatTimestamp(startUs + seconds * 1_000_000)
const login = (n: number, seconds: number, user = 1) => {
  return { login_id: `l${n}`, at: at(seconds), user }
}
const customer = (n: number, seconds: number, limit: string) => {
  return { row_id: `c${n}`, at: at(seconds), customer: 1, limit }
}

async function bank(options: BankOptions = {}) {
  const made = await openBank(options)
  const hash = made.deployments.add(both)
  const deploy = (namespace = 'live') =>
    made.remote.switchDeployment({ namespace, deployment: hash, actor: 'ann', reason: 'first' })
  const feed = (name: string, ...rows: unknown[]) =>
    made.service.ingest({ namespace: 'live', source: name, rows, author: 'a' })
  /** What a payment of customer 1 was decided on: logins of the hour, and the limit. */
  const decidedOn = async (n: number): Promise<(number | null)[]> => {
    await made.decide(payment(n, { customer: 1 }))
    return await recorded(n)
  }
  const recorded = async (n: number): Promise<(number | null)[]> => {
    const question = { namespace: 'live', policy: 'card', eventId: `p${n}` }
    const { record, featureNames } = await made.remote.decision(question)
    return ['LOGINS_1H', 'LIMIT'].map((name) => record.features[featureNames.indexOf(name)])
  }
  const { files, deployments } = made
  const directory = { directory: '/decide/live', files, deployments }
  return { ...made, deploy, feed, decidedOn, recorded, directory }
}

async function busyBank(options: BankOptions = {}) {
  const made = await bank(options)
  await made.deploy()
  await made.feed('customers', customer(1, -86_400, '100.00'))
  await made.feed('logins', login(1, 1), login(2, 15))
  return made
}

test('a decision counts what other sources said by then, as of the time that they said it of', async () => {
  const { decidedOn, feed, recorded } = await busyBank()
  // The second login is of five seconds later than the payment.
  expect(await decidedOn(10)).toEqual([1, 100])
  expect(await decidedOn(20)).toEqual([2, 100])
  await feed('customers', customer(2, 30, '50.00'))
  expect(await decidedOn(40)).toEqual([2, 50])
  expect(await recorded(10)).toEqual([1, 100])
})

test('a correction of a dimension row counts for later decisions only', async () => {
  const { decidedOn, feed, recorded, directory } = await busyBank()
  expect(await decidedOn(20)).toEqual([2, 100])
  // Of long before the payment, and known only now: it replaces the row of the same time.
  const [answer] = await feed('customers', customer(2, -86_400, '70.00'))
  expect(answer).toMatchObject({ status: 'accepted', late: false })
  expect(await decidedOn(21)).toEqual([2, 70])
  expect(await recorded(20)).toEqual([2, 100])
  expect(await auditFeatures(directory)).toMatchObject({ events: 2, mismatches: 0, unplaced: 0 })
})

test('each row counts once, and what comes too late, too early or otherwise is refused', async () => {
  const { decidedOn, feed, service } = await busyBank()
  await decidedOn(7200)
  const [again] = await feed('logins', login(1, 1))
  expect(again).toMatchObject({ status: 'duplicate' })
  const [late] = await feed('logins', login(3, 10))
  expect(late).toMatchObject({ status: 'refused', code: 'event_too_late' })
  const [changed] = await feed('logins', login(1, 2))
  expect(changed).toMatchObject({ status: 'refused', code: 'event_id_conflict' })
  const [ahead] = await feed('logins', login(4, 1e9))
  expect(ahead).toMatchObject({ status: 'refused', code: 'event_in_future' })
  expect(await codeOf(feed('nothing', {}))).toBe('source_not_found')
  expect(service.namespaces()[0]).toMatchObject({
    events: 1,
    decisions: 1,
    otherEvents: { customers: 1, logins: 2 },
  })
})

test('after a kill the journal brings other sources back, with and without checkpoints', async () => {
  for (const checkpointEvery of [2, 1000]) {
    const first = await busyBank({ checkpointEvery })
    expect(await first.decidedOn(20)).toEqual([2, 100])
    await first.feed('customers', customer(2, 25, '50.00'))
    // The first service is never closed: what it had in memory only is gone.
    const { files, deployments } = first
    const again = await bank({ files, deployments, checkpointEvery })
    expect(again.service.namespaces()[0]).toMatchObject({
      otherEvents: { customers: 2, logins: 2 },
    })
    expect(await again.decidedOn(30)).toEqual([2, 50])
    const [known] = await again.feed('customers', customer(2, 25, '50.00'))
    expect(known).toMatchObject({ status: 'duplicate' })
  }
})

test('state that is thrown away and built anew holds them once', async () => {
  const { decidedOn, service } = await busyBank()
  pauseAndRebuild(service.namespace('live'), new Error('a defect'))
  while (service.status().storage === 'full')
    await new Promise((resolve) => setTimeout(resolve, 50))
  expect(await decidedOn(20)).toEqual([2, 100])
})

test('a decision is made again from files alone, and so is the state', async () => {
  const { decidedOn, feed, remote, directory } = await busyBank()
  await decidedOn(10)
  await feed('logins', login(3, 11))
  await decidedOn(20)
  const question = { namespace: 'live', policy: 'card', eventId: 'p20' }
  const { record } = await remote.decision(question)
  const again = { ...directory, sequence: record.sequence }
  expect(await replayDecision(again)).toMatchObject({ identical: true })
  const rebuilt = await rebuildLiveState(directory)
  expect(rebuilt.others.map(({ name }) => name)).toEqual(['logins', 'customers'])
})

test('a base of history holds them, also where no policy is deployed yet', async () => {
  const made = await bank()
  const state = createFeatureState(both.featureSets, own, others)
  state.applyOther('customers', ['h1', startUs - 1e9, 1, 12_300], 1)
  state.apply(['h2', startUs - 1e6, 1, 1, 100], 2)
  const newestEventTimeUs = startUs - 1e6
  const about = { featureSets: both.featureSets, source: own, others, lastSequence: 2 }
  const base = { ...about, state: state.snapshot(), newestEventTimeUs }
  await writeBaseCheckpoint('/base', base, made.files)
  await made.remote.loadBase({ namespace: 'live', path: '/base' })
  const [fed] = await made.feed('logins', login(1, 1))
  expect(fed).toMatchObject({ status: 'accepted' })
  await made.deploy()
  expect(await made.decidedOn(5)).toEqual([1, 123])
  const again = await bank({ files: made.files, deployments: made.deployments })
  expect(await again.decidedOn(6)).toEqual([1, 123])
})

test('a row of history that is sent again is known, as long as it could still enter', async () => {
  const made = await bank()
  const told = [customer(1, -1000, '100.00'), customer(2, -10, '10.00')]
  const seen = [login(1, -3700), login(2, -20)]
  const paid = [payment(1, { customer: 1 })]
  const frame = frameOf(own, paid)
  const sides = [
    { source: others[0], frame: frameOf(others[0], seen) },
    { source: others[1], frame: frameOf(others[1], told) },
  ]
  const asked = { sets: both.featureSets, source: own, frame, others: sides, tailBytesMax: 1e6 }
  const { state, tail } = historyWithState(asked)
  const events = [{ source: own, frame, values: tail! }, ...sides].map((each) => {
    return { ...each, afterUs: state.tooLateUsOf(each.source.name) }
  })
  const { lastSequence, newestUs: newestEventTimeUs } = state
  const about = { featureSets: both.featureSets, source: own, others, lastSequence }
  const base = { ...about, state: state.snapshot(), newestEventTimeUs, events }
  await writeBaseCheckpoint('/base', base, made.files)
  await made.remote.loadBase({ namespace: 'live', path: '/base' })
  await made.deploy()
  const again = await bank({ files: made.files, deployments: made.deployments })
  for (const { feed } of [made, again]) {
    const statuses = async (name: string, rows: object[]) =>
      (await feed(name, ...rows)).map(({ status }) => status)
    expect(await statuses('customers', told)).toEqual(['duplicate', 'duplicate'])
    expect(await statuses('logins', seen.slice(1))).toEqual(['duplicate'])
    expect(await statuses('payments', paid)).toEqual(['duplicate'])
  }
  expect(await again.decidedOn(2)).toEqual([1, 10])
})

test('a deployment that reads what the state does not hold is refused', async () => {
  const made = await bank()
  const hash = made.deployments.add(deployment())
  const plain = { namespace: 'live', deployment: hash, actor: 'ann', reason: 'first' }
  await made.remote.switchDeployment(plain)
  await made.decide(payment(1))
  expect(await codeOf(made.deploy())).toBe('state_missing')
})

test('a replay plays other sources at their time, in a namespace of its own', async () => {
  const { remote, deploy } = await bank()
  await remote.openNamespace({ namespace: 'replay-1', clock: 'replay' })
  await deploy('replay-1')
  const answers = await remote.play({
    namespace: 'replay-1',
    policy: 'card',
    labels: 'fraud',
    author: 'tape',
    steps: [
      { atUs: startUs, source: 'customers', row: customer(1, -10, '100.00') },
      { atUs: startUs + 1e6, source: 'logins', row: login(1, 1) },
      { atUs: startUs + 2e6, event: payment(2, { customer: 1 }) },
    ],
  })
  expect(answers.map(({ step }) => step)).toEqual(['row', 'row', 'event'])
  const question = { namespace: 'replay-1', policy: 'card', eventId: 'p2' }
  const { record, featureNames } = await remote.decision(question)
  expect(record.features[featureNames.indexOf('LOGINS_1H')]).toBe(1)
  expect(record.features[featureNames.indexOf('LIMIT')]).toBe(100)
})

test('live values are those of history, bit for bit', async () => {
  const { decide, feed, remote, deploy } = await bank()
  await deploy()
  const told = [customer(1, -100, '100.00'), customer(2, 15, '10.00')]
  const seen = [login(1, 2), login(2, 15), login(3, 22)]
  const paid = [3, 10, 15, 16, 22, 4000].map((n) => payment(n, { customer: 1 }))
  for (const [name, rows] of [
    ['customers', told],
    ['logins', seen],
  ] as const) {
    expect((await feed(name, rows[0]))[0]).toMatchObject({ status: 'accepted' })
  }
  await decide(paid[0])
  await decide(paid[1])
  // Of one instant the other sources come first, as in history.
  await feed('customers', told[1])
  await feed('logins', seen[1])
  await decide(paid[2])
  await decide(paid[3])
  await feed('logins', seen[2])
  for (const each of paid.slice(4)) await decide(each)
  const matrix = history({
    sets: both.featureSets,
    source: own,
    frame: frameOf(own, paid),
    others: [
      { source: others[0], frame: frameOf(others[0], seen) },
      { source: others[1], frame: frameOf(others[1], told) },
    ],
  })
  for (const [row, { payment_id: eventId }] of paid.entries()) {
    const question = { namespace: 'live', policy: 'card', eventId: String(eventId) }
    const { record, featureNames } = await remote.decision(question)
    const past = featureNames.map((name) => {
      const value = matrix.columns[matrix.names.indexOf(name)][row]
      return Number.isNaN(value) ? null : value
    })
    expect(record.features).toEqual(past)
  }
})

test('history that ends later than its last event knows what came since', () => {
  const frame = frameOf(own, [payment(1, { customer: 1 })])
  const told = { source: others[1], frame: frameOf(others[1], [customer(1, 60, '9.00')]) }
  const none = { source: others[0], frame: frameOf(others[0], []) }
  const request = { sets: [sides], source: own, frame, others: [none, told] }
  const limitAt = (untilUs?: number) => {
    const { state } = historyWithState({ ...request, ...(untilUs !== undefined && { untilUs }) })
    const row = [undefined, startUs + 120e6, 1, undefined, undefined]
    return state.valuesAt(row)[state.names.indexOf('LIMIT')]
  }
  expect(limitAt()).toBeNaN()
  expect(limitAt(startUs + 60e6)).toBe(9)
})

/** Rows as a data set holds them: money in minor units, times in microseconds. */
function frameOf(of: typeof own, rows: readonly object[]): Frame {
  const columns = of.columns.map(({ name, kind }) => {
    const cells = rows.map((row) => (row as Record<string, string | number>)[name])
    if (kind === 'id') return [name, cells.map(String)] as const
    const numbers = cells.map((cell) => {
      if (kind === 'eventTime') return Date.parse(String(cell)) * 1000
      return kind === 'money' ? Math.round(Number(cell) * 100) : Number(cell)
    })
    return [name, Float64Array.from(numbers)] as const
  })
  return { rows: rows.length, columns: Object.fromEntries(columns) }
}
