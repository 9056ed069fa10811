// Servers on projects that decide nothing: of pipelines alone, or of features alone.
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { repositoryRoot } from '../source-text.ts'
import { createClient } from './client.ts'
import { ownProject } from './own-project.ts'
import { allDone, endsWithTest, eventually, startServer, temporaryDirectory } from './server.ts'

vi.setConfig({ testTimeout: 180_000 })

const noPolicy = 'The project declares no policy: it learns and decides nothing.'

/** A project of its own in a folder with `assay` installed. */
function folderOf(text: string): string {
  const folder = temporaryDirectory('part')
  mkdirSync(join(folder, 'node_modules'))
  symlinkSync(repositoryRoot, join(folder, 'node_modules', 'assay'), 'dir')
  writeFileSync(join(folder, 'project.ts'), text)
  return folder
}

const texts = () =>
  folderOf(`
import { freshness, given, pipeline, pipelineProject, step } from 'assay'

const clean = step('clean', {
  inputs: { raw: 'file' },
  outputs: { rows: { kind: 'table' } },
  async run({ inputs, outputs }) {
    const lines = (await inputs.raw.text()).trim().split('\\n')
    await outputs.rows.write(lines.map((text, id) => ({ id, text })))
    return lines.length + ' rows'
  },
})
const create = pipeline('create-texts', {
  steps: () => ({ clean: clean({ inputs: { raw: given.file('messages.txt') } }) }),
  triggers: [freshness('P1D')],
})
export default pipelineProject('texts', { title: 'Texts', owner: 'Language team', pipelines: [create] })
`)

test('a project of pipelines alone starts, runs its triggers, and says that nothing decides', async () => {
  const home = temporaryDirectory('texts')
  const project = texts()
  writeFileSync(join(project, 'messages.txt'), 'one\ntwo\n')
  const first = endsWithTest(await startServer({ home, project }))
  await first.printed(allDone)
  expect(first.out()).toContain(noPolicy)
  expect(first.out()).toContain(`${first.url}/pipelines`)
  const client = createClient(first.url, first.key)
  const declared = await client.ask('declaredPipelines')
  expect(declared.items).toMatchObject([{ name: 'create-texts', steps: 1 }])
  await eventually('the trigger’s run is done', async () => {
    const { items } = await client.ask('pipelines')
    return items[0]?.state === 'done'
  })
  expect((await client.ask('session')).project).toMatchObject({ title: 'Texts', policy: null })
  expect((await client.ask('overview')).verdict).toEqual({
    status: 'no-data',
    sentence: 'Texts declares no policy, so nothing is decided here.',
  })
  expect((await client.ask('decisions', { query: {} })).items).toEqual([])
  const pages = ['progress', 'datasets', 'features', 'models', 'monitoring', 'governance'] as const
  for (const name of pages) await client.ask(name)
  const body = { rows: [{ id: 'q', fields: {} }], reason: 'because' }
  expect(await client.refusal('resubmit', { body })).toBe('404 source_unknown')
  const event = { params: { policy: 'texts' }, body: {} }
  expect(await client.refusal('decide', event)).toMatch(/^404 /)
  // No role fell, and none was started again.
  expect(first.err()).toBe('')
  expect(await first.stop()).toBe(0)

  const second = endsWithTest(await startServer({ home, project }))
  await second.printed(allDone)
  const later = createClient(second.url, first.key)
  expect((await later.ask('pipelines')).items).toMatchObject([{ state: 'done' }])
  expect(second.err()).toBe('')
})

test('a project of features alone starts and shows them', async () => {
  const project = folderOf(`
import { eventTime, featureProject, featureSet, id, key, money, source } from 'assay'

const payments = source('payments', {
  columns: { payment_id: id(), at: eventTime(), customer: key('integer'), amount: money('EUR') },
})
const behaviour = featureSet('behaviour', payments, (tx) => [
  tx.per('customer').count().over('1d').as('PAID_1D'),
])
export default featureProject('shop', {
  title: 'Shop', owner: 'Shop', sources: [payments], featureSets: [behaviour],
})
`)
  const server = endsWithTest(await startServer({ home: temporaryDirectory('shop'), project }))
  await server.printed(allDone)
  expect(server.out()).toContain(noPolicy)
  const client = createClient(server.url, server.key)
  expect((await client.ask('features')).items).toMatchObject([{ name: 'PAID_1D' }])
  expect((await client.ask('overview')).verdict.sentence).toContain('Shop declares no policy')
  expect(server.err()).toBe('')
})

test('what is live goes on under a project that declares no policy, and comes back with its own', async () => {
  const home = temporaryDirectory('to-and-fro')
  const bank = ownProject((source) => source)
  const args = ['--no-replay']
  const first = endsWithTest(await startServer({ home, project: bank, args }))
  await first.printed(allDone)
  expect(await first.stop()).toBe(0)

  const project = texts()
  writeFileSync(join(project, 'messages.txt'), 'one\n')
  const second = endsWithTest(await startServer({ home, project, args }))
  await second.printed(allDone)
  const client = createClient(second.url, first.key)
  expect((await client.ask('overview')).verdict.sentence).toBe(
    'Texts declares no policy; what was deployed before goes on answering: tiny.',
  )
  const { clock } = await client.ask('session')
  const body = { payment_id: 'p', paid_at: clock.now, customer_id: 1, terminal_id: 2, amount: '5' }
  const answer = await client.send('decide', { params: { policy: 'tiny' }, body })
  expect(answer.status, await answer.text()).toBe(200)
  expect(second.err()).toBe('')
  expect(await second.stop()).toBe(0)

  const third = endsWithTest(await startServer({ home, project: bank, args }))
  await third.printed(allDone)
  expect(third.out()).toContain('Nothing changed since the last run')
  expect((await createClient(third.url, first.key).ask('models')).items).toMatchObject([
    { name: 'tiny-fraud', versions: 2 },
  ])
})
