// The lock file decides whether `npm ci` works on somebody else's machine, and cannot be tried on
// all of them: so what must hold is read from it.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { repositoryRoot } from './source-text.ts'

interface LockedPackage {
  readonly version: string
  readonly engines?: unknown
  readonly hasInstallScript?: boolean
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

const readJson = (name: string) => JSON.parse(readFileSync(join(repositoryRoot, name), 'utf8'))
const manifest = readJson('package.json')
const locked: Readonly<Record<string, LockedPackage>> = readJson('package-lock.json').packages

/** Where Node would find a package that the one at `path` imports. */
function resolve(path: string, name: string): LockedPackage | undefined {
  for (let at = path; ; at = at.slice(0, Math.max(0, at.lastIndexOf('/node_modules/')))) {
    const found = locked[`${at === '' ? '' : `${at}/`}node_modules/${name}`]
    if (found !== undefined || at === '') return found
  }
}

/** Of the ranges that name versions by number: one version, a major one, or majors from – to. */
function fits(version: string, range: string): boolean {
  const [, from, to = from] = /^(\d+)(?: - (\d+))?$/.exec(range) ?? []
  if (from === undefined) return !/^\d/.test(range) || version === range
  const major = Number(version.split('.')[0])
  return Number(from) <= major && major <= Number(to)
}

test('every package that a locked package asks for is locked, for all platforms', () => {
  const missing: string[] = []
  for (const [path, entry] of Object.entries(locked)) {
    const wanted = { ...entry.dependencies, ...entry.optionalDependencies }
    for (const [name, range] of Object.entries(wanted)) {
      const found = resolve(path, name)
      if (found === undefined) missing.push(`${path} asks for ${name}@${range}`)
      else if (!fits(found.version, range) && manifest.overrides[name] === undefined) {
        missing.push(`${path} asks for ${name}@${range}, locked is ${found.version}`)
      }
    }
  }
  expect(missing).toEqual([])
})

test('no locked package is left out on an older Node (write the lock file by `npm run lock`)', () => {
  const restricted = Object.entries(locked).filter(([path, entry]) => path !== '' && entry.engines)
  expect(restricted.map(([path]) => path)).toEqual([])
})

test('the Node of every platform has the same exact version', () => {
  const versions = Object.entries<string>(manifest.optionalDependencies)
    .filter(([name]) => name.startsWith('node-'))
    .map(([, version]) => version)
  expect(versions).toHaveLength(5)
  expect(new Set(versions).size).toBe(1)
})

test('versions in package.json are exact', () => {
  const all = {
    ...manifest.dependencies,
    ...manifest.devDependencies,
    ...manifest.optionalDependencies,
  }
  const ranges = Object.entries<string>(all).filter(([, version]) => !/^\d/.test(version))
  expect(ranges).toEqual([])
})

test('install scripts are denied by name', () => {
  const scripted = Object.entries(locked)
    .filter(([path, entry]) => path !== '' && entry.hasInstallScript === true)
    .map(([path]) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length))
  for (const name of scripted) expect(manifest.allowScripts[name]).toBe(false)
})
