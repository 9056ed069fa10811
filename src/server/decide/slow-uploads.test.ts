import * as http from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import { createSlowUploads } from './slow-uploads.ts'

const upload = '/api/2.0/mlflow-artifacts/artifacts/1/r/artifacts/x'
let server: http.Server | undefined
afterEach(() => {
  server?.closeAllConnections()
  server?.close()
})

/** A door whose two minutes are a quarter of a second. */
async function open(): Promise<number> {
  const spanMs = 250
  const slow = createSlowUploads(spanMs)
  const options = { requestTimeout: spanMs, headersTimeout: 200, connectionsCheckingInterval: 50 }
  server = http.createServer(options, (request, response) => {
    slow.watch(request)
    let bytes = 0
    request.on('data', (chunk: Buffer) => (bytes += chunk.length))
    request.on('end', () => response.end(String(bytes)))
  })
  server.on('clientError', slow.refuse)
  await new Promise<void>((resolve) => void server!.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

/** Sends one piece after another with a pause, and gives status and body of the answer. */
function send(port: number, path: string, pieces: number, bytes: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = http.request({ port, host: '127.0.0.1', path, method: 'PUT' }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (text += chunk))
      response.on('end', () => resolve(`${response.statusCode} ${text.slice(0, 40)}`))
    })
    request.on('error', reject)
    void (async () => {
      for (let piece = 0; piece < pieces && !request.destroyed; piece++) {
        request.write(Buffer.alloc(bytes))
        await sleep(60)
      }
      request.end()
    })()
  })
}

test('a large file may take longer than the limit while it goes on arriving', async () => {
  const port = await open()
  expect(await send(port, upload, 12, 300_000)).toBe('200 3600000')
})

test('one that hardly moves is ended, and so is any other slow request', async () => {
  const port = await open()
  const outcome = (path: string, bytes: number) =>
    send(port, path, 30, bytes).catch((error: NodeJS.ErrnoException) => `cut ${error.code}`)
  expect(await outcome(upload, 10)).toMatch(/^(?:408|cut)/)
  expect(await outcome('/api/v1/policies', 300_000)).toMatch(/^(?:408|cut)/)
})
