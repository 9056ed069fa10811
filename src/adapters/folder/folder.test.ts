import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { artifactStoreCases } from '../../tracking/store.cases.ts'
import { createFolderArtifacts } from './index.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'assay-folder-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

artifactStoreCases('a folder', async () => createFolderArtifacts({ directory }))

test('a file that was changed is an error, and putting the content again repairs it', async () => {
  const store = createFolderArtifacts({ directory, extension: '.json' })
  const bytes = new TextEncoder().encode('{"a":1}')
  const { sha256 } = await store.put(bytes)
  expect(readdirSync(directory)).toEqual([`${sha256}.json`])
  writeFileSync(path.join(directory, `${sha256}.json`), '{"a":2}')
  await expect(store.get(sha256)).rejects.toMatchObject({ code: 'artifact_damaged' })
  await store.put(bytes)
  expect(await store.get(sha256)).toEqual(bytes)
})
