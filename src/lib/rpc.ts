/**
 * Calls between the processes of one machine: `POST /rpc/SERVICE/METHOD` over a local socket,
 * with the arguments as a JSON array. A service is an object with methods; `remote<T>()` looks
 * like it from the other side. Failures keep their code, status and detail on the way.
 *
 * What JSON has no word for travels tagged: undefined, NaN and the infinities, -0, bytes and
 * Float64Array. The socket belongs to one user, who is trusted; the doors to others are elsewhere.
 */
import * as fs from 'node:fs'
import * as http from 'node:http'
import * as net from 'node:net'
import * as os from 'node:os'
import * as path from 'node:path'
import { AssayError, defineErrors, unexpected } from './errors.ts'
import { sha256Hex } from './hash.ts'
import { decodeValue, encodeValue } from './rpc-values.ts'

const fail = defineErrors({
  peer_unavailable: {
    status: 503,
    title: 'A part of Assay is not running',
    action: 'Try again in a moment; if it stays away, look for its name in the log.',
  },
  peer_failed: {
    status: 502,
    title: 'A part of Assay failed unexpectedly',
    action: 'Look for the failed call in the log, and report the defect with what you find there.',
  },
  peer_timeout: {
    status: 504,
    title: 'A part of Assay did not answer in time',
    action: 'Try again with less work at a time.',
  },
  call_too_large: {
    status: 413,
    title: 'A call between parts of Assay is too large',
    action: 'Send less at a time.',
  },
  call_unknown: {
    status: 404,
    title: 'A part of Assay does not offer this call',
    action: 'Run all parts of Assay in the same version.',
  },
  socket_in_use: {
    status: 409,
    title: 'The local socket is taken',
    action: 'Stop the other Assay that uses this home directory, or start with another one.',
  },
})

/** The methods of a service as seen from another process: all of them answer with a promise. */
export type Remote<T> = {
  readonly [K in keyof T as T[K] extends (...args: never[]) => unknown ? K : never]: T[K] extends (
    ...args: infer Args
  ) => infer Result
    ? (...args: Args) => Promise<Awaited<Result>>
    : never
}

export interface RpcServer {
  /** The address it listens on, as `net.connect` takes it. */
  readonly address: string
  /** Answers the calls that are running, takes no new ones, and removes the socket. */
  close(): Promise<void>
}

export interface ServeOptions {
  /** How long a call's arguments may be. Default 64 MiB. */
  readonly maxBytes?: number
  /** Told of defects: what was thrown that is no AssayError. Default: to standard error. */
  readonly onDefect?: (error: unknown, call: string) => void
}

export interface RemoteOptions {
  /** How long to wait for an answer. Default 10 minutes. */
  readonly timeoutMs?: number
  /** How long an answer may be. Default 64 MiB. */
  readonly maxBytes?: number
}

const BYTES_MAX = 64 * 1024 * 1024
const TIMEOUT_MS = 10 * 60 * 1000
const CONNECTIONS_MAX = 64
/** A socket's path must fit `sockaddr_un`: 104 bytes on macOS, 108 on Linux. */
const SOCKET_PATH_MAX = 100

type Services = Readonly<Record<string, object>>

/** Serves services on a local socket: a path, or on Windows a pipe named after the path. */
export async function serveRpc(
  socketPath: string,
  services: Services,
  options: ServeOptions = {},
): Promise<RpcServer> {
  const server = http.createServer(rpcListener(services, options))
  // Clients keep connections as long as they like; a race at their end would cost a retry.
  server.keepAliveTimeout = 0
  server.on('request', (_, response: http.ServerResponse) => {
    // A connection that becomes idle after the server was closed would keep it from ending.
    response.once('close', () => {
      if (!server.listening) setImmediate(() => server.closeIdleConnections())
    })
  })
  const address = await listenLocally(server, socketPath)
  return {
    address,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeIdleConnections()
      }),
  }
}

/** The request listener behind `serveRpc`, for a server that also answers something else. */
export function rpcListener(services: Services, options: ServeOptions = {}): http.RequestListener {
  return (request, response) => {
    void answer(request, response, services, options)
  }
}

/**
 * Lets a server listen on a local socket that only this user may open. A socket file left behind
 * by a process that died is replaced; one that answers is refused with `socket_in_use`.
 */
