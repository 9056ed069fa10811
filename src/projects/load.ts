// Finds a project on disk and evaluates it. Only the work role and commands do this: the processes
// that decide and keep never run a project's code.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join, relative, resolve, sep } from 'node:path'
import { pathToFileURL } from 'node:url'
import { AssayError } from '../lib/errors.ts'
import { findDeclarations, type SourceFile } from './declaration-text.ts'
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
    const compiled = compileProject(declaration)
    const declarations = findDeclarations(sourceFiles(directory), compiled.featureSets)
    return { directory, declaration, compiled: { ...compiled, declarations } }
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

/** What is read of a project's own code, so that a folder full of other things costs nothing. */
const FILES_MAX = 200
const FILE_BYTES_MAX = 256 * 1024
const FOLDERS_DEEP_MAX = 4

/** The project's files that declare feature sets. */
function sourceFiles(directory: string): SourceFile[] {
  const found: SourceFile[] = []
  const look = (folder: string, depth: number): void => {
    for (const entry of readdirSync(folder, { withFileTypes: true }).toSorted(byName)) {
      const path = join(folder, entry.name)
      if (entry.name.startsWith('.') || entry.name === 'node_modules') continue
      if (entry.isDirectory() && depth < FOLDERS_DEEP_MAX) look(path, depth + 1)
      const isCode = /(?<!\.(?:test|d))\.(?:ts|mts|js|mjs)$/.test(entry.name)
      if (!entry.isFile() || !isCode || found.length === FILES_MAX) continue
      if (statSync(path).size > FILE_BYTES_MAX) continue
      const text = readFileSync(path, 'utf8')
      const name = relative(directory, path).split(sep).join('/')
      if (text.includes('featureSet')) found.push({ path: name, text })
    }
  }
  look(directory, 1)
  return found
}

const byName = (a: { readonly name: string }, b: { readonly name: string }): number =>
  a.name < b.name ? -1 : 1
