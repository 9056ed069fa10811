// Finds a project on disk and evaluates it. Only the work role and commands do this: the processes
// that decide and keep never run a project's code.
import { existsSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { AssayError } from '../lib/errors.ts'
import { compileProject, type CompiledProject, type ProjectDeclaration } from './declare.ts'
import { projectErrors } from './errors.ts'

export interface LoadedProject {
  readonly directory: string
  readonly declaration: ProjectDeclaration
  readonly compiled: CompiledProject
}

/** Loads `project.ts` (or `.js`) of a folder. Errors: `project_not_found`, `project_invalid`. */
export async function loadProject(path: string): Promise<LoadedProject> {
  const directory = resolve(path)
  const entry = ['project.ts', 'project.js', 'project.mjs']
    .map((name) => join(directory, name))
    .find((file) => existsSync(file))
  if (!existsSync(directory) || !statSync(directory).isDirectory() || entry === undefined) {
    throw projectErrors.project_not_found(`${directory} holds no project.ts`)
  }
  const declaration = await evaluate(entry)
  try {
    return { directory, declaration, compiled: compileProject(declaration) }
  } catch (error) {
    throw asInvalid(entry, error)
  }
}

/** What a declaration gets wrong is the bank's to mend, so no stack of ours is shown. */
function asInvalid(entry: string, error: unknown): AssayError {
  if (error instanceof AssayError) return error
  const said = error instanceof Error ? error.message : String(error)
  return projectErrors.project_invalid(`${entry}: ${said}`, { cause: error })
}

async function evaluate(entry: string): Promise<ProjectDeclaration> {
  let exported: unknown
  try {
    exported = ((await import(pathToFileURL(entry).href)) as { default?: unknown }).default
  } catch (error) {
    throw asInvalid(entry, error)
  }
  if ((exported as { kind?: unknown } | undefined)?.kind !== 'project') {
    throw projectErrors.project_invalid(
      `${entry} does not export a project; end it with \`export default project(…)\``,
    )
  }
  return exported as ProjectDeclaration
}
