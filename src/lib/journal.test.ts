import fc from 'fast-check'
import { createHash } from 'node:crypto'
import { describe, expect, test, vi } from 'vitest'
import type { AssayError } from './errors.ts'
import { faultyFiles, type FaultyFiles } from './faulty-files.ts'
import { HEADER_BYTES } from './journal-format.ts'
import {
  openJournal,
  readJournal,
  type Journal,
  type JournalOptions,
  type SealedSegment,
} from './journal.ts'

const directory = '/journal'
const first = `${directory}/0000000000000001.journal`

function open(files: FaultyFiles, more: Partial<JournalOptions> = {}): Promise<Journal> {
  return openJournal({ directory, files, ...more })
}

function payload(text: string | number, size = 0): Uint8Array {
  return new TextEncoder().encode(String(text).padEnd(size, '.'))
}

async function texts(records: AsyncIterable<{ payload: Uint8Array }>): Promise<string[]> {
  const found: string[] = []
  for await (const record of records) found.push(new TextDecoder().decode(record.payload))
  return found
}

describe('a journal', () => {
  test('gives sequences from 1 and reads back what it took, in order', async () => {
    const journal = await open(faultyFiles())
    const appended = ['a', '', 'c'].map((text) => journal.append(payload(text)))
    expect(appended.map(({ sequence }) => sequence)).toEqual([1, 2, 3])
    expect(journal.lastSequence).toBe(3)
    expect(journal.durableSequence).toBe(0)
    await Promise.all(appended.map(({ durable }) => durable))
    expect(journal.durableSequence).toBe(3)
    expect(await texts(journal.read())).toEqual(['a', '', 'c'])
    expect(await texts(journal.read(3))).toEqual(['c'])
    expect(await texts(journal.read(4))).toEqual([])
  })

  test('continues where it ended when it is opened again', async () => {
    const files = faultyFiles()
    const journal = await open(files)
    journal.append(payload('a'))
    await journal.close()
    expect(() => journal.append(payload('late'))).toThrow('closed')
    const again = await open(files)
    expect(again.lastSequence).toBe(1)
    expect(again.recovery).toEqual({ segment: '0000000000000001.journal', truncatedBytes: 0 })
    await again.append(payload('b')).durable
    expect(await texts(again.read())).toEqual(['a', 'b'])
    expect(await texts(readJournal(directory, files, 2))).toEqual(['b'])
  })

  test('copies the bytes it is given', async () => {
    const journal = await open(faultyFiles())
    const bytes = payload('before')
    const { durable } = journal.append(bytes)
    bytes.fill(0)
    await durable
    expect(await texts(journal.read())).toEqual(['before'])
  })

  test('shares one durable write among all that is appended while another runs', async () => {
    const files = faultyFiles()
    const journal = await open(files)
    let writes = 0
    const opened = files.open.bind(files)
    files.open = async (name, mode, how) => {
      const file = await opened(name, mode, how)
      if (how?.durable !== true) return file
      return { ...file, write: (...args) => (writes++, file.write(...args)) }
    }
    const rolled = await journal.append(payload('first')).durable.then(() => journal.seal())
    expect(rolled?.lastSequence).toBe(1)
    writes = 0
    const all = Array.from({ length: 1000 }, (_, i) => journal.append(payload(i)).durable)
    await Promise.all(all)
    expect(writes).toBe(1)
    expect(new Set(all).size).toBe(1)
  })

  test('finds any record by its sequence, and by its position', async () => {
    const files = faultyFiles()
    const small = { segmentBytes: 20_000, batchBytes: 3000 }
    const journal = await open(files, small)
    const positions = new Map<number, unknown>()
    for (let i = 1; i <= 400; i++) {
      const { sequence, position, durable } = journal.append(payload(i, 500))
      positions.set(sequence, position)
      if (i % 37 === 0) await durable
    }
    await journal.flush()
    for (const opened of [journal, await open(files, small)]) {
      for (const sequence of [1, 2, 38, 39, 40, 199, 399, 400]) {
        const position = await opened.locate(sequence)
        expect(position).toEqual(positions.get(sequence))
        const record = await opened.readAt(position!)
        expect(record.sequence).toBe(sequence)
        expect(new TextDecoder().decode(record.payload)).toBe(String(sequence).padEnd(500, '.'))
      }
      expect(await opened.locate(0)).toBeUndefined()
      expect(await opened.locate(401)).toBeUndefined()
      expect(await texts(opened.read(390))).toHaveLength(11)
    }
    await expect(journal.readAt({ segment: 1, offset: 30 })).rejects.toThrow('journal segment')
  })

  test('keeps records that are larger than a batch, a chunk or a segment', async () => {
    const files = faultyFiles()
    const small = { segmentBytes: 5000, batchBytes: 1000 }
    const journal = await open(files, small)
    const sizes = [10, 999, 3_000_000, 1, 1_048_560, 6000, 0]
    for (const size of sizes) journal.append(payload('x', size))
    await journal.close()
    const again = await open(files, small)
    expect((await texts(again.read())).map((text) => text.length)).toEqual(
      sizes.map((size) => Math.max(size, 1)),
    )
  })

  test('refuses a record that is too large, and takes the next', async () => {
    const journal = await open(faultyFiles())
    expect(() => journal.append(new Uint8Array(64 * 1024 * 1024))).toThrow('at most')
    expect(journal.append(payload('a')).sequence).toBe(1)
  })

  test('refuses more than may wait for the disk, until there is room again', async () => {
    const journal = await open(faultyFiles(), { pendingBytes: 1000 })
    const { durable } = journal.append(payload('x', 5000))
    const refused = catchError(() => journal.append(payload('y')))
    expect(refused).toMatchObject({ code: 'overloaded', status: 503, extra: { retryAfter: 1 } })
    await durable
    expect(journal.append(payload('y')).sequence).toBe(2)
  })
})

