// The body of a request to the doors that stand on `node:http` alone.
import type { IncomingMessage } from 'node:http'
import { throwAway } from './refusals.ts'

/** What becomes of a body: one of the two is called, once; neither where the client went away. */
export interface BodyReader {
  readonly whole: (body: Buffer) => void
  /** The rest is thrown away as it comes, so that the client hears the answer. */
  readonly tooLarge: (bytes: number) => void
}

/** Reads a body of at most so many bytes; a small one is passed on without a copy. */
export function readBody(request: IncomingMessage, bytesMax: number, reader: BodyReader): void {
  const refuse = (bytes: number) => {
    throwAway(request)
    reader.tooLarge(bytes)
  }
  const declared = Number(request.headers['content-length'] ?? 0)
  if (declared > bytesMax) return refuse(declared)
  let first: Buffer | undefined
  let parts: Buffer[] | undefined
  let length = 0
  request.on('data', (part: Buffer) => {
    length += part.length
    if (length > bytesMax) return refuse(length)
    if (first === undefined) first = part
    else (parts ??= [first]).push(part)
  })
  request.on('end', () => {
    if (length > bytesMax) return
    reader.whole(parts === undefined ? (first ?? Buffer.alloc(0)) : Buffer.concat(parts))
  })
}
