// Runs after `npm ci`: makes sure that npm scripts find the packaged Node, builds the page, so that
// `npm start` has one to show, and compiles the kernels of learning. Plain JavaScript for any Node
// from 18 on.
import { spawnSync } from 'node:child_process'
import { existsSync, symlinkSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { packagedNode, suitableNode } from '../bin/runtime.js'
import { buildKernels } from './kernels.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const binaries = join(root, 'node_modules', '.bin')

linkNode()
const node = suitableNode()
if (node !== undefined) process.exitCode = buildKernels(node) || buildPage(node)

/**
 * npm puts node_modules/.bin first on the PATH of every script. npm 9 and 10 lose the `node` there,
 * because the Node packages of the other platforms, which they do not install, claim the same name.
 */
function linkNode() {
  const node = packagedNode()
  const link = join(binaries, 'node')
  if (process.platform === 'win32' || node === undefined || !existsSync(binaries)) return
  if (!existsSync(link)) symlinkSync(relative(binaries, node), link)
}

/** Skipped where there is nothing to build, or nothing to build with (`npm ci --omit=dev`). */
function buildPage(node) {
  const vite = join(root, 'node_modules', 'vite', 'bin', 'vite.js')
  if (!existsSync(join(root, 'web', 'index.html')) || !existsSync(vite)) return 0
  const built = spawnSync(node, [vite, 'build', '--logLevel', 'warn'], {
    cwd: root,
    stdio: 'inherit',
  })
  return built.status ?? 1
}