describe('segments', () => {
  test('are sealed when they are full, told of once, with the hash of the file', async () => {
    const files = faultyFiles()
    const told: SealedSegment[] = []
    const options = { segmentBytes: 300, onSealed: (sealed: SealedSegment) => told.push(sealed) }
    const journal = await open(files, options)
    for (let i = 1; i <= 10; i++) await journal.append(payload(i, 100)).durable
    expect(told.map(({ firstSequence, lastSequence }) => [firstSequence, lastSequence])).toEqual([
      [1, 2],
      [3, 4],
      [5, 6],
      [7, 8],
    ])
    for (const { name, sha256 } of told) {
      const bytes = files.bytes(`${directory}/${name}`)
      expect(createHash('sha256').update(bytes).digest('hex')).toBe(sha256)
    }
    expect(await journal.sealed()).toEqual(told)
    for (const { name } of told) await files.remove(`${directory}/${name}.sealed`)
    expect(await (await open(files, options)).sealed()).toEqual(told)
    expect(told).toHaveLength(4)
  })

  test('can be sealed at any time; an empty one is not', async () => {
    const files = faultyFiles()
    const journal = await open(files)
    expect(await journal.seal()).toBeUndefined()
    journal.append(payload('a'))
    const sealing = journal.seal()
    journal.append(payload('b'))
    expect(await sealing).toMatchObject({ firstSequence: 1, lastSequence: 1 })
    expect(await journal.seal()).toMatchObject({ firstSequence: 2, lastSequence: 2 })
    expect(await journal.seal()).toBeUndefined()
    await journal.close()
    const again = await open(files)
    expect(again.append(payload('c')).sequence).toBe(3)
    await again.flush()
    expect(await texts(again.read())).toEqual(['a', 'b', 'c'])
  })

  test('can be read on while new ones are begun', async () => {
    for (const before of [4, 5, 6, 7]) {
      const journal = await open(faultyFiles(), { segmentBytes: 100 })
      for (let i = 1; i <= before; i++) await journal.append(payload(i, 20)).durable
      const reading = journal.read()
      const read = [(await reading.next()).value]
      for (let i = 1; i <= 6; i++) await journal.append(payload(before + i, 20)).durable
      for await (const record of reading) read.push(record)
      expect(read.map((record) => record?.sequence)).toEqual(
        Array.from({ length: before }, (_, i) => i + 1),
      )
      await journal.close()
    }
  })

  test('have the same hash when a restart lies between their records', async () => {
    const files = faultyFiles()
    for (let i = 0; i < 3; i++) {
      const journal = await open(files)
      journal.append(payload(i))
      await journal.close()
    }
    const journal = await open(files)
    const sealed = await journal.seal()
    const digest = createHash('sha256').update(files.bytes(first)).digest('hex')
    expect(sealed).toMatchObject({ lastSequence: 3, sha256: digest })
  })
})

