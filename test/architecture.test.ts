import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { allowedRooms, checkArchitecture, topFolders } from './architecture.ts'
import { readSources, repositoryRoot } from './source-text.ts'

const planted = (file: string, text: string) =>
  checkArchitecture(new Map([[file, text]])).map((violation) => violation.problem)

describe('the tree', () => {
  const files = readSources(['src', ...Object.keys(topFolders)])

  test('holds its walls', () => {
    const lines = checkArchitecture(files).map(
      ({ file, line, problem }) => `${file}:${line} ${problem}`,
    )
    expect(lines).toEqual([])
  })

  test('is really seen: every room that exists was read', () => {
    const rooms = readdirSync(join(repositoryRoot, 'src'), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name)
    expect(rooms.length).toBeGreaterThan(10)
    for (const room of rooms) {
      const seen = [...files.keys()].filter((path) => path.startsWith(`src/${room}/`))
      expect(seen.length, `files seen in src/${room}`).toBeGreaterThan(0)
    }
  })
})

describe('the allow table', () => {
  test('lets no import run back', () => {
    const order = Object.keys(allowedRooms)
    for (const [room, allowed] of Object.entries(allowedRooms)) {
      for (const other of allowed) expect(order.indexOf(other)).toBeLessThan(order.indexOf(room))
    }
  })

  test('keeps lib free of rooms and adapters out of every room', () => {
    expect(allowedRooms.lib).toEqual([])
    for (const allowed of Object.values(allowedRooms)) expect(allowed).not.toContain('adapters')
  })
})

describe('the check proves itself on planted violations', () => {
  test('an empty set of files', () => {
    expect(checkArchitecture(new Map())).toHaveLength(1)
  })

  test.each([
    ['an import that runs back', 'src/data/x.ts', "import { a } from '../features/index.ts'"],
    ['a re-export that runs back', 'src/lib/x.ts', "export * from '../data/index.ts'"],
    ['a type import that runs back', 'src/lib/x.ts', "import type { A } from '../data/index.ts'"],
    ['a dynamic import that runs back', 'src/lib/x.ts', "await import('../data/index.ts')"],
    [
      'an import over several lines',
      'src/lib/x.ts',
      "import {\n  a,\n  b,\n} from '../data/index.ts'",
    ],
    ['a worker in another room', 'src/lib/x.ts', "new URL('../data/w.ts', import.meta.url)"],
    ['a way past an index', 'src/features/x.ts', "import { a } from '../data/contract.ts'"],
    [
      'a room that knows an adapter',
      'src/data/x.ts',
      "import { a } from '../adapters/lmdb/index.ts'",
    ],
    ['a server that knows an adapter', 'src/server/x.ts', "import '../adapters/lmdb/index.ts'"],
    ['an adapter that knows another', 'src/adapters/lmdb/x.ts', "import '../sqlite/index.ts'"],
    ['a room that knows the wiring', 'src/server/x.ts', "import { a } from '../roles/keep.ts'"],
    ['wiring that goes past an index', 'src/roles/x.ts', "import { a } from '../data/contract.ts'"],
    ['an unlisted room', 'src/misc/x.ts', 'export const a = 1'],
    ['an unlisted top folder', 'scripts/x.ts', 'export const a = 1'],
    ['a stray file in src', 'src/other.ts', 'export const a = 1'],
    ['a page that knows a room', 'web/x.tsx', "import { a } from '../src/data/index.ts'"],
    [
      'a page that knows more of the server',
      'web/x.tsx',
      "import { a } from '../src/server/index.ts'",
    ],
    [
      'an example that knows a room',
      'examples/a/x.ts',
      "import { a } from '../../src/data/index.ts'",
    ],
    ['an example that knows a package', 'examples/a/x.ts', "import fastify from 'fastify'"],
    ['a technology out of its folder', 'src/learning/x.ts', "import { open } from 'lmdb'"],
    ['an unlisted package', 'src/lib/x.ts', "import _ from 'lodash'"],
    ['a room that imports the package', 'src/lib/x.ts', "import { a } from 'assay'"],
    ['a room without an opening comment', 'src/lib/index.ts', 'export const a = 1'],
    ['a template that knows its room', 'src/cli/template/x.ts', "import { a } from '../index.ts'"],
    ['a launcher that needs the sources', 'bin/x.js', "import '../src/main.ts'"],
  ])('%s', (_name, file, text) => {
    expect(planted(file, text)).toHaveLength(1)
  })
})

describe('the check leaves alone what is allowed', () => {
  test.each([
    ['src/features/x.ts', "import { a } from '../data/index.ts'\nimport { b } from './window.ts'"],
    [
      'src/features/x.ts',
      "// import { a } from '../server/index.ts'\nconst s = \"import '../cli/index.ts'\"",
    ],
    ['src/features/x.ts', 'const pattern = /["\']/\nimport { a } from "../data/index.ts"'],
    ['src/features/x.ts', "const text = `import a from '${a + `'`}'`\nimport '../lib/index.ts'"],
    ['src/features/x.ts', "import { contentHash } from '../lib/hash.ts'"],
    ['src/adapters/lmdb/x.test.ts', "import { cases } from '../../features/store.cases.ts'"],
    ['src/adapters/lmdb/x.ts', "import { open } from 'lmdb'"],
    [
      'src/data/x.test.ts',
      "import { needs } from '../../test/tools.ts'\nimport { test } from 'vitest'",
    ],
    [
      'src/main.ts',
      "import { a } from './adapters/lmdb/index.ts'\nimport { b } from './server/index.ts'",
    ],
    ['src/roles/keep.ts', "import { a } from '../adapters/sqlite/index.ts'\nimport '../main.ts'"],
    ['src/index.ts', "export { source } from './data/index.ts'"],
    [
      'web/src/x.tsx',
      "import type { A } from '../../src/server/contract.ts'\nimport React from 'react'",
    ],
    ['examples/a/x.ts', "import { source } from 'assay'\nimport { b } from './b.ts'"],
    ['bench/x.ts', "import { a } from '../src/learning/trees.ts'"],
  ])('%s', (file, text) => {
    expect(planted(file, text)).toEqual([])
  })
})
