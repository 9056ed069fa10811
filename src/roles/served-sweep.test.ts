import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { writeCatalogue } from '../serving/index.ts'
import { sweepServedModels } from './served-sweep.ts'

const hash = (n: number) => n.toString(16).padStart(64, '0')
const OLD_S = 1000
const BEFORE_US = 2000 * 1e6
const NEW_S = 3000

async function folder(
  documents: readonly { readonly isNamed: boolean; readonly isOld: boolean }[],
): Promise<string> {
  const published = mkdtempSync(join(tmpdir(), 'assay-served-'))
  mkdirSync(join(published, 'served-models'))
  const named = documents.flatMap(({ isNamed }, n) => (isNamed ? [hash(n)] : []))
  await writeCatalogue(
    published,
    named.map((document) => ({ name: 'm', version: '1', record: 'r', document })),
  )
  for (const [n, { isOld }] of documents.entries()) write(published, `${hash(n)}.json`, isOld)
  return published
}

function write(published: string, name: string, isOld: boolean): void {
  const file = join(published, 'served-models', name)
  writeFileSync(file, '{}')
  utimesSync(file, isOld ? OLD_S : NEW_S, isOld ? OLD_S : NEW_S)
}

const left = (published: string) => readdirSync(join(published, 'served-models'))

test('what is named or new stays, the rest goes, and a dry run only says so', async () => {
  const drawn = fc.array(fc.record({ isNamed: fc.boolean(), isOld: fc.boolean() }), {
    maxLength: 8,
  })
  await fc.assert(
    fc.asyncProperty(drawn, async (documents) => {
      const published = await folder(documents)
      const all = left(published)
      const stays = documents.flatMap(({ isNamed, isOld }, n) =>
        isNamed || !isOld ? [`${hash(n)}.json`] : [],
      )
      const sweep = { beforeUs: BEFORE_US, dryRun: true }
      expect(await sweepServedModels(published, sweep)).toBe(all.length - stays.length)
      expect(left(published)).toEqual(all)
      await sweepServedModels(published, { ...sweep, dryRun: false })
      expect(left(published)).toEqual(stays)
      rmSync(published, { recursive: true })
    }),
    { numRuns: 20 },
  )
})

test('what a fall left half written goes, and what is none of ours stays', async () => {
  const published = await folder([])
  write(published, `${hash(1)}.json.0a1b.tmp`, true)
  write(published, 'notes.txt', true)
  const sweep = { beforeUs: BEFORE_US, dryRun: false }
  expect(await sweepServedModels(published, sweep)).toBe(1)
  expect(left(published)).toEqual(['notes.txt'])
  rmSync(published, { recursive: true })
})

test('nothing goes while nobody knows what is named', async () => {
  const sweep = { beforeUs: BEFORE_US, dryRun: false }
  const published = await folder([{ isNamed: false, isOld: true }])
  writeFileSync(join(published, 'served-models.json'), '{"format": 1, "mod')
  await expect(sweepServedModels(published, sweep)).rejects.toMatchObject({
    code: 'served_model_invalid',
  })
  rmSync(join(published, 'served-models.json'))
  expect(await sweepServedModels(published, sweep)).toBe(0)
  expect(left(published)).toHaveLength(1)
  rmSync(published, { recursive: true })
})
