import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { onlineEntity, onlineSet } from '../../features/online-calls.cases.ts'
import { onlineValuesCases } from '../../features/online.cases.ts'
import { manualClock } from '../../lib/clock.ts'
import { openLmdbOnlineValues } from './index.ts'

const root = mkdtempSync(join(tmpdir(), 'assay-lmdb-online-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

onlineValuesCases('LMDB', async () => {
  const clock = manualClock(0)
  const values = await openLmdbOnlineValues(join(root, 'cases'), clock)
  const wait = async (us: number) => clock.advance(us)
  return { values, other: values, wait, end: () => values.close() }
})

test('what was written is there after closing and opening', async () => {
  const clock = manualClock(0)
  const set = onlineSet()
  const first = await openLmdbOnlineValues(join(root, 'again'), clock)
  await first.declare(set)
  await first.write(set, [onlineEntity([1], [0.1, Number.NaN, 0], 7)])
  await first.close()
  const second = await openLmdbOnlineValues(join(root, 'again'), clock)
  expect(await second.sets('live')).toEqual([set])
  expect(await second.read(set, { keys: [[1]], features: set.features })).toEqual([
    { found: 'fresh', asOfUs: 7_000_000, sequence: 7, values: [0.1, null, 0] },
  ])
  await second.close()
})
