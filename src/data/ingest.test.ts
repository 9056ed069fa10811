import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { DAY_US, parseTimestamp } from '../lib/time.ts'
import { by, fraudContract, memoryPorts, paymentsContract } from './example.cases.ts'
import { readDataset } from './dataset.ts'
import { fail } from './errors.ts'
import { ingestFile, ingestLabels, ingestRecords, type IngestFileRequest } from './ingest.ts'
import type { IngestPorts } from './ingestion-job.ts'

let directory = ''
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'assay-ingest-'))
})
afterAll(() => rm(directory, { recursive: true, force: true }))

let files = 0

/** Writes a file and ingests it as payments with their labels. */
async function ingest(
  content: string | Buffer,
  ports: IngestPorts = memoryPorts(),
  change: Partial<IngestFileRequest> & { readonly name?: string } = {},
) {
  const path = join(directory, `${++files}-${change.name ?? 'payments.csv'}`)
  await writeFile(path, content)
  return ingestFile({ path, source: paymentsContract, labels: fraudContract, by, ...change }, ports)
}

const header = 'PAYMENT_ID,PAID_AT,CUSTOMER_ID,AMOUNT,IS_FRAUD,NOTE\n'
const twoRows = '1,2018-04-01 00:00:31,596,57.16,0,\n2,2018-04-01 00:02:10,4961,81.5,1,hi\n'

/** What the quarantine holds, as [row, column, rule]. */
async function refused(ports: IngestPorts): Promise<unknown[]> {
  const { rows } = await ports.quarantine.list({})
  return rows.flatMap(({ row, failures }) =>
    failures.map(({ column, rule }) => [row, column, rule]),
  )
}

async function nothingKept(ports: IngestPorts): Promise<void> {
  expect(await ports.catalog.datasets()).toEqual([])
  expect(await refused(ports)).toEqual([])
}

