// Everything that is not decided here goes on to keep, as a stream: pages, uploads, server-sent
// events. Nothing is read or kept on the way.
import * as http from 'node:http'
import { toProblem } from '../../lib/errors.ts'
import { localAddress } from '../../lib/rpc.ts'
import { throwAway } from '../refusals.ts'
import { doorErrors } from './errors.ts'

/** Headers that belong to one connection (RFC 9110 §7.6.1) and end here. */
const HOP_HEADERS = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

export type PassOn = (request: http.IncomingMessage, response: http.ServerResponse) => void

/** Makes the listener that passes requests on to the process behind a local socket. */
export function createPassOn(socketPath: string): { passOn: PassOn; close(): void } {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 256, maxFreeSockets: 16 })
  const address = localAddress(socketPath)
  const send = (request: http.IncomingMessage, response: http.ServerResponse, fresh: boolean) => {
    const onward = http.request({
      socketPath: address,
      agent: fresh ? false : agent,
      method: request.method,
      path: request.url,
      headers: onwardHeaders(request),
    })
    onward.on('response', (answer) => {
      response.writeHead(answer.statusCode ?? 502, endToEnd(answer.headers))
      // Server-sent events must leave when they come, not when a buffer is full.
      response.flushHeaders()
      answer.pipe(response)
      answer.on('error', () => response.destroy())
      // Nobody waits for the rest of a request that is answered already, as where it is too large.
      answer.on('end', () => {
        if (!request.complete) onward.destroy()
      })
    })
    onward.on('error', (error: NodeJS.ErrnoException) => {
      // A kept connection may have been closed just now; without a body nothing was lost by it.
      const mayRepeat = onward.reusedSocket && !hasBody(request) && error.code === 'ECONNRESET'
      if (mayRepeat && !response.headersSent) send(request, response, true)
      else answerUnavailable(request, response)
    })
    onward.on('close', () => {
      request.unpipe(onward)
      if (response.headersSent) throwAway(request)
    })
    response.on('close', () => {
      if (!response.writableFinished) onward.destroy()
    })
    if (hasBody(request)) request.pipe(onward)
    else onward.end()
  }
  return {
    passOn: (request, response) => send(request, response, false),
    close: () => agent.destroy(),
  }
}

function hasBody({ headers }: http.IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}

function onwardHeaders(request: http.IncomingMessage): http.OutgoingHttpHeaders {
  const { headers, socket } = request
  return {
    ...endToEnd(headers),
    // A chunked body stays chunked; its length is not known.
    ...(headers['transfer-encoding'] === undefined ? {} : { 'transfer-encoding': 'chunked' }),
    'x-forwarded-for': socket.remoteAddress ?? '',
    'x-forwarded-host': headers.host ?? '',
    // A proxy before us may have ended the TLS; whoever says so falsely misleads itself alone.
    'x-forwarded-proto': headers['x-forwarded-proto'] === 'https' ? 'https' : 'http',
  }
}

function endToEnd(headers: http.IncomingHttpHeaders): http.OutgoingHttpHeaders {
  const named = (headers.connection ?? '').split(',').map((name) => name.trim().toLowerCase())
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => !HOP_HEADERS.has(name) && !named.includes(name)),
  )
}

function answerUnavailable(request: http.IncomingMessage, response: http.ServerResponse): void {
  if (response.headersSent) {
    if (!response.writableEnded) response.destroy()
    return
  }
  request.unpipe()
  throwAway(request)
  const wantsPage = request.method === 'GET' && (request.headers.accept ?? '').includes('text/html')
  const problem = toProblem(
    doorErrors.page_unavailable(
      `${request.method} ${request.url} is answered by a part that is not running now.`,
    ),
  )
  const [type, body] = wantsPage
    ? ['text/html; charset=utf-8', WAITING_PAGE]
    : ['application/problem+json', JSON.stringify({ ...problem, retryAfter: 1 })]
  response.writeHead(problem.status, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'retry-after': '1',
    'cache-control': 'no-store',
  })
  response.end(body)
}

/** Shown while keep starts or restarts; it looks again by itself. */
const WAITING_PAGE = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="refresh" content="1">
<meta name="viewport" content="width=device-width"><title>Assay is starting</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:32rem;margin:20vh auto;padding:0 1rem;color-scheme:light dark}</style>
</head><body><h1>Assay is starting</h1><p>The page appears here by itself in a moment. Decisions are answered meanwhile.</p></body></html>
`
