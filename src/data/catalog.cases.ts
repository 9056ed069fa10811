import { describe, expect, test } from 'vitest'
import { by, fraudContract, paymentsContract } from './example.cases.ts'
import type { DatasetCatalog, QuarantinedRow, QuarantineStore, SnapshotRecord } from './ports.ts'

export function snapshotRecord(n: number, change: Partial<SnapshotRecord> = {}): SnapshotRecord {
  return {
    dataset: 'payments',
    kind: 'source',
    hash: String(n).padStart(64, '0'),
    mode: 'replace',
    contract: paymentsContract,
    rows: 10 * n,
    bytes: 100,
    path: null,
    fromUs: 1000 * n,
    toUs: 2000 * n,
    origin: { kind: 'file', name: 'payments.csv', format: 'csv', bytes: 5 },
    ingestion: `ing_${n}`,
    counts: { read: 10 * n + 1, accepted: 10 * n, quarantined: 1 },
    profile: { rows: 10 * n, columns: [], days: [{ day: '2018-04-01', rows: 10 * n }] },
    recordedAtUs: n,
    ...change,
  }
}

function row(n: number, change: Partial<QuarantinedRow> = {}): QuarantinedRow {
  return {
    id: `qr_${n}`,
    dataset: 'payments',
    ingestion: 'ing_1',
    input: 'payments.csv',
    row: n,
    line: n + 1,
    raw: `p${n},"it's"`,
    rawCut: false,
    header: ['PAYMENT_ID', 'AMOUNT'],
    failures: [{ column: 'amount', rule: 'range', value: '-1', message: 'amount must lie …' }],
    contractVersion: paymentsContract.version,
    quarantinedAtUs: 5,
    ...change,
  }
}

export interface DataStores {
  readonly catalog: DatasetCatalog
  readonly quarantine: QuarantineStore
}

/** What every catalogue must do. */
export function datasetCatalogCases(name: string, open: () => Promise<DataStores>): void {
  describe(`${name} as a dataset catalogue`, () => {
    test('gives back what was recorded', async () => {
      const { catalog } = await open()
      await catalog.record([snapshotRecord(1)], by)
      expect(await catalog.snapshot(snapshotRecord(1).hash)).toMatchObject(snapshotRecord(1))
      expect(await catalog.snapshots('payments')).toMatchObject([snapshotRecord(1)])
      expect(await catalog.snapshot('f'.repeat(64))).toBeUndefined()
      expect(await catalog.current('nothing')).toEqual([])
    })

    test('knows the current content: the last full snapshot and what was added since', async () => {
      const { catalog } = await open()
      await catalog.record([snapshotRecord(1)], by)
      await catalog.record([snapshotRecord(2, { mode: 'append' })], by)
      await catalog.record([snapshotRecord(3)], by)
      await catalog.record(
        [snapshotRecord(4, { mode: 'append' }), snapshotRecord(5, { mode: 'append' })],
        by,
      )
      const current = await catalog.current('payments')
      expect(current.map(({ hash }) => Number(hash))).toEqual([3, 4, 5])
    })

    test('pages through snapshots, newest first', async () => {
      const { catalog } = await open()
      for (let n = 1; n <= 5; n++) await catalog.record([snapshotRecord(n)], by)
      const first = await catalog.snapshots('payments', { limit: 2 })
      expect(first.map(({ rows }) => rows)).toEqual([50, 40])
      const second = await catalog.snapshots('payments', { limit: 2, before: first[1].sequence })
      expect(second.map(({ rows }) => rows)).toEqual([30, 20])
    })

    test('sums datasets up, by name, with their open quarantine', async () => {
      const { catalog, quarantine } = await open()
      const labels = { dataset: 'fraud', kind: 'labels', contract: fraudContract } as const
      await catalog.record([snapshotRecord(1), snapshotRecord(7, labels)], by)
      await catalog.record([snapshotRecord(2, { mode: 'append', fromUs: null, toUs: null })], by)
      await quarantine.put([row(1), row(2)])
      expect(await catalog.datasets()).toEqual([
        {
          dataset: 'fraud',
          kind: 'labels',
          contractVersion: fraudContract.version,
          rows: 70,
          snapshots: 1,
          fromUs: 7000,
          toUs: 14000,
          latestHash: snapshotRecord(7).hash,
          quarantinedOpen: 0,
          recordedAtUs: 7,
        },
        {
          dataset: 'payments',
          kind: 'source',
          contractVersion: paymentsContract.version,
          rows: 30,
          snapshots: 2,
          fromUs: 1000,
          toUs: 2000,
          latestHash: snapshotRecord(2).hash,
          quarantinedOpen: 2,
          recordedAtUs: 2,
        },
      ])
    })
  })
}

