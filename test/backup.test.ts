// The laws of a backup, on small homes that are really on a disk: whatever goes on meanwhile, the copy
// names nothing that it lacks; and no byte of it can change unnoticed.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { freezeDatabase } from '../src/adapters/sqlite/index.ts'
import { manualClock } from '../src/lib/clock.ts'
import { nodeFiles } from '../src/lib/files.ts'
import { sha256Hex } from '../src/lib/hash.ts'
import { createIds } from '../src/lib/ids.ts'
import { openJournal, readJournal, type Journal } from '../src/lib/journal.ts'
import { homeAt, type Home } from '../src/projects/index.ts'
import {
  manifestOf,
  openBackup,
  openFolderTarget,
  openTarTarget,
  restoreBackup,
  takeBackup,
  verifyBackups,
  type BackupTarget,
} from '../src/roles/backup/index.ts'

const root = mkdtempSync(join(tmpdir(), 'assay-backup-laws-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))
let made = 0
const fresh = (name: string) => join(root, `${name}-${made++}`)

const clock = manualClock(1_700_000_000_000_000)
const nextIds = createIds(clock, (length) => new Uint8Array(length).fill(7))

/** A bank in small: content that rows name, and a journal of which rows tell how far it was read. */
class SmallBank {
  readonly home: Home
  readonly database: DatabaseSync
  readonly journal: Journal
  /** Content that stood in rows and files before the backup began: only such content is ever removed. */
  readonly old: string[] = []
  acknowledged = 0
  private count = 0

  static async open(): Promise<SmallBank> {
    const home = homeAt(fresh('home'))
    for (const folder of [
      'keep',
      'artifacts',
      'secrets',
      'decide/live/state',
      'published',
      'run',
    ]) {
      mkdirSync(join(home.root, folder), { recursive: true })
    }
    writeFileSync(join(home.root, 'format.json'), '{"format":1}\n')
    writeFileSync(join(home.decide, 'live.json'), '{"format":1,"clock":"wall"}')
    writeFileSync(join(home.secrets, 'key'), 'a secret')
    writeFileSync(join(home.root, 'run', 'lock'), '1')
    const directory = join(home.decide, 'live', 'journal')
    const journal = await openJournal({ directory, files: nodeFiles, segmentBytes: 400 })
    return new SmallBank(home, journal)
  }

  constructor(home: Home, journal: Journal) {
    this.home = home
    this.journal = journal
    this.database = new DatabaseSync(home.database)
    this.database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;
      CREATE TABLE names (hash TEXT PRIMARY KEY); CREATE TABLE read (through INTEGER);
      INSERT INTO read VALUES (0)`)
  }

  /** A file first, then the row that names it. */
  add(): string {
    const content = `content ${this.count++}`
    const hash = sha256Hex(content)
    writeFileSync(join(this.home.artifacts, hash), content)
    this.database.prepare('INSERT INTO names VALUES (?)').run(hash)
    return hash
  }

  /** The row first, then the file. */
  remove(): void {
    const hash = this.old.pop()
    if (hash === undefined) return
    this.database.prepare('DELETE FROM names WHERE hash = ?').run(hash)
    rmSync(join(this.home.artifacts, hash))
  }

  async decide(): Promise<void> {
    const { sequence, durable } = this.journal.append(Buffer.from(`decision ${this.count++}`))
    await durable
    this.acknowledged = sequence
  }

  project(): void {
    this.database.prepare('UPDATE read SET through = ?').run(this.journal.durableSequence)
  }

  async step(kind: number): Promise<void> {
    if (kind === 0) this.add()
    else if (kind === 1) this.remove()
    else if (kind === 2) this.project()
    else await this.decide()
  }

  take(
    target: BackupTarget,
    secrets: 'plain' | 'left out' = 'plain',
    meanwhile: () => Promise<void> = async () => {},
  ) {
    const { home, journal } = this
    const ports = {
      home,
      assay: 'test',
      clock,
      ids: nextIds,
      random: (length: number) => new Uint8Array(length),
      freeze: freezeDatabase,
      lastSequences: async () => {
        await meanwhile()
        const sequences = { live: journal.durableSequence }
        await meanwhile()
        return sequences
      },
      sleep: async () => {},
      monotonicUs: () => 0,
    }
    return takeBackup(ports, target, { secrets })
  }

  async close(): Promise<void> {
    await this.journal.close()
    this.database.close()
  }
}

/** A target that lets the bank go on between any two things that a backup does. */
function whileWorking(target: BackupTarget, step: () => Promise<void>): BackupTarget {
  return {
    ...target,
    sizeOf: async (sha256) => {
      await step()
      return target.sizeOf(sha256)
    },
    put: async (content) => {
      await step()
      return target.put(content)
    },
  }
}

async function restored(place: string): Promise<Home> {
  const source = await openBackup(place)
  const home = homeAt(fresh('restored'))
  await restoreBackup(source, await manifestOf(source), home.root)
  await source.close()
  return home
}

async function expectWhole(home: Home, acknowledged: number): Promise<void> {
  const database = new DatabaseSync(home.database)
  const rows = database.prepare('SELECT hash FROM names').all()
  for (const { hash } of rows) {
    expect(sha256Hex(readFileSync(join(home.artifacts, String(hash))))).toBe(hash)
  }
  const { through } = database.prepare('SELECT through FROM read').get() as { through: number }
  database.close()
  let last = 0
  for await (const { sequence } of readJournal(join(home.decide, 'live', 'journal'), nodeFiles)) {
    last = sequence
  }
  expect(last).toBeGreaterThanOrEqual(Math.max(through, acknowledged))
}

describe('a backup of a bank that works on', () => {
  test('names nothing that it lacks and holds all that was acknowledged, however the two interleave', async () => {
    const kinds = fc.integer({ min: 0, max: 3 })
    await fc.assert(
      fc.asyncProperty(
        fc.array(kinds, { maxLength: 25 }),
        fc.array(fc.array(kinds, { maxLength: 4 }), { minLength: 5, maxLength: 25 }),
        fc.boolean(),
        async (before, meanwhile, asFile) => {
          const bank = await SmallBank.open()
          for (const kind of before) await bank.step(kind)
          bank.old.push(bank.add(), bank.add())
          const { acknowledged } = bank
          const place = asFile ? `${fresh('file')}.tar` : fresh('folder')
          const target = asFile ? await openTarTarget(place) : await openFolderTarget(place)
          const steps = [...meanwhile]
          const step = async () => {
            for (const kind of steps.shift() ?? []) await bank.step(kind)
          }
          await bank.take(whileWorking(target, step), 'plain', step)
          await expectWhole(await restored(place), acknowledged)
          await bank.close()
        },
      ),
      { numRuns: 40 },
    )
  }, 60_000)

  test('copies no content twice, and leaves out what belongs to a running process', async () => {
    const bank = await SmallBank.open()
    for (let i = 0; i < 10; i++) bank.add()
    for (let i = 0; i < 30; i++) await bank.decide()
    const place = fresh('folder')
    const first = await bank.take(await openFolderTarget(place))
    bank.add()
    const second = await bank.take(await openFolderTarget(place))
    expect(first.copiedFiles).toBe(first.files)
    // The new content and the metadata that names it.
    expect(second.copiedFiles).toBe(2)
    const home = await restored(place)
    expect(readdirSync(home.root).toSorted()).toEqual(
      ['artifacts', 'decide', 'format.json', 'keep', 'secrets'].toSorted(),
    )
    await bank.close()
  })

  test('leaves secrets out where that was asked for', async () => {
    const bank = await SmallBank.open()
    const place = fresh('folder')
    await bank.take(await openFolderTarget(place), 'left out')
    expect(readdirSync((await restored(place)).root)).not.toContain('secrets')
    await bank.close()
  })

  test('refuses a sealed segment that is not what was sealed', async () => {
    const bank = await SmallBank.open()
    for (let i = 0; i < 30; i++) await bank.decide()
    const segment = join(bank.home.decide, 'live', 'journal', '0000000000000001.journal')
    flip(segment, 100, 1)
    const taking = bank.take(await openFolderTarget(fresh('folder')))
    await expect(taking).rejects.toMatchObject({ code: 'journal_corrupt' })
    await bank.close()
  })
})

function flip(file: string, at: number, mask: number): void {
  const bytes = readFileSync(file)
  bytes[at % bytes.length] ^= mask
  writeFileSync(file, bytes)
}

describe('a byte that changed', () => {
  const flips = { position: fc.nat(), mask: fc.integer({ min: 1, max: 255 }), which: fc.nat() }

  async function verified(place: string): Promise<unknown> {
    const source = await openBackup(place)
    try {
      const manifests = []
      for (const id of source.ids) manifests.push(await manifestOf(source, id))
      return await verifyBackups(source, manifests)
    } finally {
      await source.close()
    }
  }

  test.each(['folder', 'file'])(
    'is found wherever it is, in a %s',
    async (kind) => {
      const bank = await SmallBank.open()
      for (let i = 0; i < 3; i++) bank.add()
      for (let i = 0; i < 12; i++) await bank.decide()
      const place = kind === 'file' ? `${fresh('file')}.tar` : fresh('folder')
      await bank.take(kind === 'file' ? await openTarTarget(place) : await openFolderTarget(place))
      await bank.close()
      expect(await verified(place)).toMatchObject({ contents: expect.any(Number) })
      const files =
        kind === 'file'
          ? [place]
          : readdirSync(place, { recursive: true, withFileTypes: true })
              .filter((entry) => entry.isFile())
              .map((entry) => join(entry.parentPath, entry.name))
              .toSorted()
      await fc.assert(
        fc.asyncProperty(flips.which, flips.position, flips.mask, async (which, position, mask) => {
          const file = files[which % files.length]
          flip(file, position, mask)
          try {
            await expect(verified(place)).rejects.toMatchObject({
              code: expect.stringMatching(/^backup_(damaged|newer)$/),
            })
            const target = fresh('none')
            await expect(restoredTo(place, target)).rejects.toThrow()
            expect(readdirSync(root)).not.toContain(target)
          } finally {
            flip(file, position, mask)
          }
        }),
        { numRuns: 150 },
      )
    },
    60_000,
  )

  async function restoredTo(place: string, directory: string): Promise<void> {
    const source = await openBackup(place)
    try {
      await restoreBackup(source, await manifestOf(source), directory)
    } finally {
      await source.close()
    }
  }
})

test('a folder that holds something else is not written to', async () => {
  const place = fresh('foreign')
  mkdirSync(place)
  writeFileSync(join(place, 'letter.txt'), 'Dear')
  await expect(openFolderTarget(place)).rejects.toMatchObject({ code: 'backup_target_invalid' })
  expect(readdirSync(place)).toEqual(['letter.txt'])
})

test('what is no .tar of ours is no backup', async () => {
  const place = `${fresh('noise')}.tar`
  writeFileSync(place, Buffer.from(Array.from({ length: 2048 }, (_, i) => (i * 7919) % 251)))
  await expect(openBackup(place)).rejects.toMatchObject({ code: 'backup_damaged' })
})
