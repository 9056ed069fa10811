// The published package, tried as a stranger would: packed, installed into an empty folder, asked
// for a new project, and that project trained. Nothing of the source tree is in reach there.
import { spawnSync } from 'node:child_process'
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { repositoryRoot } from './source-text.ts'
import { needs } from './tools.ts'

const folder = mkdtempSync(join(tmpdir(), 'assay-package-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test.skipIf(!needs('registry'))(
  'the packed package installs into an empty folder, makes a project and trains it',
  { timeout: 600_000 },
  () => {
    const tarball = pack()
    const empty = join(folder, 'empty')
    mkdirSync(empty)
    runIn(empty, 'npm', 'install', '--prefer-offline', '--no-audit', '--no-fund', tarball)
    expect(readdirSync(join(empty, 'node_modules', 'assay')).sort()).toEqual(
      expect.arrayContaining(['LICENSE', 'README.md', 'bin', 'dist', 'dist-web', 'package.json']),
    )
    expect(readdirSync(join(empty, 'node_modules'))).not.toContain('vite')

    expect(runIn(empty, 'npx', 'assay', '--help')).toContain('assay')
    runIn(empty, 'npx', 'assay', 'init', 'my-bank')
    const manifest = JSON.parse(readFileSync(join(empty, 'my-bank', 'package.json'), 'utf8'))
    expect(resolve(empty, 'my-bank', manifest.dependencies.assay.slice('file:'.length))).toBe(
      tarball,
    )
    // What an editor would say of the new project, with the declarations of the package.
    const compiler = join(repositoryRoot, 'node_modules', 'typescript', 'bin', 'tsc')
    runIn(empty, process.execPath, compiler, '-p', 'my-bank')
    const output = runIn(empty, 'npx', 'assay', 'run', 'my-bank', '--home', join(folder, 'home'))
    expect(output).toMatch(/average precision/i)
  },
)

/** Packs a copy, so that building it disturbs no test that uses the tree meanwhile. */
function pack(): string {
  const copy = join(folder, 'copy')
  const left = new Set(['node_modules', 'dist', 'dist-web', '.git', '.assay'])
  for (const name of readdirSync(repositoryRoot)) {
    if (!left.has(name)) cpSync(join(repositoryRoot, name), join(copy, name), { recursive: true })
  }
  symlinkSync(join(repositoryRoot, 'node_modules'), join(copy, 'node_modules'))
  runIn(copy, 'npm', 'pack', '--pack-destination', folder)
  const packed = readdirSync(folder).find((name) => name.endsWith('.tgz'))
  return join(folder, packed!)
}

/** Runs a program to its end and returns what it wrote; fails with its output if it fails. */
function runIn(directory: string, program: string, ...args: string[]): string {
  const run = spawnSync(program, args, {
    cwd: directory,
    env: strangersEnvironment(),
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  })
  const output = `${run.stdout}\n${run.stderr}`
  expect(run.status, `${program} ${args.join(' ')}\n${output}`).toBe(0)
  return output
}

/** The environment without what the surrounding `npm test` and test runner put into it. */
function strangersEnvironment(): NodeJS.ProcessEnv {
  const left = /^(NODE_OPTIONS|NODE_ENV|VITEST.*|ASSAY_.*|INIT_CWD|npm_(package|lifecycle)_.*)$/
  const prefix = /^npm_config_(local_prefix|global_prefix|prefix)$/i
  const kept = Object.entries(process.env).filter(
    ([name]) => !left.test(name) && !prefix.test(name),
  )
  const path = (process.env.PATH ?? '')
    .split(delimiter)
    .filter((entry) => !entry.endsWith(join('node_modules', '.bin')))
  return { ...Object.fromEntries(kept), PATH: path.join(delimiter) }
}
