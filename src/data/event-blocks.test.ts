import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { readEventBlocks, type EventBlock, type RefusedEvent } from './event-blocks.ts'
import { by, fraudContract, memoryPorts, paymentsContract } from './example.cases.ts'
import { textAt, type Frame } from './frame.ts'
import { ingestFile } from './ingest.ts'

const folder = mkdtempSync(join(tmpdir(), 'assay-blocks-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const parquet = { open: () => Promise.reject(new Error('There is no Parquet here.')) }

/** Payments in no order of time, some of them wrong and some there twice. */
function lines(rows: number): string[] {
  return Array.from({ length: rows }, (_, i) => {
    const number = i % 997 === 5 ? i - 3 : i
    const minute = String((i * 7) % 60).padStart(2, '0')
    const amount = i % 401 === 7 ? 'ten' : `${i % 90}.${10 + (i % 80)}`
    return `${number},2018-04-0${1 + (i % 9)} 10:${minute}:00,${i % 50},${amount},${i % 11 === 0 ? 1 : 0}`
  })
}

/** More than one chunk of the reader, so that there is more than one block. */
const path = join(folder, 'payments.csv')
writeFileSync(path, `PAYMENT_ID,PAID_AT,CUSTOMER_ID,AMOUNT,IS_FRAUD\n${lines(60_000).join('\n')}\n`)

async function blocksOf(rows: number) {
  const blocks: EventBlock[] = []
  const refused: RefusedEvent[] = []
  const read = await readEventBlocks(
    {
      path,
      source: paymentsContract,
      labels: fraudContract,
      rows,
      take: async (block) => void blocks.push(block),
      refuse: async (told) => void refused.push(...told),
    },
    parquet,
  )
  return { blocks, refused, read }
}

/** The values of a column in all frames, in one order. */
const texts = (frames: readonly Frame[], name: string) =>
  frames
    .flatMap((frame) =>
      Array.from({ length: frame.rows }, (_, row) => String(textAt(frame.columns[name], row))),
    )
    .sort()

test('blocks hold the rows that an ingestion takes, once each, and refuse the same', async () => {
  const { blocks, refused, read } = await blocksOf(1000)
  const ports = memoryPorts()
  const whole = await ingestFile(
    { path, source: paymentsContract, labels: fraudContract, by },
    ports,
  )
  expect(blocks.length).toBeGreaterThan(1)
  expect(read).toBe(whole.read)
  expect(refused).toHaveLength(whole.quarantined)
  const { rows: quarantined } = await ports.quarantine.list({}, { limit: 1000 })
  const lineAndRule = ({ line, failures }: Pick<RefusedEvent, 'line' | 'failures'>) =>
    `${line} ${failures[0].rule} ${failures[0].message}`
  expect(refused.map(lineAndRule).toSorted()).toEqual(quarantined.map(lineAndRule).toSorted())
  const frame = await ports.snapshots.read(whole.snapshot.hash)
  const frames = blocks.map(({ events }) => events.frame)
  for (const name of Object.keys(frame.columns)) {
    expect(texts(frames, name)).toEqual(texts([frame], name))
  }
  const labelled = blocks.flatMap(({ labels }) => labels?.frame ?? [])
  const labels = await ports.snapshots.read(whole.labelsSnapshot!.hash)
  expect(texts(labelled, 'event_id')).toEqual(texts([labels], 'event_id'))
})

test('one block has all rows in their order where that many are asked for', async () => {
  const { blocks } = await blocksOf(1_000_000)
  const ports = memoryPorts()
  const whole = await ingestFile(
    { path, source: paymentsContract, labels: fraudContract, by },
    ports,
  )
  expect(blocks).toHaveLength(1)
  expect(blocks[0].events.frame).toEqual(await ports.snapshots.read(whole.snapshot.hash))
})

test('a file with a header alone is told to be empty', async () => {
  const empty = join(folder, 'empty.csv')
  writeFileSync(empty, 'PAYMENT_ID,PAID_AT,CUSTOMER_ID,AMOUNT\n')
  const take = async () => {}
  const asked = { path: empty, source: paymentsContract, rows: 10, take, refuse: take }
  await expect(readEventBlocks(asked, parquet)).rejects.toMatchObject({ code: 'file_empty' })
})
