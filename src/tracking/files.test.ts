import fc from 'fast-check'
import { expect, test } from 'vitest'
import { systemActor } from '../access/index.ts'
import { manualClock } from '../lib/clock.ts'
import { sha256Hex } from '../lib/hash.ts'
import { createMemoryUnitOfWork } from '../lib/unit-of-work.ts'
import { trackingErrors } from './errors.ts'
import type { FileOwner } from './file-ports.ts'
import { createMemoryFileStore, createMemoryPartStore } from './files-memory.ts'
import { createFiles, fileLimits } from './files.ts'
import { createMemoryArtifactStore } from './memory.ts'
import { collectEntries } from './opened.cases.ts'

const by = { actor: systemActor, reason: 'A test' }
const run: FileOwner = { kind: 'run', id: 'r1' }
const model: FileOwner = { kind: 'logged-model', id: 'm-1' }
const folder: FileOwner = { kind: 'folder', id: '' }

function openFiles(fileBytesMax = 1000) {
  const store = createMemoryFileStore()
  const unit = createMemoryUnitOfWork([store])
  const clock = manualClock(1_000_000)
  const { entries, audit } = collectEntries()
  const check = async ({ id }: FileOwner) => {
    if (id === 'gone') throw trackingErrors.run_not_found('No run has id gone.')
  }
  const artifacts = createMemoryArtifactStore()
  let drawn = 0
  const files = createFiles({
    store,
    artifacts,
    parts: createMemoryPartStore(),
    owners: {
      isKept: async ({ id }) => id.startsWith('kept'),
      check,
      change: (owner, _by, write) =>
        unit.transaction(async () => {
          await check(owner)
          return write()
        }),
    },
    unit,
    audit,
    clock,
    random: (length) => new Uint8Array(length).fill(++drawn),
    fileBytesMax,
  })
  const text = async (owner: FileOwner, path: string) =>
    new TextDecoder().decode((await files.read(owner, path)).bytes)
  return { files, store, entries, clock, artifacts, text }
}

async function* pieces(...texts: string[]) {
  for (const text of texts) yield new TextEncoder().encode(text)
}

test('a file is put as text, as bytes or as a stream, and given back by its path', async () => {
  const { files, text } = openFiles()
  await files.put(run, { path: 'a.txt', content: 'one' }, by)
  await files.put(run, { path: 'b/c.csv', content: pieces('t', 'wo') }, by)
  const kept = await files.put(model, { path: 'b/c.csv', content: Uint8Array.of(51) }, by)
  expect(kept).toEqual({
    path: 'b/c.csv',
    contentType: 'text/csv',
    sha256: sha256Hex('3'),
    size: 1,
    putAtUs: 1_000_000,
  })
  expect(await text(run, 'a.txt')).toBe('one')
  expect(await text(run, 'b/c.csv')).toBe('two')
  expect(await text(model, 'b/c.csv')).toBe('3')
})

test.each([
  ['MLmodel', 'text/plain'],
  ['mlproject', 'text/plain'],
  ['conda.yaml', 'application/yaml'],
  ['model/data', 'application/octet-stream'],
])('the file %s is taken for %s where nobody says what it is', async (path, contentType) => {
  const { files } = openFiles()
  expect(await files.put(run, { path, content: 'x' }, by)).toMatchObject({ contentType })
})

test('a put outside a run and every removal are audited, a put into a run is not', async () => {
  const { files, entries } = openFiles()
  await files.put(run, { path: 'a/1', content: 'x' }, by)
  expect(entries).toEqual([])
  await files.put(folder, { path: 'a/1', content: 'x' }, by)
  await files.remove(run, 'a', by)
  await files.remove(run, 'a', by)
  expect(entries).toEqual([
    {
      actor: systemActor.id,
      action: 'tracking.file-put',
      object: { kind: 'folder', id: '' },
      reason: 'A test',
      details: { path: 'a/1', sha256: sha256Hex('x'), size: 1 },
    },
    {
      actor: systemActor.id,
      action: 'tracking.files-removed',
      object: { kind: 'run', id: 'r1' },
      reason: 'A test',
      details: { path: 'a', count: 1, files: [['a/1', sha256Hex('x')]] },
    },
  ])
})

