import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { NewAuditEntry } from '../audit/index.ts'
import { manualClock } from '../lib/clock.ts'
import { createIds } from '../lib/ids.ts'
import { DAY_US, parseTimestamp } from '../lib/time.ts'
import { snapshotRecord } from './catalog.cases.ts'
import { readDataset } from './dataset.ts'
import { by, memoryPorts, paymentsContract } from './example.cases.ts'
import { ingestRecords } from './ingest.ts'
import { createMemoryCatalog, createMemorySnapshots } from './memory.ts'
import { cleanSnapshots, type DataInUse } from './retention.ts'
import { createDataVersions } from './versions-service.ts'

const start = parseTimestamp('2018-10-01')!
const nothingInUse: DataInUse = { hashes: new Set(), runningSinceUs: null }

/** A bank's data in memory: payments are taken in day by day. */
function bank() {
  const clock = manualClock(start)
  const entries: NewAuditEntry[] = []
  const catalog = createMemoryCatalog()
  const snapshots = createMemorySnapshots(() => clock.nowUs())
  const used = { value: nothingInUse }
  const versions = createDataVersions({
    store: catalog.versions,
    catalog,
    inUse: async () => used.value,
    unit: {
      transaction: (work) => work(),
      afterCommit: (effect) => effect(),
    },
    audit: {
      append: async (entry: NewAuditEntry) => {
        entries.push(entry)
        return {} as never
      },
    },
    clock,
    ids: createIds(clock, (length) => new Uint8Array(length)),
  })
  const ports = { ...memoryPorts(), catalog, snapshots, clock }
  async function take(amounts: readonly string[], mode: 'replace' | 'append' = 'replace') {
    const at = (row: number) => `2018-09-01T00:00:${String(row).padStart(2, '0')}Z`
    const records = amounts.map((amount, row) => ({
      payment_id: `${mode}-${row}`,
      paid_at: at(row),
      customer_id: row,
      amount,
    }))
    await ingestRecords({ name: 'test', records, source: paymentsContract, mode, by }, ports)
    clock.set(clock.nowUs() + DAY_US)
  }
  const amounts = async () => [...(await readDataset('payments', ports)).frame.columns['amount']]
  return { clock, entries, catalog, snapshots, versions, used, take, amounts }
}

const numbersOf = (versions: readonly { readonly number: number }[]) =>
  versions.map(({ number }) => number)

