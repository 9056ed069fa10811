import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { repositoryRoot } from '../../test/source-text.ts'
import { loadFeatures, loadProject } from './load.ts'

function folder(source?: string): string {
  const path = mkdtempSync(join(tmpdir(), 'assay-project-'))
  if (source !== undefined) writeFileSync(join(path, 'project.ts'), source)
  return path
}

test('a project is loaded from its folder and compiled', async () => {
  const { directory, compiled } = await loadProject(join(repositoryRoot, 'test/projects/tiny'))
  expect(directory).toMatch(/tiny$/)
  expect(compiled).toMatchObject({ name: 'tiny', example: true })
  expect(compiled.version).toMatch(/^[0-9a-f]{64}$/)
})

test('a loaded project knows how its features were written', async () => {
  const { compiled } = await loadProject(join(repositoryRoot, 'test/projects/tiny'))
  const { files, places } = compiled.declarations!
  expect(files.map(({ path }) => path)).toEqual(['project.ts'])
  const names = compiled.featureSets.flatMap(({ features }) => features.map(({ name }) => name))
  expect(places.map(({ feature }) => feature)).toEqual([null, ...names])
})

test('a project of features alone gives its features, and says what it lacks to learn', async () => {
  const example = join(repositoryRoot, 'examples/order-book')
  const { name, sources, featureSets, models } = await loadFeatures(example)
  expect({ name, models }).toEqual({ name: 'order-book', models: [] })
  expect(featureSets.every((set) => sources.some((source) => source.name === set.source))).toBe(
    true,
  )
  await expect(loadProject(example)).rejects.toMatchObject({
    code: 'project_features_only',
    detail: expect.stringContaining('no models, gates, policies, split and registeredModel'),
  })
})

test('the features of a whole project come with its models', async () => {
  const { featureSets, models } = await loadFeatures(join(repositoryRoot, 'test/projects/tiny'))
  expect(featureSets.map(({ name }) => name)).toEqual(['behaviour'])
  expect(models.map(({ name }) => name)).toEqual(['trees', 'logistic'])
})

test('a folder without a project and no folder at all are said', async () => {
  const empty = folder()
  mkdirSync(join(empty, 'project'))
  for (const path of [empty, join(empty, 'none'), join(empty, 'project')]) {
    await expect(loadProject(path)).rejects.toMatchObject({ code: 'project_not_found' })
  }
})

test.each([
  ['throws', 'throw new Error("no such table")', 'no such table'],
  ['throws no error', 'throw null', 'null'],
  ['exports nothing', 'export const x = 1', 'does not export a project'],
  ['exports something else', 'export default { kind: "model" }', 'does not export a project'],
  ['is wrong in a line', '\nconst x = 1\nx()', '/project.ts, line 3: x is not a function'],
  [
    'cannot be read as code',
    'throw Object.assign(new Error("odd"), { stack: `${import.meta.url}:9\\nx = (` })',
    '/project.ts, line 9: odd',
  ],
  ['is no TypeScript', 'export default project(', ''],
  ['imports what is not there', 'import "./nothing.ts"', 'nothing.ts'],
])('a project file that %s is named with what is wrong', async (_, source, message) => {
  await expect(loadProject(folder(source))).rejects.toMatchObject({
    code: 'project_invalid',
    detail: expect.stringContaining(message),
  })
})
