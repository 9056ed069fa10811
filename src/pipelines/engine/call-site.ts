import { fileURLToPath } from 'node:url'
import { getCallSites } from 'node:util'

const FRAMES = 12

/** The file of the first caller outside of this folder: where a project declares something. */
export function callerFile(): string {
  const own = folderOf(fileURLToPath(import.meta.url))
  for (const { scriptName } of getCallSites(FRAMES)) {
    const path = scriptName.startsWith('file:') ? fileURLToPath(scriptName) : scriptName
    const tested = /\.(test|cases)\.ts$/.test(path)
    if (path !== '' && !path.startsWith('node:') && (tested || folderOf(path) !== own)) return path
  }
  return ''
}

function folderOf(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')))
}
