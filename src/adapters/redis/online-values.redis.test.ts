import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient } from '@redis/client'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { repositoryRoot } from '../../../test/source-text.ts'
import { needs, toolPath } from '../../../test/tools.ts'
import { codeOf, onlineEntity, onlineSet } from '../../features/online-calls.cases.ts'
import { onlineValuesCases } from '../../features/online.cases.ts'
import type { OnlineValues } from '../../features/index.ts'
import type { RedisOnlineOptions } from './index.ts'
import { openRedisOnlineValues } from './index.ts'
import type { TestServer } from './server.cases.ts'
import { redisCli, startTestServer } from './server.cases.ts'

describe.skipIf(!needs('redis'))('with a real server', () => {
  onlineValuesCases('Redis', async () => {
    const server = await startTestServer(toolPath('redis'))
    const values = await patient({ url: server.url })
    const other = await patient({ url: server.url })
    return {
      values,
      other,
      wait: (us) => new Promise((resolve) => setTimeout(resolve, us / 1000)),
      async end() {
        await Promise.all([values.close(), other.close()])
        await server.end()
      },
    }
  })

  describe('a reader with an ordinary client', () => {
    let server: TestServer
    let values: OnlineValues
    beforeAll(async () => {
      server = await startTestServer(toolPath('redis'))
      values = await patient({ url: server.url })
    })
    afterAll(async () => {
      await values.close()
      await server.end()
    })

    test('finds a hash an entity, with the names of its features', async () => {
      const version = 'fa1afe1'.padEnd(64, '0')
      const set = onlineSet({ version, entity: ['customer_id', 'merchant_id'] })
      await values.declare(set)
      await values.write(set, [onlineEntity([42, 'M,17'], [0.1, Number.NaN, 1e21], 7)])
      const key = 'assay:online:live:fa1afe1000000000:customer_id+merchant_id:i:42,t:M%2C17'
      expect(redisCli(server, 'HGETALL', key).trim().replaceAll('\n', ' ')).toBe(
        '@sequence 7 @as_of_us 7000000 a 0.1 b NaN c 1e+21',
      )
      const register = redisCli(server, 'HGETALL', 'assay:online:live:sets').trim().split('\n')
      expect(register[0]).toBe('fa1afe1000000000:customer_id+merchant_id')
      expect(JSON.parse(register[1])).toEqual({
        name: 'behaviour',
        version,
        entity: ['customer_id', 'merchant_id'],
        features: ['a', 'b', 'c'],
        timeToLiveUs: null,
      })
    })

    test('keys of another kind are told by name, and left alone', async () => {
      const set = onlineSet()
      await values.declare(set)
      const key = `assay:online:live:${set.version.slice(0, 16)}:customer_id:i:1`
      redisCli(server, 'SET', key, 'mine')
      const write = values.write(set, [onlineEntity([2], [1, 2, 3]), onlineEntity([1], [1, 2, 3])])
      await expect(write).rejects.toMatchObject({ code: 'online_value_damaged' })
      await expect(write).rejects.toThrow(key)
      const read = values.read(set, { keys: [[2], [1]], features: ['a'] })
      await expect(read).rejects.toMatchObject({ code: 'online_value_damaged' })
      await expect(read).rejects.toThrow(key)
      expect(redisCli(server, 'GET', key).trim()).toBe('mine')
    })

    test.each([
      ['a value that is no number', ['a', 'much']],
      ['an empty value', ['a', '']],
      ['a sequence that is none', ['@sequence', 'x']],
    ])('%s is damage, never a value', async (_name, fields) => {
      const set = onlineSet()
      await values.declare(set)
      await values.write(set, [onlineEntity([1], [1, 2, 3])])
      const key = `assay:online:live:${set.version.slice(0, 16)}:customer_id:i:1`
      redisCli(server, 'HSET', key, ...fields)
      const read = values.read(set, { keys: [[1]], features: ['a'] })
      expect(await codeOf(read)).toBe('online_value_damaged')
    })

    test('a lost feature is damage, a whole lost entity is absent', async () => {
      const set = onlineSet()
      await values.declare(set)
      await values.write(set, [onlineEntity([1], [1, 2, 3])])
      const key = `assay:online:live:${set.version.slice(0, 16)}:customer_id:i:1`
      redisCli(server, 'HDEL', key, 'a')
      const request = { keys: [[1]], features: ['a'] }
      expect(await codeOf(values.read(set, request))).toBe('online_value_damaged')
      redisCli(server, 'DEL', key)
      expect(await values.read(set, request)).toEqual([{ found: 'absent' }])
    })

    test('a retirement that was interrupted is finished by calling again', async () => {
      const set = onlineSet()
      await values.declare(set)
      await values.write(set, [onlineEntity([1], [1, 2, 3]), onlineEntity([2], [1, 2, 3])])
      const field = `${set.version.slice(0, 16)}:customer_id`
      redisCli(server, 'HDEL', 'assay:online:live:sets', field)
      expect(await values.retire(set)).toBe(2)
    })

    test('a register that something else wrote to is damage', async () => {
      const other = await openRedisOnlineValues({ url: server.url, prefix: 'scribbled' })
      redisCli(server, 'HSET', 'scribbled:live:sets', 'x:customer_id', '{"name":1}')
      expect(await codeOf(other.sets('live'))).toBe('online_value_damaged')
      const set = onlineSet()
      const field = `${set.version.slice(0, 16)}:customer_id`
      redisCli(server, 'HSET', 'scribbled:live:sets', field, 'no JSON')
      expect(await codeOf(other.declare(set))).toBe('online_value_damaged')
      await other.close()
    })

    test('two prefixes share a server and nothing else', async () => {
      const other = await openRedisOnlineValues({ url: server.url, prefix: 'elsewhere' })
      const set = onlineSet()
      await values.declare(set)
      expect(await other.sets('live')).toEqual([])
      await other.close()
    })

    test('a hundred thousand entities are written in batches, and found', async () => {
      const set = onlineSet()
      await values.declare(set)
      for (let from = 0; from < 100_000; from += 10_000) {
        const batch = Array.from({ length: 10_000 }, (_, i) => {
          return onlineEntity([from + i], [from + i, i, -i])
        })
        expect(await values.write(set, batch)).toEqual({ written: 10_000, outdated: 0 })
      }
      const keys = Array.from({ length: 10_000 }, (_, i) => [i * 10])
      const readings = await values.read(set, { keys, features: ['a'] })
      const found = readings.map((reading) => reading.found !== 'absent' && reading.values[0])
      expect(found).toEqual(keys.map(([key]) => key))
      expect(await values.retire(set)).toBe(100_000)
    })
  })
})

