import { expect, test } from 'vitest'
import { faultyFiles } from './faulty-files.ts'
import { openJournal, readJournal, type JournalRecord } from './journal.ts'
import { draftKept } from './journal-removal.ts'

const directory = '/journal'
const text = (payload: Uint8Array) => Buffer.from(payload).toString()

/** Records in some sealed segments and one that is written, and drafts of a byte for each record. */
async function drafted() {
  const files = faultyFiles()
  const journal = await openJournal({ directory, files, segmentBytes: 300 })
  for (let i = 1; i <= 20; i++) await journal.append(Buffer.from(String(i).padEnd(60))).durable
  const segments = []
  for (const sealed of await journal.sealed()) {
    const keep = async ({ payload }: JournalRecord) => Buffer.from(`k${text(payload).trim()}`)
    const { keptSha256 } = await draftKept({ directory, files }, sealed, keep)
    segments.push({ firstSequence: sealed.firstSequence, keptSha256 })
  }
  return { files, journal, segments }
}

async function all(entries: AsyncIterable<JournalRecord>): Promise<[number, string][]> {
  const found: [number, string][] = []
  for await (const { sequence, payload } of entries) found.push([sequence, text(payload).trim()])
  return found
}

test('what is kept takes the place of a segment under the same sequences, also after a restart', async () => {
  const { files, journal, segments } = await drafted()
  const sealed = await journal.sealed()
  const untouched = await all(journal.read())
  expect(untouched.map(([, payload]) => payload)).toEqual(untouched.map(([at]) => String(at)))
  for (const segment of segments) await journal.replace(segment)
  const last = sealed.at(-1)!.lastSequence
  const expected = untouched.map(([at, payload]) => [at, at <= last ? `k${payload}` : payload])
  const again = await openJournal({ directory, files: files.restart(() => 0), segmentBytes: 300 })
  for (const each of [journal, again]) {
    expect(await all(each.read())).toEqual(expected)
    expect(await all(each.read(9))).toEqual(expected.slice(8))
    expect(await each.sealed()).toEqual(sealed)
    for (const [at, payload] of expected) {
      const record = await each.readAt((await each.locate(Number(at)))!)
      expect([record.sequence, text(record.payload).trim()]).toEqual([at, payload])
    }
  }
  expect(await all(readJournal(directory, files))).toEqual(expected)
  await again.append(Buffer.from('more')).durable
  expect(again.lastSequence).toBe(21)
})

test('whoever reads meanwhile gets each sequence once, in one form or the other', async () => {
  for (let from = 1; from <= 20; from += 3) {
    const { files, journal, segments } = await drafted()
    for (const reading of [journal.read(2), readJournal(directory, files, 2)]) {
      let expected = 2
      for await (const { sequence, payload } of reading) {
        expect(sequence).toBe(expected++)
        expect(text(payload).trim().replace('k', '')).toBe(String(sequence))
        if (sequence !== from) continue
        for (const segment of segments) await journal.replace(segment)
      }
      expect(expected).toBe(21)
    }
  }
})

test('a place that was known before is found again', async () => {
  const { journal, segments } = await drafted()
  const position = (await journal.locate(3))!
  await journal.replace(segments[0])
  await expect(journal.readAt(position)).rejects.toMatchObject({ code: 'ENOENT' })
  expect(text((await journal.readAt((await journal.locate(3))!)).payload)).toBe('k3')
})

test('nothing is replaced by a draft that is not the recorded one, nor a segment that is written', async () => {
  const { files, journal, segments } = await drafted()
  const names = await files.list(directory)
  const [first] = segments
  await expect(journal.replace({ ...first, keptSha256: 'another' })).rejects.toThrow('not what was')
  const active = (await all(journal.read())).at(-1)![0]
  await expect(journal.replace({ firstSequence: active, keptSha256: 'x' })).rejects.toThrow('stays')
  const written = Number(
    names
      .filter((name) => name.endsWith('.journal'))
      .at(-1)!
      .slice(0, 16),
  )
  await expect(journal.replace({ firstSequence: written, keptSha256: 'x' })).rejects.toThrow(
    'stays',
  )
  expect(await files.list(directory)).toEqual(names)
})
