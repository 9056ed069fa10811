import fc from 'fast-check'
import { expect, test } from 'vitest'
import { manualClock } from '../lib/clock.ts'
import { createRandom } from '../lib/random.ts'
import { createMemoryUnitOfWork } from '../lib/unit-of-work.ts'
import { createActionDelivery, deliveryLimits, type ActionReceiver } from './action-delivery.ts'
import { createMemoryActionStore, type ActionStore } from './action-store.ts'
import { action, applies, compileAction, type CompiledAction } from './actions.ts'
import type { Outcome } from './policy.ts'
import type { DeploymentRow } from './ports.ts'
import type { RecordsPage } from './remote.ts'
import type { DecisionRecord, Sequenced } from './records.ts'

const outcomesCycle: readonly Outcome[] = ['allow', 'decline', 'review']

function decided(sequence: number, deployment: string): Sequenced<DecisionRecord> {
  return {
    type: 'decision',
    namespace: 'live',
    sequence,
    policy: 'card',
    eventId: `e${sequence}`,
    outcome: outcomesCycle[sequence % 3],
    score: 0.5,
    rules: sequence % 2 === 0 ? ['night'] : [],
    reasons: [],
    shown: { keys: { customer: '1' }, amountMinor: 100, currency: 'EUR' },
    eventTimeUs: sequence,
    receivedAtUs: sequence,
    versions: { deployment, policy: 'p', modelName: 'm', modelNumber: 1 },
  } as unknown as Sequenced<DecisionRecord>
}

/** A journal whose first record is a deployment, then decisions by it. */
function bank(actions: readonly CompiledAction[], decisions: number) {
  const deploy = (sequence: number, deployment: string): DeploymentRow => {
    const by = { actor: 'a', reason: 'r', atUs: 0 }
    return { namespace: 'live', sequence, policy: 'card', deployment, ...by }
  }
  const journal: Sequenced[] = [{ type: 'deploy', sequence: 1 } as unknown as Sequenced]
  for (let i = 0; i < decisions; i++) journal.push(decided(i + 2, 'd1'))
  const deployments = [deploy(1, 'd1')]
  const documents = new Map([['d1', actions]])
  return { deploy, journal, deployments, documents }
}

type Bank = ReturnType<typeof bank>

function delivery(
  of: Bank,
  receive: ActionReceiver,
  store: ActionStore = createMemoryActionStore(),
) {
  const clock = manualClock(1_000_000)
  const audited: unknown[] = []
  const errors: unknown[] = []
  const last = () => of.journal.at(-1)!.sequence
  const made = createActionDelivery({
    store,
    decide: {
      namespaces: async () => [{ namespace: 'live', lastSequence: last() }] as never,
      records: async ({ after, limit }): Promise<RecordsPage> => {
        const records = of.journal.filter(({ sequence }) => sequence > after).slice(0, limit)
        return { records, lastSequence: last(), layouts: {} }
      },
    },
    deployments: async () => of.deployments,
    actionsOf: async (deployment) => {
      const found = of.documents.get(deployment)
      if (found === undefined) throw new Error('The document cannot be read')
      return found
    },
    receive,
    unit: createMemoryUnitOfWork([]),
    audit: {
      append: async (entry) => {
        audited.push(entry)
        return entry as never
      },
    },
    clock,
    random: createRandom(1),
    onError: (error) => errors.push(error),
  })
  const round = async () => {
    await (
      await made.begin()
    ).ended
    clock.advance(deliveryLimits.pauseMostUs)
  }
  return { ...made, round, store, clock, audited, errors }
}

const hook = compileAction(
  action('tell', { to: { webhook: 'https://example.com/' }, outcomes: ['decline'] }),
)
const topic = compileAction(action('stream', { to: { topic: 'decided' } }))
const at = (name: string) => ({ namespace: 'live', policy: 'card', action: name })
const keys = (messages: readonly { key: string }[]) => messages.map(({ key }) => key)

test('each action gets the decisions it applies to, once and in order', async () => {
  const of = bank([hook, topic], 30)
  const got: Record<string, string[]> = { tell: [], stream: [] }
  const { round, figures } = delivery(of, async (to, messages) => {
    got['webhook' in to ? 'tell' : 'stream'].push(...keys(messages))
  })
  await round()
  await round()
  const all = of.journal.slice(1) as Sequenced<DecisionRecord>[]
  const key = (name: string) => (each: Sequenced) => `live/${each.sequence}/card/${name}`
  expect(got['stream']).toEqual(all.map(key('stream')))
  expect(got['tell']).toEqual(all.filter(({ outcome }) => outcome === 'decline').map(key('tell')))
  expect(await figures()).toMatchObject([
    { action: 'stream', delivered: 30, behind: 0, dead: 0 },
    { action: 'tell', delivered: 10, behind: 0, dead: 0 },
  ])
})

