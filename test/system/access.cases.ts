// Who may do what, at both doors of a running server: keys, roles, links, cookies and origins.
import * as http from 'node:http'
import { beforeAll, expect, test } from 'vitest'
import { routes, type OperationName } from '../../src/server/contract/index.ts'
import { createClient, type Client, type Request } from './client.ts'
import { firstCase } from './requests-of-decisions.ts'
import { eventually, run, type TestServer } from './server.ts'

interface Bank {
  readonly server: TestServer
  /** As the administrator. */
  readonly client: Client
  /** An event of the bank's present time under an id of its own. */
  readonly payment: (id: string) => Promise<Record<string, unknown>>
}

/** The cases, over the server that the tests around them have started. */
export function accessCases(bank: () => Bank): void {
  let server: TestServer
  let client: Client
  let payment: Bank['payment']
  beforeAll(() => {
    ;({ server, client, payment } = bank())
  })

  test('no key and a wrong key get nowhere, and a page may ask who is signed in', async () => {
    const nobody = createClient(server.url, undefined)
    const stranger = createClient(server.url, `ak_${'x'.repeat(43)}`)
    for (const route of routes) {
      if (route.open) continue
      const params = { policy: 'tiny', source: 'fraud', eventId: 'once', index: 0 }
      const request = { params, ...(route.by && { body: {} }) }
      for (const who of [nobody, stranger]) {
        expect(await who.refusal(route.name, request), route.name).toMatch(/^401 /)
      }
    }
    const body = await payment('stranger')
    const send = { params: { policy: 'tiny' }, body }
    expect(await nobody.refusal('decide', send)).toBe('401 unauthenticated')
    expect(await stranger.refusal('decide', send)).toBe('401 unauthenticated')
    expect(await nobody.ask('session')).toMatchObject({ identity: null })
  })

  test('a reader reads everything and changes nothing', async () => {
    const created = run([
      'keys',
      'create',
      '--name',
      'Reader',
      '--role',
      'reader',
      '--home',
      server.home,
    ])
    const key = /ak_[\w-]{43}/.exec(created.out)?.[0]
    expect(key, created.err).toBeDefined()
    const reader = createClient(server.url, key)
    await reader.ask('decisions')
    await reader.ask('verifyAudit')
    const id = await firstCase(client)
    const changes: [OperationName, Request][] = [
      ['giveVerdict', { params: { caseId: id }, body: { verdict: 'fraud' } }],
      ['undoVerdict', { params: { caseId: id } }],
      ['correctVerdict', { params: { caseId: id }, body: { verdict: 'fraud', reason: 'because' } }],
      ['openCase', { body: { policy: 'tiny', eventId: 'once' } }],
      ['bulkVerdict', { body: { caseIds: [id], verdict: 'fraud', reason: 'because' } }],
      ['assignCase', { params: { caseId: id }, body: { to: 'me' } }],
      ['noteCase', { params: { caseId: id }, body: { text: 'because' } }],
      ['bulkUndo', { body: { caseIds: [id] } }],
      ['commandReplay', { body: { action: 'pause' } }],
      ['resubmit', { body: { rows: [{ id: 'q', fields: {} }], reason: 'because' } }],
      ['deploy', { params: { model: 'tiny-fraud', version: 2 }, body: { reason: 'because' } }],
      ['rollBack', { params: { model: 'tiny-fraud' }, body: { to: 1, reason: 'because' } }],
      [
        'giveApproval',
        {
          params: { model: 'tiny-fraud', version: 1 },
          body: { decision: 'approve', reason: 'because', binds: 'x' },
        },
      ],
      ['decide', { params: { policy: 'tiny' }, body: {} }],
      ['sendEvents', { params: { source: 'fraud' }, body: [] }],
    ]
    for (const [name, request] of changes) {
      expect(await reader.refusal(name, request), name).toBe('403 forbidden')
    }
  })

  test('a program that only asks for decisions opens no other door', async () => {
    const made = run(['keys', 'create', '--name', 'Till', '--program', '--home', server.home])
    const till = createClient(server.url, /ak_[\w-]{43}/.exec(made.out)![0])
    const request = { params: { policy: 'tiny' }, body: await payment('by-a-till') }
    expect((await till.send('decide', request)).status).toBe(200)
    for (const name of ['overview', 'decisions', 'cases', 'lists', 'audit'] as const) {
      expect(await till.refusal(name, {}), name).toBe('403 forbidden')
    }
    const labels = { params: { source: 'fraud' }, body: [] }
    expect(await till.refusal('sendEvents', labels)).toBe('403 forbidden')
    const runs = await fetch(`${server.url}/api/2.0/mlflow/experiments/search?max_results=1`, {
      headers: { authorization: `Bearer ${/ak_[\w-]{43}/.exec(made.out)![0]}` },
    })
    expect(runs.status).toBe(403)
  })

  test('a revoked key opens nothing any more, at either door', async () => {
    const home = ['--home', server.home]
    const created = run(['keys', 'create', '--name', 'Switch', '--program', ...home])
    const program = createClient(server.url, /ak_[\w-]{43}/.exec(created.out)![0])
    const request = { params: { policy: 'tiny' }, body: await payment('by-a-program') }
    expect((await program.send('decide', request)).status).toBe(200)
    const listed = run(['keys', 'list', ...home]).out
    expect(listed).not.toMatch(/ak_/)
    const id = /(key_\w+).*Switch/.exec(listed)![1]
    expect(run(['keys', 'revoke', id, ...home]).code).toBe(0)
    await eventually('the key is refused', async () => {
      const [decision, page] = [await program.send('decide', request), await program.send('cases')]
      return decision.status === 401 && page.status === 401
    })
  })

  test('a refused version cannot be deployed, nor one approved by who made it', async () => {
    const params = { model: 'tiny-fraud', version: 2 }
    expect(await client.refusal('deploy', { params, body: { reason: 'I want to' } })).toMatch(/^4/)
    const { approvals } = await client.ask('version', { params })
    const body = { decision: 'approve', reason: 'I want to', binds: approvals.binds }
    expect(await client.refusal('giveApproval', { params, body })).toMatch(/^4/)
    expect(await client.ask('version', { params })).toMatchObject({ status: 'refused' })
  })

  test('the link from the terminal signs in once, with a cookie that scripts cannot read', async () => {
    expect((await fetch(server.link!, { method: 'HEAD', redirect: 'manual' })).status).toBe(404)
    const first = await fetch(server.link!, { redirect: 'manual' })
    expect(first.status).toBe(303)
    expect(first.headers.get('location')).toBe('/')
    const cookie = first.headers.get('set-cookie')!
    expect(cookie).toMatch(/; HttpOnly; SameSite=Strict; Path=\/; Max-Age=43200$/)
    const second = await fetch(server.link!, { redirect: 'manual' })
    expect(second.headers.get('location')).toBe('/sign-in?expired=1')
    expect(second.headers.get('set-cookie')).toBeNull()

    const signedIn = { cookie: cookie.split(';')[0] }
    const browser = createClient(server.url, undefined)
    const session = await browser.ask('session', { headers: signedIn })
    expect(session.identity).toMatchObject({ name: 'Administrator' })
    const own = { ...signedIn, origin: server.url }
    const foreign = { ...signedIn, origin: 'http://evil.example' }
    const pause = { body: { action: 'pause' } }
    expect(await browser.refusal('commandReplay', { ...pause, headers: foreign })).toBe(
      '403 origin_refused',
    )
    const event = { params: { policy: 'tiny' }, body: await payment('cross-site') }
    expect(await browser.refusal('decide', { ...event, headers: foreign })).toBe(
      '403 cross_site_refused',
    )
    await browser.ask('verifyAudit', { headers: own })
    expect((await browser.send('decide', { ...event, headers: own })).status).toBe(200)
    await browser.ask('signOut', { headers: own })
    expect(await browser.refusal('overview', { headers: signedIn })).toBe('401 not_signed_in')
  })

  test('a key signs in on the page, and a wrong one does not', async () => {
    const browser = createClient(server.url, undefined)
    const signedIn = await browser.send('signIn', { body: { key: server.key } })
    expect(signedIn.status).toBe(200)
    expect(signedIn.headers.get('set-cookie')).toMatch(/HttpOnly; SameSite=Strict/)
    const wrong = { key: `ak_${'y'.repeat(43)}` }
    expect(await browser.refusal('signIn', { body: wrong })).toBe('401 unauthenticated')
    const foreign = { origin: 'http://evil.example' }
    expect(await browser.refusal('signIn', { body: wrong, headers: foreign })).toBe(
      '403 origin_refused',
    )
  })

  test('a name that somebody else points at this machine is refused', async () => {
    const { port } = new URL(server.url)
    const answer = await new Promise<number | undefined>((resolve, reject) => {
      const headers = { host: `evil.example:${port}`, authorization: `Bearer ${server.key}` }
      http
        .get({ port, host: '127.0.0.1', path: '/api/v1/session', headers }, (response) => {
          response.resume()
          resolve(response.statusCode)
        })
        .on('error', reject)
    })
    expect(answer).toBe(403)
  })
}
