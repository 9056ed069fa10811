// The code of a step: the file that declares it and every file of the project that it can reach. Paths
// are read from the text: each literal that begins with `./` or `../` and names a file counts, so an
// import, a worker and a query beside the code are seen alike, and one too many costs a run, never a
// wrong hit. What a computed path loads is not seen.
import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, extname, join, relative, resolve, sep } from 'node:path'
import { sha256Hex } from '../../lib/hash.ts'
import { fileMark } from './file-mark.ts'
import type { KeyParts } from './records.ts'

const LITERAL = /(['"`])(\.{1,2}\/[^'"`\n\\]+)\1/g
const CODE = new Set([
  '.ts',
  '.mts',
  '.cts',
  '.js',
  '.mjs',
  '.cjs',
  '.json',
  '.sql',
  '.wasm',
  '.py',
])
const FILES_MAX = 2000
const BYTES_MAX = 4 * 1024 * 1024

interface CodeFile {
  readonly hash: string
  readonly reaches: readonly string[]
  /** What it looked like when it was read. */
  readonly mark: string | undefined
}

interface Closure {
  readonly code: KeyParts['code']
  readonly paths: readonly string[]
}

/** Reads each file once, however many steps reach it; made anew for every run. */
export function createCodeReader(project: string) {
  const root = resolve(project)
  const read = new Map<string, CodeFile>()
  const closures = new Map<string, Closure>()
  const packages = packagesHash(root)

  function fileAt(path: string) {
    const known = read.get(path)
    if (known !== undefined) return known
    const mark = fileMark(path)
    const bytes = readFileSync(path)
    const reaches = /\.[cm]?[jt]s$/.test(path) ? reached(path, bytes.toString('utf8')) : []
    const file = { hash: sha256Hex(bytes), reaches, mark }
    read.set(path, file)
    return file
  }

  const nameOf = (path: string) => relative(root, path).split(sep).join('/')

  function closureOf(entry: string): Closure {
    const known = closures.get(entry)
    if (known !== undefined) return known
    const found = new Set([resolve(entry)])
    for (const path of found) {
      // The set that is walked grows by what a file reaches.
      for (const other of fileAt(path).reaches) if (found.size < FILES_MAX) found.add(other)
    }
    const files = [...found]
      .map((path) => [nameOf(path), fileAt(path).hash] as const)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
    const closure = { code: { files: Object.fromEntries(files), packages }, paths: [...found] }
    closures.set(entry, closure)
    return closure
  }

  return {
    nameOf,
    /** The closure of a file, as paths relative to the project → SHA-256. */
    closure: (entry: string): KeyParts['code'] => closureOf(entry).code,
    /** The first file of a closure that is not any more what was read, as a path in the project. */
    changed(entry: string): string | undefined {
      const path = closureOf(entry).paths.find((each) => {
        const { hash, mark } = fileAt(each)
        if (fileMark(each) === mark) return false
        return !existsSync(each) || sha256Hex(readFileSync(each)) !== hash
      })
      return path === undefined ? undefined : nameOf(path)
    },
  }
}

export type CodeReader = ReturnType<typeof createCodeReader>

function reached(path: string, text: string): string[] {
  const found: string[] = []
  for (const [, , specifier] of text.matchAll(LITERAL)) {
    const target = resolve(dirname(path), specifier.replace(/[?#].*$/, ''))
    if (!CODE.has(extname(target)) || target.includes(`${sep}node_modules${sep}`)) continue
    if (!existsSync(target)) continue
    const stat = statSync(target)
    if (stat.isFile() && stat.size <= BYTES_MAX) found.push(target)
  }
  return found
}

/** The lock file of the project, or of a folder above it; else what its package.json asks for. */
function packagesHash(root: string): string | null {
  for (let folder = root; ; folder = dirname(folder)) {
    for (const name of [
      'package-lock.json',
      'npm-shrinkwrap.json',
      'pnpm-lock.yaml',
      'yarn.lock',
    ]) {
      const path = join(folder, name)
      if (existsSync(path)) return sha256Hex(readFileSync(path))
    }
    const manifest = join(folder, 'package.json')
    if (existsSync(manifest)) return sha256Hex(readFileSync(manifest))
    if (dirname(folder) === folder) return null
  }
}
