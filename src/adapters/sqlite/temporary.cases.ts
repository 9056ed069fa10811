/** Opens the adapter in a folder of its own, which goes when the test ends. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { onTestFinished } from 'vitest'
import { openSqlite } from './index.ts'

export function openTemporary() {
  const directory = mkdtempSync(path.join(tmpdir(), 'assay-sqlite-'))
  const stores = openSqlite(path.join(directory, 'assay.sqlite'))
  return {
    ...stores,
    directory,
    async close() {
      await stores.close()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

/** One room's store out of a temporary file, in the shape that the shared cases open. */
export async function openStore<Name extends keyof ReturnType<typeof openTemporary>>(name: Name) {
  const opened = openTemporary()
  return { store: opened[name], unit: opened.unit, close: opened.close }
}

/** The same for cases that do not close what they opened: the file goes when the test has run. */
export function openForTest() {
  const opened = openTemporary()
  onTestFinished(() => opened.close())
  return opened
}
