// A backup as one .tar file (POSIX ustar, IEEE 1003.1 "pax"), which any tar can list and unpack. Its
// headers are written one way only, so that what reads differently was changed.
import { createHash } from 'node:crypto'
import { promises as fs } from 'node:fs'
import { fileErrorCode, nodeFiles, type OpenFile } from '../../lib/files.ts'
import { backupErrors } from './errors.ts'
import {
  idsOf,
  manifestPath,
  MARK_FILE,
  MARK_TEXT,
  objectPath,
  type BackupSource,
  type BackupTarget,
} from './layout.ts'

const BLOCK = 512
const CHUNK_BYTES = 1024 * 1024
/** Eleven octal digits; larger sizes are written in base 256, as GNU and BSD tar do. */
const OCTAL_MAX = 8 ** 11 - 1

/** Writes a new file. Error: `backup_target_invalid`. */
export async function openTarTarget(file: string): Promise<BackupTarget> {
  if ((await fs.stat(file).catch(() => undefined)) !== undefined) {
    throw backupErrors.backup_target_invalid(`${file} is there already, and is not written over.`)
  }
  const temporary = `${file}.${process.pid}.tmp`
  await fs.rm(temporary, { force: true })
  const open = await nodeFiles.open(temporary, 'create')
  const known = new Map<string, number>()
  let end = 0

  async function append(bytes: Uint8Array): Promise<void> {
    await open.write(bytes, end)
    end += bytes.length
  }
  async function add(name: string, content: Uint8Array): Promise<void> {
    await append(header(name, content.length))
    await append(content)
    await append(new Uint8Array(paddingOf(content.length)))
  }
  await add(MARK_FILE, Buffer.from(MARK_TEXT))

  return {
    scratch: `${file}.${process.pid}.sqlite.tmp`,
    sizeOf: async (sha256) => known.get(sha256),
    async put(content) {
      // The name and the size stand before the content, so it is read twice.
      const first = await measured(content())
      if (known.has(first.sha256)) return { ...first, known: true }
      await append(header(objectPath(first.sha256), first.bytes))
      const again = await measured(content(), append).catch((cause: unknown) => {
        if (fileErrorCode(cause) === 'ENOENT') return undefined
        throw cause
      })
      if (again?.sha256 !== first.sha256) {
        throw backupErrors.home_changing('A file changed or went while it was read twice.')
      }
      await append(new Uint8Array(paddingOf(first.bytes)))
      known.set(first.sha256, first.bytes)
      return { ...first, known: false }
    },
    async finish(id, manifest) {
      await add(manifestPath(id), Buffer.from(manifest))
      await append(new Uint8Array(2 * BLOCK))
      await open.sync()
      await open.close()
      await fs.rename(temporary, file)
    },
    async abandon() {
      await open.close().catch(() => {})
      await fs.rm(temporary, { force: true })
    },
  }
}

async function measured(
  pieces: AsyncIterable<Uint8Array>,
  take: (piece: Uint8Array) => Promise<void> = async () => {},
) {
  const hash = createHash('sha256')
  let bytes = 0
  for await (const piece of pieces) {
    hash.update(piece)
    bytes += piece.length
    await take(piece)
  }
  return { sha256: hash.digest('hex'), bytes }
}

/** Finds what lies where in a file. Error: `backup_damaged`. */
export async function openTar(file: string): Promise<BackupSource> {
  const open = await nodeFiles.open(file, 'read')
  try {
    const places = await placesIn(open, file)
    return {
      ids: idsOf([...places.keys()]),
      read(inside) {
        const place = places.get(inside)
        return place && pieces(open, place)
      },
      close: () => open.close(),
    }
  } catch (error) {
    await open.close()
    throw error
  }
}

interface Place {
  readonly from: number
  readonly bytes: number
}

async function placesIn(open: OpenFile, file: string): Promise<Map<string, Place>> {
  const damaged = (at: number) =>
    backupErrors.backup_damaged(`${file} is damaged at byte ${at}: its parts do not follow.`)
  const size = await open.size()
  const places = new Map<string, Place>()
  let at = 0
  for (;;) {
    const block = await bytesAt(open, at, BLOCK)
    if (block.length < BLOCK) throw damaged(at)
    if (isZero(block)) break
    const found = decodeHeader(block)
    if (found === undefined) throw damaged(at)
    const from = at + BLOCK
    const padding = paddingOf(found.bytes)
    const after = from + found.bytes + padding
    if (after > size) throw damaged(at)
    if (!isZero(await bytesAt(open, after - padding, padding))) throw damaged(after - padding)
    places.set(found.name, { from, bytes: found.bytes })
    at = after
  }
  const tail = await bytesAt(open, at, 3 * BLOCK)
  if (tail.length !== 2 * BLOCK || !isZero(tail)) throw damaged(at)
  return places
}

async function* pieces(open: OpenFile, { from, bytes }: Place): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes; at += CHUNK_BYTES) {
    yield await bytesAt(open, from + at, Math.min(CHUNK_BYTES, bytes - at))
  }
}

async function bytesAt(open: OpenFile, at: number, length: number): Promise<Uint8Array> {
  const into = new Uint8Array(length)
  return into.subarray(0, await open.read(into, at))
}

const isZero = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 0)

const paddingOf = (bytes: number): number => (BLOCK - (bytes % BLOCK)) % BLOCK

function header(name: string, bytes: number): Uint8Array {
  const block = Buffer.alloc(BLOCK)
  block.write(name, 0, 100, 'latin1')
  block.write('0000600\0', 100, 'latin1')
  block.write('0000000\0', 108, 'latin1')
  block.write('0000000\0', 116, 'latin1')
  if (bytes <= OCTAL_MAX) block.write(`${octal(bytes, 11)}\0`, 124, 'latin1')
  else {
    block[124] = 0x80
    block.writeBigUInt64BE(BigInt(bytes), 128)
  }
  block.write(`${octal(0, 11)}\0`, 136, 'latin1')
  block.write('        0', 148, 'latin1')
  block.write('ustar', 257, 'latin1')
  block.write('00', 263, 'latin1')
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.write(`${octal(sum, 6)}\0 `, 148, 'latin1')
  return block
}

const octal = (value: number, digits: number): string => value.toString(8).padStart(digits, '0')

/** Undefined for what `header` would not have written. */
function decodeHeader(block: Uint8Array): { name: string; bytes: number } | undefined {
  const view = Buffer.from(block)
  const name = view.toString('latin1', 0, 100).replace(/\0[^]*$/, '')
  const bytes =
    view[124] === 0x80
      ? Number(view.readBigUInt64BE(128))
      : Number.parseInt(view.toString('latin1', 124, 135), 8)
  if (!Number.isSafeInteger(bytes) || bytes < 0) return undefined
  return view.equals(header(name, bytes)) ? { name, bytes } : undefined
}
