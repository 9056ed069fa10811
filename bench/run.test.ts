import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'

function bench(...args: string[]) {
  const run = ['--conditions=assay-source', join(import.meta.dirname, 'run.ts'), ...args]
  return spawnSync(process.execPath, run, { encoding: 'utf8' })
}

test('an unknown measurement is answered with those that there are', () => {
  const { status, stderr, stdout } = bench('nothing')
  expect(status).toBe(2)
  expect(stderr).toContain('handbook')
  expect(stdout).toBe('')
})

test('a file that is not there is named before anything is measured', () => {
  const { status, stderr } = bench('handbook', '--data', 'nowhere.csv', '--json')
  expect(status).toBe(2)
  expect(stderr).toBe('There is no file nowhere.csv.\n')
})
