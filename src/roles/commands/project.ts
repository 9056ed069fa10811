import { isAssayError } from '../../lib/errors.ts'
import { loadProject, type CompiledProject, type LoadedProject } from '../../projects/index.ts'
import type { CompiledLabels, CompiledSource } from '../../data/index.ts'
import { commandErrors } from './errors.ts'

/** A project as loaded by a command; a declaration that only throws is a mistake of the project. */
export async function projectIn(path: string): Promise<LoadedProject> {
  try {
    return await loadProject(path)
  } catch (error) {
    if (isAssayError(error)) throw error
    throw commandErrors.option_invalid(`The project in ${path}: ${(error as Error).message}`, {
      cause: error,
    })
  }
}

/** The labels that stand in a column of a source's own files, one of `preferred` if there is one. */
export function labelsInFilesOf(
  project: Pick<CompiledProject, 'labels'>,
  source: CompiledSource,
  preferred: readonly string[] = [],
): CompiledLabels | undefined {
  const inFiles = project.labels.filter(({ of, from }) => of === source.name && from !== null)
  return inFiles.find(({ name }) => preferred.includes(name)) ?? inFiles[0]
}
