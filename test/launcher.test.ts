// bin/assay.js must run on old Nodes and stay invisible: arguments, exit code and signals arrive as
// if the program had been started itself. Here a small program stands in for src/main.ts.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { repositoryRoot } from './source-text.ts'

let folder: string
let launcher: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'assay-launcher-'))
  launcher = join(folder, 'bin', 'assay.js')
  cpSync(join(repositoryRoot, 'bin'), join(folder, 'bin'), { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  mkdirSync(join(folder, 'src'))
  writeFileSync(
    join(folder, 'src', 'main.ts'),
    `const [command, code]: string[] = process.argv.slice(2)
     process.on('SIGTERM', () => process.exit(7))
     process.stdout.write(JSON.stringify([process.argv.slice(2), process.execArgv]))
     if (command === 'wait') setInterval(() => {}, 1000)
     else process.exitCode = Number(code)`,
  )
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('arguments, the condition for the sources and the exit code pass through', () => {
  const run = spawnSync(process.execPath, [launcher, 'end', '3', '--flag=a b'], {
    encoding: 'utf8',
  })
  expect(run.stderr).toBe('')
  expect(JSON.parse(run.stdout)).toEqual([
    ['end', '3', '--flag=a b'],
    ['--conditions=assay-source'],
  ])
  expect(run.status).toBe(3)
})

test('a signal reaches the program, whose own exit code comes back', async () => {
  const child = spawn(process.execPath, [launcher, 'wait'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit')
  await once(child.stdout, 'data')
  child.kill('SIGTERM')
  expect(await exited).toEqual([7, null])
})

test('without sources the compiled program runs, without conditions', () => {
  const published = join(folder, 'published')
  cpSync(join(repositoryRoot, 'bin'), join(published, 'bin'), { recursive: true })
  mkdirSync(join(published, 'dist'))
  writeFileSync(join(published, 'package.json'), '{ "type": "module" }')
  writeFileSync(join(published, 'dist', 'main.js'), 'console.log(process.execArgv.length)')
  const run = spawnSync(process.execPath, [join(published, 'bin', 'assay.js')], {
    encoding: 'utf8',
  })
  expect(run.stdout).toBe('0\n')
})

test('a Node that is too old, with none packaged, is told what to do', () => {
  // A Node of 18 cannot be started here, but its number can be pretended.
  const pretend = "Object.defineProperty(process.versions, 'node', { value: '18.20.4' })"
  const preload = `data:text/javascript,${encodeURIComponent(pretend)}`
  const run = spawnSync(process.execPath, ['--import', preload, launcher], { encoding: 'utf8' })
  expect(run.status).toBe(1)
  expect(run.stderr).toMatch(/needs Node 26 or newer; this is Node 18\.20\.4.*[Ii]nstall Node 26/)
})

test('the launcher is understood by Node 18: no TypeScript, no newer syntax than it knows', () => {
  for (const name of ['assay.js', 'runtime.js']) {
    const text = readFileSync(join(repositoryRoot, 'bin', name), 'utf8')
    expect(text).not.toMatch(/import\.meta\.(dirname|filename)|with \{ type|\busing\b/)
  }
})
