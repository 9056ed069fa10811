// The power goes, the disk fills up or fails, at points drawn by a seed; then what was acknowledged is
// held against what the journal gives back.
import { afterEach, describe, expect, test } from 'vitest'
import { openBank, openServices } from '../../test/running-bank.ts'
import {
  behaviour,
  deployment,
  memoryDeployments,
  payment,
  payments,
} from '../../test/small-bank.ts'
import { faultyFiles, type FaultyFiles } from '../lib/faulty-files.ts'
import { createRandom, type Random } from '../lib/random.ts'
import { compilePolicy, decisionPolicy, list, rule } from './policy.ts'
import type { DecisionRecord, EventRecord, Sequenced } from './records.ts'

// A service whose disk has stopped never ends: it is left behind.
afterEach(() => {
  openServices.length = 0
})

const policy = compilePolicy(
  decisionPolicy('card', {
    source: payments,
    features: [behaviour],
    model: 'card-fraud',
    lists: [list('blocked', { column: 'customer' })],
    rules: [
      rule('blocked', { when: 'listed("blocked")', then: 'decline', reason: 'B', priority: 1 }),
      rule('large', { when: 'event.amount > 20.0', then: 'review', reason: 'L', capPerHour: 4 }),
    ],
    thresholds: { decline: 0.999, review: 0.998 },
  }),
)
const deployments = memoryDeployments()
const deployed = deployments.add(
  deployment({ policy, thresholds: { decline: 0.999, review: 0.998 } }),
)

type Bank = Awaited<ReturnType<typeof openBank>>

/** What was acknowledged before the fall. */
interface Acknowledged {
  readonly answers: Map<string, { readonly body: object; readonly answer: string }>
  readonly events: Set<string>
  readonly listed: Map<string, 'add' | 'remove'>
}

const CUSTOMERS = 4
const STEPS = 24

function stepsOf(bank: Bank, random: Random, acked: Acknowledged): (() => Promise<void>)[] {
  const { remote, service, decide } = bank
  return Array.from({ length: STEPS }, (_, step) => {
    const n = 1 + random.int(STEPS)
    const body = payment(n, { customer: n % CUSTOMERS, amount: `${10 + (n % 20)}.00` })
    const customer = String(random.int(CUSTOMERS))
    const kind = random.int(10)
    if (kind === 0) return () => remote.checkpoint({ namespace: 'live' })
    if (kind === 1) {
      const change = random.int(2) === 0 ? 'add' : 'remove'
      const by = { untilUs: null, actor: 'ann', reason: 'r' }
      return async () => {
        // What is not acknowledged may hold or not.
        acked.listed.delete(customer)
        await remote.changeList({
          namespace: 'live',
          list: 'blocked',
          values: [customer],
          change,
          ...by,
        })
        acked.listed.set(customer, change)
      }
    }
    if (kind === 2) {
      const row = { ...payment(100 + step), customer: n % CUSTOMERS }
      return async () => {
        const request = { namespace: 'live', source: 'payments', rows: [row], author: 'a' }
        const [answer] = await service.ingest(request)
        if (answer.status === 'accepted') acked.events.add(answer.eventId)
      }
    }
    return async () => {
      const answer = await decide(body)
      acked.answers.set(`p${n}`, { body, answer })
      acked.events.add(`p${n}`)
    }
  })
}

/** A few steps at once, as callers come; `failFrom` is told before each few how far it is. */
async function perform(
  steps: readonly (() => Promise<void>)[],
  random: Random,
  failFrom: (step: number) => void,
): Promise<void> {
  for (let at = 0; at < steps.length;) {
    failFrom(at)
    const together = steps.slice(at, at + 1 + random.int(4))
    await Promise.all(together.map((step) => step().catch(() => {})))
    at += together.length
  }
}

type Fault = 'power' | 'full disk' | 'failed sync' | 'failed write'