describe.skipIf(!needs('redis'))('a server that fails', () => {
  const ends: (() => Promise<void>)[] = []
  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end()
  })
  const serverWith = async (...options: string[]) => {
    const server = await startTestServer(toolPath('redis'), ...options)
    ends.push(() => server.end())
    return server
  }
  const opened = async (options: RedisOnlineOptions) => {
    const values = await patient(options)
    ends.push(() => values.close())
    return values
  }

  test('killed amid writes, it refuses at once, and serves again when it is back', async () => {
    const server = await serverWith()
    const troubles: string[] = []
    const values = await opened({ url: server.url, onTrouble: (detail) => troubles.push(detail) })
    const set = onlineSet()
    await values.declare(set)
    const batch = Array.from({ length: 5_000 }, (_, i) => onlineEntity([i], [1, 2, 3]))
    const writes = Array.from({ length: 10 }, () => codeOf(values.write(set, batch)))
    await server.kill()
    const codes = await Promise.all(writes)
    expect(codes).toContain('online_store_unavailable')
    expect(codes.every((code) => code === undefined || code === 'online_store_unavailable')).toBe(
      true,
    )
    const refused = values.read(set, { keys: [[1]], features: ['a'] })
    await expect(refused).rejects.toMatchObject({ status: 503, extra: { retryAfter: 1 } })
    expect(troubles.join(' ')).toContain(`Redis at 127.0.0.1:${server.port}`)

    await server.start()
    await until(async () => (await codeOf(values.declare(set))) === undefined)
    // The new server knows neither the values nor the script.
    expect(await values.read(set, { keys: [[1]], features: ['a'] })).toEqual([{ found: 'absent' }])
    expect(await values.write(set, batch)).toEqual({ written: 5_000, outdated: 0 })
  })

  test('killed amid writes, it holds each entity whole or not at all', async () => {
    const server = await serverWith('--appendonly', 'yes', '--appendfsync', 'always')
    const values = await opened({ url: server.url })
    const set = onlineSet()
    await values.declare(set)
    const keys = Array.from({ length: 3_000 }, (_, i) => [i])
    const round = (at: number) => keys.map((key) => onlineEntity(key, [at, at, at], at))
    await values.write(set, round(1))
    let acknowledged = 1
    const writing = (async () => {
      for (;;) {
        await values.write(set, round(acknowledged + 1))
        acknowledged++
      }
    })().catch(() => undefined)
    await until(async () => acknowledged >= 3)
    await server.kill()
    await writing
    await server.start()
    await until(async () => (await codeOf(values.sets('live'))) === undefined)
    const readings = await values.read(set, { keys, features: set.features })
    for (const reading of readings) {
      if (reading.found === 'absent') throw new Error('An acknowledged entity is gone.')
      const { sequence } = reading
      expect(reading.values).toEqual([sequence, sequence, sequence])
      expect(sequence).toBeGreaterThanOrEqual(acknowledged)
    }
  })

  test('become a replica, it cannot be written until a primary answers again', async () => {
    const server = await serverWith()
    const troubles: string[] = []
    const values = await opened({ url: server.url, onTrouble: (detail) => troubles.push(detail) })
    const set = onlineSet()
    await values.declare(set)
    redisCli(server, 'REPLICAOF', '127.0.0.1', '1')
    const write = () => codeOf(values.write(set, [onlineEntity([1], [1, 2, 3])]))
    expect(await write()).toBe('online_store_unavailable')
    await until(async () => troubles.length > 0)
    redisCli(server, 'REPLICAOF', 'NO', 'ONE')
    await until(async () => (await write()) === undefined)
  })

  test('frozen, it costs a call no more than its time limit, and no connection', async () => {
    const server = await serverWith()
    const values = await opened({ url: server.url, timeoutMs: 1_000 })
    const set = onlineSet()
    await values.declare(set)
    server.freeze()
    const read = values.read(set, { keys: [[1]], features: ['a'] })
    await expect(read).rejects.toThrow('did not answer within 1000 ms')
    server.thaw()
    await until(
      async () => (await codeOf(values.write(set, [onlineEntity([1], [1, 2, 3])]))) === undefined,
    )
  })

  test('an address where nobody listens is unavailable', async () => {
    const server = await serverWith()
    await server.kill()
    expect(await codeOf(openRedisOnlineValues({ url: server.url }))).toBe(
      'online_store_unavailable',
    )
  })

  test('a wrong password is refused, and never shown', async () => {
    const server = await serverWith('--requirepass', 'secret')
    const wrong = server.url.replace('//', '//:hush-hush@')
    const refused = openRedisOnlineValues({ url: wrong })
    await expect(refused).rejects.toMatchObject({ code: 'online_store_refused' })
    await expect(refused).rejects.toThrow('user or password is wrong')
    await expect(refused).rejects.not.toThrow('hush')
    const none = await openRedisOnlineValues({ url: server.url }).then(
      async (values) => {
        ends.push(() => values.close())
        return codeOf(values.declare(onlineSet()))
      },
      (error: { code: string }) => error.code,
    )
    expect(none).toBe('online_store_refused')
    const right = await opened({ url: server.url.replace('//', '//:secret@') })
    expect(await right.sets('live')).toEqual([])
  })

  test.skipIf(!needs('openssl'))(
    'over TLS it is trusted by its certificate, and else not',
    async (context) => {
      const { certificate, key, remove } = selfSigned()
      ends.push(remove)
      const files = ['--tls-cert-file', certificate, '--tls-key-file', key]
      const options = ['--tls-port', '$PORT', ...files, '--tls-auth-clients', 'no']
      const server = await serverWith(...options).catch((error: Error) => {
        if (!/TLS support|Bad directive/.test(error.message)) throw error
        return context.skip('this server is built without TLS: install that of Debian')
      })
      expect(server.url).toMatch(/^rediss:/)
      const certificateAuthority = readFileSync(certificate, 'utf8')
      const values = await opened({ url: server.url, certificateAuthority })
      expect(await values.sets('live')).toEqual([])
      const stranger = openRedisOnlineValues({ url: server.url })
      await expect(stranger).rejects.toThrow('certificate')
      expect(await codeOf(stranger)).toBe('online_store_refused')
      const plain = openRedisOnlineValues({ url: server.url.replace('rediss', 'redis') })
      expect(await codeOf(plain)).toBe('online_store_unavailable')
    },
  )

  test.each(['', 'localhost:6379', 'http://localhost', 'redis://h/x', 'redis://:%@h'])(
    'an address of another kind is refused: %j',
    async (url) => {
      expect(await codeOf(openRedisOnlineValues({ url }))).toBe('online_store_refused')
    },
  )

  test('full, it says so, and what it holds can still be read', async () => {
    const server = await serverWith('--maxmemory', '3mb', '--maxmemory-policy', 'noeviction')
    const values = await opened({ url: server.url })
    const set = onlineSet()
    await values.declare(set)
    await values.write(set, [onlineEntity([-1], [1, 2, 3])])
    let code: string | undefined
    for (let from = 0; code === undefined && from < 200_000; from += 5_000) {
      const batch = Array.from({ length: 5_000 }, (_, i) => onlineEntity([from + i], [1, 2, 3]))
      code = await codeOf(values.write(set, batch))
    }
    expect(code).toBe('online_store_refused')
    const [reading] = await values.read(set, { keys: [[-1]], features: ['a'] })
    expect(reading.found).toBe('fresh')
  })

  test('a user with no more than the documented rights can do everything', async () => {
    const server = await serverWith()
    const rights = documentedRights()
    const admin = createClient({ url: server.url })
    admin.on('error', () => undefined)
    await admin.connect()
    await admin.sendCommand(['ACL', 'SETUSER', 'assay', 'on', '>pass', ...rights])
    await admin.close()
    const values = await opened({ url: server.url.replace('//', '//assay:pass@') })
    const set = onlineSet({ timeToLiveUs: 60_000_000 })
    await values.declare(set)
    await values.write(set, [onlineEntity([1], [1, 2, 3])])
    await values.declare({ ...set, timeToLiveUs: null })
    await values.write(set, [onlineEntity([1], [1, 2, 3])])
    expect(await values.sets('live')).toHaveLength(1)
    expect(await values.read(set, { keys: [[1]], features: ['b'] })).toMatchObject([
      { values: [2] },
    ])
    expect((await values.scan(set, { after: null, limit: 10 })).keys).toEqual([[1]])
    expect(await values.retire(set)).toBe(1)
  })
})