describe('a version of a dataset', () => {
  test('is found by number, latest, tag and hash', async () => {
    const { versions, take } = bank()
    await take(['1.00'])
    await take(['2.00'])
    await versions.tag({ dataset: 'payments', tag: 'training-2018-10', version: '1' }, by)
    const find = async (name: string) => (await versions.find('payments', name)).version.number
    const { hash } = (await versions.find('payments', 'v1')).version
    expect(await find('latest')).toBe(2)
    expect(await find('1')).toBe(1)
    expect(await find('training-2018-10')).toBe(1)
    expect(await find(hash.slice(0, 8))).toBe(1)
    await expect(find('3')).rejects.toMatchObject({ code: 'dataset_version_not_found' })
    await expect(find('nothing')).rejects.toMatchObject({ code: 'dataset_version_not_found' })
    await expect(versions.find('none', '1')).rejects.toMatchObject({ code: 'dataset_not_found' })
    await expect(versions.history('none')).rejects.toMatchObject({ code: 'dataset_not_found' })
  })

  test('of equal content has an equal name', async () => {
    const { versions, take } = bank()
    await take(['1.00'])
    await take(['2.00'])
    await take(['1.00'])
    const [third, second, first] = (await versions.history('payments')).versions
    expect(third.hash).toBe(first.hash)
    expect(second.hash).not.toBe(first.hash)
    expect((await versions.find('payments', first.hash)).version.number).toBe(3)
  })

  test('is tagged with a name that is no other name, and the tag moves with its history', async () => {
    const { versions, take, entries } = bank()
    await take(['1.00'])
    await take(['2.00'])
    for (const tag of ['latest', '7', 'v7', 'deadbeef', 'no spaces', '']) {
      const refused = versions.tag({ dataset: 'payments', tag, version: '1' }, by)
      await expect(refused).rejects.toMatchObject({ code: 'dataset_tag_invalid' })
    }
    await versions.tag({ dataset: 'payments', tag: 'good', version: '1' }, by)
    await versions.tag({ dataset: 'payments', tag: 'good', version: 'latest' }, by)
    expect((await versions.history('payments')).tags).toMatchObject([{ tag: 'good', version: 2 }])
    await versions.untag({ dataset: 'payments', tag: 'good' }, by)
    const again = versions.untag({ dataset: 'payments', tag: 'good' }, by)
    await expect(again).rejects.toMatchObject({ code: 'dataset_tag_not_found' })
    const history = await versions.tagHistory('payments', 'good')
    expect(history.map(({ version }) => version)).toEqual([null, 2, 1])
    expect(entries.map(({ action, details }) => [action, details?.['from']])).toEqual([
      ['data.tag-put', null],
      ['data.tag-put', 1],
      ['data.tag-taken-away', 2],
    ])
  })

  test('comes back by a roll-back, with a reason, and readers read it', async () => {
    const { versions, take, amounts, entries } = bank()
    await take(['1.00'])
    await take(['1.50', '2.50'], 'append')
    await take(['9.00'])
    await versions.rollBack({ dataset: 'payments', version: '2' }, by)
    expect(await amounts()).toEqual([100, 150, 250])
    const [latest] = (await versions.history('payments')).versions
    expect(latest).toMatchObject({ number: 4, restores: 2, parent: 3, rows: 3, reason: by.reason })
    expect(entries.at(-1)).toMatchObject({
      action: 'data.rolled-back',
      reason: by.reason,
      details: { version: 4, restores: 2, from: 3 },
    })
    const again = versions.rollBack({ dataset: 'payments', version: '2' }, by)
    await expect(again).rejects.toMatchObject({ code: 'dataset_version_current' })
    const silent = versions.rollBack({ dataset: 'payments', version: '3' }, { ...by, reason: ' ' })
    await expect(silent).rejects.toMatchObject({ code: 'reason_missing' })
    // What was rolled back from is not lost.
    await versions.rollBack({ dataset: 'payments', version: '3' }, by)
    expect(await amounts()).toEqual([900])
  })
})

