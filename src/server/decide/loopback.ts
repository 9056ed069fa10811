// A front door for one process that asks nobody who they are, on this machine alone. What protects it
// is where it listens, and that browsers say on whose behalf they ask.
import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import { BlockList, isIP, type AddressInfo } from 'node:net'
import { toProblem } from '../../lib/errors.ts'
import { arrival, throwAway } from '../refusals.ts'
import { doorErrors } from './errors.ts'
import { createSlowUploads } from './slow-uploads.ts'
import { listenFailure } from './start.ts'
import { refuseCrossSite, refuseForeignHost } from './who.ts'

interface LoopbackDoor {
  readonly url: string
  /** Ends what is on its way. */
  close(): void
}

/** Errors: `not_loopback`, `port_in_use`, `address_unavailable`. A port of 0 takes any free one. */
export async function openLoopbackDoor(
  answer: RequestListener,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<LoopbackDoor> {
  refuseReachable(host)
  const slowUploads = createSlowUploads()
  const server = createServer({ ...arrival, requireHostHeader: false }, (request, response) => {
    try {
      refuseForeign(request)
    } catch (error) {
      const problem = toProblem(error)
      throwAway(request)
      response.writeHead(problem.status, { 'content-type': 'application/problem+json' })
      response.end(JSON.stringify(problem))
      return
    }
    slowUploads.watch(request)
    answer(request, response)
  })
  server.on('clientError', slowUploads.refuse)
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => reject(listenFailure(cause, { host, port })))
    server.listen({ host, port, backlog: 1024 }, resolve)
  })
  const { address, family, port: taken } = server.address() as AddressInfo
  return {
    url: `http://${family === 'IPv6' ? `[${address}]` : address}:${taken}`,
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
}

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')
loopback.addAddress('::1', 'ipv6')

/** Error: `not_loopback` where others could reach the address. */
export function refuseReachable(host: string): void {
  const family = isIP(host)
  const isOwn =
    host === 'localhost' || (family !== 0 && loopback.check(host, family === 6 ? 'ipv6' : 'ipv4'))
  if (!isOwn) throw doorErrors.not_loopback(`${host} can be reached from other machines.`)
}

/** A page of another site reaches this machine through the browser of whoever looks at it. */
function refuseForeign({ method, headers }: IncomingMessage): void {
  refuseForeignHost(headers.host, new Set())
  if (method !== 'GET' && method !== 'HEAD') refuseCrossSite(headers)
}
