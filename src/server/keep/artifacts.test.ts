import { beforeAll, afterAll, expect, test } from 'vitest'
import { trackingErrors } from '../../tracking/index.ts'
import { createKeepApp, type KeepAppOptions } from './app.ts'

let app: Awaited<ReturnType<typeof createKeepApp>>

beforeAll(async () => {
  app = await createKeepApp({
    access: {
      authenticate: async () => ({ id: 'i1', name: 'Ada', kind: 'person', roles: ['reader'] }),
    },
    handlers: {},
    artifact: async (runId: string, path: string) => {
      if (path === 'none') throw trackingErrors.artifact_not_found(`Run ${runId} has no ${path}.`)
      async function* stream() {
        yield Buffer.from('one ')
        if (path === 'damaged') throw trackingErrors.artifact_damaged('It is damaged.')
        yield Buffer.from('two')
      }
      const facts = { sha256: 'x', size: 7, putAtUs: 1, contentType: 'text/html' }
      return { ...facts, path, stream: stream() }
    },
    pageDirectory: '/nowhere',
    version: '0',
    onDefect: () => undefined,
  } as unknown as KeepAppOptions)
  await app.listen({ port: 0, host: '127.0.0.1' })
})
afterAll(() => app.close())

const get = (path: string) => app.inject(`/api/v1/runs/run_1/artifacts/${encodeURIComponent(path)}`)

test('a file of a run is streamed as an attachment, also from a folder', async () => {
  const answer = await get('plots/größe.html')
  expect([answer.statusCode, answer.body]).toEqual([200, 'one two'])
  expect(answer.headers).toMatchObject({
    'content-type': 'text/html',
    'content-length': '7',
    'content-disposition': 'attachment; filename="gr%C3%B6%C3%9Fe.html"',
    'x-content-type-options': 'nosniff',
  })
})

test('one that is not there is a problem, and a damaged one never looks whole', async () => {
  expect((await get('none')).json()).toMatchObject({ code: 'artifact_not_found' })
  const { port } = new URL(app.listeningOrigin)
  const url = `http://127.0.0.1:${port}/api/v1/runs/run_1/artifacts/damaged`
  const read = async () => (await fetch(url)).text()
  await expect(read()).rejects.toThrow()
})
