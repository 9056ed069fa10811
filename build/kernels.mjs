// Compiles the kernels of tree learning and of SHAP values from AssemblyScript to WebAssembly. What
// is written lies beside the source and is not kept in git; without it the plain TypeScript kernels
// do the work.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const folder = join(root, 'src', 'learning', 'trees')

/** Returns the compiler's exit status; 0 where there is no compiler (`npm ci --omit=dev`). */
export function buildKernels(node = process.execPath) {
  const compiler = join(root, 'node_modules', 'assemblyscript', 'bin', 'asc.js')
  if (!existsSync(compiler)) return 0
  for (const name of ['kernels', 'shap']) {
    const status = buildOne(node, compiler, name)
    if (status !== 0) return status
  }
  return 0
}

function buildOne(node, compiler, name) {
  const source = join(folder, `${name}.as.ts`)
  if (!existsSync(source)) return 0
  const options = [
    ['--outFile', join(folder, `${name}.wasm`)],
    ['--runtime', 'stub'],
    ['--noAssert'],
    ['-O3'],
    ['--enable', 'simd'],
    ['--enable', 'threads'],
    ['--importMemory'],
    ['--sharedMemory'],
    ['--initialMemory', '1'],
    ['--maximumMemory', '65536'],
  ].flat()
  const built = spawnSync(node, [compiler, source, ...options], { cwd: root, stdio: 'inherit' })
  return built.status ?? 1
}
