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
