// How both doors refuse a request that never reached an operation: what Node or the framework found
// wrong with it becomes a problem document, and the client is given the chance to hear it.
import { STATUS_CODES, type IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { FastifyRequest } from 'fastify'
import { defineErrors, toProblem, type AssayError } from '../lib/errors.ts'

export const refusals = defineErrors({
  media_type_unsupported: {
    status: 415,
    title: 'The body is of a type that is not read here',
    action:
      'Send application/json, not compressed; events may also be application/x-ndjson, one object a line, and rows of entities text/csv or application/vnd.apache.parquet.',
  },
  body_too_large: {
    status: 413,
    title: 'The body is too large',
    action:
      'Send less at a time: one event of at most 1 MiB, rows of at most 16 MiB together, anything else of at most 4 MiB.',
  },
  headers_too_large: {
    status: 431,
    title: 'The address and headers of the request are too long',
    action: 'Send at most 16 KiB before the body.',
  },
  request_too_slow: {
    status: 408,
    title: 'The request did not arrive in time',
    action: 'Send the headers within 20 seconds and the whole request within two minutes.',
  },
  request_unreadable: {
    status: 400,
    title: 'The request cannot be read',
    action: 'Send a whole HTTP/1.1 request: a valid address, and a body that keeps its headers.',
  },
})

/**
 * The longest that a request may take to arrive: a client that never ends holds nothing for ever. And how
 * long a connection may rest between two: longer than balancers and clients keep theirs (mostly 60 s), so
 * that a request is not sent on one that is just being closed.
 */
export const arrival = {
  headersTimeout: 20_000,
  requestTimeout: 120_000,
  keepAliveTimeout: 75_000,
} as const

/** How much of a refused body is thrown away as it comes, and for how long. */
const UNREAD_BYTES_MAX = 1024 * 1024 * 1024
const UNREAD_MS_MAX = 30_000

/** The refusal that an error of the framework means; undefined where it is a defect of ours. */
export function asRefusal(error: unknown, request: FastifyRequest): AssayError | undefined {
  const { code, statusCode = 500, message = '' } = error as Partial<FrameworkError>
  switch (code) {
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
    case 'FST_ERR_CTP_EMPTY_TYPE':
      return wrongType(request.headers['content-type'] ?? '')
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return refusals.body_too_large(
        `The body has ${request.headers['content-length'] ?? 'too many'} bytes.`,
      )
    default:
      return statusCode < 500 ? refusals.request_unreadable(message.slice(0, 300)) : undefined
  }
}

interface FrameworkError {
  readonly code: string
  readonly statusCode: number
  readonly message: string
}

export function wrongType(type: string): AssayError {
  return refusals.media_type_unsupported(
    type === ''
      ? 'The request has no Content-Type, or no body.'
      : `The body is declared as ${type.slice(0, 100)}.`,
  )
}

/** Error: `media_type_unsupported` where the body is compressed, because it would be read as it is. */
export function refuseEncoded({ headers }: Pick<IncomingMessage, 'headers'>): void {
  const encoding = headers['content-encoding'] ?? 'identity'
  if (/^identity$/i.test(encoding)) return
  throw refusals.media_type_unsupported(`The body is encoded as ${encoding.slice(0, 100)}.`)
}

/**
 * Goes on reading what a client sends of a request that is refused, and throws it away: a connection
 * that is ended over unread bytes is reset, and a client that is still sending never hears the answer
 * (RFC 9112, section 9.6). One that sends for too long is ended all the same.
 */
export function throwAway(request: IncomingMessage): void {
  if (request.complete || request.destroyed) return
  const { socket } = request
  const timer = setTimeout(() => socket.destroy(), UNREAD_MS_MAX)
  const over = () => clearTimeout(timer)
  let length = 0
  request.removeAllListeners('data')
  request.on('data', (chunk: Buffer) => {
    length += chunk.length
    if (length > UNREAD_BYTES_MAX) socket.destroy()
  })
  request.once('end', over)
  request.once('close', over)
  request.resume()
}

/** Answers on a connection whose bytes are no HTTP request, and ends it. */
export function refuseConnection(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const problem = toProblem(unreadable(error))
  const body = JSON.stringify(problem)
  socket.once('finish', () => socket.destroy())
  socket.end(
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}\r\n` +
      'Content-Type: application/problem+json\r\n' +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  )
}

function unreadable({ code = '', message }: NodeJS.ErrnoException): AssayError {
  if (code === 'HPE_HEADER_OVERFLOW') {
    return refusals.headers_too_large('The address and headers are longer than is read.')
  }
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return refusals.request_too_slow('The request was begun and not finished.')
  }
  return refusals.request_unreadable(`What arrived is no HTTP request (${message}).`)
}
