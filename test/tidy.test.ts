import { describe, expect, test } from 'vitest'
import { readSources } from './source-text.ts'
import { rules, tidy } from './tidy.ts'

const remarksOn = (path: string, text: string) =>
  tidy(new Map([[path, text]])).map((remark) => remark.rule)

test('the tree is tidy', () => {
  const files = readSources(['src', 'web', 'examples', 'bench', 'test', 'bin', 'build'])
  expect(files.size).toBeGreaterThan(20)
  const lines = tidy(files).map(
    ({ path, line, rule, instead }) => `${path}:${line} ${rule}: ${instead}`,
  )
  expect(lines).toEqual([])
})

describe('every rule proves itself on planted text', () => {
  const planted: readonly (readonly [rule: string, path: string, text: string])[] = [
    ['empty-name', 'src/data/utils.ts', ''],
    ['empty-name', 'src/data/csv-helpers.ts', ''],
    ['hidden-clock', 'src/data/x.ts', 'const t = Date.now()'],
    ['hidden-clock', 'examples/a/x.ts', 'const t = new Date()'],
    ['hidden-randomness', 'src/data/x.ts', 'const r = Math.random()'],
    ['hidden-randomness', 'src/data/x.ts', 'const r = randomUUID()'],
    ['stray-print', 'src/server/x.ts', 'console.log(1)'],
    ['engine-mathematics', 'src/learning/x.ts', 'const y = Math.exp(x)'],
    ['long-file', 'src/data/x.ts', 'a\n'.repeat(501)],
    ['test-alone', 'src/data/x.test.ts', 'test.only("a", () => {})'],
    ['test-left-out', 'src/data/x.test.ts', 'test.skip("a", () => {})'],
    ['unfinished', 'src/data/x.ts', '// TODO later'],
    ['one-machine', 'src/data/x.ts', "const home = '/root/assay'"],
    ['unchecked-cast', 'src/data/x.ts', 'const y = x as any'],
  ]

  test.each(planted)('%s in %s', (rule, path, text) => {
    expect(remarksOn(path, text)).toEqual([rule])
  })

  test('and none is without such a proof', () => {
    const proven = new Set(planted.map(([rule]) => rule))
    expect(rules.map((rule) => rule.name).filter((name) => !proven.has(name))).toEqual([])
  })
})

test.each([
  ['src/data/x.ts', '// Date.now() would hide the clock'],
  ['src/data/x.ts', "const message = 'do not call Math.random()'"],
  ['src/data/x.ts', 'const t = new Date(us / 1000)'],
  ['src/lib/clock.ts', 'export const now = () => Date.now()'],
  ['src/cli/x.ts', 'console.log(1)'],
  ['src/data/x.test.ts', '// Needs the file that the next issue brings.\ntest.skip("a", () => {})'],
  ['src/data/x.test.ts', 'test.skipIf(true)("a", () => {})'],
  ['src/learning/x.ts', 'const y = Math.sqrt(x) + Math.floor(x)'],
])('%s: `%s` is left alone', (path, text) => {
  expect(remarksOn(path, text)).toEqual([])
})
