// The registry from the command line, on a home without a server.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemActor } from '../../src/access/index.ts'
import { withMetadata } from '../../src/roles/commands/connection.ts'
import { assay } from './command-line.ts'

const folder = mkdtempSync(join(tmpdir(), 'assay-models-'))
const home = join(folder, '.assay')
const run = (...args: string[]) => assay(folder, ['models', ...args])
afterAll(() => rmSync(folder, { recursive: true, force: true }))

beforeAll(async () => {
  const by = { actor: systemActor, reason: 'Test' }
  await withMetadata(home, async ({ registry, tracking }) => {
    const experiment = await tracking.createExperiment({ name: 'churn' }, by)
    await registry.createModel({ name: 'churn', description: 'Who leaves' }, by)
    for (const depth of [3, 5]) {
      const started = await tracking.startRun({ experimentId: experiment.id }, by)
      const metrics = [{ name: 'auc', value: depth / 10 }]
      await tracking.log(started.id, { params: { depth, rate: 0.1 }, metrics })
      const source = `s3://bucket/${depth}`
      await registry.bringVersion({ model: 'churn', source, runId: started.id }, by)
    }
  })
})

describe('assay models', () => {
  test('lists models, shows one, and tells what changed between two versions', () => {
    expect(run('list').out).toMatch(/churn +2 +v2 +– +– /)
    expect(run('show', 'churn').out).toMatch(/v2 +candidate +brought +unknown +– +run_/)
    expect(run('show', 'churn@1').out).toContain('s3://bucket/3')
    const { out } = run('diff', 'churn', '1', '2')
    expect(out).toContain('3 values differ.')
    expect(out).toMatch(/parameters +params\.depth +3 +5 +changed/)
    expect(out).toMatch(/metrics +auc +0\.3 +0\.5 +changed/)
    expect(out).not.toContain('rate')
    expect(JSON.parse(run('diff', 'churn', '2', '2', '--json').out)).toMatchObject({ changed: 0 })
  })

  test('points aliases and tells where they pointed', () => {
    const set = run('alias', 'churn', 'champion', '1', '--reason', 'First')
    expect(set.out).toBe('@champion of churn is v1 now.\n')
    expect(run('show', 'churn@champion').out).toMatch(/aliases +@champion/)
    expect(run('champion', 'churn').out).toMatch(/@champion +v1 .* system/)
    expect(run('champion', 'churn', '--at', '2020-01-01T00:00:00Z').out).toContain(
      'it had no alias',
    )
    expect(run('alias', 'churn', 'champion', 'none').code).toBe(0)
  })

  test('deletes and restores, and leaves what was deleted lately', () => {
    expect(run('delete', 'churn@2').code).toBe(0)
    expect(run('show', 'churn@2')).toMatchObject({ code: 1 })
    expect(run('purge').out).toBe('0 versions and 0 models removed.\n')
    expect(run('restore', 'churn@2').code).toBe(0)
    expect(run('delete', 'churn').code).toBe(0)
    expect(run('list', '--deleted').out).toContain('churn')
    expect(run('restore', 'churn').code).toBe(0)
    expect(run('show', 'churn').out).toContain('v2')
  })
})
