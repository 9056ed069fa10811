// Compiles src/ to dist/ for the published package: Node strips no types under node_modules, so
// what is published must be JavaScript. Declarations are written beside it.
import { spawnSync } from 'node:child_process'
import { cpSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const source = join(root, 'src')
const target = join(root, 'dist')

rmSync(target, { recursive: true, force: true })
const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
const compiled = spawnSync(process.execPath, [compiler, '-p', join(root, 'tsconfig.build.json')], {
  stdio: 'inherit',
})
if (compiled.status !== 0) process.exit(compiled.status ?? 1)

copyOtherFiles()
rewriteWorkerPaths()

/** Files that are data (SQL, JSON) travel as they are. */
function copyOtherFiles() {
  cpSync(source, target, {
    recursive: true,
    filter: (path) => !/\.tsx?$/.test(path),
  })
}

/**
 * The compiler rewrites `./x.ts` in imports to `./x.js`, but not in `new URL('./x.ts',
 * import.meta.url)`, by which worker threads and child processes name their entry file.
 */
function rewriteWorkerPaths() {
  for (const entry of readdirSync(target, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    if (!entry.isFile() || !path.endsWith('.js')) continue
    const text = readFileSync(path, 'utf8')
    const rewritten = text.replace(
      /(new URL\(\s*['"]\.{1,2}\/[^'"]+)\.ts(['"],\s*import\.meta\.url)/g,
      '$1.js$2',
    )
    if (rewritten !== text) writeFileSync(path, rewritten)
  }
}
