import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { fileErrorCode, nodeFiles, type FileSystem } from '../../lib/files.ts'
import type { PartStore } from '../../tracking/index.ts'
import { asFull, readFile, writeStream } from './stream.ts'

/**
 * Parts of uploads as files of one folder, in which they lie only until the upload has ended. All are
 * called `.tmp`: `sweepFolder` removes those that a killed process left.
 */
export function createFolderParts(options: {
  readonly directory: string
  readonly files?: FileSystem
}): PartStore {
  const { directory, files = nodeFiles } = options
  mkdirSync(directory, { recursive: true })
  const fileOf = (name: string) => {
    if (!/^[\w.-]{1,200}$/.test(name)) throw new Error(`No part can be called ${name}.`)
    return path.join(directory, `${name}.tmp`)
  }
  const remove = async (name: string) => {
    try {
      await files.remove(fileOf(name))
    } catch (error) {
      if (fileErrorCode(error) !== 'ENOENT') throw error
    }
  }
  return {
    async write(name, content, limitBytes) {
      try {
        // Not synced: no part outlives the process.
        return await writeStream(fileOf(name), content, limitBytes, { files, sync: false })
      } catch (error) {
        await remove(name)
        return asFull(error)
      }
    },
    read: (name) => readFile(fileOf(name), files),
    remove,
  }
}
