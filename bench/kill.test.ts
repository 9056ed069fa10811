import { expect, test } from 'vitest'
import { run } from './kill.ts'

test('ten kill -9 under load: every acknowledged decision is there once, with its very bytes', async () => {
  const result = await run({ times: '10', history: '20000' })
  expect(result.acknowledged).toBeGreaterThan(50)
  expect(result).toMatchObject({ kills: 10, lost: 0, changed: 0, duplicated: 0 })
}, 120_000)
