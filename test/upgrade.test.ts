// What `assay upgrade --check` tells of a home that an earlier version left, and that it only looks.
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { brotliDecompressSync } from 'node:zlib'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { openSqlite } from '../src/adapters/sqlite/index.ts'
import { sha256Hex } from '../src/lib/hash.ts'
import { homeAt, type Home } from '../src/projects/index.ts'
import { checkUpgrade } from '../src/roles/upgrade.ts'
import { repositoryRoot } from './source-text.ts'

let home: Home

beforeEach(() => {
  const root = mkdtempSync(join(tmpdir(), 'assay-upgrade-'))
  onTestFinished(() => rmSync(root, { recursive: true, force: true }))
  const packed = readFileSync(join(repositoryRoot, 'test', 'fixtures', 'home-1.br'))
  const bytes = brotliDecompressSync(packed)
  let from = bytes.indexOf('\n') + 1
  for (const [path, size] of JSON.parse(bytes.toString('utf8', 0, from)) as [string, number][]) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), bytes.subarray(from, from + size))
    from += size
  }
  home = homeAt(root)
})

function contents(): Record<string, string> {
  const paths = readdirSync(home.root, { recursive: true, encoding: 'utf8' })
  const files = paths.filter((path) => statSync(join(home.root, path)).isFile()).toSorted()
  return Object.fromEntries(
    files.map((path) => [path, sha256Hex(readFileSync(join(home.root, path)))]),
  )
}

test('it tells what an old home needs, and changes nothing in it', async () => {
  const before = contents()
  const report = await checkUpgrade(home)
  expect(report).toMatchObject({ canUpgrade: true, olderOpens: false })
  expect(report.rows).toBeGreaterThan(100)
  expect(report.neededBytes).toBeGreaterThan(report.metadataBytes)
  expect(report.findings).toContainEqual(
    expect.objectContaining({ what: 'tables of tracking', verdict: 'migrates' }),
  )
  expect(report.findings).toContainEqual(
    expect.objectContaining({ what: 'journal of live', verdict: 'ready' }),
  )
  expect(contents()).toEqual(before)
})

test('after the upgrade nothing is left to do, and the file from before lies beside', async () => {
  await openSqlite(home.database).close()
  const report = await checkUpgrade(home)
  expect(report).toMatchObject({ canUpgrade: true, olderOpens: true, neededBytes: 0 })
  const copies = readdirSync(dirname(home.database)).filter((name) => name.startsWith('before-'))
  expect(copies).toHaveLength(1)
})

test.each([
  ['a newer home', 'format.json', () => '{"format":99}', 'format.json'],
  [
    'a journal that is not readable',
    'decide/live/journal/0000000000000001.journal',
    (bytes: Buffer) => Buffer.concat([bytes.subarray(0, 8), Buffer.from([9]), bytes.subarray(9)]),
    'journal of live',
  ],
])('it refuses %s', async (_, file, change, what) => {
  const path = join(home.root, file)
  writeFileSync(path, change(readFileSync(path)))
  const report = await checkUpgrade(home)
  expect(report.canUpgrade).toBe(false)
  expect(report.findings.find((each) => each.verdict === 'refused')?.what).toBe(what)
})