describe('a file of events', () => {
  test.each([
    ['CSV', 'payments.csv', Buffer.from(header + twoRows)],
    ['gzip CSV', 'payments.csv.gz', gzipSync(header + twoRows)],
    ['gzip CSV under another name', 'payments.csv', gzipSync(header + twoRows)],
    [
      'CSV with byte-order mark and CRLF',
      'p.csv',
      Buffer.from('\ufeff' + (header + twoRows).replaceAll('\n', '\r\n')),
    ],
    [
      'NDJSON',
      'payments.ndjson',
      Buffer.from(
        '{"payment_id":1,"paid_at":"2018-04-01T00:00:31Z","customer_id":596,"amount":57.16,"IS_FRAUD":0}\n' +
          '{"payment_id":"2","paid_at":"2018-04-01 00:02:10","customer_id":4961,"amount":"81.50","IS_FRAUD":"fraud"}',
      ),
    ],
  ])('as %s becomes the same snapshots of events and labels', async (_, name, content) => {
    const ports = memoryPorts()
    const report = await ingest(content, ports, { name })
    expect(report).toMatchObject({ read: 2, accepted: 2, quarantined: 0, dataset: 'payments' })
    const events = await ports.snapshots.read(report.snapshot.hash)
    const first = parseTimestamp('2018-04-01 00:00:31')!
    expect(events.columns).toEqual({
      payment_id: Float64Array.of(1, 2),
      paid_at: Float64Array.of(first, first + 99_000_000),
      customer_id: Float64Array.of(596, 4961),
      amount: Float64Array.of(5716, 8150),
    })
    const labels = await ports.snapshots.read(report.labelsSnapshot!.hash)
    expect(labels.columns).toMatchObject({
      event_id: Float64Array.of(1, 2),
      value: Float64Array.of(0, 1),
      arrival_time: Float64Array.of(first + 7 * DAY_US, first + 99_000_000 + 7 * DAY_US),
      arrival_assumed: Float64Array.of(1, 1),
    })
    expect((await ports.catalog.datasets()).map(({ dataset }) => dataset)).toEqual([
      'fraud',
      'payments',
    ])
  })

  test('is stored in order of (event time, row), whatever its own order', async () => {
    const ports = memoryPorts()
    const rows = ['a,2018-04-02', 'b,2018-04-01', 'c,2018-04-02', 'd,2018-04-01']
    const text = rows.map((row) => `${row},1,1.00,${row[0] === 'c' ? 1 : 0},\n`).join('')
    const report = await ingest(header + text, ports)
    const events = await ports.snapshots.read(report.snapshot.hash)
    expect(events.columns['payment_id']).toEqual(['b', 'd', 'a', 'c'])
    const labels = await ports.snapshots.read(report.labelsSnapshot!.hash)
    expect(labels.columns['value']).toEqual(Float64Array.of(0, 0, 0, 1))
  })

  test('has its bad rows set aside, each with row, line, column, rule and value', async () => {
    const ports = memoryPorts()
    const report = await ingest(
      header +
        '1,2018-04-01 00:00:31,596,57.16,0,\n' +
        '2,2018-04-01 00:00:31,abc,NaN,0,\n' +
        '3,2018-02-30 00:00:31,596,57.16,0,\n' +
        '4,2031-01-01 00:00:31,596,-1.00,0,\n' +
        '1,2018-04-01 00:00:31,596,57.16,0,again\n' +
        '"6\n6",2018-04-01 00:00:31,596,57.16,perhaps,\n' +
        '7,2018-04-01 00:00:31,596\n' +
        '8,2018-04-01 00:00:31,"596"x,1.00,0,\n' +
        ',,,,,\n',
      ports,
    )
    expect(report).toMatchObject({ read: 9, accepted: 1, quarantined: 8 })
    expect(await refused(ports)).toEqual([
      [2, 'customer_id', 'type'],
      [2, 'amount', 'not_finite'],
      [3, 'paid_at', 'date'],
      [4, 'paid_at', 'range'],
      [4, 'amount', 'range'],
      [5, 'payment_id', 'duplicate_id'],
      [6, 'IS_FRAUD', 'category'],
      [7, null, 'field_count'],
      [8, null, 'quote'],
      [9, 'payment_id', 'missing'],
      [9, 'paid_at', 'missing'],
      [9, 'customer_id', 'missing'],
      [9, 'amount', 'missing'],
    ])
    const { rows } = await ports.quarantine.list({ rule: 'field_count' })
    expect(rows[0]).toMatchObject({
      row: 7,
      line: 9,
      raw: '7,2018-04-01 00:00:31,596',
      header: header.trim().split(','),
    })
    expect(report.quarantine.byRule).toContainEqual({ column: 'amount', rule: 'range', rows: 1 })
  })

  test('has rows set aside whose text is not UTF-8', async () => {
    for (const name of ['latin1.csv', 'latin1.ndjson']) {
      const ports = memoryPorts()
      const row =
        '{"payment_id":"M\u00fcller","paid_at":"2018-04-01","customer_id":1,"amount":1,"IS_FRAUD":0}\n'
      const text = name.endsWith('csv') ? `${header}M\u00fcller,2018-04-01,1,1.00,0,\n` : row
      const good = name.endsWith('csv') ? twoRows : row.replace('M\u00fcller', 'Mo')
      await ingest(Buffer.from(text + good, 'latin1'), ports, { name })
      const column = name.endsWith('csv') ? 'payment_id' : null
      expect(await refused(ports)).toEqual([[1, column, 'encoding']])
    }
  })

  test('may be appended to a dataset; ids that it already holds are set aside', async () => {
    const ports = memoryPorts()
    await ingest(header + twoRows, ports)
    const more = twoRows + '3,2018-04-01 00:01:00,5,1.00,0,\n'
    const report = await ingest(header + more, ports, { mode: 'append' })
    expect(report).toMatchObject({ accepted: 1, quarantined: 2 })
    expect(await refused(ports)).toEqual([
      [1, 'payment_id', 'duplicate_id'],
      [2, 'payment_id', 'duplicate_id'],
    ])
    const { frame } = await readDataset('payments', ports)
    expect(frame.columns['payment_id']).toEqual(Float64Array.of(1, 3, 2))
  })

  test('may lack the labels’ column where that is allowed', async () => {
    const content = 'PAYMENT_ID,PAID_AT,CUSTOMER_ID,AMOUNT\n1,2018-04-01,5,1.00\n'
    const report = await ingest(content, memoryPorts(), { labelsOptional: true })
    expect(report).toMatchObject({ accepted: 1 })
    expect(report.labelsSnapshot).toBeUndefined()
    await expect(ingest(content)).rejects.toMatchObject({ code: 'header_mismatch' })
  })

  test('is put into quarantine only once, however often it is ingested', async () => {
    const ports = memoryPorts()
    const path = join(directory, 'again.csv')
    await writeFile(path, header + twoRows + 'x,y,z,0,0,\n')
    for (let turn = 0; turn < 2; turn++) {
      await ingestFile({ path, source: paymentsContract, labels: fraudContract, by }, ports)
    }
    expect((await ports.quarantine.list({})).total).toBe(1)
    expect((await ports.catalog.snapshots('payments')).length).toBe(2)
  })
})

