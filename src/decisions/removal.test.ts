// Removing records of decisions: what goes, what stays, and what holds it up.
import { afterEach, describe, expect, test } from 'vitest'
import { closeServices, codeOf, deployedBank, openBank } from '../../test/running-bank.ts'
import { deployment, payment, payments, startUs } from '../../test/small-bank.ts'
import { compileSource } from '../data/index.ts'
import { faultyFiles } from '../lib/faulty-files.ts'
import { DAY_US } from '../lib/time.ts'
import { auditFeatures } from './audit-features.ts'
import { exportJournal } from './journal-export.ts'
import { readJournalFacts } from './journal-facts.ts'
import { rebuildLiveState } from './rebuilt-state.ts'
import { recordedPast } from './recorded-past.ts'
import { replayDecision } from './replay.ts'

afterEach(closeServices)

type Bank = Awaited<ReturnType<typeof openBank>>

const source = compileSource(payments)
const by = { actor: 'ann', reason: 'Seven years are over', exportedTo: null }
const label = (n: number) => {
  return { event_id: `p${n}`, value: 'fraud', arrival_time: '2024-05-01T12:10:00Z' }
}

/** Decisions, events and labels, and a day and an hour later. */
async function oldBank() {
  const bank = await deployedBank({ files: faultyFiles(), segmentBytes: 20_000 })
  for (let n = 1; n <= 40; n++) await bank.decide(payment(n, { customer: n % 5 }))
  const feed = (name: string, rows: unknown[]) =>
    bank.service.ingest({ namespace: 'live', source: name, rows, author: 'a' })
  await feed('payments', [payment(101, { customer: 2 })])
  await feed('fraud', [label(3), label(4)])
  for (let n = 41; n <= 50; n++) await bank.decide(payment(n, { customer: n % 5 }))
  await bank.service.namespace('live').journal.seal()
  bank.clock.advance(DAY_US + 3_600_000_000)
  return { ...bank, feed }
}

async function removeAll({ remote, clock }: Bank) {
  const beforeUs = clock.nowUs() - DAY_US
  const found = await remote.removable({ namespace: 'live', beforeUs })
  const segments = found.map(({ firstSequence }) => firstSequence)
  return await remote.removeRecords({ namespace: 'live', beforeUs, segments, ...by })
}

const at = ({ files, deployments }: Bank) => {
  return { directory: '/decide/live', files, deployments }
}

describe('a removal', () => {
  test('takes the answers, and leaves no decision to be made a second time', async () => {
    const bank = await oldBank()
    const { lastSequence } = bank.service.namespace('live').journal
    const removed = await removeAll(bank)
    expect(removed).toMatchObject({ decisions: 50 })
    expect(removed.segments).toBeGreaterThan(3)
    expect(removed.bytes).toBeGreaterThan(50_000)
    const names = await bank.files.list('/decide/live/journal')
    expect(names.filter((name) => name.endsWith('.journal'))).toHaveLength(1)
    expect(names.filter((name) => name.endsWith('.kept'))).toHaveLength(removed.segments)
    const again = await openBank({
      files: bank.files.restart(() => 0),
      deployments: bank.deployments,
    })
    for (const { decide, remote, service } of [bank, again]) {
      for (let n = 1; n <= 50; n++) {
        const body = payment(n, { customer: n % 5 })
        expect(await codeOf(decide(body))).toBe('decision_expired')
        expect(await codeOf(decide({ ...body, amount: '7.77' }))).toBe('event_id_conflict')
      }
      const key = { namespace: 'live', policy: 'card', eventId: 'p7' }
      await expect(remote.decision(key)).rejects.toThrow(
        'no longer kept since 2024-05-02T15:46:40Z, by ann',
      )
      for (const ask of [remote.recompute, remote.explain, remote.decision]) {
        expect(await codeOf(ask(key))).toBe('decision_expired')
      }
      expect(service.namespace('live').journal.lastSequence).toBe(lastSequence + 1)
    }
  })

  test('changes nothing of state, of what models learn from, or of recorded features', async () => {
    const bank = await oldBank()
    const before = {
      facts: (await readJournalFacts('/decide/live', [source], bank.files)).facts,
      state: await rebuildLiveState(at(bank)),
      audit: await auditFeatures(at(bank)),
    }
    const { namespaces } = bank.remote
    const [info] = await namespaces()
    await removeAll(bank)
    expect((await readJournalFacts('/decide/live', [source], bank.files)).facts).toEqual(
      before.facts,
    )
    expect(await rebuildLiveState(at(bank))).toEqual(before.state)
    expect(await auditFeatures(at(bank))).toEqual(before.audit)
    expect(before.audit).toMatchObject({ events: 51, mismatches: 0, unplaced: 0 })
    // Without any checkpoint: state and index follow from what is kept.
    const twin = await openBank({
      files: bank.files.restart(() => 0),
      deployments: bank.deployments,
    })
    twin.clock.set(bank.clock.nowUs())
    expect((await twin.remote.namespaces())[0]).toEqual({
      ...info,
      lastSequence: info.lastSequence + 1,
      nowUs: expect.any(Number),
    })
    const next = payment(51, { customer: 1 })
    const ours = JSON.parse(await bank.decide(next)) as { score: number }
    const theirs = JSON.parse(await twin.decide(next)) as { score: number }
    expect(theirs.score).toBe(ours.score)
  })

  test('leaves later decisions to be proved, and says of removed ones that they are gone', async () => {
    const bank = await oldBank()
    await removeAll(bank)
    await bank.decide(payment(60, { customer: 1 }))
    const { lastSequence: sequence } = bank.service.namespace('live').journal
    const proof = await replayDecision({ ...at(bank), sequence })
    expect(proof).toMatchObject({ identical: true })
    expect(await codeOf(replayDecision({ ...at(bank), sequence: 2 }))).toBe('decision_expired')
  })

  test('leaves an event known to other policies, with the values that it had', async () => {
    const bank = await oldBank()
    const { records } = await bank.remote.records({ namespace: 'live', after: 1, limit: 1 })
    await removeAll(bank)
    const base = deployment()
    const hash = bank.deployments.add({ ...base, policy: { ...base.policy, name: 'second' } })
    await bank.remote.switchDeployment({
      namespace: 'live',
      deployment: hash,
      actor: 'a',
      reason: 'r',
    })
    await bank.decide(payment(1, { customer: 1 }), 'second')
    const { record } = await bank.remote.decision({
      namespace: 'live',
      policy: 'second',
      eventId: 'p1',
    })
    expect(record.entry).toBe('known')
    expect(record.features).toEqual((records[0] as typeof record).features)
  })

  test('keeps labels: one that is sent again arrives once', async () => {
    const bank = await oldBank()
    await removeAll(bank)
    expect((await bank.feed('fraud', [label(3)]))[0].status).toBe('duplicate')
    expect((await bank.feed('payments', [payment(101, { customer: 2 })]))[0].status).toBe(
      'duplicate',
    )
  })

  test('is told by exports and back-tests rather than passed over', async () => {
    const bank = await oldBank()
    await removeAll(bank)
    const days: string[] = []
    const sink = { add: (table: string) => void days.push(table) }
    const period = { fromUs: -Infinity, toUs: Infinity }
    const told = await exportJournal({ ...at(bank), ...period }, sink)
    expect(told).toEqual({ expired: 50 })
    expect(days).toEqual(['labels', 'labels'])
    const past = recordedPast({
      ...at(bank),
      ...period,
      draft: deployment(),
      positive: () => undefined,
      through: 1000,
    })
    await expect(past.next()).rejects.toThrow('removed 2024-05-02T15:46:40Z by ann')
  })

  test('is itself in the journal, with actor, reason and the hashes of what went', async () => {
    const bank = await oldBank()
    const sealed = await bank.remote.sealed({ namespace: 'live' })
    await removeAll(bank)
    const { records } = await bank.remote.records({ namespace: 'live', after: 0, limit: 1000 })
    const told = records.flatMap((each) => (each.type === 'removed' ? [each] : []))
    expect(told.at(-1)).toMatchObject({ actor: 'ann', reason: by.reason, exportedTo: null })
    const named = told.flatMap(({ segments }) => segments)
    expect(named.map(({ sha256 }) => sha256)).toEqual(sealed.map(({ sha256 }) => sha256))
    // What the audit log has of them stays what they hashed to.
    expect(await bank.remote.sealed({ namespace: 'live' })).toEqual(sealed)
  })
})

