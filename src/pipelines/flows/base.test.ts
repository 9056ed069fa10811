// A base that was lost is made again from what its record names, and from nothing else.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { closeServices, deployedBank } from '../../../test/running-bank.ts'
import { deployment, payment } from '../../../test/small-bank.ts'
import {
  createMemoryCatalog,
  createMemoryQuarantine,
  createMemorySnapshots,
  ingestRecords,
} from '../../data/index.ts'
import { decodeRecord, readJournalFacts, type BaseRecord } from '../../decisions/index.ts'
import { nodeFiles, readWholeFile, writeFileAtomic } from '../../lib/files.ts'
import { rebuildBase, writeBase } from './base.ts'
import { endedHistory } from './history-table.ts'
import type { FlowProject } from './plan.ts'
import { readLearningData } from './reproduce.ts'

const { source, labels, featureSets } = deployment()
const project = {
  version: 'p1',
  sources: [source],
  labels,
  featureSets,
  replay: null,
} as unknown as FlowProject
const by = { actor: { id: 'a', name: 'A', kind: 'person' as const }, reason: 'test' }
const events = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => payment(from + i))
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assay-base-'))
})
afterEach(closeServices)
afterAll(() => rm(folder, { recursive: true }))

/** A bank whose base holds a file and 30 records of the journal, of which 10 were in the file. */
async function bankWithBase() {
  const { service, remote, files, clock } = await deployedBank()
  let id = 0
  const ports = {
    snapshots: createMemorySnapshots(),
    catalog: createMemoryCatalog(),
    quarantine: createMemoryQuarantine(),
    clock,
    ids: (kind: string) => `${kind}-${id++}`,
  }
  const told = events(0, 40).map((event, i) => ({ ...event, IS_FRAUD: i % 2 }))
  const withLabels = { ...labels[0], from: 'IS_FRAUD' } as (typeof labels)[0]
  await ingestRecords({ name: 'file', records: told, source, labels: withLabels, by }, ports)
  const feed = (rows: readonly unknown[]) =>
    service.ingest({ namespace: 'live', source: 'payments', rows, author: 'a' })
  await feed(events(30, 60))
  const parts = await Promise.all(['payments', 'fraud'].map((name) => ports.catalog.current(name)))
  const snapshots = parts.flat().map(({ dataset, hash }) => ({ dataset, hash }))
  const data = await readLearningData(project, snapshots, ports)
  const file = join(folder, 'base')
  const readLive = (sources: Parameters<typeof readJournalFacts>[1], through?: number) =>
    readJournalFacts('/decide/live', sources, files, through)
  const ended = () => endedHistory(project, data, () => undefined)
  await writeBase(file, project, data, { ended, readLive })
  await writeFileAtomic('/base', await readWholeFile(file, nodeFiles), files)
  const { sequence } = await remote.loadBase({ namespace: 'live', path: '/base' })
  const { journal } = service.namespace('live')
  const { payload } = await journal.readAt((await journal.locate(sequence))!)
  await feed(events(60, 70))
  const again = {
    ...ports,
    readLive,
    projectsBefore: async function* () {
      yield { ...project, version: 'p0' }
      yield project
    },
  }
  return { file, record: decodeRecord(payload) as BaseRecord, again, readLive }
}

test('a base over a file and live traffic is made again as it was, whatever came since', async () => {
  const { file, record, again } = await bankWithBase()
  expect(record.journal).toMatchObject({ namespace: 'live' })
  const made = join(folder, 'made')
  await rebuildBase(record, made, again, () => undefined)
  expect(await readWholeFile(made, nodeFiles)).toEqual(await readWholeFile(file, nodeFiles))
})

test('what leads to another state, or is not there any more, is named', async () => {
  const { record, again, readLive } = await bankWithBase()
  const made = join(folder, 'made')
  const rebuilt = (of: BaseRecord, ports: Partial<typeof again>) =>
    rebuildBase(of, made, { ...again, ...ports }, () => undefined)
  const refusal = (detail: RegExp) => ({
    code: 'base_not_rebuilt',
    detail: expect.stringMatching(detail),
  })
  const cut: typeof readLive = (sources) => readLive(sources, 20)
  await expect(rebuilt(record, { readLive: cut })).rejects.toMatchObject(refusal(/another state/))
  const none = async function* () {}
  await expect(rebuilt(record, { projectsBefore: none })).rejects.toMatchObject(
    refusal(/version p1 are not in this home/),
  )
  const { madeOf: _, ...earlier } = record
  await expect(rebuilt(earlier, {})).rejects.toMatchObject(refusal(/of an earlier version/))
  const catalog = createMemoryCatalog()
  await expect(rebuilt(record, { catalog })).rejects.toMatchObject({
    code: 'version_not_reproducible',
  })
})
