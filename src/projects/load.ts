// Finds a project on disk and evaluates it. Only the work role and commands do this: the processes
// that decide and keep never run a project's code.
import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { AssayError } from '../lib/errors.ts'
import type { PipelineProjectDeclaration } from './pipeline-project.ts'
import type { StreamProjectDeclaration } from './stream-project.ts'
import { findDeclarations, type SourceFile } from './declaration-text.ts'
import {
  compilePart,
  compileProject,
  type CompiledProject,
  type DeclaredProject,
  type ProjectDeclaration,
} from './declare.ts'
import { projectErrors } from './errors.ts'
import { compilePipelines, type PipelineDeclaration } from '../pipelines/index.ts'
import {
  compileFeatureProject,
  type CompiledFeatureProject,
  type FeatureProjectDeclaration,
} from './feature-project.ts'

export interface LoadedProject {
  readonly directory: string
  readonly declaration: ProjectDeclaration
  readonly compiled: CompiledProject
}

/**
 * Loads `project.ts` (or `.js`) of a folder. Errors: `project_not_found`, `project_invalid`, and
 * `project_features_only` where it declares nothing to learn and decide.
 */
export async function loadProject(path: string): Promise<LoadedProject> {
  const { directory, entry, declaration } = await declarationIn(path)
  if (declaration.kind !== 'project') {
    throw projectErrors.project_features_only(
      `${entry} has no models, gates, policies, split and registeredModel`,
    )
  }
  try {
    const compiled = compileProject(declaration)
    const declarations = findDeclarations(sourceFiles(directory), compiled.featureSets)
    return { directory, declaration, compiled: { ...compiled, declarations } }
  } catch (error) {
    throw asInvalid(entry, error)
  }
}

/** Any project that a server runs. */
export interface LoadedDeclarations {
  readonly directory: string
  readonly declaration: Declaration
  readonly compiled: DeclaredProject
}

/** Loads whatever a folder declares. Errors: `project_not_found`, `project_invalid`. */
export async function loadDeclarations(path: string): Promise<LoadedProject | LoadedDeclarations> {
  const { directory, entry, declaration } = await declarationIn(path)
  if (declaration.kind === 'project') return loadProject(path)
  try {
    const compiled = compilePart(declaration)
    const declarations = findDeclarations(sourceFiles(directory), compiled.featureSets)
    return { directory, declaration, compiled: { ...compiled, declarations } }
  } catch (error) {
    throw asInvalid(entry, error)
  }
}

/** What is known of the features of a folder's project, and of its models where it has any. */
export interface LoadedFeatures extends CompiledFeatureProject {
  readonly models: CompiledProject['models']
}

/** Loads what every project declares. Errors: `project_not_found`, `project_invalid`. */
export async function loadFeatures(path: string): Promise<LoadedFeatures> {
  const { entry, declaration } = await declarationIn(path)
  try {
    if (declaration.kind === 'project') return compileProject(declaration)
    if (declaration.kind !== 'feature-project') {
      throw projectErrors.project_invalid(`${entry} declares no features`)
    }
    return { ...compileFeatureProject(declaration), models: [] }
  } catch (error) {
    throw asInvalid(entry, error)
  }
}

export interface LoadedPipelines {
  readonly directory: string
  readonly name: string
  readonly pipelines: readonly PipelineDeclaration[]
}

/**
 * Loads the pipelines of a folder's project, and nothing else of it; none where it declares none.
 * Errors: `project_not_found`, `project_invalid`, `pipeline_invalid`.
 */
export async function loadPipelines(path: string): Promise<LoadedPipelines> {
  const { directory, entry, declaration } = await declarationIn(path)
  const { name } = declaration
  const pipelines = 'pipelines' in declaration ? (declaration.pipelines ?? []) : []
  try {
    compilePipelines(pipelines)
    return { directory, name, pipelines }
  } catch (error) {
    throw asInvalid(entry, error)
  }
}

const kinds = ['project', 'feature-project', 'pipeline-project', 'stream-project'] as const

type Declaration =
  | ProjectDeclaration
  | FeatureProjectDeclaration
  | PipelineProjectDeclaration
  | StreamProjectDeclaration

async function declarationIn(path: string) {
  const directory = resolve(path)
  const entry = ['project.ts', 'project.js', 'project.mjs']
    .map((name) => join(directory, name))
    .find((file) => existsSync(file))
  if (!existsSync(directory) || !statSync(directory).isDirectory() || entry === undefined) {
    throw projectErrors.project_not_found(`${directory} holds no project.ts`)
  }
  return { directory, entry, declaration: await evaluate(entry) }
}

/** What a declaration gets wrong is the bank's to mend, so no stack of ours is shown. */
function asInvalid(entry: string, error: unknown): AssayError {
  if (error instanceof AssayError) return error
  const said = error instanceof Error ? error.message : String(error)
  return projectErrors.project_invalid(`${placeOf(entry, error)}: ${said}`, { cause: error })
}

/** A frame of a stack, or the line before it that names where a file cannot be read as code. */
const STACK_PLACE = /^(?: +at (?:.* \()?|(?=file:))(.+?):(\d+)(?::\d+)?\)?$/gm

/** The newest line of the project's own code that the error came through, else its entry. */
function placeOf(entry: string, error: unknown): string {
  const stack = error instanceof Error ? (error.stack ?? '') : ''
  const folder = realpathSync(dirname(entry)) + sep
  for (const [, named, line] of stack.matchAll(STACK_PLACE)) {
    const path = named.startsWith('file:') ? fileURLToPath(named) : named
    if (!path.startsWith(folder) || path.includes(`${sep}node_modules${sep}`)) continue
    return `${path}, line ${line}`
  }
  return entry
}

async function evaluate(entry: string): Promise<Declaration> {
  let exported: unknown
  try {
    exported = ((await import(pathToFileURL(entry).href)) as { default?: unknown }).default
  } catch (error) {
    throw asInvalid(entry, error)
  }
  const kind = (exported as { kind?: (typeof kinds)[number] } | undefined)?.kind
  if (kind === undefined || !kinds.includes(kind)) {
    throw projectErrors.project_invalid(
      `${entry} does not export a project; end it with \`export default project(…)\``,
    )
  }
  return exported as Declaration
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
