import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { sha256Hex } from '../lib/hash.ts'
import { variableSeal } from './pipeline-seal.ts'

test('a value is kept alike in one home, differently in another, and never as its plain hash', () => {
  const secrets = mkdtempSync(join(tmpdir(), 'assay-seal-'))
  onTestFinished(() => rmSync(secrets, { recursive: true, force: true }))
  const seal = variableSeal({ secrets })
  const kept = seal('TOKEN', '1234')
  expect(kept).toMatch(/^hmac:[0-9a-f]{12}:[0-9a-f]{64}$/)
  expect(variableSeal({ secrets })('TOKEN', '1234')).toBe(kept)
  expect(seal('TOKEN', '1235')).not.toBe(kept)
  // The same value under two names is not seen to be the same.
  expect(seal('OTHER', '1234')).not.toBe(kept)
  expect(kept).not.toContain(sha256Hex('1234'))
  const elsewhere = variableSeal({ secrets: join(secrets, 'another') })('TOKEN', '1234')
  expect(elsewhere.split(':')[1]).not.toBe(kept.split(':')[1])
  const [file] = readdirSync(secrets).filter((name) => name.startsWith('pipeline'))
  expect(statSync(join(secrets, file)).mode & 0o777).toBe(0o600)
})
