// Rewrites package-lock.json after a change to package.json: `npm run lock`. It is run by the Node
// that the lock file itself carries, because npm chooses versions by the Node it runs on.
//
// Afterwards the `engines` of every locked package are dropped: they describe the Node that
// installs, while everything here runs on the Node that is installed. Left in, `npm ci` on an
// older Node silently leaves out optional packages such as the bundler's binaries.
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const lockPath = join(root, 'package-lock.json')
const npm = process.env.npm_execpath
if (npm === undefined) {
  process.stderr.write('Run this as `npm run lock`.\n')
  process.exit(1)
}
const installed = spawnSync(process.execPath, [npm, 'install', '--ignore-scripts'], {
  cwd: root,
  stdio: 'inherit',
})
if (installed.status !== 0) process.exit(installed.status ?? 1)

const lock = JSON.parse(readFileSync(lockPath, 'utf8'))
for (const [path, entry] of Object.entries(lock.packages)) {
  if (path !== '') delete entry.engines
}
writeFileSync(lockPath, `${JSON.stringify(lock, null, 2)}\n`)