describe('a full disk', () => {
  test('refuses the batch and leaves nothing of it; later appends work again', async () => {
    const files = faultyFiles()
    const refusals: number[] = []
    const journal = await open(files, { onRefused: (sequence) => refusals.push(sequence) })
    await journal.append(payload('kept')).durable
    files.capacityBytes = 200
    const lost = [journal.append(payload('x', 50)), journal.append(payload('y', 500))]
    for (const { durable } of lost) {
      await expect(durable).rejects.toMatchObject({ code: 'storage_full', status: 507 })
    }
    expect(refusals).toEqual([2])
    expect([journal.lastSequence, journal.durableSequence]).toEqual([1, 1])
    expect(files.bytes(first)).toHaveLength(HEADER_BYTES + 20)
    files.capacityBytes = Infinity
    const next = journal.append(payload('next'))
    expect(next.sequence).toBe(2)
    await next.durable
    const opened = await open(files.restart(() => 0))
    expect(await texts(opened.read())).toEqual(['kept', 'next'])
  })

  test('refuses all batches that wait behind the one that did not fit', async () => {
    const files = faultyFiles()
    const journal = await open(files, { batchBytes: 100 })
    files.capacityBytes = 300
    const appended = Array.from({ length: 10 }, (_, i) => journal.append(payload(i, 50)).durable)
    const settled = await Promise.allSettled(appended)
    const kept = settled.filter(({ status }) => status === 'fulfilled').length
    expect(kept).toBeLessThan(5)
    expect(settled.slice(kept).every(({ status }) => status === 'rejected')).toBe(true)
    expect(journal.lastSequence).toBe(kept)
    expect(await texts(journal.read())).toHaveLength(kept)
  })

  test('that leaves no room for a new segment is survived too', async () => {
    const files = faultyFiles()
    const journal = await open(files, { segmentBytes: 200 })
    await journal.append(payload('a', 150)).durable
    files.capacityBytes = 200
    await expect(journal.append(payload('b', 150)).durable).rejects.toThrow('could not be written')
    expect(await files.list(directory)).toEqual(['0000000000000001.journal'])
    files.capacityBytes = Infinity
    expect(journal.append(payload('b', 150)).sequence).toBe(2)
    await journal.flush()
    expect(await texts(journal.read())).toHaveLength(2)
    expect(await journal.sealed()).toHaveLength(1)
  })

  test('lets no refused record come back when the power goes afterwards', async () => {
    for (let seed = 0; seed < 20; seed++) {
      const files = faultyFiles()
      const journal = await open(files)
      files.capacityBytes = 100
      const { durable } = journal.append(payload('fits', 20))
      await expect(
        Promise.all([durable, journal.append(payload('x', 200)).durable]),
      ).rejects.toThrow()
      expect((await open(files.restart(dice(seed)))).lastSequence).toBe(0)
    }
  })
})

