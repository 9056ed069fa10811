// Every door answers a body that is far too large, also to a client that listens only once it has sent
// everything, as many do.
import { once } from 'node:events'
import { connect } from 'node:net'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { startServer, temporaryDirectory, type TestServer } from './server.ts'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

let server: TestServer
beforeAll(async () => {
  const project = temporaryDirectory('nothing')
  server = await startServer({ home: temporaryDirectory('large'), project })
})
afterAll(async () => {
  await server?.stop()
})

const BLOCK = Buffer.alloc(64 * 1024, 'x')
const BLOCKS = 1280

interface Sent {
  readonly path: string
  readonly key: string | undefined
  readonly isChunked: boolean
}

/** Sends 80 MiB, and only then reads what the server says, to its end. */
async function sendAll({ path, key, isChunked }: Sent): Promise<string> {
  const { hostname, port } = new URL(server.url)
  const socket = connect({ host: hostname, port: Number(port) })
  socket.pause()
  await once(socket, 'connect')
  const frame = isChunked
    ? Buffer.concat([Buffer.from('10000\r\n'), BLOCK, Buffer.from('\r\n')])
    : BLOCK
  const length = isChunked
    ? 'transfer-encoding: chunked'
    : `content-length: ${BLOCKS * BLOCK.length}`
  const admission = key === undefined ? '' : `authorization: Bearer ${key}\r\n`
  socket.write(
    `POST ${path} HTTP/1.1\r\nhost: ${hostname}:${port}\r\n${admission}` +
      `content-type: application/json\r\n${length}\r\n\r\n`,
  )
  for (let sent = 0; sent < BLOCKS; sent++) {
    if (!socket.write(frame)) await once(socket, 'drain')
  }
  if (isChunked) socket.write('0\r\n\r\n')
  socket.setEncoding('utf8')
  let answer = ''
  for await (const piece of socket) {
    answer += piece
    const [head, body] = answer.split('\r\n\r\n', 2)
    const whole = Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? Number.NaN)
    if (body !== undefined && Buffer.byteLength(body) >= whole) break
  }
  socket.destroy()
  return answer
}

test.each([
  ['decisions', '/api/v1/decisions/tiny', '"code":"body_too_large"'],
  ['events', '/api/v1/events/fraud', '"code":"body_too_large"'],
  ['the API', '/api/v1/session', '"code":"body_too_large"'],
  ['prediction', '/v2/models/tiny/infer', '"error":"The body has'],
  ['MLflow', '/api/2.0/mlflow/runs/log-batch', '"error_code":"BAD_REQUEST"'],
  ['nothing', '/invocations', '"code":"body_too_large"'],
])('a body of 80 MB for %s is refused, and whoever sends it hears why', async (_, path, why) => {
  for (const isChunked of [false, true]) {
    const answer = await sendAll({ path, key: server.key, isChunked })
    expect(answer).toMatch(/^HTTP\/1\.1 413 /)
    expect(answer).toContain(why)
    // Who may not send anything hears that, or that it is too much.
    expect(await sendAll({ path, key: undefined, isChunked })).toMatch(/^HTTP\/1\.1 4(?:01|13) /)
  }
})