export async function listenLocally(server: net.Server, socketPath: string): Promise<string> {
  const address = localAddress(socketPath)
  try {
    await listen(server, address)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    if (process.platform === 'win32' || !isSocket(address) || (await answers(address))) {
      throw fail.socket_in_use(`${socketPath} is in use.`, { cause: error })
    }
    fs.rmSync(address, { force: true })
    await listen(server, address)
  }
  if (process.platform !== 'win32') fs.chmodSync(address, 0o600)
  return address
}

/** Where a socket path is really listened on: a pipe on Windows, a short path where it is long. */
export function localAddress(socketPath: string): string {
  const absolute = path.resolve(socketPath)
  const digest = sha256Hex(absolute).slice(0, 24)
  if (process.platform === 'win32') return `\\\\.\\pipe\\assay-${digest}`
  if (Buffer.byteLength(absolute) <= SOCKET_PATH_MAX) return absolute
  return path.join(os.tmpdir(), `assay-${digest}.sock`)
}

/**
 * A service in another process. Every call rejects with the AssayError that the service threw, or
 * with `peer_unavailable` (nothing listens, or it died during the call), `peer_failed` (a defect
 * there) or `peer_timeout`. Nothing is retried: whether a call may run twice is the caller's.
 */
export function remote<T extends object>(
  socketPath: string,
  service: string,
  { timeoutMs = TIMEOUT_MS, maxBytes = BYTES_MAX }: RemoteOptions = {},
): Remote<T> {
  const peer = { address: localAddress(socketPath), service, timeoutMs, maxBytes }
  const methods = new Map<string, (...args: unknown[]) => Promise<unknown>>()
  return new Proxy({} as Remote<T>, {
    get(_, name) {
      // A promise resolved with the proxy asks for `then`; it must not become a call.
      if (typeof name !== 'string' || name === 'then') return undefined
      let method = methods.get(name)
      if (method === undefined) {
        method = (...args) => call(peer, name, args)
        methods.set(name, method)
      }
      return method
    },
  })
}

interface Peer {
  readonly address: string
  readonly service: string
  readonly timeoutMs: number
  readonly maxBytes: number
}

/** Connections stay open between calls; an idle one does not keep the process alive. */
const agent = new http.Agent({ keepAlive: true, maxSockets: CONNECTIONS_MAX })

async function call(peer: Peer, method: string, args: readonly unknown[]): Promise<unknown> {
  const name = `${peer.service}.${method}`
  const body = Buffer.from(JSON.stringify(encodeValue(args)))
  if (body.length > peer.maxBytes) {
    throw fail.call_too_large(`The arguments of ${name} have ${body.length} bytes.`)
  }
  const { status, bytes } = await exchange(peer, method, body)
  const answered = readAnswer(bytes, name)
  if (status === 200) return decodeValue(answered['result'])
  throw decodeError(answered['error'], name)
}

function readAnswer(bytes: Buffer, name: string): Record<string, unknown> {
  try {
    return JSON.parse(bytes.toString()) as Record<string, unknown>
  } catch (cause) {
    throw fail.peer_failed(`The answer to ${name} is not readable.`, { cause })
  }
}

interface Exchanged {
  readonly status: number
  readonly bytes: Buffer
}

function exchange(peer: Peer, method: string, body: Buffer): Promise<Exchanged> {
  const name = `${peer.service}.${method}`
  return new Promise((resolve, reject) => {
    const request = http.request({
      socketPath: peer.address,
      method: 'POST',
      path: `/rpc/${encodeURIComponent(peer.service)}/${encodeURIComponent(method)}`,
      headers: { 'content-type': 'application/json', 'content-length': body.length },
      agent,
    })
    const timer = setTimeout(() => {
      request.destroy()
      reject(fail.peer_timeout(`${name} did not answer within ${peer.timeoutMs} ms.`))
    }, peer.timeoutMs)
    const lost = (cause: NodeJS.ErrnoException): void => {
      clearTimeout(timer)
      reject(unavailable(peer, name, cause))
    }
    request.on('error', lost)
    request.on('response', (response) => {
      collect(response, peer.maxBytes).then(
        (bytes) => {
          clearTimeout(timer)
          resolve({ status: response.statusCode ?? 500, bytes })
        },
        (error: NodeJS.ErrnoException) => {
          clearTimeout(timer)
          reject(error instanceof AssayError ? error : unavailable(peer, name, error))
        },
      )
    })
    request.end(body)
  })
}