test.each([
  [''],
  ['/etc/passwd'],
  ['a//b'],
  ['a/'],
  ['./a'],
  ['../a'],
  ['a/../b'],
  ['a\\b'],
  ['C:/a'],
  ['c:a'],
  ['a\u0000b'],
  ['a\nb'],
  ['%2e%2e/a'],
  ['%252e%252e/a'],
  ['a%2f..%2fb'],
  ['a%5cb'],
  ['a%00'],
  ['%2fetc'],
  ['\ud800'],
  ['x'.repeat(256)],
  ['x/'.repeat(64) + 'x'],
  [`${'x'.repeat(200)}/`.repeat(6) + 'x'],
])('refuses the path %j', async (path) => {
  const { files } = openFiles()
  const put = files.put(run, { path, content: 'x' }, by)
  await expect(put).rejects.toMatchObject({ code: 'artifact_path_invalid' })
  await expect(files.open(run, path)).rejects.toMatchObject({ code: 'artifact_path_invalid' })
})

test.each(['a b.txt', 'größe.json', '…', 'a..b', '100%', 'a%zz', 'a#b', '.hidden', 'm=1,n=2'])(
  'takes the path %j',
  async (path) => {
    const { files, text } = openFiles()
    await files.put(run, { path, content: 'x' }, by)
    expect(await text(run, path)).toBe('x')
  },
)

test('what is put is a tree: no file is a folder too', async () => {
  const path = fc
    .array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 4 })
    .map((parts) => parts.join('/'))
  await fc.assert(
    fc.asyncProperty(fc.array(path, { maxLength: 12 }), async (paths) => {
      const { files } = openFiles()
      const tree = new Set<string>()
      for (const at of paths) {
        const taken = [...tree].some((p) => p.startsWith(`${at}/`) || at.startsWith(`${p}/`))
        const put = files.put(run, { path: at, content: 'x' }, by)
        if (taken) await expect(put).rejects.toMatchObject({ code: 'artifact_path_taken' })
        else tree.add((await put).path)
      }
      const kept = await files.filesBelow(run, '')
      expect(kept.map((file) => file.path)).toEqual([...tree].sort())
    }),
  )
})

test('too much, an unknown owner and an unknown file are said by name', async () => {
  const { files } = openFiles(2)
  for (const content of ['abc', pieces('a', 'bc')]) {
    const put = files.put(run, { path: 'a', content }, by)
    await expect(put).rejects.toMatchObject({ code: 'artifact_too_large' })
  }
  const gone = files.put({ kind: 'run', id: 'gone' }, { path: 'a', content: 'x' }, by)
  await expect(gone).rejects.toMatchObject({ code: 'run_not_found' })
  await expect(files.open(run, 'a')).rejects.toMatchObject({ code: 'artifact_not_found' })
  await files.put(run, { path: 'a', content: 'ab' }, by)
  await expect(files.read(run, 'a', 1)).rejects.toMatchObject({ code: 'artifact_too_large' })
})

test('the sweep takes the bytes that nothing has named for long, and no others', async () => {
  const { files, artifacts, clock } = openFiles()
  const shared = await files.put(run, { path: 'a', content: 'shared' }, by)
  await files.put(model, { path: 'a', content: 'shared' }, by)
  const replaced = await files.put(run, { path: 'b', content: 'old' }, by)
  await files.put(run, { path: 'b', content: 'new' }, by)
  clock.advance(10)
  const removed = await files.put(run, { path: 'c', content: 'late' }, by)
  expect(await files.removeOwners([run])).toBe(3)
  expect(await files.sweep(clock.nowUs(), by)).toEqual({ files: 1 })
  expect(await artifacts.has(replaced.sha256)).toBe(false)
  expect(await artifacts.has(removed.sha256)).toBe(true)
  clock.advance(1)
  expect(await files.sweep(clock.nowUs(), by)).toEqual({ files: 2 })
  expect(await artifacts.has(removed.sha256)).toBe(false)
  expect(await artifacts.has(shared.sha256)).toBe(true)
})

