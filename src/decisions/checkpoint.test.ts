import { expect, test } from 'vitest'
import fc from 'fast-check'
import { deployment } from '../../test/small-bank.ts'
import { faultyFiles } from '../lib/faulty-files.ts'
import { readWholeFile, writeFileAtomic } from '../lib/files.ts'
import { noCounts, readCheckpoint, writeBaseCheckpoint, writeCheckpoint } from './checkpoint.ts'

const { source, featureSets } = deployment()
const head = {
  featureSets,
  source,
  lastSequence: 7,
  newestEventTimeUs: null,
  through: 0,
  counts: noCounts,
}
const bytes = (length: number) => Uint8Array.from({ length }, (_, i) => (i * 7 + (i >> 3)) & 255)

async function written(length: number, pieceBytes: number, held?: Uint8Array) {
  const files = faultyFiles()
  await files.makeDirectory('/home')
  const hash = await writeCheckpoint('/home/c', head, [bytes(length)], files, { held, pieceBytes })
  return { files, hash }
}

test('a state of any size comes back, in however many pieces it was written', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(200), fc.integer({ min: 1, max: 64 }), async (length, pieceBytes) => {
      const { files, hash } = await written(length, pieceBytes)
      const read = await readCheckpoint('/home/c', files)
      expect(read.hash).toBe(hash)
      expect(read.state).toEqual(bytes(length))
      const pieces = read.head.pieces?.map((piece) => piece.bytes)
      expect(pieces?.length ?? 1).toBe(Math.max(1, Math.ceil(length / pieceBytes)))
    }),
  )
})

test('a state of one piece is written as it was before there were pieces', async () => {
  const { files } = await written(100, 100)
  const { head: read } = await readCheckpoint('/home/c', files)
  expect(read).not.toHaveProperty('pieces')
})

test('damage anywhere in any piece is told, with the bytes that it lies in', async () => {
  const { files } = await written(100, 30)
  const whole = await readWholeFile('/home/c', files)
  const stateAt = whole.length - 100
  await fc.assert(
    fc.asyncProperty(fc.nat(99), fc.nat(7), async (place, bit) => {
      const spoilt = whole.slice()
      spoilt[stateAt + place] ^= 1 << bit
      await writeFileAtomic('/home/spoilt', spoilt, files)
      const first = stateAt + Math.floor(place / 30) * 30
      await expect(readCheckpoint('/home/spoilt', files)).rejects.toMatchObject({
        code: 'checkpoint_invalid',
        detail: expect.stringContaining(`bytes ${first} to ${Math.min(first + 30, whole.length)}`),
      })
    }),
  )
})

test('a file that was cut short, grew, or whose line was changed is refused, or has another name', async () => {
  const { files, hash } = await written(100, 30)
  const whole = await readWholeFile('/home/c', files)
  const differs = async (content: Uint8Array) => {
    await writeFileAtomic('/home/spoilt', content, files)
    const read = await readCheckpoint('/home/spoilt', files).catch((error: unknown) => error)
    const isOther = (read as { hash?: string }).hash ?? hash
    if (isOther === hash) expect(read).toMatchObject({ code: 'checkpoint_invalid' })
  }
  await differs(Buffer.concat([whole, Buffer.of(0)]))
  await fc.assert(
    fc.asyncProperty(fc.nat(whole.length - 1), (size) => differs(whole.subarray(0, size))),
  )
  await fc.assert(
    fc.asyncProperty(fc.nat(whole.length - 101), fc.nat(7), (place, bit) => {
      const spoilt = whole.slice()
      spoilt[place] ^= 1 << bit
      return differs(spoilt)
    }),
  )
})

test('a base in pieces has its hash from all of them', async () => {
  const files = faultyFiles()
  await files.makeDirectory('/home')
  const base = { featureSets, source, lastSequence: 7, newestEventTimeUs: null }
  const write = (state: Uint8Array, pieceBytes: number) =>
    writeBaseCheckpoint('/home/base', { ...base, state }, files, pieceBytes)
  const hash = await write(bytes(100), 30)
  expect((await readCheckpoint('/home/base', files)).hash).toBe(hash)
  const other = bytes(100)
  other[99] ^= 1
  expect(await write(other, 30)).not.toBe(hash)
})
