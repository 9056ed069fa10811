// A process that is killed while it writes, records and cleans versions of a dataset.
import { spawn } from 'node:child_process'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { duckdbSnapshots } from '../../src/adapters/duckdb/index.ts'
import { openSqlite } from '../../src/adapters/sqlite/index.ts'
import { readParts } from '../../src/data/index.ts'

const moduleOf = (file: string) =>
  JSON.stringify(new URL(`../../src/${file}`, import.meta.url).href)

/**
 * Takes a file of four days in again and again, one day changed each time, keeps one version, and
 * cleans as if two days had passed. Prints the number of each version once it is recorded.
 */
const writer = `
  import { writeSync } from 'node:fs'
  import { join } from 'node:path'
  import { duckdbSnapshots } from ${moduleOf('adapters/duckdb/index.ts')}
  import { openSqlite } from ${moduleOf('adapters/sqlite/index.ts')}
  import * as data from ${moduleOf('data/index.ts')}
  import { systemActor } from ${moduleOf('access/index.ts')}
  import { systemClock } from ${moduleOf('lib/clock.ts')}
  import { systemIds } from ${moduleOf('lib/ids.ts')}
  const directory = process.argv[1]
  const { catalog, quarantine, versions: store, unit } = openSqlite(join(directory, 'assay.sqlite'))
  const snapshots = duckdbSnapshots({ directory: join(directory, 'snapshots') })
  const by = { actor: systemActor, reason: 'A crash test' }
  const source = data.compileSource(data.source('payments', {
    columns: { id: data.id(), at: data.eventTime(), amount: data.money('EUR') },
    parts: 'day',
  }))
  const inUse = async () => ({ hashes: new Set(), runningSinceUs: null })
  const audit = { append: async () => ({}) }
  const common = { unit, audit, clock: systemClock, ids: systemIds }
  const versions = data.createDataVersions({ ...common, store, catalog, inUse })
  const ports = { snapshots, catalog, quarantine, clock: systemClock, ids: systemIds }
  const later = { ...systemClock, nowUs: () => systemClock.nowUs() + 2 * 86_400e6 }
  const started = (await store.versions('payments', { limit: 1 }))[0]?.number ?? 0
  for (let version = started + 1; ; version++) {
    const records = Array.from({ length: 400 }, (_, row) => ({
      id: String(row),
      at: '2018-04-0' + (1 + Math.floor(row / 100)) + 'T00:00:00Z',
      amount: String(row % 100 === 0 && row / 100 === version % 4 ? version : 1) + '.00',
    }))
    await data.ingestRecords({ name: 'test', records, source, by }, ports)
    writeSync(1, version + '\\n')
    await versions.setRetention({ dataset: 'payments', versions: 1, days: null }, by)
    await data.cleanSnapshots({ versions, snapshots, clock: later }, { dryRun: false }, by)
  }
`

/** Lets the writer work until it has said something and a while longer; returns what it said. */
async function writeAndKill(directory: string, forMs: number): Promise<number> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', writer, directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let said = ''
  child.stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString()
  })
  const closed = new Promise((resolve) => child.once('close', resolve))
  await Promise.race([new Promise((resolve) => child.stdout.once('data', resolve)), closed])
  await wait(forMs)
  child.kill('SIGKILL')
  await closed
  return Number(said.trim().split('\n').at(-1))
}

test('a process killed at any time leaves the newest version whole, and nothing half-written for long', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'assay-crash-versions-'))
  const folder = join(directory, 'snapshots')
  try {
    for (let round = 0; round < 6; round++) {
      const recorded = await writeAndKill(directory, (round * 37) % 150)
      expect(recorded).toBeGreaterThan(0)
      const { versions, close } = openSqlite(join(directory, 'assay.sqlite'))
      const snapshots = duckdbSnapshots({ directory: folder })
      const [newest] = await versions.versions('payments', { limit: 1 })
      // What was said was on disk; one more may have been recorded unsaid.
      expect(newest.number - recorded).toBeLessThanOrEqual(1)
      expect(newest.number).toBeGreaterThanOrEqual(recorded)
      const parts = await versions.parts('payments', newest.number)
      const { frame } = await readParts(parts, { snapshots })
      const changed = (newest.number % 4) * 100
      const wanted = Array.from({ length: 400 }, (_, row) =>
        row === changed ? newest.number * 100 : 100,
      )
      expect([...(frame.columns['amount'] as Float64Array)]).toEqual(wanted)
      await close()
    }
    const snapshots = duckdbSnapshots({ directory: folder })
    await snapshots.write(
      { rows: 1, columns: { n: Float64Array.of(1) } },
      { columns: [{ name: 'n', type: 'integer' }] },
    )
    const left = (await readdir(folder)).filter((name) => name.endsWith('.part'))
    expect(left).toEqual([])
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}, 60_000)