test('bytes whose file was refused are left to the sweep', async () => {
  const { files, artifacts, clock } = openFiles()
  const puts = [
    { path: 'a', content: 'x' },
    { path: 'a/b', content: 'lost' },
  ].map((file) => files.put(run, file, by))
  const refused = (await Promise.allSettled(puts)).map(({ status }) => status)
  expect(refused).toEqual(['fulfilled', 'rejected'])
  expect(await artifacts.has(sha256Hex('lost'))).toBe(true)
  clock.advance(1)
  expect(await files.sweep(clock.nowUs(), by)).toEqual({ files: 1 })
})

test('all files of a run go with one request, and those of the folder do not', async () => {
  const { files } = openFiles()
  for (const owner of [run, folder]) await files.put(owner, { path: 'a/1', content: 'x' }, by)
  expect(await files.remove(run, '', by)).toBe(1)
  await expect(files.remove(folder, '', by)).rejects.toMatchObject({
    code: 'artifact_path_invalid',
  })
  expect(await files.filesBelow(folder, '')).toHaveLength(1)
})

test('all files below a folder are given or none: some are never taken for all', async () => {
  const { files, store } = openFiles()
  const file = { contentType: 'text/plain', sha256: sha256Hex('x'), size: 1, putAtUs: 1 }
  for (let i = 0; i < fileLimits.entriesPerPage; i++)
    await store.put(run, { ...file, path: `${i}` })
  expect(await files.filesBelow(run, '')).toHaveLength(fileLimits.entriesPerPage)
  await store.put(run, { ...file, path: 'one more' })
  await expect(files.filesBelow(run, '')).rejects.toMatchObject({
    code: 'artifact_listing_too_long',
  })
})

test('what a registered version refers to grows, and what is there does not change', async () => {
  const { files, text } = openFiles()
  const [model, run] = [
    { kind: 'logged-model', id: 'kept-m' },
    { kind: 'run', id: 'kept-r' },
  ] as const
  for (const owner of [model, run]) {
    await files.put(owner, { path: 'model.ubj', content: 'first' }, by)
    await files.put(owner, { path: 'model.ubj', content: 'first' }, by)
    await files.put(owner, { path: 'more.txt', content: 'x' }, by)
    for (const path of ['model.ubj', '']) {
      await expect(files.remove(owner, path, by)).rejects.toMatchObject({ code: 'artifact_kept' })
    }
    expect(await files.remove(owner, 'nothing', by)).toBe(0)
    expect(await files.filesBelow(owner, '')).toHaveLength(2)
  }
  const other = files.put(model, { path: 'model.ubj', content: 'second' }, by)
  await expect(other).rejects.toMatchObject({ code: 'artifact_kept' })
  expect(await text(model, 'model.ubj')).toBe('first')
  // Clients go on logging to a run whose model they have registered; that is audited as an amendment.
  await files.put(run, { path: 'model.ubj', content: 'second' }, by)
  expect(await text(run, 'model.ubj')).toBe('second')
})

test('a listing of more than one page goes on after its last entry', async () => {
  const { files, store } = openFiles()
  const count = fileLimits.entriesPerPage + 2
  for (let n = 0; n < count; n++) {
    const path = String(n).padStart(6, '0')
    await store.put(folder, { path, contentType: '', sha256: 'x', size: 1, putAtUs: 1 })
  }
  const first = await files.list(folder, '')
  const rest = await files.list(folder, '', first.next)
  expect([first.entries.length, rest.entries.length, rest.next]).toEqual([count - 2, 2, undefined])
  expect(rest.entries.at(-1)?.path).toBe(String(count - 1).padStart(6, '0'))
})

