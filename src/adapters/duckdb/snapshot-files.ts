/** Files that appear under their names whole or not at all. */
import { mkdir, open, readdir, rename, rm, stat, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { dataErrors } from '../../data/index.ts'

export async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/**
 * Says of a file that it is wanted, so that no cleaner takes it for left over. False where it is not
 * there.
 */
export async function touch(path: string, nowUs: number): Promise<boolean> {
  try {
    await utimes(path, nowUs / 1e6, nowUs / 1e6)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}

/** Makes the folder and removes what a process that was killed left half-written in it. */
export async function sweep(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true })
  const names = await readdir(directory)
  const leftOver = names.filter((name) => name.endsWith('.part'))
  await Promise.all(leftOver.map((name) => rm(join(directory, name), { force: true })))
}

/** Writes a file under a temporary name, waits until it is on disk, and gives it its name. */
export async function writeWhole(
  path: string,
  write: (temporary: string) => Promise<void>,
): Promise<void> {
  const temporary = `${path}.${process.pid}.part`
  try {
    await write(temporary)
    await syncToDisk(temporary)
    await rename(temporary, path)
  } catch (cause) {
    await rm(temporary, { force: true })
    throw writeError(cause)
  }
}

async function syncToDisk(path: string): Promise<void> {
  const file = await open(path, 'r+')
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}

function writeError(cause: unknown): Error {
  const message = cause instanceof Error ? cause.message : String(cause)
  if (/No space left|ENOSPC|disk full|File too large|EFBIG|quota/i.test(message)) {
    return dataErrors.snapshot_disk_full(`The snapshot did not fit on the disk: ${message}`, {
      cause,
    })
  }
  return dataErrors.snapshot_write_failed(`The snapshot was not written: ${message}`, { cause })
}
