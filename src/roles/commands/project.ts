import { isAssayError } from '../../lib/errors.ts'
import {
  loadFeatures,
  loadProject,
  type CompiledProject,
  type LoadedFeatures,
  type LoadedProject,
} from '../../projects/index.ts'
import type { CompiledLabels, CompiledSource } from '../../data/index.ts'
import { commandErrors } from './errors.ts'

/** A project as loaded by a command; a declaration that only throws is a mistake of the project. */
export function projectIn(path: string): Promise<LoadedProject> {
  return loaded(path, loadProject)
}

/** The same for commands that need no more than sources, labels and features. */
export function featuresIn(path: string): Promise<LoadedFeatures> {
  return loaded(path, loadFeatures)
}

async function loaded<Loaded>(
  path: string,
  load: (path: string) => Promise<Loaded>,
): Promise<Loaded> {
  try {
    return await load(path)
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