describe('a failed sync', () => {
  test('ends the journal: waiting and later appends are refused, and the owner is told', async () => {
    const files = faultyFiles()
    const onFatal = vi.fn<(error: AssayError) => void>()
    const journal = await open(files, { onFatal, batchBytes: 100 })
    await journal.append(payload('kept')).durable
    files.fail('sync', 'EIO')
    const waiting = [journal.append(payload('x', 90)), journal.append(payload('y', 90))]
    for (const { durable } of waiting) {
      await expect(durable).rejects.toMatchObject({ code: 'journal_failed' })
    }
    expect(onFatal).toHaveBeenCalledTimes(1)
    expect(onFatal.mock.calls[0][0].message).toContain('EIO')
    expect(() => journal.append(payload('z'))).toThrow('failed')
    await expect(journal.flush()).rejects.toThrow('failed')
    await expect(journal.seal()).rejects.toThrow('failed')
    await expect(journal.close()).rejects.toThrow('failed')
    expect(await texts(journal.read())).toEqual(['kept'])
  })

  test('is one also when a write fails for another reason than a full disk', async () => {
    const files = faultyFiles()
    const onFatal = vi.fn<(error: AssayError) => void>()
    const journal = await open(files, { onFatal })
    files.fail('write', 'EIO')
    await expect(journal.append(payload('x')).durable).rejects.toThrow('failed')
    expect(onFatal).toHaveBeenCalledTimes(1)
  })

  test('is one also when a full disk cannot be cut back', async () => {
    const files = faultyFiles()
    const onFatal = vi.fn<(error: AssayError) => void>()
    const journal = await open(files, { onFatal })
    files.capacityBytes = 50
    files.fail('truncate', 'EIO')
    await expect(journal.append(payload('x', 100)).durable).rejects.toThrow('failed')
    expect(onFatal).toHaveBeenCalledTimes(1)
  })
})

describe('damage', () => {
  async function threeBatches(): Promise<FaultyFiles> {
    const files = faultyFiles()
    const journal = await open(files)
    for (const text of ['one', 'two', 'three']) await journal.append(payload(text, 30)).durable
    await journal.close()
    return files
  }
  const frame = 46

  test('at the end is cut off as a torn tail, kept beside the segment, and reported', async () => {
    for (let lost = 1; lost <= frame; lost++) {
      const files = await threeBatches()
      const file = await files.open(first, 'update')
      await file.truncate(HEADER_BYTES + 3 * frame - lost)
      const journal = await open(files)
      expect(journal.lastSequence).toBe(2)
      expect(journal.recovery.truncatedBytes).toBe(frame - lost)
      expect((await files.list(directory)).length).toBe(lost === frame ? 1 : 2)
      await journal.append(payload('again')).durable
      expect(await texts(journal.read())).toHaveLength(3)
    }
  })

  test('before an acknowledged record is an error that names segment and offset', async () => {
    for (let at = HEADER_BYTES; at < HEADER_BYTES + 2 * frame; at++) {
      const files = await threeBatches()
      files.bytes(first)[at] ^= 0x10
      const offset = at < HEADER_BYTES + frame ? HEADER_BYTES : HEADER_BYTES + frame
      const refused = await open(files).catch((error: unknown) => error)
      expect(refused).toMatchObject({ code: 'journal_corrupt' })
      expect((refused as Error).message).toContain(`0000000000000001.journal`)
      expect((refused as Error).message).toContain(`offset ${offset}`)
    }
  })

  test('in a header is an error', async () => {
    for (let at = 0; at < HEADER_BYTES; at++) {
      const files = await threeBatches()
      files.bytes(first)[at] ^= 1
      await expect(open(files)).rejects.toThrow('damaged header')
    }
  })

  test('in a sealed segment is found by whoever reads it', async () => {
    const files = faultyFiles()
    const journal = await open(files, { segmentBytes: 200 })
    for (let i = 0; i < 9; i++) await journal.append(payload(i, 60)).durable
    files.bytes(first)[60] ^= 1
    await expect(texts(journal.read())).rejects.toMatchObject({ code: 'journal_corrupt' })
    await expect(texts(readJournal(directory, files))).rejects.toThrow('frame at offset 24')
    expect(await texts(journal.read(5))).toHaveLength(5)
    await (await files.open(first, 'update')).truncate(HEADER_BYTES + 76)
    files.bytes(first)[60] ^= 1
    await expect(texts(readJournal(directory, files))).rejects.toThrow('ends with sequence 1')
  })

  test('by a missing segment is found', async () => {
    const files = faultyFiles()
    const journal = await open(files, { segmentBytes: 200 })
    for (let i = 0; i < 9; i++) await journal.append(payload(i, 60)).durable
    await files.remove(`${directory}/0000000000000003.journal`)
    await expect(texts(readJournal(directory, files))).rejects.toThrow('the next begins with 5')
  })
})

