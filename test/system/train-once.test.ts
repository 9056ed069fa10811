// The standard flow trains nothing twice: what a command trained, a server finds again and sends to
// traffic, and what has changed is trained again and says why.
import { cpSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { createClient } from './client.ts'
import { ownProject } from './own-project.ts'
import { allDone, endsWithTest, run, startServer, temporaryDirectory } from './server.ts'

vi.setConfig({ testTimeout: 180_000 })

test('what a command trained is deployed by a start as the one version that it is', async () => {
  const home = temporaryDirectory('once')
  const project = ownProject((source) => source)
  const first = run(['run', project, '--home', home])
  expect(first.out).toMatch(/✓ Learning {2}trees average precision [^(]*; logistic/)
  expect(first.out).toMatch(/tiny-fraud version 1 \(trees, [0-9a-f]{12}\): approved/)

  const server = endsWithTest(await startServer({ home, project }))
  await server.printed(allDone)
  expect(server.out()).toMatch(
    /trees average precision .* \(found again, trained \d+ \w+ ago in run /,
  )
  expect(server.out()).toContain('trees (version 1, found again) passed')
  expect(server.out()).toContain('logistic (version 2, found again) refused: average_precision')
  const client = createClient(server.url, server.key)
  const { items } = await client.ask('models')
  expect(items).toMatchObject([{ name: 'tiny-fraud', versions: 2, live: { version: 1 } }])
  const listed = await client.ask('pipelines')
  expect(listed.items.map(({ state }: { state: string }) => state)).toEqual(['done', 'done'])
  const { steps } = listed.items[0]
  expect(steps.find(({ name }: { name: string }) => name === 'learning').figure).toContain(
    'found again',
  )
  expect(await server.stop()).toBe(0)

  const again = run(['reproduce', 'tiny-fraud@1', '--home', home])
  expect(again.out).toContain('identical, byte for byte')
})

test('a second run finds the models of the first, and --no-cache trains them anew', () => {
  const home = temporaryDirectory('twice')
  const project = ownProject((source) => source)
  const told = (...options: readonly string[]) =>
    run(['run', project, '--home', home, ...options]).out
  told()
  expect(told()).toMatch(/version 1 \(trees.*\n[^]*version 2 \(logistic/)
  // What people write into a run is no reason to train.
  const copy = temporaryDirectory('twice-copy')
  cpSync(home, copy, { recursive: true })

  const anew = told('--no-cache')
  expect(anew).toContain('(trained again: asked for anew)')
  expect(anew).toMatch(/tiny-fraud version 3 \(trees/)

  writeFileSync(join(project, 'notes.ts'), '// Anything may change what a project does.\n')
  const changed = run(['run', project, '--home', copy]).out
  expect(changed).toContain('trees average precision')
  expect(changed).toContain('(trained again: other code)')
  expect(changed).toMatch(/tiny-fraud version 3 \(trees/)
})
