/**
 * The file system, passed in. The journal and atomic writes ask for no more than `FileSystem`
 * offers, so that tests can take the disk away: `faulty-files.ts` is a disk in memory that fills
 * up, fails to sync and forgets what was not synced.
 */
import { randomUUID } from 'node:crypto'
import * as fs from 'node:fs'
import * as path from 'node:path'

/** What an open file can do. Positions and sizes are in bytes. */
export interface OpenFile {
  /** Reads into the buffer from a position; fewer bytes than asked for mean the end of the file. */
  read(into: Uint8Array, position: number): Promise<number>
  /** Writes all bytes at a position, or rejects with some prefix of them possibly written. */
  write(bytes: Uint8Array, position: number): Promise<void>
  truncate(size: number): Promise<void>
  /** Returns when data and size would survive a loss of power (fdatasync). */
  sync(): Promise<void>
  size(): Promise<number>
  close(): Promise<void>
}

export type OpenMode = 'read' | 'update' | 'create'

/** Errors are those of `node:fs`: their `code` is ENOSPC, EIO, ENOENT and so on. */
export interface FileSystem {
  /**
   * `create` makes a new file and fails with EEXIST where there is one. Of a `durable` file each write
   * returns when it would survive a loss of power, in one step for two.
   */
  open(file: string, mode: OpenMode, how?: { readonly durable: boolean }): Promise<OpenFile>
  /** The names in a directory, sorted. */
  list(directory: string): Promise<string[]>
  /** Makes a directory and its parents; one that exists is left as it is. */
  makeDirectory(directory: string): Promise<void>
  rename(from: string, to: string): Promise<void>
  remove(file: string): Promise<void>
  /** Returns when the names in a directory would survive a loss of power. */
  syncDirectory(directory: string): Promise<void>
}

/** The code of a file system's error, or undefined where it is none. */
export function fileErrorCode(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === 'string' ? code : undefined
}

const { O_RDONLY, O_RDWR, O_CREAT, O_EXCL } = fs.constants
const FLAGS = { read: O_RDONLY, update: O_RDWR, create: O_RDWR | O_CREAT | O_EXCL }
/** Elsewhere it is missing, or leaves the bytes in the cache of the disk. */
const O_DSYNC = process.platform === 'linux' ? fs.constants.O_DSYNC : 0

/** The machine's file system. */
export const nodeFiles: FileSystem = {
  async open(file, mode, { durable } = { durable: false }) {
    const flags = FLAGS[mode] | (durable ? O_DSYNC : 0)
    const opened = openFile(await call<number>((done) => fs.open(file, flags, 0o600, done)))
    return durable && O_DSYNC === 0 ? syncedWrites(opened) : opened
  },
  async list(directory) {
    return (await fs.promises.readdir(directory)).sort()
  },
  async makeDirectory(directory) {
    await fs.promises.mkdir(directory, { recursive: true, mode: 0o700 })
  },
  rename: (from, to) => fs.promises.rename(from, to),
  remove: (file) => fs.promises.unlink(file),
  async syncDirectory(directory) {
    // Windows cannot open a directory; its file systems journal names by themselves.
    if (process.platform === 'win32') return
    const descriptor = await call<number>((done) => fs.open(directory, 'r', done))
    try {
      await act((done) => fs.fsync(descriptor, done))
    } finally {
      await act((done) => fs.close(descriptor, done))
    }
  },
}

/**
 * Replaces a file as a whole: whoever opens it, also after a loss of power, finds either the old
 * content or the new, never a mixture. The directory must exist. Content may come in pieces.
 */
export async function writeFileAtomic(
  file: string,
  content: Uint8Array | string | Iterable<Uint8Array>,
  files: FileSystem = nodeFiles,
): Promise<void> {
  const whole = typeof content === 'string' ? new TextEncoder().encode(content) : content
  const pieces = whole instanceof Uint8Array ? [whole] : whole
  const temporary = temporaryName(file)
  try {
    const open = await files.open(temporary, 'create')
    try {
      let at = 0
      for (const part of partsOf(pieces)) {
        await open.write(part, at)
        at += part.length
        if (part.length === SYNC_BYTES) await open.sync()
      }
      await open.sync()
    } finally {
      await open.close()
    }
    await files.rename(temporary, file)
  } catch (error) {
    await files.remove(temporary).catch(() => undefined)
    throw error
  }
  await files.syncDirectory(path.dirname(file))
}

/**
 * So many bytes are synced at once: a sync of another file may have to wait for what the disk was given
 * before, and the journal's should not wait for a whole checkpoint.
 */
const SYNC_BYTES = 4 * 1024 * 1024

function* partsOf(pieces: Iterable<Uint8Array>): Generator<Uint8Array> {
  for (const piece of pieces) {
    for (let at = 0; at < piece.length; at += SYNC_BYTES) yield piece.subarray(at, at + SYNC_BYTES)
  }
}

/** Where a file is written before it gets its name. */
export function temporaryName(file: string): string {
  return `${file}.${randomUUID().slice(0, 8)}.tmp`
}

/** Reads a whole file. */
export async function readWholeFile(file: string, files: FileSystem): Promise<Uint8Array> {
  const open = await files.open(file, 'read')
  try {
    const bytes = new Uint8Array(await open.size())
    return bytes.subarray(0, await open.read(bytes, 0))
  } finally {
    await open.close()
  }
}

/** Most bytes of one call: neither Node nor the systems below take 2 GiB at once. */
const CALL_BYTES_MAX = 1024 * 1024 * 1024

/** Callback functions on a bare descriptor cost about half of what `FileHandle` does. */
function openFile(descriptor: number): OpenFile {
  return {
    async read(into, position) {
      let got = 0
      while (got < into.length) {
        const count = await call<number>((done) =>
          fs.read(
            descriptor,
            into,
            got,
            Math.min(into.length - got, CALL_BYTES_MAX),
            position + got,
            done,
          ),
        )
        if (count === 0) break
        got += count
      }
      return got
    },
    async write(bytes, position) {
      let put = 0
      while (put < bytes.length) {
        put += await call<number>((done) =>
          fs.write(
            descriptor,
            bytes,
            put,
            Math.min(bytes.length - put, CALL_BYTES_MAX),
            position + put,
            done,
          ),
        )
      }
    },
    truncate: (size) => act((done) => fs.ftruncate(descriptor, size, done)),
    sync: () => act((done) => fs.fdatasync(descriptor, done)),
    size: async () => (await call<fs.Stats>((done) => fs.fstat(descriptor, done))).size,
    close: () => act((done) => fs.close(descriptor, done)),
  }
}

/** A file whose writes are durable, in two steps. */
export function syncedWrites(file: OpenFile): OpenFile {
  return {
    ...file,
    async write(bytes, position) {
      await file.write(bytes, position)
      await file.sync()
    },
  }
}

type Done<T> = (error: Error | null, value: T) => void

function call<T>(start: (done: Done<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    start((error, value) => (error === null ? resolve(value) : reject(error)))
  })
}

function act(start: (done: (error?: Error | null) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    start((error) => (error ? reject(error) : resolve()))
  })
}
