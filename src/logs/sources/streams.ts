import { damageNotice, gunzipped, GzipDamage } from './gunzip.ts'
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
      try {
        for await (const piece of await unpacked(bytes)) {
          const split = splitter.push(Buffer.from(piece.buffer, piece.byteOffset, piece.length))
          if (split.lines.length > 0) yield batch(split)
        }
      } catch (error) {
        if (!(error instanceof GzipDamage)) throw error
        yield batch(splitter.breakOff(), [damageNotice(name, error, splitter.taken)], true)
        return
      }
      yield batch(splitter.end(), [], true)
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
  return head[0] === 0x1f && head[1] === 0x8b ? gunzipped(whole) : whole
}
