// The walls between the rooms, as data, and the check that holds them. ARCHITECTURE.md tells why
// they stand where they do. A change here is a change of the design: write a decision record.
import { posix } from 'node:path'
import { importsOf, separate } from './source-text.ts'

/**
 * The rooms in the order in which data flows. Each may import itself and what stands in its list,
 * which names only rooms before it; so imports never run back.
 */
export const allowedRooms: Readonly<Record<string, readonly string[]>> = allowTable([
  ['lib', []],
  ['audit', ['lib']],
  ['access', ['lib', 'audit']],
  ['data', 'all before'],
  ['features', 'all before'],
  ['learning', 'all before'],
  ['text', ['lib', 'data', 'features', 'learning']],
  ['logs', ['lib', 'data', 'features', 'learning']],
  ['novelty', ['lib', 'data', 'features', 'learning', 'logs']],
  ['tracking', 'all before'],
  ['registry', 'all before'],
  ['governance', 'all before'],
  ['serving', 'all before'],
  ['decisions', 'all before'],
  ['monitoring', 'all before'],
  ['pipelines', 'all before'],
  ['projects', 'all before'],
  ['adapters', 'all before'],
  ['server', 'all before but adapters'],
  ['cli', 'all before but adapters'],
])

/** Top folders besides src/, and what their files may reach outside themselves. */
export const topFolders: Readonly<Record<string, 'anything' | 'contract' | 'public' | 'launcher'>> =
  {
    bench: 'anything',
    test: 'anything',
    web: 'contract',
    examples: 'public',
    templates: 'public',
    bin: 'launcher',
    build: 'launcher',
  }

/**
 * Technologies stay in the folders named here, so that replacing one touches one folder. A package
 * that is not listed may not be imported in src/ at all.
 */
export const packageFolders: Readonly<Record<string, readonly string[]>> = {
  '@duckdb/node-api': ['src/adapters'],
  '@fastify/static': ['src/server'],
  '@grpc/grpc-js': ['src/server'],
  '@grpc/proto-loader': ['src/server'],
  '@marcbachmann/cel-js': ['src/decisions', 'src/adapters'],
  '@redis/client': ['src/adapters'],
  '@sinclair/typebox': ['src/server'],
  commander: ['src/cli'],
  croner: ['src/pipelines'],
  fastify: ['src/server'],
  kysely: ['src/adapters'],
  lmdb: ['src/adapters'],
  'node:sqlite': ['src/adapters'],
  'onnxruntime-node': ['src/adapters'],
  pino: ['src/server', 'src/cli', 'src/main.ts', 'src/roles'],
  yaml: ['src/registry'],
}

/** Packages that a test file may use anywhere. */
const testPackages = new Set(['vitest', 'fast-check', 'playwright-core'])

export interface Violation {
  readonly file: string
  readonly line: number
  readonly problem: string
}

