// The power goes at every step of a removal, or what was kept is damaged; then what was acknowledged is
// held against what the journal gives back.
import { afterEach, expect, test } from 'vitest'
import { codeOf, openBank, deployedBank, openServices } from '../../test/running-bank.ts'
import { memoryDeployments, payment } from '../../test/small-bank.ts'
import { faultyFiles, type FaultyFiles } from '../lib/faulty-files.ts'
import { createRandom } from '../lib/random.ts'
import { DAY_US } from '../lib/time.ts'

// A service whose disk has stopped never ends: it is left behind.
afterEach(() => {
  openServices.length = 0
})

const deployments = memoryDeployments()
const DECISIONS = 9
const by = { actor: 'ann', reason: 'r', exportedTo: null }
const body = (n: number) => payment(n, { customer: n % 3 })

type Bank = Awaited<ReturnType<typeof openBank>>

/** Decisions of two days ago in sealed segments, with their answers. */
async function oldBank() {
  const files = faultyFiles()
  const bank = await deployedBank({ files, deployments, segmentBytes: 8000, checkpointEvery: 10 })
  const answers = new Map<number, string>()
  for (let n = 1; n <= DECISIONS; n++) answers.set(n, await bank.decide(body(n)))
  await bank.service.namespace('live').journal.seal()
  bank.clock.advance(2 * DAY_US)
  return { ...bank, answers }
}

async function removeAll({ remote, clock }: Pick<Bank, 'remote' | 'clock'>) {
  const beforeUs = clock.nowUs() - DAY_US
  const found = await remote.removable({ namespace: 'live', beforeUs })
  const segments = found.map(({ firstSequence }) => firstSequence)
  return await remote.removeRecords({ namespace: 'live', beforeUs, segments, ...by })
}

/** A start on what is left of the disk: with the same state, and each decision's answer or its end. */
async function expectWhole(disk: FaultyFiles, answers: ReadonlyMap<number, string>) {
  const bank = await openBank({ files: disk, deployments, segmentBytes: 8000 })
  bank.clock.advance(2 * DAY_US)
  expect(bank.fatal).toEqual([])
  let expired = 0
  for (const [n, answer] of answers) {
    const again = await bank.decide(body(n)).catch((error: { code: string }) => error.code)
    expect(['decision_expired', answer]).toContain(again)
    if (again !== answer) expired++
    const other = { ...body(n), amount: '7.77' }
    expect(await codeOf(bank.decide(other))).toBe('event_id_conflict')
  }
  const [{ decisions, events }] = await bank.remote.namespaces()
  expect({ decisions, events }).toEqual({ decisions: DECISIONS, events: DECISIONS })
  return { bank, expired }
}

test('wherever a removal breaks off, the next start has every decision or its end', async () => {
  const seen = new Set<string>()
  let isDone = false
  for (let operations = 0; !isDone; operations++) {
    const old = await oldBank()
    old.files.stopAfter(operations)
    isDone = await Promise.race([
      removeAll(old).then(() => true),
      old.files.stopped.then(() => false),
    ])
    const random = createRandom(operations)
    const disk = old.files.restart((below) => random.int(below))
    const { bank, expired } = await expectWhole(disk, old.answers)
    expect(bank.warnings.filter((each) => each.includes('removal'))).toEqual([])
    const names = await disk.list('/decide/live/journal')
    expect(names.filter((name) => name.endsWith('.draft'))).toEqual([])
    if (expired === 0) seen.add('nothing gone')
    else if (expired < DECISIONS) seen.add('part gone')
    else seen.add('all gone')
    // What was not removed can be, from here.
    await removeAll(bank)
    expect((await expectWhole(disk, old.answers)).expired).toBe(DECISIONS)
    openServices.length = 0
  }
  expect(seen).toEqual(new Set(['nothing gone', 'all gone']))
}, 60_000)

test('a draft that is not what was recorded takes no segment away', async () => {
  const old = await oldBank()
  // The record is on disk, and nothing has its name yet.
  old.files.fail('rename', 'EIO', 1000)
  await expect(removeAll(old)).rejects.toThrow('EIO')
  const disk = old.files.restart(() => 0)
  const [draft] = (await disk.list('/decide/live/journal')).filter((each) =>
    each.endsWith('.draft'),
  )
  disk.bytes(`/decide/live/journal/${draft}`)[100] ^= 1
  const { bank } = await expectWhole(disk, old.answers)
  expect(bank.warnings.some((each) => each.includes('was not finished'))).toBe(true)
  const journal = await disk.list('/decide/live/journal')
  expect(journal).toContain(draft.replace('.kept.draft', '.journal'))
})

test('what was kept is missed when it is lost, and found damaged when it is', async () => {
  const old = await oldBank()
  await removeAll(old)
  const disk = old.files.restart(() => 0)
  const kept = (await disk.list('/decide/live/journal')).filter((each) => each.endsWith('.kept'))
  disk.bytes(`/decide/live/journal/${kept[1]}`)[60] ^= 1
  await expect(openBank({ files: disk, deployments })).rejects.toMatchObject({
    code: 'journal_corrupt',
  })
  disk.bytes(`/decide/live/journal/${kept[1]}`)[60] ^= 1
  await expectWhole(disk, old.answers)
  await disk.remove(`/decide/live/journal/${kept[1]}`)
  await expect(openBank({ files: disk, deployments })).rejects.toMatchObject({
    code: 'journal_corrupt',
  })
})

test('a full disk removes nothing, and a later removal goes through', async () => {
  const old = await oldBank()
  old.files.capacityBytes = 0
  expect(await codeOf(removeAll(old))).toContain('ENOSPC')
  old.files.capacityBytes = Infinity
  for (const [n, answer] of old.answers) expect(await old.decide(body(n))).toBe(answer)
  expect(await removeAll(old)).toMatchObject({ decisions: DECISIONS })
})
