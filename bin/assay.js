#!/usr/bin/env node
// The launcher. It is plain JavaScript that any Node from 18 on understands: Assay itself runs on
// the Node that its lock file carries (docs/decisions/0003-runtime.md), so this file finds that
// one, hands over to it, and gets out of the way.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { compileCacheFolder, missingNodeMessage, suitableNode } from './runtime.js'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const node = suitableNode()
if (node === undefined) {
  process.stderr.write(missingNodeMessage())
  process.exit(1)
}
const compiled = compileCacheFolder()
if (compiled !== undefined) process.env.NODE_COMPILE_CACHE = compiled
handOver(node, [...entryArguments(), ...process.argv.slice(2)])

/** Inside the source tree the sources run as they are; the published package has only dist/. */
function entryArguments() {
  const source = join(root, 'src', 'main.ts')
  if (existsSync(source)) return ['--conditions=assay-source', source]
  return [join(root, 'dist', 'main.js')]
}

/**
 * Replaces this process where the running Node can do that, so that signals and exit codes need
 * no forwarding; otherwise starts a child and stands in for it.
 */
function handOver(executable, args) {
  if (typeof process.execve === 'function' && process.platform !== 'win32') {
    silenceExecveWarning()
    process.execve(executable, [executable, ...args], process.env)
  }
  const child = spawn(executable, args, { stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      // A terminal sends Ctrl-C to the whole group: the child has it already.
      if (signal === 'SIGINT' && process.stdin.isTTY) return
      child.kill(signal)
    })
  }
  child.on('error', (error) => {
    process.stderr.write(`Assay could not start ${executable}: ${error.message}\n`)
    process.exit(1)
  })
  child.on('exit', (code, signal) => {
    process.exit(signal === null ? code : 128 + (constants.signals[signal] ?? 0))
  })
}

/** `process.execve` is marked experimental; a person who types `assay` can do nothing about it. */
function silenceExecveWarning() {
  const emitWarning = process.emitWarning
  process.emitWarning = (warning, ...rest) => {
    if (rest[0] === 'ExperimentalWarning') return
    emitWarning.call(process, warning, ...rest)
  }
}
