import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { mayConnect } from './address.ts'
import { createWebhookSender, type SenderOptions } from './send.ts'

async function receiver(answer: RequestListener): Promise<string> {
  const server = createServer(answer)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`
}

const closed: SenderOptions = { allowPrivate: false }
const post = (url: string, options: SenderOptions = closed) =>
  createWebhookSender(options)({ url, headers: { 'x-a': '1' }, body: '{"ä":1}' })

describe('the sender', () => {
  test('posts the body with its headers and reads the answer', async () => {
    const seen: string[] = []
    const url = await receiver((request, response) => {
      request.setEncoding('utf8')
      request.on('data', (part: string) => seen.push(part))
      request.on('end', () => response.writeHead(201).end(String(request.headers['x-a'])))
    })
    expect(await post(url)).toEqual({ status: 201, body: '1' })
    expect(seen.join('')).toBe('{"ä":1}')
  })

  test('follows no redirect', async () => {
    let asked = 0
    const url = await receiver((_, response) => {
      asked += 1
      response.writeHead(302, { location: '/other' }).end()
    })
    expect(await post(url)).toEqual({ status: 302, body: '' })
    expect(asked).toBe(1)
  })

  test('reads only so much of an answer', async () => {
    const url = await receiver((_, response) => response.end('x'.repeat(1_000_000)))
    const outcome = await post(url)
    expect('body' in outcome && outcome.body.length).toBe(16 * 1024)
  })

  test('gives up on a receiver that does not answer', async () => {
    const url = await receiver(() => {})
    const outcome = await post(url, { ...closed, attemptMs: 50 })
    expect(outcome).toEqual({ error: 'It did not answer in time.' })
  })

  test('takes a change of protocol for no answer', async () => {
    const url = await receiver((_, response) => {
      response.socket?.end(
        'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n',
      )
    })
    expect(await post(url)).toEqual({ error: 'It ended the connection without an answer.' })
  })

  test('says that nobody listens', async () => {
    const outcome = await post('http://127.0.0.1:1/hook')
    expect('error' in outcome && outcome.error).toContain('ECONNREFUSED')
  })

  test('does not connect to a private address behind a public name', async () => {
    const resolve: SenderOptions['resolve'] = (_, done) =>
      done(null, [
        { address: '93.184.216.34', family: 4 },
        { address: '10.0.0.8', family: 4 },
      ])
    const outcome = await post('https://example.com/hook', { ...closed, resolve })
    expect(outcome).toEqual({ error: 'example.com is 10.0.0.8, which is not a public address.' })
  })
})

test.each([
  ['8.8.8.8', 'a.example', false, true],
  ['2606:4700::1111', 'a.example', false, true],
  ['10.0.0.1', 'a.example', false, false],
  ['10.0.0.1', 'a.example', true, true],
  ['127.0.0.1', 'a.example', true, false],
  ['127.0.0.1', 'localhost', false, true],
  ['8.8.8.8', 'localhost', false, false],
  ['169.254.169.254', 'a.example', true, false],
  ['100.100.0.1', 'a.example', false, false],
  ['::ffff:10.0.0.1', 'a.example', false, false],
  ['64:ff9b::a00:1', 'a.example', false, false],
  ['2002:a00:1::', 'a.example', false, false],
  ['fe80::1', 'a.example', true, false],
  ['fd00::1', 'a.example', true, true],
  ['nonsense', 'a.example', true, false],
])('%s for %s, private networks allowed: %s → %s', (address, host, allowPrivate, allowed) => {
  expect(mayConnect(address, host, { allowPrivate })).toBe(allowed)
})
