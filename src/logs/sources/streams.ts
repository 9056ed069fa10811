import { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { fileErrorCode } from '../../lib/files.ts'
import { type LineOptions, LineSplitter } from './lines.ts'
import type { LogBatch, LogSource, SourceNotice } from './port.ts'

/** Lines of bytes that come once, such as standard input, plain or gzip. They cannot be read again. */
export function streamSource(
  name: string,
  bytes: AsyncIterable<Uint8Array>,
  options: LineOptions = {},
): LogSource {
  return {
    name,
    async *batches() {
      const splitter = new LineSplitter(options)
      const batch = (
        split: ReturnType<LineSplitter['end']>,
        notices: readonly SourceNotice[] = [],
        isCaughtUp = false,
      ): LogBatch => ({ ...split, place: {}, notices, isCaughtUp })
      const notices: SourceNotice[] = []
      try {
        for await (const piece of await unpacked(bytes)) {
          const split = splitter.push(Buffer.from(piece.buffer, piece.byteOffset, piece.length))
          if (split.lines.length > 0) yield batch(split)
        }
      } catch (error) {
        const code = fileErrorCode(error)
        if (code?.startsWith('Z_') !== true) throw error
        notices.push({
          kind: 'damaged',
          detail: `${name} cannot be unpacked any further (${code}).`,
        })
      }
      yield batch(splitter.end(), notices, true)
    },
  }
}

/** The bytes as they are, or unpacked where the first ones say that they are gzip. */
async function unpacked(bytes: AsyncIterable<Uint8Array>): Promise<AsyncIterable<Uint8Array>> {
  const pieces = bytes[Symbol.asyncIterator]()
  let head = Buffer.alloc(0)
  while (head.length < 2) {
    const { done, value } = await pieces.next()
    if (done === true) break
    head = Buffer.concat([head, value])
  }
  const whole = (async function* () {
    yield head
    for (let next = await pieces.next(); next.done !== true; next = await pieces.next()) {
      yield next.value
    }
  })()
  if (!(head[0] === 0x1f && head[1] === 0x8b)) return whole
  const source = Readable.from(whole, { objectMode: false })
  const unpacking = createGunzip()
  source.once('error', (error) => unpacking.destroy(error))
  return source.pipe(unpacking)
}
