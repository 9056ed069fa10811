// The list of what a home holds, in docs/operate.md, is whole, and a backup takes of each what it says.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { freezeDatabase } from '../src/adapters/sqlite/index.ts'
import { manualClock } from '../src/lib/clock.ts'
import { nodeFiles } from '../src/lib/files.ts'
import { createIds } from '../src/lib/ids.ts'
import { openJournal } from '../src/lib/journal.ts'
import { homeAt } from '../src/projects/index.ts'
import { manifestOf, openBackup, openFolderTarget, takeBackup } from '../src/roles/backup/index.ts'
import { listedInHome, placeOf } from './home-contents.ts'
import { readSources } from './source-text.ts'

const root = mkdtempSync(join(tmpdir(), 'assay-backup-contents-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

const rows = listedInHome()

test('the program names no folder of a home that is not in the list', () => {
  const named = [...readSources(['src'])].flatMap(([file, text]) => {
    const joins = /\bjoin\((?:home\.)?root, '([\w.-]+)'/g
    const others = /\bjoin\(home\.root, '([\w.-]+)'/g
    const found = text.matchAll(file.endsWith('projects/home.ts') ? joins : others)
    return [...found].map(([, name]) => name)
  })
  expect(named).toContain('backtests')
  expect(named).toContain('topics')
  const tops = new Set(rows.map(({ place }) => place.split('/')[0]))
  expect(named.filter((name) => !tops.has(name))).toEqual([])
})

/** What was put at each place of the list, and whether the backup has it. */
const taken = new Map<string, boolean>()

beforeAll(async () => {
  const home = homeAt(join(root, 'home'))
  const files = new Map(rows.map(({ place }) => [place, fileAt(place)]))
  for (const file of files.values()) {
    mkdirSync(dirname(join(home.root, file)), { recursive: true })
    writeFileSync(join(home.root, file), '{}')
  }
  rmSync(home.database)
  new DatabaseSync(home.database).exec('CREATE TABLE small (a)')
  const directory = join(home.decide, 'live', 'journal')
  rmSync(directory, { recursive: true })
  const journal = await openJournal({ directory, files: nodeFiles })
  await journal.append(Buffer.from('{}')).durable
  const target = await openFolderTarget(join(root, 'backup'))
  const clock = manualClock(1_700_000_000_000_000)
  const random = (length: number) => new Uint8Array(length).fill(7)
  const ports = {
    home,
    assay: 'test',
    clock,
    ids: createIds(clock, random),
    random,
    freeze: freezeDatabase,
    lastSequences: async () => ({ live: journal.durableSequence }),
    sleep: async () => {},
    monotonicUs: () => 0,
  }
  await takeBackup(ports, target, { secrets: 'plain' })
  await journal.close()
  const source = await openBackup(join(root, 'backup'))
  const found = (await manifestOf(source)).files.map(({ path }) => placeOf(path, rows))
  await source.close()
  for (const { place } of rows) taken.set(place, found.includes(place))
})

/** A file that stands for a place. */
function fileAt(place: string): string {
  const file = place.replace('NAMESPACE', 'live').replace('-*', '-3.sqlite').replace('*', '')
  return file.endsWith('/') ? `${file}file` : file
}

test.each(rows)('$place is in a backup: $backup', ({ place, backup }) => {
  expect(taken.get(place)).toBe(!backup.startsWith('no'))
})
