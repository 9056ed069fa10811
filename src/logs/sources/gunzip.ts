// Gzip that gives all that can be unpacked before it says that the rest is damaged; Node's own stream drops
// what it has unpacked and not yet handed on. Members, header and trailer: RFC 1952.
import { crc32, createInflateRaw } from 'node:zlib'
import type { SourceNotice } from './port.ts'

/** An archive cannot be unpacked any further: it ends too early, or is not what was written. */
export class GzipDamage extends Error {
  constructor(isCutOff: boolean) {
    super(isCutOff ? 'is cut off' : 'is damaged')
  }
}

export function damageNotice(name: string, damage: GzipDamage, atByte: number): SourceNotice {
  return {
    kind: 'damaged',
    detail: `${name} ${damage.message} after byte ${atByte} of its content.`,
  }
}

/** Bytes that are unpacked at once: they become a thousand times as many at most. */
const PIECE_BYTES = 16 * 1024
/** Where the middle of a member is damaged, so much of what comes before may be missing, as with `gzip -dc`. */
const CHUNK_BYTES = 32 * 1024
const FLAG = { checksum: 2, extra: 4, name: 8, comment: 16, reserved: 0xe0 }

/** Unpacks all members, one after the other; zeros behind them are padding. Throws `GzipDamage`. */
export async function* gunzipped(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  const packed = new Packed(pieces)
  try {
    do {
      await skipHeader(packed)
      yield* member(packed)
    } while ((await packed.has(1)) && packed.rest[0] !== 0)
  } finally {
    await packed.close()
  }
}

/** Bytes that are not unpacked yet. */
class Packed {
  rest: Buffer = Buffer.alloc(0)
  private readonly pieces: AsyncIterator<Uint8Array>

  constructor(pieces: AsyncIterable<Uint8Array>) {
    this.pieces = pieces[Symbol.asyncIterator]()
  }

  /** Whether there are so many bytes, which are in `rest` then. */
  async has(bytes: number): Promise<boolean> {
    while (this.rest.length < bytes) {
      const next = await this.pieces.next()
      if (next.done === true) return false
      this.rest = Buffer.concat([this.rest, next.value])
    }
    return true
  }

  async take(bytes: number): Promise<Buffer> {
    if (!(await this.has(bytes))) throw new GzipDamage(true)
    const taken = this.rest.subarray(0, bytes)
    this.rest = this.rest.subarray(bytes)
    return taken
  }

  async close(): Promise<void> {
    await this.pieces.return?.()
  }
}

async function skipHeader(packed: Packed): Promise<void> {
  // What is no header is damage also where it is shorter than one.
  await packed.has(2)
  const isHeader = packed.rest[0] === 0x1f && (packed.rest[1] ?? 0x8b) === 0x8b
  if (!isHeader) throw new GzipDamage(false)
  const [, , method, flags] = await packed.take(10)
  if (method !== 8 || (flags & FLAG.reserved) !== 0) throw new GzipDamage(false)
  if ((flags & FLAG.extra) !== 0) await packed.take((await packed.take(2)).readUInt16LE())
  if ((flags & FLAG.name) !== 0) await skipText(packed)
  if ((flags & FLAG.comment) !== 0) await skipText(packed)
  if ((flags & FLAG.checksum) !== 0) await packed.take(2)
}

async function skipText(packed: Packed): Promise<void> {
  while ((await packed.take(1))[0] !== 0);
}

async function* member(packed: Packed): AsyncGenerator<Buffer> {
  const engine = createInflateRaw({ chunkSize: CHUNK_BYTES })
  let unpacked: Buffer[] = []
  let isDamaged = false
  let failed = () => {}
  engine.on('data', (chunk: Buffer) => unpacked.push(chunk))
  engine.on('error', () => {
    isDamaged = true
    failed()
  })
  const ended = new Promise<void>((resolve) => engine.once('end', resolve))
  let [checksum, length, isOver] = [0, 0, false]
  try {
    while (!isOver) {
      if (!(await packed.has(1))) throw new GzipDamage(true)
      const piece = packed.rest.subarray(0, PIECE_BYTES)
      const before = engine.bytesWritten
      await new Promise<void>((resolve) => {
        failed = resolve
        engine.write(piece, (error) => {
          isDamaged ||= error instanceof Error
          resolve()
        })
      })
      const used = engine.bytesWritten - before
      // The engine leaves only what is behind the member.
      isOver = !isDamaged && used < piece.length
      if (isOver) await ended
      for (const chunk of unpacked) {
        checksum = crc32(chunk, checksum)
        length = (length + chunk.length) % 2 ** 32
        yield chunk
      }
      unpacked = []
      if (isDamaged) throw new GzipDamage(false)
      packed.rest = packed.rest.subarray(used)
    }
  } finally {
    engine.destroy()
  }
  const trailer = await packed.take(8)
  if (trailer.readUInt32LE(0) !== checksum || trailer.readUInt32LE(4) !== length) {
    throw new GzipDamage(false)
  }
}
