// Experiments and runs from the command line, on a home without a server.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemActor } from '../../src/access/index.ts'
import { withMetadata } from '../../src/roles/commands/connection.ts'
import { parseCsv } from '../csv.ts'
import { assay } from './command-line.ts'

const folder = mkdtempSync(join(tmpdir(), 'assay-experiments-'))
const run = (...args: string[]) => assay(folder, ['experiments', ...args])
const ids: string[] = []
afterAll(() => rmSync(folder, { recursive: true, force: true }))

beforeAll(async () => {
  const by = { actor: systemActor, reason: 'Test' }
  await withMetadata(join(folder, '.assay'), async ({ tracking }) => {
    const experiment = await tracking.createExperiment({ name: 'churn' }, by)
    for (const depth of [3, 5, 7]) {
      const name = `depth-${depth}`
      const { id } = await tracking.startRun({ experimentId: experiment.id, name }, by)
      const metrics = [{ name: 'auc', value: depth === 7 ? Number.NaN : depth / 10 }]
      await tracking.log(id, { params: { depth, rate: 0.1 }, metrics })
      await tracking.endRun(id, 'finished', by)
      ids.push(id)
    }
  })
})

describe('assay experiments', () => {
  test('lists experiments with the number of their runs', () => {
    expect(run('list').out).toMatch(/churn +experiment_\w+ +3 /)
    expect(JSON.parse(run('list', '--json').out)).toMatchObject([{ name: 'churn', runs: 3 }])
  })

  test('lists runs by filter and order, in columns, for people and for programs', () => {
    const asked = ['churn', '--order', 'metrics.auc desc', '--columns', 'metrics.auc,params.depth']
    const { out } = run('runs', ...asked, '--csv')
    expect(parseCsv(out)).toEqual([
      ['id', 'run', 'metrics.auc', 'params.depth'],
      [ids[1], 'depth-5', '0.5', '5'],
      [ids[0], 'depth-3', '0.3', '3'],
      [ids[2], 'depth-7', 'NaN', '7'],
    ])
    const filter = "metrics.auc > 0.4 OR params.depth = '3'"
    const found = JSON.parse(run('runs', '--filter', filter, '--json').out) as { name: string }[]
    expect(found.map(({ name }) => name)).toEqual(['depth-5', 'depth-3'])
    const cut = run('runs', '--limit', '1')
    expect(cut.out.trim().split('\n')).toHaveLength(2)
    expect(cut.err).toContain('There are more')
  })

  test('says what of a filter cannot be read', () => {
    const { code, err } = run('runs', '--filter', 'metrics.auc >')
    expect(code).toBe(1)
    expect(err).toContain('(filter_invalid)')
  })

  test('shows a run, and puts runs side by side', () => {
    const shown = run('show', ids[0]).out
    expect(shown).toMatch(/experiment +churn \(experiment_/)
    expect(shown).toMatch(/auc +0\.3 +0\.3 +0\.3 +0/)
    const { out } = run('compare', ids[0], ids[1])
    expect(out).toMatch(/auc +0\.3 +0\.5 \*/)
    expect(out).toMatch(/depth +3 +5/)
    expect(out).not.toContain('rate')
  })

  test('deletes runs, restores them, and purges what was deleted long enough ago', () => {
    expect(run('delete', ids[0], ids[1]).err).toBe('2 runs deleted.\n')
    expect(run('runs', '--deleted', '--columns', 'none').out).toContain('depth-5')
    expect(run('restore', ids[1]).err).toBe('1 run restored.\n')
    expect(run('purge', '--older-than', '30d').err).toContain('0 runs')
    expect(run('purge', '--older-than', '0s').err).toContain('Removed for good: 1 run,')
    expect(run('show', ids[0])).toMatchObject({ code: 1 })
    expect(run('purge', '--older-than', 'soon')).toMatchObject({ code: 2 })
  })
})
