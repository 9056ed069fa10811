// The guide's words on graphs, followed: its project, and its commands in their order.
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { repositoryRoot } from '../source-text.ts'
import { run, temporaryDirectory } from './server.ts'

const folder = temporaryDirectory('guide')
const inFolder = ['--home', join(folder, '.assay'), '--project', folder]
const file = join(folder, 'transfers.csv')

/** Two accounts that send to each other on the first day, a third that joins them on the second. */
const transfers = [
  '1,2026-03-01T10:00:00Z,1,2,10.00',
  '2,2026-03-01T11:00:00Z,2,1,20.00',
  '3,2026-03-02T09:00:00Z,3,1,30.00',
  '4,2026-03-03T09:00:00Z,1,3,40.00',
]

beforeAll(() => {
  const guide = readFileSync(join(repositoryRoot, 'docs/guides/features.md'), 'utf8')
  const [, section] = guide.split('\n## Graphs\n')
  const code = /```ts\n(.*?)```/s.exec(section)![1]
  mkdirSync(join(folder, 'node_modules'))
  symlinkSync(repositoryRoot, join(folder, 'node_modules', 'assay'), 'dir')
  writeFileSync(join(folder, 'project.ts'), code)
  writeFileSync(file, `transfer_id,sent_at,sender,receiver,amount\n${transfers.join('\n')}\n`)
})

test('the tables of the graph are worked out from what was ingested, once', () => {
  expect(run(['ingest', file, ...inFolder]).err).toBe('')
  const written = run(['features', 'graphs', ...inFolder])
  expect(written.out).toBe('network: 2 dates worked out, 7 rows written\n')
  expect(written.code).toBe(0)
  expect(run(['features', 'graphs', ...inFolder]).out).toBe('network: 2 dates, up to date\n')
  const unknown = run(['features', 'graphs', '--graph', 'other', ...inFolder])
  expect(unknown.err).toMatch(/declares no graph "other"; it has network/)
  expect(unknown.code).not.toBe(0)
})

test('history looks them up as of each event, without a file of them', () => {
  const out = join(folder, 'links.csv')
  const history = ['features', 'history', folder, '--data', file, '--set', 'links', '--out', out]
  expect(run(history).err).toBe('')
  const [header, ...rows] = readFileSync(out, 'utf8').trim().split('\n')
  const at = (name: string) => header.split(',').indexOf(name)
  const column = (name: string) => rows.map((row) => row.split(',')[at(name)])
  // No snapshot on the first day; on the second account 3 is not in the graph yet. On the third
  // r₁ = 0.05 + 0.85·(r₂ + r₃), r₂ = 0.05 + 0.85·r₁, r₃ = 0.05.
  expect(column('SENDER_RANK').map(Number)).toEqual([0, 0, 0, expect.closeTo(18 / 37, 9)])
  expect(column('RECEIVER_CORE')).toEqual(['', '', '1', '1'])
  expect(column('SAME_COMMUNITY')).toEqual(['', '', '', '1'])
  expect(column('DENSITY').map(Number)).toEqual([0, 0, 1, 0.5])
  expect(column('RECEIVED_1D')).toEqual(['0', '0', '1', '0'])
})
