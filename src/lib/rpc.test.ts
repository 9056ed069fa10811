import { spawn } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import * as http from 'node:http'
import { tmpdir } from 'node:os'
import * as path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { defineErrors } from './errors.ts'
import { localAddress, remote, serveRpc, type RpcServer, type ServeOptions } from './rpc.ts'

const fail = defineErrors({
  soup_salty: { status: 422, title: 'The soup is salty', action: 'Add water.' },
})

class Kitchen {
  private cooked = 0
  cook(name: string, times: number): { name: string; times: number } {
    this.cooked += times
    return { name, times }
  }
  total(): number {
    return this.cooked
  }
  nothing(): void {
    // Answers undefined.
  }
  async bytes(content: Uint8Array): Promise<Uint8Array> {
    return content.map((byte) => byte + 1)
  }
  salty(): never {
    throw fail.soup_salty('Far too salty.', { extra: { grams: 12, taste: NaN } })
  }
  broken(): never {
    throw new Error('the secret recipe')
  }
  async slow(): Promise<string> {
    await new Promise((resolve) => setTimeout(resolve, 200))
    return 'done'
  }
  echo(value: unknown): unknown {
    return value
  }
}

let directory: string
let socket: string
let servers: RpcServer[]

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'assay-rpc-'))
  socket = path.join(directory, 'kitchen.sock')
  servers = []
})
afterEach(async () => {
  await Promise.all(servers.map((server) => server.close()))
  await rm(directory, { recursive: true })
})

async function serve(options?: ServeOptions, at = socket): Promise<RpcServer> {
  const server = await serveRpc(at, { kitchen: new Kitchen() }, { onDefect: () => {}, ...options })
  servers.push(server)
  return server
}

describe('a call to another process', () => {
  test('gives the arguments to the method and its result back', async () => {
    await serve()
    const kitchen = remote<Kitchen>(socket, 'kitchen')
    expect(await kitchen.cook('soup', 2)).toEqual({ name: 'soup', times: 2 })
    expect(await kitchen.total()).toBe(2)
    expect(await kitchen.nothing()).toBeUndefined()
    expect(await kitchen.bytes(Uint8Array.of(1, 2))).toEqual(Uint8Array.of(2, 3))
    expect(await kitchen.echo({ a: [undefined, NaN] })).toEqual({ a: [undefined, NaN] })
  })

  test('rejects with the AssayError that the method threw', async () => {
    await serve()
    await expect(remote<Kitchen>(socket, 'kitchen').salty()).rejects.toMatchObject({
      name: 'AssayError',
      code: 'soup_salty',
      status: 422,
      title: 'The soup is salty',
      action: 'Add water.',
      detail: 'Far too salty.',
      extra: { grams: 12, taste: NaN },
    })
  })

  test('tells of a defect over there without its message, which goes to the log there', async () => {
    const defects: unknown[] = []
    await serve({ onDefect: (error, call) => defects.push([(error as Error).message, call]) })
    const broken = await remote<Kitchen>(socket, 'kitchen')
      .broken()
      .catch((error: Error) => error)
    expect(broken).toMatchObject({ code: 'peer_failed', status: 502 })
    expect(String(broken)).not.toContain('secret')
    expect(defects).toEqual([['the secret recipe', '/rpc/kitchen/broken']])
  })

  test('rejects with peer_unavailable where nothing listens, or nothing listens any more', async () => {
    const kitchen = remote<Kitchen>(socket, 'kitchen')
    const expected = { code: 'peer_unavailable', status: 503, extra: { retryAfter: 1 } }
    await expect(kitchen.total()).rejects.toMatchObject(expected)
    const server = await serve()
    expect(await kitchen.total()).toBe(0)
    await server.close()
    await expect(kitchen.total()).rejects.toMatchObject(expected)
    await serve()
    expect(await kitchen.total()).toBe(0)
  })

  test('rejects with peer_timeout where the answer takes too long', async () => {
    await serve()
    const kitchen = remote<Kitchen>(socket, 'kitchen', { timeoutMs: 20 })
    await expect(kitchen.slow()).rejects.toMatchObject({ code: 'peer_timeout', status: 504 })
    expect(await remote<Kitchen>(socket, 'kitchen').slow()).toBe('done')
  })

  test('rejects for services and methods that are not offered', async () => {
    await serve()
    type Other = Record<string, () => void>
    for (const name of ['constructor', 'toString', '__proto__', 'cooked', 'none']) {
      const call = remote<Other>(socket, 'kitchen')[name]
      await expect(call()).rejects.toMatchObject({ code: 'call_unknown' })
    }
    await expect(remote<Other>(socket, 'toString')['total']()).rejects.toMatchObject({
      code: 'call_unknown',
    })
  })

  test('is bounded in what it sends and in what it takes back', async () => {
    await serve({ maxBytes: 1000 })
    const kitchen = remote<Kitchen>(socket, 'kitchen')
    const long = 'x'.repeat(2000)
    await expect(kitchen.echo(long)).rejects.toMatchObject({ code: 'call_too_large', status: 413 })
    const modest = remote<Kitchen>(socket, 'kitchen', { maxBytes: 100 })
    await expect(modest.echo(long)).rejects.toMatchObject({ code: 'call_too_large' })
    await expect(modest.echo('x'.repeat(95))).rejects.toMatchObject({ code: 'call_too_large' })
    expect(await kitchen.echo('short')).toBe('short')
  })

  test('may run beside many others', async () => {
    await serve()
    const kitchen = remote<Kitchen>(socket, 'kitchen')
    const calls = Array.from({ length: 300 }, (_, i) => kitchen.echo(i))
    expect(await Promise.all(calls)).toEqual(calls.map((_, i) => i))
  })

  test('is not mistaken for a promise', async () => {
    await serve()
    const kitchen = await Promise.resolve(remote<Kitchen>(socket, 'kitchen'))
    expect(await kitchen.total()).toBe(0)
  })
})

