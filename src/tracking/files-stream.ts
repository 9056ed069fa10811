import { trackingErrors } from './errors.ts'

/** Error: `artifact_too_large`, as soon as more than the limit has come. */
export async function* limited(
  content: AsyncIterable<Uint8Array>,
  limitBytes: number,
): AsyncGenerator<Uint8Array> {
  let size = 0
  for await (const chunk of content) {
    size += chunk.length
    if (size > limitBytes) throw tooLarge(size, limitBytes)
    yield chunk
  }
}

export function tooLarge(size: number, limitBytes: number): Error {
  return trackingErrors.artifact_too_large(
    `The file has ${size} bytes or more; at most ${limitBytes} are taken.`,
  )
}

/** All of it in memory, where that much is allowed. Error: `artifact_too_large`. */
export async function collect(
  content: AsyncIterable<Uint8Array>,
  limitBytes: number,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  for await (const chunk of limited(content, limitBytes)) chunks.push(chunk)
  return Uint8Array.from(Buffer.concat(chunks))
}