describe('a file that cannot be ingested', () => {
  test.each([
    [
      'truncated gzip',
      'a.csv.gz',
      gzipSync(header + twoRows.repeat(1000)).subarray(0, 60),
      'file_truncated',
      /ends in the middle/,
    ],
    [
      'damaged gzip',
      'a.csv.gz',
      Buffer.concat([gzipSync(header + twoRows).subarray(0, -8), Buffer.alloc(8)]),
      'file_truncated',
      /cannot be decompressed/,
    ],
    [
      'a wrong header',
      'a.csv',
      'PAYMENT_ID,PAID_AT,CUSTOMERID,AMOUNT,IS_FRAUD,EXTRA\n',
      'header_mismatch',
      /Missing: "CUSTOMER_ID" \(did you mean "CUSTOMERID"\?\)\. Not in the contract: "CUSTOMERID", "EXTRA"\./,
    ],
    [
      'semicolons',
      'a.csv',
      (header + twoRows).replaceAll(',', ';'),
      'header_mismatch',
      /separated by semicolons/,
    ],
    [
      'a column given twice',
      'a.csv',
      header.replace('NOTE', 'AMOUNT'),
      'header_mismatch',
      /Given twice: "AMOUNT"/,
    ],
    ['nothing in it', 'a.csv', '', 'file_empty', /0 bytes/],
    ['a header only', 'a.csv', header, 'file_empty', /no rows/],
    ['UTF-16', 'a.csv', Buffer.from(`\ufeff${header}`, 'utf16le'), 'file_damaged', /UTF-16/],
    ['a spreadsheet', 'a.csv', 'PK\u0003\u0004', 'file_format_unknown', /spreadsheet/],
    ['an unknown name', 'a.dat', header, 'file_format_unknown', /does not say/],
  ])(
    'because of %s is answered clearly, and nothing is stored',
    async (_, name, content, code, detail) => {
      const ports = memoryPorts()
      await expect(ingest(content, ports, { name })).rejects.toMatchObject({
        code,
        detail: expect.stringMatching(detail) as string,
      })
      await nothingKept(ports)
    },
  )

  test('because it is not there says so', async () => {
    const request = { path: join(directory, 'nowhere.csv'), source: paymentsContract, by }
    await expect(ingestFile(request, memoryPorts())).rejects.toMatchObject({
      code: 'file_not_found',
    })
  })

  test('because the disk is full leaves nothing behind, even between its two snapshots', async () => {
    for (const succeeding of [0, 1]) {
      const ports = memoryPorts()
      let writes = 0
      const snapshots = {
        ...ports.snapshots,
        write: async (...args: Parameters<typeof ports.snapshots.write>) => {
          if (writes++ >= succeeding) throw fail.snapshot_disk_full('The disk is full.')
          return ports.snapshots.write(...args)
        },
      }
      const bad = 'x,y,z,0,0,\n'
      await expect(ingest(header + twoRows + bad, { ...ports, snapshots })).rejects.toMatchObject({
        code: 'snapshot_disk_full',
      })
      await nothingKept(ports)
    }
  })

  test('because not one row is good leaves the dataset as it was and shows the rows', async () => {
    const ports = memoryPorts()
    await ingest(header + twoRows, ports)
    await expect(ingest(`${header}x,y,z,0,0,\n`, ports)).rejects.toMatchObject({
      code: 'no_row_accepted',
    })
    expect((await ports.catalog.current('payments'))[0].rows).toBe(2)
    expect((await ports.quarantine.list({})).total).toBe(1)
  })

  test('because it has too many rows is refused', async () => {
    const ports = memoryPorts()
    await expect(ingest(header + twoRows, ports, { rowsMax: 1 })).rejects.toMatchObject({
      code: 'dataset_too_large',
    })
    await nothingKept(ports)
  })
})

