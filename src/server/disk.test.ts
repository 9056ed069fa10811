import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { manualClock } from '../lib/clock.ts'
import { createDiskWatch, diskReport, type DiskSample } from './disk.ts'

const HOUR_US = 3_600_000_000
const GB = 1_000_000_000
const sample = (hours: number, grown: number, decisions: number): DiskSample => ({
  atUs: hours * HOUR_US,
  decisions,
  bytes: { journal: 5000 + grown * 0.5, index: 3000 + grown * 0.25, metadata: 2000 + grown * 0.25 },
  freeBytes: 240 * GB,
  totalBytes: 500 * GB,
})

test('bytes per decision and days until full are what grew', () => {
  const report = diskReport([sample(0, 0, 1000), sample(1, GB, 1_001_000)])
  expect(report.bytesPerDecision).toBe(1000)
  expect(report.daysUntilFull).toBe(10)
  expect(report.parts.map(({ bytesPerDay }) => bytesPerDay)).toEqual([12 * GB, 6 * GB, 6 * GB])
  expect(report.verdict).toEqual({
    status: 'warning',
    sentence: 'The disk is full in 10 days, at the growth of the last 60 minutes. Make room.',
  })
})

test.each([
  [100 * GB, 'alert'],
  [10 * GB, 'alert'],
  [GB, 'warning'],
  [GB / 2, 'ok'],
  [0, 'ok'],
])('%s bytes an hour with 240 GB free are %s', (grown, status) => {
  expect(diskReport([sample(0, 0, 0), sample(1, grown, 0)]).verdict.status).toBe(status)
})

test('no figure is made of too short a time or too few decisions', () => {
  const short = diskReport([sample(0, 0, 0), sample(0.1, GB, 50)])
  expect(short).toMatchObject({ daysUntilFull: null, bytesPerDecision: null })
  expect(short.verdict.status).toBe('no-data')
})

test('room that is given back is no growth', () => {
  const report = diskReport([sample(0, GB, 0), sample(1, 0, 0)])
  expect(report).toMatchObject({ daysUntilFull: null, verdict: { status: 'ok' } })
})

test('files are measured on the disk', async () => {
  const root = mkdtempSync(join(tmpdir(), 'assay-disk-'))
  onTestFinished(() => rmSync(root, { recursive: true, force: true }))
  const journal = join(root, 'decide', 'live', 'journal')
  mkdirSync(journal, { recursive: true })
  writeFileSync(join(journal, '0000000000000001.journal'), Buffer.alloc(8192, 1))
  writeFileSync(join(root, 'assay.sqlite'), Buffer.alloc(4096, 1))
  const watch = createDiskWatch({
    decide: join(root, 'decide'),
    database: join(root, 'assay.sqlite'),
    decisions: () => 7,
    clock: manualClock(0),
  })
  onTestFinished(watch.stop)
  const report = await watch.report()
  expect(report!.parts.map(({ bytes }) => bytes)).toEqual([8192, 0, 4096])
  expect(report!.freeBytes).toBeGreaterThan(0)
})
