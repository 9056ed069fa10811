import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { failure, rules } from './failures.ts'

test('the guide explains every rule', () => {
  const guide = readFileSync(new URL('../../docs/guides/data.md', import.meta.url), 'utf8')
  for (const rule of Object.keys(rules)) expect(guide).toContain(`\`${rule}\``)
})

test('a failure keeps no more of a value than a person needs', () => {
  expect(failure('note', 'length', 'x'.repeat(10_000), '…').value).toHaveLength(200)
})
