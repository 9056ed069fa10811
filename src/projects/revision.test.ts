import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { codeEnvironment, codeRevision } from './revision.ts'

test('a revision follows from every source file and the version, and from nothing else', () => {
  const folder = mkdtempSync(join(tmpdir(), 'assay-revision-'))
  const write = (path: string, text: string) => {
    mkdirSync(join(folder, path, '..'), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  write('project.ts', 'a')
  write('features/risk.ts', 'b')
  const first = codeRevision(folder, '0.1.0')
  expect(first).toMatch(/^assay 0\.1\.0, files [0-9a-f]{16}$/)
  write('node_modules/x/index.js', 'c')
  write('.assay/format.json', '{}')
  write('README.md', 'd')
  expect(codeRevision(folder, '0.1.0')).toBe(first)
  write('features/risk.ts', 'B')
  const second = codeRevision(folder, '0.1.0')
  expect(second).not.toBe(first)
  expect(codeRevision(folder, '0.2.0')).not.toBe(second)
})

test('an environment follows from the lock file and the runtime', () => {
  const folder = mkdtempSync(join(tmpdir(), 'assay-environment-'))
  const without = codeEnvironment(folder)
  expect(without).toContain(`node ${process.versions.node}, `)
  writeFileSync(join(folder, 'package-lock.json'), '{}')
  const locked = codeEnvironment(folder)
  expect(locked).toMatch(/packages [0-9a-f]{16}$/)
  expect(locked).not.toBe(without)
})
