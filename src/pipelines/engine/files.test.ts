// What the engine keeps and reads as files: objects, logs, code.
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { sha256Hex } from '../../lib/hash.ts'
import { createCodeReader } from './code.ts'
import { differences } from './explain.ts'
import { openLogs } from './logs.ts'
import { digestFolder, openObjects } from './objects.ts'
import type { KeyParts } from './records.ts'
import { temporaryFolder } from './runner.cases.ts'

test('an object is named by its content, and the same content is kept once', async () => {
  const folder = temporaryFolder()
  const objects = openObjects(join(folder, 'objects'))
  for (const name of ['a', 'b']) writeFileSync(join(folder, name), 'same')
  const first = await objects.adopt(join(folder, 'a'), 'file')
  expect(first).toEqual({ digest: sha256Hex('same'), bytes: 4 })
  expect(await objects.adopt(join(folder, 'b'), 'file')).toEqual(first)
  expect(readFileSync(objects.path(first.digest), 'utf8')).toBe('same')
  const has = [objects.has(first.digest), objects.has(sha256Hex('other'))]
  expect(await Promise.all(has)).toEqual([true, false])
})

test('a kept file that was changed counts as none, and is mended by the same content', async () => {
  const folder = temporaryFolder()
  const objects = openObjects(join(folder, 'objects'))
  writeFileSync(join(folder, 'a'), 'same')
  const { digest } = await objects.adopt(join(folder, 'a'), 'file')
  expect(await objects.has(digest)).toBe(true)
  rmSync(objects.path(digest))
  writeFileSync(objects.path(digest), 'other')
  expect(await objects.has(digest)).toBe(false)
  writeFileSync(join(folder, 'b'), 'same')
  await objects.adopt(join(folder, 'b'), 'file')
  expect(readFileSync(objects.path(digest), 'utf8')).toBe('same')
  expect(await objects.has(digest)).toBe(true)
})

test('a folder is kept by the names and contents of its files, and laid out as it was', async () => {
  const folder = temporaryFolder()
  const objects = openObjects(join(folder, 'objects'))
  mkdirSync(join(folder, 'in', 'deep'), { recursive: true })
  writeFileSync(join(folder, 'in', 'a'), '1')
  writeFileSync(join(folder, 'in', 'deep', 'b'), '2')
  const before = await digestFolder(join(folder, 'in'))
  const kept = await objects.adopt(join(folder, 'in'), 'folder')
  expect(kept).toEqual(before)
  await objects.layOut(kept.digest, join(folder, 'out'))
  expect(await digestFolder(join(folder, 'out'))).toEqual(before)
  // What a step does to its copy does not reach what is kept.
  const copy = join(folder, 'out', 'deep', 'b')
  expect(readFileSync(copy, 'utf8')).toBe('2')
})

test('links and what is not there are refused', async () => {
  const folder = temporaryFolder()
  const objects = openObjects(join(folder, 'objects'))
  mkdirSync(join(folder, 'in'))
  symlinkSync(join(folder, 'elsewhere'), join(folder, 'in', 'link'))
  await expect(objects.adopt(join(folder, 'in'), 'folder')).rejects.toThrow('links are not kept')
  await expect(objects.adopt(join(folder, 'in', 'link'), 'file')).rejects.toThrow('is no file')
  await expect(objects.adopt(join(folder, 'none'), 'file')).rejects.toThrow('is no file')
})

const RUN = `pipe_${'0'.repeat(26)}`

test('a log is read in parts that never cut a character, and give the whole', async () => {
  const logs = openLogs(temporaryFolder())
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: 'grapheme', maxLength: 200 }), async (line) => {
      const text = line.repeat(3000).slice(0, 300_000).toWellFormed()
      const log = logs.writer(RUN, 'clean', 1)
      log.write(text)
      log.close()
      let [read, from] = ['', 0]
      for (;;) {
        const part = await logs.read(RUN, 'clean', 1, from)
        read += part.text
        from = part.next
        if (part.next === part.bytes) break
      }
      expect(read).toBe(text)
    }),
    { numRuns: 20 },
  )
})

test('a log is bounded, and says what is missing', async () => {
  const logs = openLogs(temporaryFolder(), { bytesMax: 5 })
  const log = logs.writer(RUN, 'clean', 2)
  log.write('abc')
  log.write('defgh')
  log.close()
  expect((await logs.read(RUN, 'clean', 2)).text).toBe('abcde\n… 3 bytes more were not kept\n')
  expect(await logs.attempts(RUN, 'clean')).toEqual([2])
})

test.each([
  ['../../etc', 'clean', 1],
  [RUN, '../clean', 1],
  [RUN, 'clean', 0],
  [RUN, 'clean', 3],
])('there is no log of %s %s %i', async (run, step, attempt) => {
  const logs = openLogs(temporaryFolder())
  await expect(logs.read(run, step, attempt)).rejects.toMatchObject({ code: 'pipeline_unknown' })
})

test('the code of a step is every file that it can reach, and nothing else', () => {
  const project = temporaryFolder()
  const write = (name: string, text: string) => writeFileSync(join(project, name), text)
  write('steps.ts', "import './a.ts'\nimport { x } from './data.csv'\nimport 'assay'\n")
  write('a.ts', "const q = new URL('./query.sql', import.meta.url)\nawait import('./b.ts')\n")
  write('b.ts', "export * from './steps.ts'\nimport './missing.ts'\n")
  write('query.sql', 'SELECT 1')
  write('data.csv', 'x')
  write('other.ts', 'export {}')
  write('package-lock.json', '{}')
  const closure = () => createCodeReader(project).closure(join(project, 'steps.ts'))
  const before = closure()
  expect(Object.keys(before.files)).toEqual(['a.ts', 'b.ts', 'query.sql', 'steps.ts'])
  write('other.ts', 'export const changed = 1')
  expect(closure()).toEqual(before)
  write('query.sql', 'SELECT 2')
  write('package-lock.json', '{ }')
  const parts = (code: KeyParts['code']): KeyParts => ({
    step: 's',
    code,
    params: {},
    inputs: {},
    environment: { assay: '', node: '', platform: '', variables: {} },
  })
  expect(differences(parts(before), parts(closure()))).toEqual([
    'code of query.sql changed',
    'the locked packages changed',
  ])
})
