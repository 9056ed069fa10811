// The file that a project's pipeline reads: named by a person, beside the project, or generated.
import { createWriteStream, existsSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { LoadedProject } from '../projects/index.ts'
import { rolesErrors } from './errors.ts'

/** The path of the data; generated text is written to `incoming` first. Error: `data_missing`. */
export async function dataFile(
  named: string | null,
  { declaration, directory }: Pick<LoadedProject, 'declaration' | 'directory'>,
  incoming: string,
): Promise<string> {
  const { data } = declaration
  const path = named ?? (data.file === undefined ? undefined : resolve(directory, data.file))
  if (path !== undefined) {
    if (!existsSync(path) || !statSync(path).isFile()) {
      throw rolesErrors.data_missing(`There is no file ${path}.`)
    }
    return path
  }
  if (data.generate === undefined) throw rolesErrors.data_missing('The project names no file.')
  const generated = join(incoming, data.fileName)
  await pipeline(Readable.from(data.generate()), createWriteStream(generated))
  return generated
}

/** What tells one delivery of data from another without reading it. */
export function identityOfData(
  named: string | null,
  { declaration, directory }: Pick<LoadedProject, 'declaration' | 'directory'>,
): unknown {
  const path = named ?? (declaration.data.file && resolve(directory, declaration.data.file))
  if (!path) return 'generated'
  // Another delivery than any that was read: the run that looks for it says that it is missing.
  if (!existsSync(path)) return [path, 'missing']
  const { size, mtimeMs } = statSync(path)
  return [path, size, mtimeMs]
}
