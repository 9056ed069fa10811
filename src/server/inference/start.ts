/** A server of nothing but the door of prediction: for one model at the edge. */
import * as http from 'node:http'
import type { AddressInfo } from 'node:net'
import { doorErrors } from '../decide/errors.ts'
import { arrival, refuseConnection } from '../refusals.ts'
import type { RunningGrpcDoor } from './grpc.ts'
import { createInferenceDoor, type InferenceDoorOptions } from './rest.ts'

export interface InferenceServerOptions extends InferenceDoorOptions {
  readonly host: string
  /** 0 takes any free port. */
  readonly port: number
  /** Of the gRPC door; absent: there is none. */
  readonly grpcPort?: number | undefined
}

export interface RunningInferenceServer {
  readonly url: string
  readonly grpcPort: number | undefined
  /** Takes nothing new, answers what is on its way for at most so long, closes. */
  close(graceMs: number): Promise<void>
}

const CONNECTIONS_MAX = 1024

/** Errors: `port_in_use`, `address_unavailable`. */
export async function startInferenceServer(
  options: InferenceServerOptions,
): Promise<RunningInferenceServer> {
  const door = createInferenceDoor(options)
  const server = http.createServer(arrival, door.handle)
  server.maxConnections = CONNECTIONS_MAX
  server.on('clientError', refuseConnection)
  await listen(server, options)
  const grpc = await openGrpc(options)
  const { address, family, port } = server.address() as AddressInfo
  return {
    url: `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`,
    grpcPort: grpc?.port,
    async close(graceMs) {
      door.drain()
      const ended = grpc?.close(graceMs)
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeIdleConnections()
      const grace = setTimeout(() => server.closeAllConnections(), graceMs)
      await closed
      clearTimeout(grace)
      await ended
    },
  }
}

/**
 * The gRPC door, where a port of it is named: it would double what a small process takes to start.
 * Error: `port_in_use`.
 */
export async function openGrpc({
  grpcPort,
  onDefect,
  ...options
}: InferenceDoorOptions & Pick<InferenceServerOptions, 'host' | 'grpcPort'>): Promise<
  RunningGrpcDoor | undefined
> {
  if (grpcPort === undefined) return undefined
  const { startGrpcDoor } = await import('./grpc.ts')
  return startGrpcDoor({
    ...options,
    port: grpcPort,
    onDefect: (error, url) => onDefect(error, { method: 'POST', url }),
  })
}

function listen(
  server: http.Server,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const fail =
        cause.code === 'EADDRINUSE' ? doorErrors.port_in_use : doorErrors.address_unavailable
      reject(fail(`${host}:${port} cannot be listened on (${cause.code}).`, { cause }))
    })
    server.listen({ host, port, backlog: 1024 }, resolve)
  })
}