/** What docs/reference/online-values.md tells an administrator to grant. */
function documentedRights(): string[] {
  const page = join(repositoryRoot, 'docs', 'reference', 'online-values.md')
  const command = /ACL SETUSER assay on >password ([^`]+)/.exec(readFileSync(page, 'utf8'))
  const rights = command?.[1].trim().split(/\s+/) ?? []
  if (!rights.includes('+evalsha')) throw new Error(`No rights were found in ${page}.`)
  return rights
}

/** A certificate of 127.0.0.1 that signs itself, in a folder of its own. */
function selfSigned() {
  const folder = mkdtempSync(join(tmpdir(), 'assay-redis-tls-'))
  const [certificate, key] = [join(folder, 'certificate.pem'), join(folder, 'key.pem')]
  const kind = '-x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2'
  const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1']
  const made = ['req', ...kind.split(' '), ...names, '-keyout', key, '-out', certificate]
  const { status, stderr } = spawnSync(toolPath('openssl'), made)
  if (status !== 0) throw new Error(`openssl failed: ${String(stderr)}`)
  return {
    certificate,
    key,
    remove: async () => rmSync(folder, { recursive: true, force: true }),
  }
}

/** With so much time for a call that a busy machine does not matter. */
function patient(options: RedisOnlineOptions): Promise<OnlineValues> {
  return openRedisOnlineValues({ timeoutMs: 30_000, ...options })
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 2_400; attempt++) {
    if (await holds()) return
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
  throw new Error('It did not come about.')
}
