// What keep asks before records go: who has read them, who waits for them, and what is written down.
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { closeServices, deployedBank } from '../../test/running-bank.ts'
import { payment } from '../../test/small-bank.ts'
import { systemActor } from '../access/index.ts'
import type { NewAuditEntry } from '../audit/index.ts'
import { createMemoryActionStore, type CompiledAction } from '../decisions/index.ts'
import { DAY_US } from '../lib/time.ts'
import { createJournalRetention } from './journal-retention.ts'

const by = { actor: systemActor, reason: 'Seven years are over' }
const declared = { name: 'tell', to: { topic: 'declined' } } as unknown as CompiledAction

let bank: Awaited<ReturnType<typeof deployedBank>>
/** How far whoever follows the journal has come. */
let read: number
let rounds: number
let sealsRecorded: number
let entries: NewAuditEntry[]
let store: ReturnType<typeof createMemoryActionStore>
let retention: ReturnType<typeof createJournalRetention>
let beforeUs: number

beforeEach(async () => {
  bank = await deployedBank({ segmentBytes: 20_000 })
  for (let n = 1; n <= 30; n++) await bank.decide(payment(n))
  await bank.service.namespace('live').journal.seal()
  bank.clock.advance(2 * DAY_US)
  beforeUs = bank.clock.nowUs() - DAY_US
  read = Infinity
  rounds = 0
  sealsRecorded = 0
  entries = []
  store = createMemoryActionStore()
  retention = createJournalRetention({
    decide: bank.remote,
    followers: [{ name: 'drift', position: async () => read }],
    actions: {
      begin: async () => {
        rounds++
        return { ended: Promise.resolve() }
      },
    },
    actionStore: store,
    recordSeals: async () => void sealsRecorded++,
    audit: {
      append: async (entry) => {
        entries.push(entry)
        return undefined as never
      },
    },
  })
})
afterEach(closeServices)

const names = () => bank.files.list('/decide/live/journal')
const removeAll = async () => {
  const { first } = await retention.plan(beforeUs)
  return retention.remove({ beforeUs, first, exportedTo: '/archive' }, by)
}

describe('a plan', () => {
  test('says what would go, and changes nothing', async () => {
    const before = (await names()).filter((name) => name.endsWith('.journal'))
    const plan = await retention.plan(beforeUs)
    expect(plan).toMatchObject({ decisions: 30, kept: [] })
    expect(plan.first).toHaveLength(before.length - 1)
    expect((await names()).filter((name) => /\.(journal|kept)$/.test(name))).toEqual(before)
    expect(entries).toEqual([])
    // What leaves the machine is told first, and the audit log knows every segment.
    expect([rounds, sealsRecorded]).toEqual([1, 1])
  })

  test('keeps what a follower, an action or a dead letter still needs, and says which', async () => {
    const all = await retention.plan(beforeUs)
    read = 9
    const behind = await retention.plan(beforeUs)
    expect(behind.decisions).toBeLessThan(9)
    expect(behind.kept).toMatchObject([{ why: 'drift has not read it yet' }])
    expect(behind.decisions + behind.kept[0].decisions).toBe(all.decisions)
    read = Infinity
    const of = { namespace: 'live', policy: 'card', action: 'tell' }
    await store.declare(of, declared, 1)
    expect((await retention.plan(beforeUs)).kept).toMatchObject([
      { why: 'the action card/tell has not told of it yet' },
    ])
    const [cursor] = await store.cursors()
    const letter = { sequence: 12, eventId: 'p11', attempts: 10, error: 'e', diedAtUs: 0 }
    await store.move({ ...cursor, through: 31 }, { ...of, ...letter, redrive: false })
    const dead = await retention.plan(beforeUs)
    expect(dead.kept).toMatchObject([{ why: 'the dead letter 12 of card/tell waits to be told' }])
    expect(dead.decisions).toBeLessThan(11)
    await store.removeDead({ ...of, sequence: 12 })
    expect(await retention.plan(beforeUs)).toEqual(all)
  })

  test('keeps what a hold keeps', async () => {
    const hold = { name: 'case-7', change: 'place', fromUs: 0, toUs: beforeUs } as const
    await retention.changeHold(hold, by)
    expect(await retention.plan(beforeUs)).toMatchObject({
      segments: 0,
      kept: [{ why: 'the hold "case-7"', decisions: 30 }],
    })
    expect(await removeAll()).toEqual({ segments: 0, decisions: 0, bytes: 0 })
    await retention.changeHold({ name: 'case-7', change: 'release' }, by)
    expect(entries.map(({ action }) => action)).toEqual([
      'decisions.hold-placed',
      'decisions.hold-released',
    ])
    expect((await retention.plan(beforeUs)).decisions).toBe(30)
  })
})

describe('a removal', () => {
  test('is in the audit log with actor, reason and export before anything goes', async () => {
    bank.files.fail('open', 'EIO', 1)
    await removeAll().catch(() => undefined)
    const gone = await removeAll()
    expect(gone.decisions).toBe(30)
    expect(entries.at(-1)).toMatchObject({
      actor: systemActor.id,
      action: 'decisions.records-removed',
      object: { kind: 'journal', id: 'live' },
      reason: 'Seven years are over',
      details: { decisions: 30, exportedTo: '/archive' },
    })
    expect((await names()).filter((name) => name.endsWith('.journal'))).toHaveLength(1)
  })

  test('takes no more than was asked for, and nothing without a reason', async () => {
    const { first } = await retention.plan(beforeUs)
    const request = { beforeUs, first: first.slice(0, 1), exportedTo: null }
    await expect(retention.remove(request, { ...by, reason: ' ' })).rejects.toMatchObject({
      code: 'reason_missing',
    })
    expect(entries).toEqual([])
    expect(await retention.remove(request, by)).toMatchObject({ segments: 1 })
    expect(entries[0].details).toMatchObject({ exportedTo: 'not exported', segments: 1 })
  })

  test('of what is less than a day old fails before the audit log says that it was', async () => {
    const tooYoung = bank.clock.nowUs()
    const refused = { code: 'removal_invalid' }
    await expect(retention.plan(tooYoung)).rejects.toMatchObject(refused)
    const request = { beforeUs: tooYoung, first: [1], exportedTo: null }
    await expect(retention.remove(request, by)).rejects.toMatchObject(refused)
    expect(entries).toEqual([])
  })
})