describe('a loss of power', () => {
  /** What a client does: appends of some sizes, waits, seals. */
  const step = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({ append: fc.nat(700), times: fc.integer({ min: 1, max: 8 }) }),
    },
    { weight: 2, arbitrary: fc.constant('wait' as const) },
    { weight: 1, arbitrary: fc.constant('seal' as const) },
  )
  const life = fc.record({
    steps: fc.array(step, { maxLength: 20 }),
    operations: fc.nat(40),
    seed: fc.nat(),
  })

  test('loses nothing acknowledged, invents nothing and leaves no gap', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(life, { minLength: 1, maxLength: 4 }), async (lives) => {
        let files = faultyFiles()
        /** What must be there (acknowledged), and what may be: by sequence. */
        let required: string[] = []
        for (const { steps, operations, seed } of lives) {
          const lived = await live(files, steps, operations, required)
          files = files.restart(dice(seed))
          const journal = await open(files)
          const found = await texts(journal.read())
          expect(found.length).toBe(journal.lastSequence)
          expect(found.length).toBeGreaterThanOrEqual(lived.acknowledged)
          expect(found).toEqual(lived.appended.slice(0, found.length))
          await journal.close()
          required = found
        }
      }),
      { numRuns: 300 },
    )
  })

  async function live(
    files: FaultyFiles,
    steps: readonly (typeof step extends fc.Arbitrary<infer Step> ? Step : never)[],
    operations: number,
    before: readonly string[],
  ): Promise<{ appended: string[]; acknowledged: number }> {
    const appended = [...before]
    let acknowledged = before.length
    files.stopAfter(operations)
    const opened = await Promise.race([
      open(files, { segmentBytes: 8000, batchBytes: 4000 }),
      files.stopped,
    ])
    if (opened === undefined) return { appended, acknowledged }
    const journal = opened
    expect(journal.lastSequence).toBe(before.length)
    for (const doing of steps) {
      if (doing === 'wait') {
        await Promise.race([journal.flush(), files.stopped])
      } else if (doing === 'seal') {
        void journal.seal()
      } else {
        for (let i = 0; i < doing.times; i++) {
          const text = `${appended.length}:`.padEnd(doing.append, 'x')
          appended.push(text)
          const { sequence, durable } = journal.append(payload(text))
          expect(sequence).toBe(appended.length)
          void durable.then(() => {
            acknowledged = Math.max(acknowledged, sequence)
          })
        }
      }
    }
    await Promise.race([journal.flush(), files.stopped])
    return { appended, acknowledged }
  }
})

function catchError(act: () => unknown): unknown {
  try {
    return act()
  } catch (error) {
    return error
  }
}

/** A small generator, so that a failing case can be repeated. */
function dice(seed: number): (below: number) => number {
  let state = (seed % 2147483646) + 1
  return (below) => {
    state = (state * 48271) % 2147483647
    return state % below
  }
}
