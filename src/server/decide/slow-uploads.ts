// Large files may take longer than any other request, as long as they go on arriving.
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { arrival, refuseConnection } from '../refusals.ts'

/** Files of MLflow's door, and files that people bring to learn from. */
const UPLOADS =
  /^\/(?:(?:ajax-)?api\/2\.0\/mlflow-artifacts\/(?:artifacts|mpu\/part)\/|api\/v1\/learning\/files(?:[/?]|$))/

/** What an upload must bring in each span of two minutes: 2 KB a second. */
const LEAST_BYTES = 256 * 1024

export interface SlowUploads {
  /** Lets a request go on past the limit of arrival while bytes of it come. */
  watch(request: IncomingMessage): void
  /** For errors of connections: those of uploads that go on are none. */
  refuse(error: NodeJS.ErrnoException, socket: Duplex): void
}

/**
 * Node ends a request that has not arrived whole in `arrival.requestTimeout`. It says so once, as an
 * error of the connection; from then on the upload is watched here.
 */
export function createSlowUploads(spanMs: number = arrival.requestTimeout): SlowUploads {
  const watched = new WeakSet<Duplex>()
  return {
    watch(request) {
      const { socket, url = '' } = request
      if (!UPLOADS.test(url)) return
      watched.add(socket)
      let before = socket.bytesRead
      const timer = setInterval(() => {
        const came = socket.bytesRead - before
        before = socket.bytesRead
        if (came >= LEAST_BYTES) return
        end()
        refuseConnection(Object.assign(new Error('Too slow'), { code: TOO_SLOW }), socket)
      }, spanMs)
      const end = () => {
        clearInterval(timer)
        watched.delete(socket)
      }
      request.once('end', end)
      request.once('close', end)
    },
    refuse(error, socket) {
      if (error.code === TOO_SLOW && watched.has(socket)) return
      refuseConnection(error, socket)
    },
  }
}

const TOO_SLOW = 'ERR_HTTP_REQUEST_TIMEOUT'