describe('nothing goes', () => {
  test('that is less than a day old, unsealed, removed before, or of a replay', async () => {
    const bank = await oldBank()
    const { clock, remote } = bank
    const ask = (segments: number[], beforeUs: number, namespace = 'live') =>
      codeOf(remote.removeRecords({ namespace, beforeUs, segments, ...by }))
    const beforeUs = clock.nowUs() - DAY_US
    expect(await ask([1], beforeUs + 1)).toBe('removal_invalid')
    expect(await ask([2], beforeUs)).toBe('removal_invalid')
    expect(await ask([52], beforeUs)).toBe('removal_invalid')
    expect(await ask([1], startUs)).toBe('removal_invalid')
    await remote.openNamespace({ namespace: 'tape', clock: 'replay' })
    expect(await ask([1], beforeUs, 'tape')).toBe('removal_invalid')
    expect(await ask([1], beforeUs)).toBe('none')
    expect(await ask([1], beforeUs)).toBe('removal_invalid')
  })

  test('that a hold keeps, until it is released', async () => {
    const bank = await oldBank()
    const { clock, remote } = bank
    const hold = (change: 'place' | 'release', fromUs?: number, toUs?: number) =>
      remote.changeHold({
        namespace: 'live',
        name: 'case-7',
        change,
        fromUs,
        toUs,
        actor: 'leo',
        reason: 'A court asks',
      })
    expect(await codeOf(hold('release'))).toBe('decision_hold_invalid')
    expect(await codeOf(hold('place'))).toBe('decision_hold_invalid')
    const decidedUs = startUs + 10_000_000_000
    await hold('place', decidedUs - 1, decidedUs + 1)
    expect(await codeOf(hold('place', 0, 1))).toBe('decision_hold_invalid')
    expect(await remote.holds({ namespace: 'live' })).toMatchObject([
      { name: 'case-7', actor: 'leo', reason: 'A court asks' },
    ])
    const beforeUs = clock.nowUs() - DAY_US
    const found = await remote.removable({ namespace: 'live', beforeUs })
    expect(new Set(found.map(({ heldBy }) => heldBy))).toEqual(new Set(['case-7']))
    expect(await codeOf(removeAll(bank))).toBe('removal_invalid')
    expect(await codeOf(bank.decide(payment(1, { customer: 1 })))).toBe('none')
    await hold('release')
    expect(await remote.holds({ namespace: 'live' })).toEqual([])
    expect(await removeAll(bank)).toMatchObject({ decisions: 50 })
  })
})
