// Compiles the kernels of tree learning from AssemblyScript to WebAssembly. What is written lies
// beside the source and is not kept in git; without it the plain TypeScript kernels do the work.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const folder = join(root, 'src', 'learning', 'trees')

/** Returns the compiler's exit status; 0 where there is no compiler (`npm ci --omit=dev`). */
export function buildKernels(node = process.execPath) {
  const compiler = join(root, 'node_modules', 'assemblyscript', 'bin', 'asc.js')
  const source = join(folder, 'kernels.as.ts')
  if (!existsSync(compiler) || !existsSync(source)) return 0
  const options = [
    ['--outFile', join(folder, 'kernels.wasm')],
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
