// Which files of a home a backup takes. Everything that is not listed here is taken, so that what a later
// room keeps is never left out by silence.
import { promises as fs } from 'node:fs'
import path from 'node:path'
import { fileErrorCode } from '../../lib/files.ts'

/** Below a home, with `/`. */
export type HomePath = string

const LEFT_OUT: readonly RegExp[] = [
  // Gone with the process, or on its way in.
  /^run(\/|$)/,
  /^incoming(\/|$)/,
  /^pipelines\/scratch(\/|$)/,
  /\.tmp(-[^/]*)?$/,
  // Copied in another way: the metadata as of one moment, journals up to a sequence.
  /^keep\/assay\.sqlite(-wal|-shm|-journal)?$/,
  /^keep\/before-[^/]*$/,
  /^decide\/[^/]+\/journal\/[^/]+\.(journal|kept)(\.(sealed|outline|draft))?$/,
  // Made anew from the journal (docs/decisions/0005-home-directory.md).
  /^decide\/[^/]+\/(index|cold)([.-][^/]*)?(\/|$)/,
  /\.damaged(-[^/]*)?(\/|$)/,
]

/** What is never written again once it is there, and makes nearly all of a home's bytes. */
export const isBulk = (file: HomePath): boolean =>
  /^(snapshots|artifacts|models|pipelines\/objects)\//.test(file) &&
  !file.startsWith('artifacts/uploads/')

export const isSecret = (file: HomePath): boolean => file.startsWith('secrets/')

/** The files of a home that are copied as they are, in the order of their names. */
export async function* filesOf(
  root: string,
  folder: HomePath = '',
): AsyncGenerator<{ readonly file: HomePath; readonly bytes: number }> {
  const entries = await fs
    .readdir(path.join(root, folder), { withFileTypes: true })
    .catch(unlessGone)
  for (const entry of entries?.toSorted((a, b) => (a.name < b.name ? -1 : 1)) ?? []) {
    const file = folder === '' ? entry.name : `${folder}/${entry.name}`
    if (LEFT_OUT.some((pattern) => pattern.test(file))) continue
    if (entry.isDirectory()) yield* filesOf(root, file)
    if (!entry.isFile()) continue
    const found = await fs.stat(path.join(root, file)).catch(unlessGone)
    if (found !== undefined) yield { file, bytes: found.size }
  }
}

/** A file may go between its name and its content: what is due is removed while a backup runs. */
export function unlessGone(error: unknown): undefined {
  if (fileErrorCode(error) !== 'ENOENT') throw error
}