test('a receiver that does not answer holds up no other action, and is not asked twice', async () => {
  const of = bank([hook, topic], 30)
  let asked = 0
  let streamed = 0
  const { begin } = delivery(of, async (to, messages) => {
    if ('topic' in to) streamed += messages.length
    else {
      asked++
      await new Promise(() => {})
    }
  })
  for (let i = 0; i < 5; i++) {
    await begin()
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  expect({ asked, streamed }).toEqual({ asked: 1, streamed: 30 })
})

test('after the last attempt a decision is set aside with its error, and the next ones go on', async () => {
  const of = bank([topic], 5)
  const got: string[] = []
  const { round, dead, store } = delivery(of, async (_to, messages) => {
    if (messages.some(({ key }) => key.startsWith('live/4/'))) throw new Error('No room')
    got.push(...keys(messages))
  })
  for (let i = 0; i < deliveryLimits.attempts + 2; i++) await round()
  expect(got).toEqual([2, 3, 5, 6].map((sequence) => `live/${sequence}/card/stream`))
  expect(await dead(at('stream'), 10)).toMatchObject([
    { sequence: 4, eventId: 'e4', attempts: 10, error: 'No room', redrive: false },
  ])
  expect(await store.cursors()).toMatchObject([{ through: 6, attempts: 0 }])
})

test('pauses double, and are spread', async () => {
  const of = bank([topic], 1)
  const { begin, store, clock } = delivery(of, async () => {
    throw new Error('away')
  })
  for (let attempts = 1; attempts < 6; attempts++) {
    await (
      await begin()
    ).ended
    const [{ nextAtUs, ...cursor }] = await store.cursors()
    expect(cursor.attempts).toBe(attempts)
    const most = 1_000_000 * 2 ** (attempts - 1)
    expect(nextAtUs - clock.nowUs()).toBeGreaterThanOrEqual(most / 2)
    expect(nextAtUs - clock.nowUs()).toBeLessThanOrEqual(most)
    // Before it is due nothing is tried.
    await (
      await begin()
    ).ended
    expect((await store.cursors())[0].attempts).toBe(attempts)
    clock.advance(most)
  }
})

test('what was set aside is delivered once more when somebody says so, with the same key', async () => {
  const of = bank([topic], 1)
  let isMended = false
  const got: string[] = []
  const { round, dead, redrive, audited } = delivery(of, async (_to, messages) => {
    if (!isMended) throw new Error('away')
    got.push(...messages.map(({ body }) => body))
  })
  for (let i = 0; i < deliveryLimits.attempts; i++) await round()
  const by = { actor: { id: 'u1', name: 'Ada', kind: 'person' as const }, reason: 'They are back' }
  expect(await redrive(at('stream'), by)).toBe(1)
  await round()
  expect(await dead(undefined, 10)).toMatchObject([{ attempts: 11, redrive: false }])
  isMended = true
  expect(await redrive({ ...at('stream'), sequences: [2] }, by)).toBe(1)
  await round()
  expect(await dead(undefined, 10)).toEqual([])
  expect(got.map((body) => (JSON.parse(body) as { key: string }).key)).toEqual([
    'live/2/card/stream',
  ])
  expect(audited).toMatchObject([
    { action: 'decisions.action-redriven', actor: 'u1', reason: 'They are back' },
    { details: { letters: 1, sequences: '2' } },
  ])
  await expect(redrive(at('none'), by)).rejects.toMatchObject({ code: 'action_not_found' })
})

test('says since when the oldest record waits, and what a receiver would get of a dead letter', async () => {
  const of = bank([topic], 4)
  let isAway = true
  const got: string[] = []
  const { round, dead, figures, messageOf } = delivery(of, async (_to, messages) => {
    if (isAway) throw new Error('away')
    got.push(...messages.map(({ body }) => body))
  })
  await round()
  expect(await figures()).toMatchObject([{ behind: 4, behindSinceUs: 2 }])
  for (let i = 1; i < deliveryLimits.attempts; i++) await round()
  const [letter] = await dead(undefined, 10)
  const message = await messageOf(letter)
  expect(JSON.parse(message!.body)).toMatchObject({ key: 'live/2/card/stream', eventId: 'e2' })
  expect(await messageOf({ ...letter, sequence: 99 })).toBeNull()
  isAway = false
  await round()
  expect(await figures()).toMatchObject([{ behind: 0, behindSinceUs: null, delivered: 3 }])
  expect(got.map((body) => (JSON.parse(body) as { eventId: string }).eventId)).toEqual([
    'e3',
    'e4',
    'e5',
  ])
})

test('whether it applies is as it was decided, where it goes as declared last', async () => {
  const of = bank([hook], 3)
  const declines = compileAction(
    action('tell', { to: { webhook: 'https://example.org/' }, outcomes: ['allow'] }),
  )
  of.deployments.push(of.deploy(5, 'd2'))
  of.documents.set('d2', [declines])
  of.journal.push({ type: 'deploy', sequence: 5 } as never, decided(6, 'd2'), decided(7, 'd2'))
  const got: string[] = []
  const { round } = delivery(of, async (to, messages) => {
    got.push(...keys(messages).map((key) => `${key} ${'webhook' in to ? to.webhook : ''}`))
  })
  await round()
  expect(got).toEqual([
    'live/4/card/tell https://example.org/',
    'live/6/card/tell https://example.org/',
  ])
})

test('a deployment that cannot be read holds its actions, and passes nothing over', async () => {
  const of = bank([topic], 2)
  of.journal.push(decided(4, 'd2'), decided(5, 'd1'))
  const got: string[] = []
  const { round, errors } = delivery(of, async (_to, messages) => void got.push(...keys(messages)))
  await round()
  expect(errors).toHaveLength(1)
  of.documents.set('d2', [topic])
  await round()
  expect(got).toHaveLength(4)
})

test('applies by outcome and by rules that fired', () => {
  const on = (outcome: Outcome, rules: string[]) => ({ outcome, rules })
  expect(applies({}, on('allow', []))).toBe(true)
  expect(applies({ outcomes: ['decline'] }, on('allow', ['a']))).toBe(false)
  expect(applies({ rules: ['a', 'b'] }, on('allow', ['b']))).toBe(true)
  expect(applies({ rules: ['a'], outcomes: ['allow'] }, on('allow', ['b']))).toBe(false)
})

test('whenever it is killed, nothing is lost and repeats carry the same key and body', async () => {
  const falls = fc.array(fc.constantFrom('fine', 'refused', 'killed before', 'killed after'), {
    maxLength: 40,
  })
  await fc.assert(
    fc.asyncProperty(falls, fc.integer({ min: 1, max: 12 }), async (fates, decisions) => {
      const of = bank([hook, topic], decisions)
      const store = createMemoryActionStore()
      const bodies = new Map<string, Set<string>>()
      let killed = false
      const left = [...fates]
      const receive: ActionReceiver = async (_to, messages) => {
        const fate = left.shift() ?? 'fine'
        if (fate === 'refused') throw new Error('refused')
        if (fate === 'killed before') killed = true
        if (killed) throw new Error('killed')
        for (const { key, body } of messages) {
          bodies.set(key, (bodies.get(key) ?? new Set()).add(body))
        }
        if (fate === 'killed after') killed = true
      }
      /** What a dead process would have written is not written. */
      const mortal: ActionStore = {
        ...store,
        move: async (...step) => {
          if (killed) throw new Error('killed')
          return store.move(...step)
        },
      }
      for (let start = 0; start < fates.length + 2; start++) {
        killed = false
        await delivery(of, receive, mortal).round()
        const process = delivery(of, receive, mortal)
        process.clock.advance(start * deliveryLimits.pauseMostUs)
        await process.round()
      }
      killed = false
      const lastProcess = delivery(of, receive, mortal)
      for (let i = 0; i < 60; i++) await lastProcess.round()
      const dead = await lastProcess.dead(undefined, 1000)
      const settled = new Set([
        ...bodies.keys(),
        ...dead.map((each) => `live/${each.sequence}/card/${each.action}`),
      ])
      const expected = (of.journal.slice(1) as Sequenced<DecisionRecord>[]).flatMap((each) => [
        `live/${each.sequence}/card/stream`,
        ...(each.outcome === 'decline' ? [`live/${each.sequence}/card/tell`] : []),
      ])
      expect([...settled].toSorted()).toEqual(expected.toSorted())
      for (const sent of bodies.values()) expect(sent.size).toBe(1)
    }),
    { numRuns: 60 },
  )
})
