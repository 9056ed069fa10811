// A log of messages as files: a folder a topic, a file a partition, a line a message. Programs may
// write such files too, and it is read as it grows.
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { partitionOf, type LogMessage, type MessageLog } from '../../decisions/index.ts'
import { nodeFiles, type FileSystem, type OpenFile } from '../../lib/files.ts'
import { unlessMissing } from './stream.ts'

export interface FolderLogOptions {
  readonly directory: string
  /** Of a topic that has no file yet; default 1. */
  readonly partitions?: number
  readonly files?: FileSystem
}

const NEWLINE = 0x0a
/** Read at a time. Of a line that is longer, so much is handed on: whoever takes it in refuses it. */
const WINDOW_BYTES = 2 * 1024 * 1024
const LOOK_MS = 100

/**
 * The log of a folder: `TOPIC/PARTITION.ndjson`. The offset of a message is where its line ends, in
 * bytes, so that offsets stay while the file grows. A line without its end is not a message yet. Keys
 * choose the partition and are not kept.
 */
export function createFolderLog(options: FolderLogOptions): MessageLog {
  const { directory, partitions: usual = 1, files = nodeFiles } = options
  const append = createLineAppender(files)
  const fileOf = (topic: string, partition: number) =>
    path.join(directory, topic, `${partition}.ndjson`)

  async function partitions(topic: string): Promise<number[]> {
    const names = await unlessMissing(files.list(path.join(directory, topic)))
    const found = (names ?? []).flatMap((name) => {
      const number = /^(0|[1-9]\d{0,5})\.ndjson$/.exec(name)?.[1]
      return number === undefined ? [] : [Number(number)]
    })
    const known = found.length === 0 ? Array.from({ length: usual }, (_, i) => i) : found
    return known.toSorted((a, b) => a - b)
  }

  return {
    partitions,
    async read({ topic, partition, offset, limit, waitMs, signal }) {
      const file = fileOf(topic, partition)
      for (let waited = 0; ; waited += LOOK_MS) {
        signal.throwIfAborted()
        const messages = await readLines(files, file, { partition, offset, limit })
        if (messages.length > 0 || waited >= waitMs) return messages
        await sleep(LOOK_MS, undefined, { signal })
      }
    },
    async end(topic, partition) {
      const open = await unlessMissing(files.open(fileOf(topic, partition), 'read'))
      try {
        return (await open?.size()) ?? 0
      } finally {
        await open?.close()
      }
    },
    async append(topic, messages) {
      const known = await partitions(topic)
      const lines = new Map<number, Uint8Array[]>()
      for (const { key, value, partition } of messages) {
        const place = partition ?? known[partitionOf(key, known.length)]
        lines.set(place, [...(lines.get(place) ?? []), value])
      }
      for (const [partition, values] of lines) await append(fileOf(topic, partition), values)
    },
  }
}

/**
 * Adds whole lines to files; resolves when they would survive a loss of power. Half a line that a
 * fall left behind is ended first. Rejects lines that hold a line end.
 */
export function createLineAppender(
  files: FileSystem = nodeFiles,
): (file: string, lines: readonly Uint8Array[]) => Promise<void> {
  let last: Promise<unknown> = Promise.resolve()
  return (file, lines) => {
    if (lines.some((line) => line.includes(NEWLINE))) {
      return Promise.reject(new Error('A message with a line end in it cannot be a line.'))
    }
    const added = last.then(() => appendLines(files, file, lines))
    last = added.catch(() => {})
    return added
  }
}

async function appendLines(
  files: FileSystem,
  file: string,
  lines: readonly Uint8Array[],
): Promise<void> {
  const directory = path.dirname(file)
  await files.makeDirectory(directory)
  const found = await unlessMissing(files.open(file, 'update'))
  const open = found ?? (await files.open(file, 'create'))
  try {
    const size = await open.size()
    const end = Buffer.alloc(1, NEWLINE)
    if (size > 0) await open.read(end, size - 1)
    const begin = end[0] === NEWLINE ? [] : [Buffer.from('\n')]
    const bytes = Buffer.concat([...begin, ...lines.flatMap((line) => [line, Buffer.from('\n')])])
    await open.write(bytes, size)
    await open.sync()
  } finally {
    await open.close()
  }
  if (found === undefined) await files.syncDirectory(directory)
}

interface Wanted {
  readonly partition: number
  readonly offset: number
  readonly limit: number
}

async function readLines(files: FileSystem, file: string, wanted: Wanted): Promise<LogMessage[]> {
  const open = await unlessMissing(files.open(file, 'read'))
  if (open === undefined) return []
  try {
    if (wanted.offset > (await open.size())) {
      throw new Error(`${file} is shorter than what was read of it: it was replaced.`)
    }
    return await linesFrom(open, wanted)
  } finally {
    await open.close()
  }
}

async function linesFrom(open: OpenFile, { partition, offset, limit }: Wanted) {
  const messages: LogMessage[] = []
  const window = Buffer.alloc(Math.min(WINDOW_BYTES, (await open.size()) - offset))
  let from = offset
  // Windows of empty lines alone are passed over, else their reader would come no further.
  while (messages.length === 0 && window.length > 0) {
    const bytes = window.subarray(0, await open.read(window, from))
    let start = 0
    for (let end; messages.length < limit; start = end + 1) {
      end = bytes.indexOf(NEWLINE, start)
      if (end === -1) break
      const value = Buffer.from(bytes.subarray(start, end))
      if (value.length > 0) messages.push({ partition, offset: from + end, key: null, value })
    }
    if (start === 0) {
      if (bytes.length < WINDOW_BYTES) return messages
      const end = await lineEnd(open, from + bytes.length)
      if (end === undefined) return messages
      return [{ partition, offset: end, key: null, value: Buffer.from(bytes) }]
    }
    from += start
  }
  return messages
}

/** Where the next line ends; undefined where it has not ended yet. */
async function lineEnd(open: OpenFile, from: number): Promise<number | undefined> {
  const piece = Buffer.alloc(64 * 1024)
  for (let at = from; ; at += piece.length) {
    const size = await open.read(piece, at)
    const end = piece.subarray(0, size).indexOf(NEWLINE)
    if (end !== -1) return at + end
    if (size < piece.length) return undefined
  }
}
