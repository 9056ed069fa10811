// More than can be decided arrives at once: every request gets an answer, and what is refused keeps no key.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { deployment, payment } from '../../../test/small-bank.ts'
import { createMemoryIndex, publishDeployment, type DecideRemote } from '../../decisions/index.ts'
import { systemClock } from '../../lib/clock.ts'
import { sha256Hex } from '../../lib/hash.ts'
import { remote } from '../../lib/rpc.ts'
import { deploymentsDirectory, startDecide } from './start.ts'

const key = `ak_${'k'.repeat(43)}`

async function openDoor(inFlightMax: number) {
  const root = mkdtempSync(join(tmpdir(), 'assay-overload-'))
  const home = {
    decide: join(root, 'decide'),
    published: join(root, 'published'),
    socket: (role: string) => join(root, `${role}.sock`),
  }
  mkdirSync(home.published)
  const ann = { id: 'ann', name: 'ann', kind: 'person', roles: ['analyst'], createdAtUs: 0 }
  const access = { format: 1, atUs: 0, identities: { ann }, sessions: {} }
  writeFileSync(
    join(home.published, 'access.json'),
    JSON.stringify({ ...access, keys: { [sha256Hex(key)]: 'ann' } }),
  )
  const running = await startDecide({
    home,
    host: '127.0.0.1',
    port: 0,
    openIndex: async () => createMemoryIndex(),
    inFlightMax,
    log: { info: () => undefined, warn: () => undefined, error: console.error },
    onFatal: (error) => console.error(error),
  })
  const hash = await publishDeployment(deploymentsDirectory(home), deployment())
  const request = { namespace: 'live', deployment: hash, actor: 'ann', reason: 'first' }
  await remote<DecideRemote>(home.socket('decide'), 'decide').switchDeployment(request)
  return {
    running,
    async close() {
      await running.close()
      rmSync(root, { recursive: true, force: true })
    },
  }
}

test('of many requests at once each is decided or refused with a time to come back, and none is lost', async () => {
  const { running, close } = await openDoor(8)
  const at = new Date(systemClock.nowUs() / 1000).toISOString()
  const ask = (n: number) =>
    fetch(`${running.url}/api/v1/decisions/card`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify(payment(n, { at })),
    })
  const numbers = Array.from({ length: 400 }, (_, n) => n)
  const answers = await Promise.all(
    numbers.map(async (n) => {
      const response = await ask(n)
      return { n, response, text: await response.text() }
    }),
  )
  const refused = answers.filter(({ response }) => response.status !== 200)
  expect(refused.length).toBeGreaterThan(0)
  for (const { response, text } of refused) {
    expect(response.status).toBe(429)
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(response.headers.get('content-type')).toBe('application/problem+json')
    expect(JSON.parse(text)).toMatchObject({ code: 'too_many_in_flight', retryAfter: 1 })
  }
  expect(running.service.status().shed).toBe(refused.length)
  const { decisions } = running.service.namespaces()[0]
  expect(decisions).toBe(numbers.length - refused.length)
  // Asked again one by one, all are decided; what had been decided is told alike.
  for (const { n, response, text } of answers) {
    const again = await ask(n)
    expect(again.status).toBe(200)
    if (response.status === 200) expect(await again.text()).toBe(text)
    else await again.text()
  }
  expect(running.service.namespaces()[0].decisions).toBe(numbers.length)
  await close()
})
