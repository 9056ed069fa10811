import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import tiny from '../../test/projects/tiny/project.ts'
import { dataFile, identityOfData } from './project-data.ts'

const directory = mkdtempSync(join(tmpdir(), 'assay-data-'))
const withData = (data: Partial<typeof tiny.data>) => ({
  directory,
  declaration: { ...tiny, data: { describe: 'Rows', fileName: 'rows.csv', ...data } },
})
const generated = withData({ generate: () => ['id\n', '1\n', '2\n'] })

test('generated rows are written into a file of the home', async () => {
  const path = await dataFile(null, generated, directory)
  expect(path).toBe(join(directory, 'rows.csv'))
  expect(readFileSync(path, 'utf8')).toBe('id\n1\n2\n')
})

test('a file that a person names goes before everything else, and must be there', async () => {
  const named = join(directory, 'named.csv')
  await expect(dataFile(named, generated, directory)).rejects.toMatchObject({
    code: 'data_missing',
  })
  await expect(dataFile(directory, generated, directory)).rejects.toMatchObject({
    code: 'data_missing',
  })
  writeFileSync(named, 'id\n')
  expect(await dataFile(named, generated, directory)).toBe(named)
})

test('a file beside the project is found from wherever the program runs', async () => {
  writeFileSync(join(directory, 'beside.csv'), 'id\n')
  const beside = withData({ file: 'beside.csv' })
  expect(await dataFile(null, beside, directory)).toBe(join(directory, 'beside.csv'))
})

test('another file, a changed file and a missing file are other deliveries than the generated one', () => {
  const path = join(directory, 'delivery.csv')
  const seen = [identityOfData(null, generated), identityOfData(path, generated)]
  writeFileSync(path, 'id\n')
  seen.push(identityOfData(path, generated))
  writeFileSync(path, 'id\n1\n')
  seen.push(identityOfData(path, generated))
  expect(new Set(seen.map((each) => JSON.stringify(each))).size).toBe(4)
  expect(identityOfData(path, generated)).toEqual(seen.at(-1))
})