test('an upload in parts becomes a file when all have come, in whatever order', async () => {
  const { files, text } = openFiles()
  const { uploads } = files
  const id = await uploads.begin(run, { path: 'big.bin', parts: 3 }, by)
  const third = await uploads.putPart(id, 3, pieces('ef'))
  const wrong = await uploads.putPart(id, 1, pieces('??'))
  const [second, first] = await Promise.all([
    uploads.putPart(id, 2, pieces('c', 'd')),
    uploads.putPart(id, 1, pieces('ab')),
  ])
  expect(await files.file(run, 'big.bin')).toBeUndefined()
  const target = { owner: run, path: 'big.bin' }
  const named = (tags: string[]) => tags.map((tag, index) => ({ number: index + 1, tag }))
  const outdated = uploads.complete(id, target, named([wrong, second, third]))
  await expect(outdated).rejects.toMatchObject({ code: 'upload_invalid' })
  const all = named([first, `"${second}"`, third])
  const answers = await Promise.all([1, 2].map(() => uploads.complete(id, target, all)))
  expect(answers[0]).toEqual(answers[1])
  expect(await uploads.complete(id, target, all)).toEqual(answers[0])
  expect(await text(run, 'big.bin')).toBe('abcdef')
  await expect(uploads.putPart(id, 1, pieces('x'))).rejects.toMatchObject({
    code: 'upload_invalid',
  })
})

test('an upload with a part missing, to another file, or ended makes no file', async () => {
  const { files } = openFiles()
  const { uploads } = files
  const id = await uploads.begin(run, { path: 'a', parts: 2 }, by)
  const tag = await uploads.putPart(id, 1, pieces('ab'))
  const target = { owner: run, path: 'a' }
  const parts = [1, 2].map((number) => ({ number, tag }))
  for (const [to, named] of [
    [target, parts],
    [target, parts.slice(0, 1)],
    [target, [parts[0], parts[0]]],
    [{ owner: model, path: 'a' }, parts],
    [{ owner: run, path: 'b' }, parts],
  ] as const) {
    await expect(uploads.complete(id, to, named)).rejects.toMatchObject({ code: 'upload_invalid' })
  }
  await uploads.abort(id)
  await uploads.abort(id)
  await expect(uploads.complete(id, target, parts)).rejects.toMatchObject({
    code: 'upload_not_found',
  })
  expect(await files.filesBelow(run, '')).toEqual([])
})

test('all parts together take no more than a file may, and a part that failed does not count', async () => {
  const { files } = openFiles(4)
  const { uploads } = files
  const id = await uploads.begin(run, { path: 'a', parts: 2 }, by)
  await uploads.putPart(id, 1, pieces('abc'))
  for (let time = 0; time < 3; time++) {
    const tooMuch = uploads.putPart(id, 2, pieces('d', 'e'))
    await expect(tooMuch).rejects.toMatchObject({ code: 'artifact_too_large' })
  }
  await uploads.putPart(id, 1, pieces('ab'))
  await uploads.putPart(id, 2, pieces('cd'))
})

test('uploads are bounded, and those that nobody goes on with make room', async () => {
  const { files, clock } = openFiles()
  const begin = (id: string) =>
    files.uploads.begin(run, { path: 'a', parts: 1 }, { ...by, actor: { ...by.actor, id } })
  const { uploads, uploadsPerIdentity } = fileLimits
  const ids: string[] = []
  for (let count = 0; count < uploads; count++) {
    ids.push(await begin(`identity_${Math.floor(count / uploadsPerIdentity)}`))
    if (ids.length !== uploadsPerIdentity) continue
    await expect(begin('identity_0')).rejects.toMatchObject({
      code: 'part_uploads_full',
      message: expect.stringContaining('16 of identity_0 uploads'),
    })
  }
  expect(new Set(ids).size).toBe(uploads)
  await expect(begin('identity_new')).rejects.toMatchObject({ code: 'part_uploads_full' })
  clock.advance(fileLimits.uploadIdleUs + 1)
  await begin('identity_0')
  await expect(files.uploads.putPart(ids[0], 1, pieces('x'))).rejects.toMatchObject({
    code: 'upload_not_found',
  })
})