/** What every quarantine must do. */
export function quarantineStoreCases(name: string, open: () => Promise<DataStores>): void {
  describe(`${name} as a quarantine`, () => {
    test('gives back rows as they were put, open, in order of arrival', async () => {
      const { quarantine } = await open()
      await quarantine.put([row(2), row(1)])
      const { rows, total } = await quarantine.list({})
      expect(total).toBe(2)
      expect(rows).toEqual([
        { ...row(2), sequence: 1, status: 'open', resolution: null },
        { ...row(1), sequence: 2, status: 'open', resolution: null },
      ])
      expect((await quarantine.get(['qr_1', 'qr_9', 'qr_2'])).map(({ id }) => id)).toEqual([
        'qr_1',
        'qr_2',
      ])
    })

    test('leaves a row that is already there as it is', async () => {
      const { quarantine } = await open()
      await quarantine.put([row(1)])
      await quarantine.resolve(['qr_1'], { status: 'dismissed', snapshot: null, atUs: 9 }, by)
      await quarantine.put([row(1, { raw: 'changed' }), row(2)])
      const { rows } = await quarantine.list({})
      expect(rows.map(({ raw, status }) => [raw, status])).toEqual([
        [row(1).raw, 'dismissed'],
        [row(2).raw, 'open'],
      ])
    })

    test('filters by dataset, status, ingestion and rule, and pages', async () => {
      const { quarantine } = await open()
      const missing = { column: null, rule: 'field_count', value: null, message: '…' } as const
      await quarantine.put([
        row(1),
        row(2, { dataset: 'other' }),
        row(3, { ingestion: 'ing_2' }),
        row(4, { failures: [...row(4).failures, missing] }),
      ])
      await quarantine.resolve(['qr_3'], { status: 'resolved', snapshot: 'abc', atUs: 9 }, by)
      const idsOf = async (filter: Parameters<QuarantineStore['list']>[0]) =>
        (await quarantine.list(filter)).rows.map(({ id }) => id)
      expect(await idsOf({ dataset: 'payments' })).toEqual(['qr_1', 'qr_3', 'qr_4'])
      expect(await idsOf({ dataset: 'payments', status: 'open' })).toEqual(['qr_1', 'qr_4'])
      expect(await idsOf({ ingestion: 'ing_2' })).toEqual(['qr_3'])
      expect(await idsOf({ rule: 'field_count' })).toEqual(['qr_4'])
      const page = await quarantine.list({ dataset: 'payments' }, { limit: 1, after: 1 })
      expect(page).toMatchObject({ total: 3, rows: [{ id: 'qr_3' }] })
    })

    test('sums open rows up by column and rule, most first', async () => {
      const { quarantine } = await open()
      const unknown = { column: 'x', rule: 'unknown_field', value: '1', message: '…' } as const
      await quarantine.put([row(1), row(2), row(3, { failures: [unknown] }), row(4)])
      await quarantine.resolve(['qr_4'], { status: 'dismissed', snapshot: null, atUs: 9 }, by)
      expect(await quarantine.summary({ dataset: 'payments' })).toEqual([
        { column: 'amount', rule: 'range', rows: 2 },
        { column: 'x', rule: 'unknown_field', rows: 1 },
      ])
    })

    test('closes open rows once, and says how many it closed', async () => {
      const { quarantine } = await open()
      await quarantine.put([row(1), row(2)])
      const resolution = { status: 'resolved', snapshot: 'abc', atUs: 9 } as const
      expect(await quarantine.resolve(['qr_1', 'qr_9'], resolution, by)).toBe(1)
      expect(await quarantine.resolve(['qr_1', 'qr_2'], { ...resolution, snapshot: 'd' }, by)).toBe(
        1,
      )
      const [entry] = await quarantine.get(['qr_1'])
      expect(entry).toMatchObject({
        status: 'resolved',
        resolution: { actor: 'Test', reason: by.reason, atUs: 9, snapshot: 'abc' },
      })
    })
  })
}
