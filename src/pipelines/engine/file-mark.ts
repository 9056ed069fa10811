import { statSync } from 'node:fs'

/** Size, time of change and place on disk: what differs when a file is written. */
export function fileMark(path: string): string | undefined {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false })
  if (stat === undefined) return undefined
  if (stat.isDirectory()) return 'folder'
  return `${stat.size} ${stat.mtimeNs} ${stat.ino}`
}