/** Prepares the disk, and says what happens to it at a step that is drawn. */
function prepare(files: FaultyFiles, fault: Fault, random: Random): (step: number) => void {
  files.stopAfter(random.int(90))
  if (fault === 'full disk') files.capacityBytes = 20_000 + random.int(40_000)
  const operation = { 'failed sync': 'sync', 'failed write': 'write' }[fault as string]
  let from = random.int(STEPS)
  return (step) => {
    if (operation === undefined || step < from) return
    from = Infinity
    files.fail(operation as 'sync' | 'write', 'EIO')
  }
}

async function fall(seed: number, fault: Fault) {
  const random = createRandom(`${fault} ${seed}`)
  const files = faultyFiles()
  const options = { deployments, checkpointEvery: 5 + random.int(20), segmentBytes: 20_000 }
  const bank = await openBank({ files, ...options })
  const request = { namespace: 'live', deployment: deployed, actor: 'ann', reason: 'r' }
  await bank.remote.switchDeployment(request)
  const acked: Acknowledged = { answers: new Map(), events: new Set(), listed: new Map() }
  const failFrom = prepare(files, fault, random)
  const ended = perform(stepsOf(bank, random, acked), random, failFrom)
  await Promise.race([ended, files.stopped, died(bank)])
  const disk = files.restart((below) => random.int(below))
  return { again: await openBank({ files: disk, ...options }), acked }
}

/** A journal that failed for good ends the process. */
async function died({ fatal }: Bank): Promise<void> {
  while (fatal.length === 0) await new Promise((resolve) => setTimeout(resolve, 1).unref())
}

async function check({ again, acked }: Awaited<ReturnType<typeof fall>>): Promise<void> {
  const { remote, decide, service } = again
  for (const { body, answer } of acked.answers.values()) expect(await decide(body)).toBe(answer)
  const { records } = await remote.records({ namespace: 'live', after: 0, limit: 1000 })
  const entries = records.filter(
    (each): each is Sequenced<DecisionRecord | EventRecord> =>
      (each.type === 'decision' || each.type === 'event') && each.entry === 'new',
  )
  const entered = entries.map(({ eventId }) => eventId)
  expect(new Set(entered).size).toBe(entered.length)
  expect(entered).toEqual(expect.arrayContaining([...acked.events]))
  const decided = records.filter((each) => each.type === 'decision')
  expect(
    new Set(decided.map((each) => (each as unknown as { eventId: string }).eventId)).size,
  ).toBe(decided.length)
  const listed = await remote.listEntries({ namespace: 'live', list: 'blocked' })
  for (const [customer, change] of acked.listed) {
    expect(listed.some(({ value }) => value === customer)).toBe(change === 'add')
  }
  // Each event that entered counts once, and no other does.
  for (let customer = 0; customer < CUSTOMERS; customer++) {
    const own = entries.filter(({ event }) => event['customer'] === customer)
    const event = payment(999, { customer })
    const { names, values } = await remote.liveFeatures({
      namespace: 'live',
      policy: 'card',
      event,
    })
    expect(values[names.indexOf('CUSTOMER_COUNT_1D')]).toBe(own.length + 1)
  }
  for (const { eventId } of decided.slice(-3)) {
    const key = { namespace: 'live', policy: 'card', eventId }
    expect(await remote.recompute(key)).toMatchObject({ identical: true })
  }
  expect(JSON.parse(await decide(payment(500)))).toMatchObject({ policy: 'card' })
  await service.close()
}

const faults: readonly Fault[] = ['power', 'full disk', 'failed sync', 'failed write']
const SEEDS = 250

describe.each(faults)('%s', (fault) => {
  test.each(Array.from({ length: 5 }, (_, part) => part))(
    'at points that seeds draw: nothing acknowledged is lost, nothing counts twice (part %i)',
    async (part) => {
      let acknowledged = 0
      for (let seed = (part * SEEDS) / 5; seed < ((part + 1) * SEEDS) / 5; seed++) {
        try {
          const fallen = await fall(seed, fault)
          acknowledged += fallen.acked.answers.size
          await check(fallen)
        } catch (error) {
          throw new Error(`Seed ${seed} of ${fault}`, { cause: error })
        }
      }
      expect(acknowledged).toBeGreaterThan(SEEDS / 5)
    },
  )
})