/** Checks a set of files (path → text). An empty set is a violation: a check of nothing is none. */
export function checkArchitecture(files: ReadonlyMap<string, string>): Violation[] {
  if (files.size === 0) return [{ file: '.', line: 0, problem: 'no source files were seen' }]
  const violations: Violation[] = []
  for (const [file, text] of files) {
    const place = placeOf(file)
    if (place.kind === 'unknown') {
      violations.push({ file, line: 1, problem: place.problem })
      continue
    }
    for (const site of importsOf(separate(text))) {
      const problem = problemOf(file, place, site.specifier)
      if (problem !== undefined) violations.push({ file, line: site.line, problem })
    }
    if (isRoomIndex(file) && !/^\s*\/[/*]/.test(text)) {
      const problem = 'a room opens with a comment: what it owns and what always holds in it'
      violations.push({ file, line: 1, problem })
    }
  }
  return violations
}

type Place =
  | { readonly kind: 'room'; readonly room: string }
  /** main.ts and roles/, the wiring of each of its processes: they alone know the adapters. */
  | { readonly kind: 'main' }
  | { readonly kind: 'surface' }
  | { readonly kind: 'top'; readonly folder: string }
  | { readonly kind: 'template' }
  | { readonly kind: 'unknown'; readonly problem: string }

function placeOf(file: string): Place {
  const parts = file.split('/')
  if (parts.includes('template')) return { kind: 'template' }
  if (file === 'src/main.ts' || file.startsWith('src/roles/')) return { kind: 'main' }
  if (/^src\/index(\.test)?\.ts$/.test(file)) return { kind: 'surface' }
  if (parts[0] !== 'src') {
    if (topFolders[parts[0]] !== undefined) return { kind: 'top', folder: parts[0] }
    return { kind: 'unknown', problem: `${parts[0]}/ is not in topFolders (test/architecture.ts)` }
  }
  if (parts.length === 2) {
    return { kind: 'unknown', problem: 'only index.ts and main.ts stand outside the rooms' }
  }
  if (allowedRooms[parts[1]] !== undefined) return { kind: 'room', room: parts[1] }
  return {
    kind: 'unknown',
    problem: `src/${parts[1]}/ is not in allowedRooms (test/architecture.ts)`,
  }
}

function problemOf(file: string, from: Place, specifier: string): string | undefined {
  if (specifier.startsWith('.')) {
    const target = posix.join(posix.dirname(file), specifier)
    const isData = !/\.(ts|tsx|js|mjs)$/.test(target) // A folder, a style sheet, a JSON file.
    if (isData) return undefined
    return problemOfFile(file, from, target)
  }
  return problemOfPackage(file, from, specifier)
}

function problemOfFile(file: string, from: Place, target: string): string | undefined {
  const to = placeOf(target)
  switch (from.kind) {
    case 'room':
      return problemFromRoom(file, from.room, target, to)
    case 'main':
      return problemFromMain(file, target, to)
    case 'surface':
      if (isTest(file) || isRoomIndex(target) || isLibModule(target)) return undefined
      return 'the public API re-exports what rooms offer, nothing else'
    case 'top':
      return problemFromTop(file, from.folder, target, to)
    case 'template':
      return to.kind === 'template' ? undefined : "a project imports 'assay' and its own files"
    case 'unknown':
      return from.problem
  }
}

function problemFromRoom(
  file: string,
  room: string,
  target: string,
  to: Place,
): string | undefined {
  if (to.kind === 'room' && to.room === room) return problemInsideRoom(file, room, target)
  if (to.kind === 'top' && to.folder === 'test' && isTest(file)) return undefined
  if (to.kind === 'unknown') return to.problem
  if (to.kind === 'template') return 'a template is data: read it as a file, import nothing of it'
  if (to.kind !== 'room') return `${room} may not reach ${target}: only rooms before it`
  if (!allowedRooms[room].includes(to.room)) {
    return to.room === 'adapters'
      ? 'only src/main.ts knows the adapters: ask for a port of your own and let it be passed in'
      : `${room} may not import ${to.room}: it is not among the rooms before it`
  }
  if (isRoomIndex(target) || isLibModule(target)) return undefined
  if (isCases(target) && room === 'adapters' && (isTest(file) || isCases(file))) return undefined
  return `enter ${to.room} through src/${to.room}/index.ts alone`
}

/** The folders of adapters/ are rooms of their own: one technology each, unknown to each other. */
function problemInsideRoom(file: string, room: string, target: string): string | undefined {
  if (room !== 'adapters') return undefined
  const [own, other] = [file.split('/')[2], target.split('/')[2]]
  if (own === other || isRoomIndex(file)) return undefined
  return `adapters/${own} may not know adapters/${other}: one folder a technology`
}

function problemFromMain(file: string, target: string, to: Place): string | undefined {
  if (to.kind === 'unknown') return to.problem
  if (to.kind === 'main') return undefined
  if (isTest(file) && to.kind === 'top' && to.folder === 'test') return undefined
  // One folder a technology, one folder a door: a process loads only those that it needs.
  const partIndex = /^src\/(adapters|server)\/[^/]+\/index\.ts$/.test(target)
  const entrance = isRoomIndex(target) || isLibModule(target) || partIndex
  if (to.kind === 'room' && entrance) return undefined
  return 'the wiring enters a room, an adapter or a door (server/…/) through its index.ts'
}

function problemFromTop(
  file: string,
  folder: string,
  target: string,
  to: Place,
): string | undefined {
  if (to.kind === 'top' && to.folder === folder) return undefined
  if (to.kind === 'top' && to.folder === 'test' && isTest(file)) return undefined
  switch (topFolders[folder]) {
    case 'anything':
      return undefined
    case 'contract':
      if (/^src\/server\/contract[./-]/.test(target)) return undefined
      return 'the page knows only the contract of the server (src/server/contract…)'
    case 'public':
      return "an example imports 'assay' and its own files"
    case 'launcher':
      if (to.kind === 'top' && to.folder === 'bin') return undefined
      return 'launcher and build scripts run before the sources can: they import none'
  }
}

function problemOfPackage(file: string, from: Place, specifier: string): string | undefined {
  const name = packageName(specifier)
  if (isTest(file) && testPackages.has(name)) return undefined
  if (name === 'assay') {
    const outside = from.kind === 'template' || from.kind === 'top'
    return outside ? undefined : "inside src/ import the room, not 'assay'"
  }
  if (from.kind === 'template' || (from.kind === 'top' && topFolders[from.folder] === 'public')) {
    return name.startsWith('node:') ? undefined : "a project imports 'assay' and its own files"
  }
  if (from.kind === 'top') return undefined
  if (isCases(file) && testPackages.has(name)) return undefined
  const folders = packageFolders[name]
  if (folders === undefined) {
    if (name.startsWith('node:')) return undefined
    return `${name} is not in packageFolders (test/architecture.ts)`
  }
  if (folders.some((folder) => file === folder || file.startsWith(`${folder}/`))) return undefined
  return `${name} belongs in ${folders.join(', ')}`
}

function packageName(specifier: string): string {
  if (specifier.startsWith('node:')) return specifier
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}

function isRoomIndex(path: string): boolean {
  return /^src\/[^/]+\/index\.ts$/.test(path)
}

/**
 * lib/ has no index: its modules know no domain and little of each other, each is its own
 * entrance, and a small process (the decision path) loads only those that it uses.
 */
function isLibModule(path: string): boolean {
  return /^src\/lib\/([^/]+|[^/]+\/index)\.ts$/.test(path) && !isTest(path)
}

function isCases(path: string): boolean {
  return path.endsWith('.cases.ts')
}

function isTest(path: string): boolean {
  return /\.(test|bench|test-d)\.tsx?$/.test(path)
}

type Allowance = readonly string[] | 'all before' | 'all before but adapters'

function allowTable(
  rows: readonly (readonly [string, Allowance])[],
): Record<string, readonly string[]> {
  const table: Record<string, readonly string[]> = {}
  for (const [room, allowance] of rows) {
    const before = Object.keys(table)
    if (allowance === 'all before') table[room] = before
    else if (allowance === 'all before but adapters') {
      table[room] = before.filter((name) => name !== 'adapters')
    } else table[room] = allowance
  }
  return table
}