describe('retention', () => {
  test('removes nothing unless it is set, and then what neither rule keeps', async () => {
    const { versions, take } = bank()
    for (const amount of ['1.00', '2.00', '3.00', '4.00', '5.00']) await take([amount])
    expect(await versions.retire({ dryRun: false }, by)).toEqual([])
    await versions.setRetention({ dataset: 'payments', versions: 2, days: null }, by)
    expect(numbersOf(await versions.retire({ dryRun: true }, by))).toEqual([3, 2, 1])
    // The version of three days ago is younger than four days.
    await versions.setRetention({ dataset: 'payments', versions: 1, days: 4 }, by)
    expect(numbersOf(await versions.retire({ dryRun: true }, by))).toEqual([2, 1])
    expect(numbersOf(await versions.retire({ dryRun: false }, by))).toEqual([2, 1])
    expect(await versions.retire({ dryRun: false }, by)).toEqual([])
    const back = versions.rollBack({ dataset: 'payments', version: '1' }, by)
    await expect(back).rejects.toMatchObject({ code: 'dataset_version_removed' })
    const tag = versions.tag({ dataset: 'payments', tag: 'late', version: '1' }, by)
    await expect(tag).rejects.toMatchObject({ code: 'dataset_version_removed' })
  })

  test.each([
    { versions: 0, days: null },
    { versions: null, days: null },
    { versions: 1.5, days: null },
    { versions: null, days: -1 },
  ])('refuses to keep $versions versions and $days days', async (kept) => {
    const { versions, take } = bank()
    await take(['1.00'])
    const refused = versions.setRetention({ dataset: 'payments', ...kept }, by)
    await expect(refused).rejects.toMatchObject({ code: 'dataset_retention_invalid' })
  })

  test('keeps what a tag, a hold, a model or a running pipeline refers to', async () => {
    const { versions, take, used, clock } = bank()
    for (let n = 1; n <= 7; n++) await take([`${n}.00`])
    const dataset = 'payments'
    const snapshotOf = async (name: string) =>
      (await versions.find(dataset, name)).version.lastSnapshot
    await versions.setRetention({ dataset, versions: 1, days: null }, by)
    await versions.tag({ dataset, tag: 'kept', version: '1' }, by)
    const until = clock.nowUs() + DAY_US
    const { id } = await versions.hold({ dataset, version: '2', untilUs: null }, by)
    await versions.hold({ dataset, version: '3', untilUs: until }, by)
    const retired = async () => numbersOf(await versions.retire({ dryRun: true }, by))
    used.value = { hashes: new Set([await snapshotOf('4')]), runningSinceUs: null }
    expect(await retired()).toEqual([6, 5])
    // A pipeline that began while version 6 was current may still read it.
    used.value = { ...used.value, runningSinceUs: start + 5.5 * DAY_US }
    expect(await retired()).toEqual([5])
    used.value = { ...used.value, runningSinceUs: null }
    clock.set(until)
    expect(await retired()).toEqual([6, 5, 3])
    await versions.release({ dataset, hold: id }, by)
    await versions.untag({ dataset, tag: 'kept' }, by)
    used.value = nothingInUse
    expect(await retired()).toEqual([6, 5, 4, 3, 2, 1])
    await versions.hold({ dataset, version: null, untilUs: null }, by)
    expect(await retired()).toEqual([])
  })

  test('refuses a hold that has ended, and to release what is not held', async () => {
    const { versions, take, clock } = bank()
    await take(['1.00'])
    const dataset = 'payments'
    const past = versions.hold({ dataset, version: null, untilUs: clock.nowUs() }, by)
    await expect(past).rejects.toMatchObject({ code: 'dataset_hold_invalid' })
    const unknown = versions.release({ dataset, hold: 'hold_x' }, by)
    await expect(unknown).rejects.toMatchObject({ code: 'dataset_hold_not_found' })
  })
})

