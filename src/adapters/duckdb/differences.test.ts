import { mkdtemp, rm, truncate } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { compileSource, eventTime, id, source, sourceSchema, type Frame } from '../../data/index.ts'
import { differenceCases } from '../../data/difference.cases.ts'
import { duckdbDifferences, duckdbSnapshots } from './index.ts'

const folders: string[] = []

async function folder(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'assay-differences-'))
  folders.push(made)
  return made
}

afterEach(async () => {
  for (const made of folders.splice(0)) await rm(made, { recursive: true, force: true })
})

differenceCases('DuckDB', async () => {
  const directory = await folder()
  // In passes of a few rows, so that small versions take several.
  return {
    snapshots: duckdbSnapshots({ directory }),
    differences: duckdbDifferences({ directory, rowsOfPassMax: 20 }),
  }
})

const contract = compileSource(source('events', { columns: { event: id(), at: eventTime() } }))
const times = (...at: number[]): Frame => ({
  rows: at.length,
  columns: { event: Float64Array.from(at), at: Float64Array.from(at) },
})

test('parts that both versions hold are not read', async () => {
  const directory = await folder()
  const store = duckdbSnapshots({ directory })
  const write = (frame: Frame) =>
    store.write(frame, sourceSchema(contract, frame), { parts: [0, 2, 4] })
  const before = await write(times(1, 2, 3, 4, 5, 6))
  const after = await write(times(1, 2, 3, 4, 5, 7))
  const request = {
    before: { contract, snapshots: [before.hash] },
    after: { contract, snapshots: [after.hash] },
    rowsMax: 10,
    profile: false,
  }
  const found = await duckdbDifferences({ directory }).compare(request)
  expect(found.parts).toEqual({ before: 3, after: 3, shared: 2, rowsRead: 4 })
  expect(found.rows).toEqual({ before: 6, after: 6, added: 1, removed: 1, changed: 0 })
  expect(found.profile).toBeNull()
  await truncate(after.parts[2].path!, 10)
  const damaged = duckdbDifferences({ directory }).compare(request)
  await expect(damaged).rejects.toMatchObject({ code: 'snapshot_damaged' })
})
