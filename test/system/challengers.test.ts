// A version that is worse than its guards allow, tried beside the champion of a running server: two people
// turn it on, nobody turns it off.
import { expect, test, vi } from 'vitest'
import { createClient, refusalOf } from './client.ts'
import {
  allDone,
  endsWithTest,
  eventually,
  run,
  startServer,
  temporaryDirectory,
  tinyProject,
} from './server.ts'

vi.setConfig({ testTimeout: 240_000 })

test('a bad challenger is withdrawn by itself, with the figures as the reason', async () => {
  const home = temporaryDirectory('challengers')
  const first = await startServer({ home })
  await first.printed(allDone)
  await first.stop()
  run(['run', tinyProject, '--no-cache', '--home', home])
  const made = run(['keys', 'create', '--name', 'Ann', '--role', 'approver', '--home', home])
  const server = endsWithTest(await startServer({ home }))
  await server.printed(allDone)
  const ada = createClient(server.url, first.key)
  const ann = createClient(server.url, /ak_[\w-]+/.exec(made.out)![0])
  const params = { policy: 'tiny' }

  // It is as good as the champion, and much slower than anybody agreed on.
  const guards = { minDecisions: 20, latencyMsP99Max: 0.001, psiMax: 9, scoreDistanceMax: 1 }
  const body = { version: 3, mode: 'live', share: 0.5, guards, reason: 'Worth a try' }
  const proposed = await ada.ask('proposeChallenger', { params, body })
  const confirmation = {
    params: { ...params, proposal: proposed.open[0].id },
    body: { reason: 'I agree' },
  }
  expect(await refusalOf(await ada.send('confirmProposal', confirmation))).toBe('403 proposal_self')
  expect((await ada.ask('endpoint', { params })).traffic).toEqual([])
  const on = await ann.ask('confirmProposal', confirmation)
  expect(on).toMatchObject({ championShare: 0.5, traffic: [{ name: 'v3', mode: 'live' }] })

  const off = await eventually('it is withdrawn', async () => {
    const endpoint = await ada.ask('endpoint', { params })
    return endpoint.traffic.length === 0 && endpoint
  })
  expect(off.history[0]).toMatchObject({ action: 'withdraw', by: { id: 'system' } })
  expect(off.history[0].reason).toMatch(/took more than \d+\.\d ms; at most 0\.001 ms was agreed/)
  const { items } = await ada.ask('audit')
  const actions = items.map(({ action }: { action: string }) => action)
  expect(actions).toContain('serving.challenger-withdrawn')
})