describe('cleaning', () => {
  test('leaves no version without its snapshots wherever it is killed, and the next one ends it', async () => {
    const act = fc.record({
      amounts: fc.array(fc.constantFrom('1.00', '2.00', '3.00'), { minLength: 1, maxLength: 3 }),
      isHeld: fc.boolean(),
    })
    const property = fc.asyncProperty(
      fc.array(act, { minLength: 1, maxLength: 6 }),
      fc.integer({ min: 1, max: 3 }),
      fc.nat(4),
      async (acts, kept, removals) => {
        const { versions, take, snapshots, clock } = bank()
        const dataset = 'payments'
        for (const { amounts, isHeld } of acts) {
          await take(amounts)
          const held = { dataset, version: 'latest', untilUs: null }
          if (isHeld) await versions.hold(held, by)
        }
        await versions.setRetention({ dataset, versions: kept, days: null }, by)
        let left = removals
        const dying: typeof snapshots = {
          ...snapshots,
          async remove(hash, unusedSinceUs) {
            if (left-- === 0) throw new Error('killed')
            return snapshots.remove(hash, unusedSinceUs)
          },
        }
        const clean = (store: typeof snapshots) =>
          cleanSnapshots({ versions, snapshots: store, clock }, { dryRun: false }, by)
        const needed = async () => {
          const { versions: all } = await versions.history(dataset)
          const present = all.filter(({ removed }) => removed === null)
          const parts = present.map(async ({ number }) => {
            const found = await versions.find(dataset, `${number}`)
            return found.parts.map(({ hash }) => hash)
          })
          return [...new Set((await Promise.all(parts)).flat())].toSorted()
        }
        await clean(dying).catch(() => {})
        for (const hash of await needed()) expect(await snapshots.describe(hash)).toBeDefined()
        await clean(snapshots)
        expect((await snapshots.stored()).map(({ hash }) => hash).toSorted()).toEqual(
          await needed(),
        )
      },
    )
    await fc.assert(property, { numRuns: 60 })
  })

  test('removes the snapshots that no version names, after a day, and says so beforehand', async () => {
    const { versions, take, snapshots, clock, entries, amounts } = bank()
    await take(['1.00'])
    await take(['2.00'])
    await take(['3.00'])
    await versions.setRetention({ dataset: 'payments', versions: 2, days: null }, by)
    const cleaning = { versions, snapshots, clock }
    const before = entries.length
    const planned = await cleanSnapshots(cleaning, { dryRun: true }, by)
    expect(planned).toMatchObject({ dryRun: true, files: 1, more: false, waiting: 0 })
    expect(planned.versions).toEqual([{ dataset: 'payments', number: 1 }])
    expect(entries).toHaveLength(before)
    expect(await snapshots.stored()).toHaveLength(3)

    const { lastSnapshot } = (await versions.find('payments', '1')).version
    expect(await cleanSnapshots(cleaning, { dryRun: false }, by)).toMatchObject({ files: 1 })
    expect(await snapshots.describe(lastSnapshot)).toBeUndefined()
    expect(entries.slice(before)).toMatchObject([
      { action: 'data.versions-removed', details: { numbers: [1] } },
      { action: 'data.files-removed', details: { files: 1, hashes: [lastSnapshot] } },
    ])
    expect(await amounts()).toEqual([300])
    expect(await cleanSnapshots(cleaning, { dryRun: false }, by)).toMatchObject({ files: 0 })

    // A snapshot that was just written waits for its record.
    await snapshots.write(
      await snapshots.read((await snapshots.stored())[0].hash, { columns: ['amount'] }),
      {
        columns: [{ name: 'amount', type: 'money', currency: 'EUR', exponent: 2 }],
      },
    )
    expect(await cleanSnapshots(cleaning, { dryRun: false }, by)).toMatchObject({
      files: 0,
      waiting: 1,
    })
    clock.set(clock.nowUs() + 2 * DAY_US)
    expect(await cleanSnapshots(cleaning, { dryRun: false }, by)).toMatchObject({ files: 1 })
  })

  test('retires in transactions of bounded size, the oldest first', async () => {
    const { versions, catalog, entries } = bank()
    for (let n = 1; n <= 602; n++) await catalog.record([snapshotRecord(n, { hash: `${n}` })], by)
    await versions.setRetention({ dataset: 'payments', versions: 1, days: null }, by)
    expect(await versions.retire({ dryRun: false }, by)).toHaveLength(601)
    const retired = entries.filter(({ action }) => action === 'data.versions-removed')
    expect(retired.map(({ details }) => details?.['versions'])).toEqual([500, 101])
    expect(retired[0].details?.['numbers']).toContain(500)
  })

  test('keeps parts that a version that stays shares with one that goes', async () => {
    const { versions, catalog, snapshots, clock } = bank()
    const column = (...values: number[]) => ({
      rows: values.length,
      columns: { n: Float64Array.from(values) },
    })
    const schema = { columns: [{ name: 'n', type: 'integer' as const }] }
    const parts = [0, 2]
    const first = await snapshots.write(column(1, 2, 3, 4), schema, { parts })
    const second = await snapshots.write(column(1, 2, 3, 5), schema, { parts })
    await catalog.record([snapshotRecord(1, { hash: first.hash })], by)
    await catalog.record([snapshotRecord(2, { hash: second.hash })], by)
    await versions.setRetention({ dataset: 'payments', versions: 1, days: null }, by)
    clock.set(clock.nowUs() + 2 * DAY_US)
    // The list of the first and its second part; the first part is in both.
    const report = await cleanSnapshots({ versions, snapshots, clock }, { dryRun: false }, by)
    expect(report).toMatchObject({ files: 2 })
    expect(await snapshots.read(second.hash)).toEqual(column(1, 2, 3, 5))
    expect(await snapshots.describe(first.hash)).toBeUndefined()
  })
})
