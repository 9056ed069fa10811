import { expect, test } from 'vitest'
import { run } from './kill.ts'

test('twenty kill -9 under load: every acknowledged decision is there once, with its very bytes', async () => {
  const result = await run({ times: '20', history: '20000' })
  expect(result.acknowledged).toBeGreaterThan(50)
  expect(result).toMatchObject({ kills: 20, lost: 0, changed: 0, duplicated: 0 })
}, 240_000)