test('a line of megabytes is one quarantined row; the rows around it are taken', async () => {
  const ports = memoryPorts()
  const long = 'x'.repeat(3 << 20)
  const report = await ingest(
    gzipSync(`${header}${twoRows}3,${long}\n4,2018-04-01,5,1.00,0,\n`),
    ports,
  )
  expect(report).toMatchObject({ read: 4, accepted: 3, quarantined: 1 })
  expect(await refused(ports)).toEqual([[3, null, 'line_too_long']])
})

test('NDJSON lines that are no objects, too deep or ambiguous are set aside', async () => {
  const ports = memoryPorts()
  const good = '{"payment_id":"1","paid_at":"2018-04-01","customer_id":1,"amount":1,"IS_FRAUD":0}'
  const lines = [
    good,
    '[1]',
    '{"payment_id":',
    '['.repeat(10_000),
    good.replace('"customer_id":1', '"customer_id":9007199254740993'),
    good.replace('"amount"', '"amount":1,"amount"'),
    good.replace('"1"', '"2"').replace(',"IS_FRAUD":0', ''),
    `{"x":"${'y'.repeat(2 << 20)}"}`,
  ]
  const report = await ingest(lines.join('\n'), ports, { name: 'a.ndjson' })
  expect(report).toMatchObject({ read: 8, accepted: 1, quarantined: 7 })
  expect((await refused(ports)).map((found) => (found as unknown[])[2])).toEqual([
    'json',
    'json',
    'json',
    'unsafe_integer',
    'json',
    'missing',
    'line_too_long',
  ])
})

test('objects of a generator are ingested like rows of a file', async () => {
  const ports = memoryPorts()
  const records = [1, 2, 2].map((n) => ({
    PAYMENT_ID: n,
    PAID_AT: '2018-04-01',
    CUSTOMER_ID: n,
    AMOUNT: '1.00',
    IS_FRAUD: n - 1,
  }))
  const report = await ingestRecords(
    { name: 'simulator', records, source: paymentsContract, labels: fraudContract, by },
    ports,
  )
  expect(report).toMatchObject({
    read: 3,
    accepted: 2,
    quarantined: 1,
    labelsSnapshot: { rows: 2 },
  })
  expect(await refused(ports)).toEqual([[3, 'payment_id', 'duplicate_id']])
})

test('labels of their own keep every statement, in order of arrival, and say what is assumed', async () => {
  const ports = memoryPorts()
  const path = join(directory, 'labels.csv')
  await writeFile(
    path,
    'event_id,value,event_time,arrival_time,author\n' +
      'a,fraud,2018-04-01,2018-04-05,Ann\n' +
      'a,genuine,2018-04-01,2018-04-03,\n' +
      'b,1,2018-04-01,,\n' +
      'c,0,,,\n' +
      'd,2,2018-04-01,,\n',
  )
  const report = await ingestLabels({ path, labels: fraudContract, by }, ports)
  expect(report).toMatchObject({ read: 5, accepted: 3, quarantined: 2 })
  expect(await refused(ports)).toEqual([
    [4, null, 'no_time'],
    [5, 'value', 'category'],
  ])
  const labels = await ports.snapshots.read(report.snapshot.hash)
  expect(labels.columns).toMatchObject({
    event_id: ['a', 'a', 'b'],
    value: Float64Array.of(0, 1, 1),
    arrival_assumed: Float64Array.of(0, 0, 1),
    author: [undefined, 'Ann', undefined],
  })
})
