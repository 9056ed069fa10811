import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { faultyFiles, type FaultyFiles } from '../lib/faulty-files.ts'
import { openJournal, readJournal } from '../lib/journal.ts'
import { overlaps, recordsIn, type Wanted } from './outlines.ts'
import { decodeRecord } from './records.ts'

const directory = '/journal'
const types = ['decision', 'event', 'label', 'base', 'deploy', 'list'] as const
type Drawn = { readonly type: (typeof types)[number]; readonly us: number; readonly size: number }

const drawn = fc.record({
  type: fc.constantFrom(...types),
  us: fc.integer({ min: 0, max: 1000 }),
  size: fc.integer({ min: 0, max: 60 }),
})

/** Records of which only what outlines look at is there. */
async function journalOf(all: readonly Drawn[], segmentBytes = 400): Promise<FaultyFiles> {
  const files = faultyFiles()
  const journal = await openJournal({ directory, files, segmentBytes })
  for (const { type, us, size } of all) {
    const record = { type, receivedAtUs: us, eventTimeUs: 1000 - us, filling: 'x'.repeat(size) }
    await journal.append(Buffer.from(JSON.stringify(record))).durable
  }
  await journal.close()
  return files
}

interface Found {
  readonly sequence: number
  readonly type: string
  readonly receivedAtUs: number
}

async function all(entries: AsyncIterable<{ sequence: number; payload: Uint8Array }>) {
  const found: Found[] = []
  for await (const { sequence, payload } of entries) {
    const { type, receivedAtUs } = decodeRecord(payload)
    found.push({ sequence, type, receivedAtUs })
  }
  return found
}

const many = Array.from({ length: 60 }, (_, i): Drawn => {
  return { type: i === 30 ? 'base' : 'decision', us: i * 10, size: 10 }
})
const basesAlone: Wanted = { touches: ({ types: held }) => held.base !== undefined }

describe('a reader that seeks', () => {
  test('finds what the reader of everything finds, the first time and later', async () => {
    const period = fc.tuple(fc.integer({ min: 0, max: 1000 }), fc.integer({ min: 0, max: 1000 }))
    const places = fc.tuple(fc.integer({ min: 0, max: 50 }), fc.integer({ min: 0, max: 50 }))
    await fc.assert(
      fc.asyncProperty(
        fc.array(drawn, { maxLength: 50 }),
        period,
        places,
        fc.constantFrom(...types),
        async (records, [fromUs, toUs], [from, through], type) => {
          const files = await journalOf(records)
          const naive = await all(readJournal(directory, files))
          for (let time = 0; time < 2; time++) {
            const wanted: [Wanted, (record: Found) => boolean][] = [
              [
                { touches: ({ receivedUs }) => overlaps(receivedUs, fromUs, toUs) },
                ({ receivedAtUs }) => receivedAtUs >= fromUs && receivedAtUs < toUs,
              ],
              [
                { touches: ({ types: held }) => held[type] !== undefined },
                (record) => record.type === type,
              ],
              [{ from, through }, ({ sequence }) => sequence >= from && sequence <= through],
            ]
            for (const [seek, isWanted] of wanted) {
              const found = await all(recordsIn(directory, files, seek))
              expect(found.filter(isWanted)).toEqual(naive.filter(isWanted))
            }
          }
        },
      ),
      { numRuns: 100 },
    )
  })

  test('reads only the segments that hold what it wants, once it has seen them', async () => {
    const files = await journalOf(many)
    const first = await all(recordsIn(directory, files, basesAlone))
    expect(first).toHaveLength(60)
    const passed: number[] = []
    const onPassed = ({ lastSequence }: { lastSequence: number }) => void passed.push(lastSequence)
    const again = await all(recordsIn(directory, files, { ...basesAlone, onPassed }))
    expect(again.length).toBeLessThan(12)
    expect(again.some(({ type }) => type === 'base')).toBe(true)
    expect(passed.length).toBeGreaterThan(10)
  })

  test('where nothing was written finds nothing', async () => {
    expect(await all(recordsIn('/none', faultyFiles(), basesAlone))).toEqual([])
  })
})

describe('damage', () => {
  const names = async (files: FaultyFiles, end: string) =>
    (await files.list(directory)).filter((name) => name.endsWith(end))

  test('in a segment that is read is found, by an outline or without', async () => {
    const files = await journalOf(many)
    for (let time = 0; time < 2; time++) {
      const held = (await names(files, '.journal')).find(
        (name, i, list) => Number(name.slice(0, 16)) <= 31 && Number(list[i + 1].slice(0, 16)) > 31,
      )!
      files.bytes(`${directory}/${held}`)[60] ^= 1
      await expect(all(recordsIn(directory, files, basesAlone))).rejects.toThrow('damaged')
      files.bytes(`${directory}/${held}`)[60] ^= 1
      await all(recordsIn(directory, files, basesAlone))
    }
  })

  test('by a missing segment is found, also between two that are passed over', async () => {
    for (const seen of [false, true]) {
      const files = await journalOf(many)
      if (seen) await all(recordsIn(directory, files, basesAlone))
      const [, , gone] = await names(files, '.journal')
      await files.remove(`${directory}/${gone}`)
      await expect(all(recordsIn(directory, files, basesAlone))).rejects.toThrow('next begins with')
    }
  })

  test('by missing first segments is found', async () => {
    const files = await journalOf(many)
    const [first] = await names(files, '.journal')
    await files.remove(`${directory}/${first}`)
    await expect(all(recordsIn(directory, files))).rejects.toThrow('before it are missing')
    await expect(openJournal({ directory, files })).rejects.toThrow('before it are missing')
  })

  test('of an outline makes it anew, whichever byte is not as it was', async () => {
    const files = await journalOf(many)
    const before = await all(recordsIn(directory, files, basesAlone))
    const [outline] = await names(files, '.outline')
    const { length } = files.bytes(`${directory}/${outline}`)
    for (let at = 0; at < length; at++) {
      files.bytes(`${directory}/${outline}`)[at] ^= 4
      const found = await all(recordsIn(directory, files, basesAlone))
      expect(found.filter(({ type }) => type === 'base')).toEqual(
        before.filter(({ type }) => type === 'base'),
      )
    }
    const { types: held } = (
      JSON.parse(Buffer.from(files.bytes(`${directory}/${outline}`)).toString()) as {
        outline: { types: unknown }
      }
    ).outline
    expect(held).toEqual({ decision: expect.any(Number) as number })
  })

  test('a disk without room for outlines leaves the records readable', async () => {
    const files = await journalOf(many)
    files.capacityBytes = 0
    for (let time = 0; time < 2; time++) {
      expect(await all(recordsIn(directory, files, basesAlone))).toHaveLength(60)
    }
  })
})
