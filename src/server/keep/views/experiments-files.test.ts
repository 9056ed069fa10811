import { expect, test } from 'vitest'
import type { RunPreview } from '../../contract/index.ts'
import { contentOf, placeOf } from './experiments-files.ts'

const plain: RunPreview = {
  path: 'x',
  bytes: 0,
  href: '',
  kind: 'none',
  text: null,
  head: [],
  rows: [],
  note: null,
}
const look = (name: string, content: string | Uint8Array) =>
  contentOf(name, typeof content === 'string' ? new TextEncoder().encode(content) : content, plain)

test('a page is shown as the text that it is', () => {
  const seen = look('report.html', '<script>alert(1)</script>')
  expect(seen).toMatchObject({ kind: 'text', text: '<script>alert(1)</script>' })
})

test('JSON is laid out, and shown as text where it is none', () => {
  expect(look('a.json', '{"a":1}').text).toBe('{\n  "a": 1\n}')
  expect(look('a.json', '{"a":').text).toBe('{"a":')
})

test('deep JSON is shown as it came, and does not grow to half a gigabyte', () => {
  const deep = `${'['.repeat(4000)}${'1,'.repeat(60_000)}1${']'.repeat(4000)}`
  expect(look('a.json', deep)).toMatchObject({ kind: 'json', text: deep })
})

test('a table is read with its quotes, and of a long one the beginning', () => {
  const seen = look('a.csv', 'name,note\r\n"a, b","said ""so"""\nplain,x\n')
  expect(seen).toMatchObject({
    kind: 'csv',
    head: ['name', 'note'],
    rows: [
      ['a, b', 'said "so"'],
      ['plain', 'x'],
    ],
    note: null,
  })
  const long = look('a.csv', `n\n${'1\n'.repeat(900)}`)
  expect(long.rows).toHaveLength(200)
  expect(long.note).toContain('the first 200 rows')
})

test('bytes that are no text are not shown', () => {
  expect(look('model.pkl', Uint8Array.of(0x80, 4, 0, 0))).toMatchObject({
    kind: 'none',
    text: null,
  })
  expect(look('latin.txt', Uint8Array.of(0xe9, 0x20)).kind).toBe('none')
})

test('a long text is cut between two characters', () => {
  const seen = look('a.txt', 'é'.repeat(200_000))
  expect(seen.text).toMatch(/^é+$/)
  expect(seen.note).toContain('262,144')
})

test('a file is looked for among those of the run, or of the logged model that its path names', () => {
  const own = { owner: { kind: 'run', id: 'r1' }, prefix: '' }
  expect(placeOf('r1', 'model/MLmodel')).toEqual({ ...own, path: 'model/MLmodel' })
  expect(placeOf('r1', 'models:/other')).toEqual({ ...own, path: 'models:/other' })
  const model = { owner: { kind: 'logged-model', id: 'm-1a' }, prefix: 'models:/m-1a/' }
  expect(placeOf('r1', 'models:/m-1a')).toEqual({ ...model, path: '' })
  expect(placeOf('r1', 'models:/m-1a/data/x.bin')).toEqual({ ...model, path: 'data/x.bin' })
})