describe('a server', () => {
  test('answers the calls that are running before it closes', async () => {
    const server = await serve()
    const running = remote<Kitchen>(socket, 'kitchen').slow()
    await new Promise((resolve) => setTimeout(resolve, 50))
    await server.close()
    expect(await running).toBe('done')
  })

  test('refuses an address on which another one answers, and leaves that one alone', async () => {
    await serve()
    await expect(serve()).rejects.toMatchObject({ code: 'socket_in_use' })
    expect(await remote<Kitchen>(socket, 'kitchen').total()).toBe(0)
  })

  test.skipIf(process.platform === 'win32')(
    'replaces the socket of a process that died',
    async () => {
      const script = `
      require('node:net').createServer().listen(${JSON.stringify(socket)}, () => {
        process.kill(process.pid, 'SIGKILL')
      })
    `
      const child = spawn(process.execPath, ['-e', script])
      await new Promise((resolve) => child.once('close', resolve))
      expect(existsSync(socket)).toBe(true)
      await serve()
      expect(await remote<Kitchen>(socket, 'kitchen').total()).toBe(0)
      expect(statSync(socket).mode & 0o077).toBe(0)
    },
  )

  test.skipIf(process.platform === 'win32')('leaves a file that is no socket alone', async () => {
    await writeFile(socket, 'precious')
    await expect(serve()).rejects.toThrow()
    expect(statSync(socket).size).toBe(8)
  })

  test('listens at a short address where the path is too long for a socket', async () => {
    const long = path.join(directory, 'x'.repeat(120), 'kitchen.sock')
    expect(localAddress(long)).toBe(localAddress(long))
    expect(localAddress(long).length).toBeLessThan(100)
    await serve({}, long)
    expect(await remote<Kitchen>(long, 'kitchen').total()).toBe(0)
  })

  test('answers what is no call with an error', async () => {
    const { address } = await serve()
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const request = http.get({ socketPath: address, path: '/rpc/kitchen/total' })
      request.on('response', (response) => resolve(response.resume().statusCode))
      request.on('error', reject)
    })
    expect(status).toBe(404)
  })
})
