// The code revision of a project: what its declarations and generators were when a model was made.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { contentHash, sha256Hex } from '../lib/hash.ts'

const SOURCES = /\.(ts|js|mjs|json)$/
const LEFT_OUT = new Set(['node_modules', '.git', '.assay', 'dist'])

/**
 * SHA-256 over the names and contents of a project's source files, with the version of Assay that
 * runs them: `assay 0.1.0, files 3f2a…`. It needs no version control and misses no change.
 */
export function codeRevision(directory: string, assayVersion: string): string {
  const files: [string, string][] = []
  const walk = (folder: string) => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (LEFT_OUT.has(entry.name)) continue
      const path = join(folder, entry.name)
      if (entry.isDirectory()) walk(path)
      else if (SOURCES.test(entry.name))
        files.push([relative(directory, path), sha256Hex(readFileSync(path))])
    }
  }
  walk(directory)
  files.sort(([a], [b]) => (a < b ? -1 : 1))
  return `assay ${assayVersion}, files ${contentHash(files).slice(0, 16)}`
}

/**
 * What a project's code runs in, in words that are the same for the same: `node 26.10.0, linux x64,
 * packages 3f2a…`, the last the SHA-256 of its lock file.
 */
export function codeEnvironment(directory: string): string {
  const lock = join(directory, 'package-lock.json')
  const packages = existsSync(lock) ? sha256Hex(readFileSync(lock)).slice(0, 16) : 'not locked'
  const { platform, arch, versions } = process
  return `node ${versions.node}, ${platform} ${arch}, packages ${packages}`
}
