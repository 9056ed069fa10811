import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { decisionIndexCases } from '../../decisions/index.cases.ts'
import { openLmdbDecisionIndex } from './index.ts'

const root = mkdtempSync(join(tmpdir(), 'assay-lmdb-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))
let made = 0

decisionIndexCases('LMDB', () => openLmdbDecisionIndex(join(root, String(made++))))

test('LMDB: what was put is there after closing and opening', async () => {
  const directory = join(root, 'again')
  const first = await openLmdbDecisionIndex(directory)
  await first.put([{ key: 'a', sequence: 5, bodyHash: 'h' }], 5)
  await first.close()
  const second = await openLmdbDecisionIndex(directory)
  expect(second.get('a')).toEqual({ sequence: 5, bodyHash: 'h' })
  expect(second.through()).toBe(5)
  await second.close()
})

// A limit on the size of files stands in for a full disk: the system refuses the write alike.
test.skipIf(process.platform === 'win32')(
  'LMDB: a disk that refuses a commit is an error for who waits, and the process lives on',
  () => {
    const module = JSON.stringify(new URL('./index.ts', import.meta.url).href)
    const script = `
      const { openLmdbDecisionIndex } = await import(${module})
      const index = await openLmdbDecisionIndex(${JSON.stringify(join(root, 'full'))})
      const writes = Array.from({ length: 5000 }, (_, i) => ({ key: 'k' + i, sequence: i, bodyHash: 'h' }))
      await index.put(writes, 5000).catch(() => console.log('refused'))
      await new Promise((resolve) => setTimeout(resolve, 50))
      console.log('alive, through', index.through())
      process.exit()`
    const { stdout, stderr } = spawnSync('sh', [
      '-c',
      'ulimit -f 64 && exec "$0" --input-type=module --eval "$1"',
      process.execPath,
      script,
    ])
    expect(String(stdout), String(stderr)).toBe('refused\nalive, through 0\n')
  },
)