function unavailable(peer: Peer, name: string, cause: NodeJS.ErrnoException): AssayError {
  const why = cause.code ?? cause.message
  return fail.peer_unavailable(`${name} cannot be reached at ${peer.address} (${why}).`, {
    cause,
    extra: { retryAfter: 1 },
  })
}

/** Reads a whole body, and stops at the bound. */
function collect(stream: http.IncomingMessage, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let length = 0
    stream.on('data', (chunk: Buffer) => {
      length += chunk.length
      if (length <= maxBytes) {
        chunks.push(chunk)
      } else {
        chunks.length = 0
        reject(fail.call_too_large(`A body of more than ${maxBytes} bytes was stopped.`))
        stream.resume()
      }
    })
    stream.on('end', () => resolve(Buffer.concat(chunks)))
    stream.on('error', reject)
    stream.on('aborted', () => reject(Object.assign(new Error('aborted'), { code: 'ECONNRESET' })))
  })
}

async function answer(
  request: http.IncomingMessage,
  response: http.ServerResponse,
  services: Services,
  options: ServeOptions,
): Promise<void> {
  const name = request.url ?? ''
  try {
    const method = findMethod(request, services)
    const bytes = await collect(request, options.maxBytes ?? BYTES_MAX)
    const args = decodeValue(JSON.parse(bytes.toString() || '[]'))
    if (!Array.isArray(args)) throw fail.call_unknown('The arguments of a call are a JSON array.')
    send(response, 200, { result: encodeValue(await method(...(args as unknown[]))) })
  } catch (error) {
    if (!(error instanceof AssayError)) (options.onDefect ?? reportDefect)(error, name)
    const known = error instanceof AssayError ? error : unexpected(error)
    send(response, known.status, { error: encodeError(known) })
  }
}

function findMethod(
  request: http.IncomingMessage,
  services: Services,
): (...args: unknown[]) => unknown {
  const match = /^\/rpc\/([^/?]+)\/([^/?]+)$/.exec(request.url ?? '')
  const service = decodeURIComponent(match?.[1] ?? '')
  const name = decodeURIComponent(match?.[2] ?? '')
  const found = Object.hasOwn(services, service) ? services[service] : undefined
  const method = found === undefined ? undefined : (found as Record<string, unknown>)[name]
  // What every object has (constructor, toString …) is no part of a service.
  const offered = typeof method === 'function' && !(name in Object.prototype)
  if (request.method !== 'POST' || !offered) {
    throw fail.call_unknown(`There is no call ${service}.${name}.`)
  }
  return (...args) => (method as (...args: unknown[]) => unknown).apply(found, args)
}

function send(response: http.ServerResponse, status: number, body: unknown): void {
  const bytes = Buffer.from(JSON.stringify(body))
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': bytes.length,
  })
  response.end(bytes)
}

function reportDefect(error: unknown, call: string): void {
  const shown = error instanceof Error ? (error.stack ?? error.message) : String(error)
  process.stderr.write(`A local call failed: ${call}\n${shown}\n`)
}

function encodeError(error: AssayError): unknown {
  const { code, status, title, action, detail, extra } = error
  return { code, status, title, action, detail, extra: encodeValue(extra ?? {}) }
}

/** The same AssayError on this side. A defect over there is named as such, with the call. */
function decodeError(sent: unknown, name: string): AssayError {
  const error = (sent ?? {}) as Partial<AssayError>
  if (error.code === undefined || error.code === 'internal_error') {
    return fail.peer_failed(`The call ${name} failed.`)
  }
  const definition = {
    status: error.status ?? 500,
    title: error.title ?? error.code,
    action: error.action ?? '',
  }
  const extra = decodeValue(error.extra ?? {}) as Record<string, unknown>
  return new AssayError(error.code, definition, error.detail ?? '', { extra })
}

function listen(server: net.Server, address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(address, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

function isSocket(file: string): boolean {
  return fs.lstatSync(file, { throwIfNoEntry: false })?.isSocket() ?? true
}

function answers(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(address)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
