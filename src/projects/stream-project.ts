import { compileLogStream, type LogStreamDeclaration } from '../logs/index.ts'
import { projectErrors } from './errors.ts'
import { checkNames, type CompiledFeatureProject } from './feature-project.ts'

export interface StreamProjectOptions {
  readonly title: string
  readonly description?: string
  readonly owner: string
  readonly logs: readonly LogStreamDeclaration[]
}

export interface StreamProjectDeclaration extends StreamProjectOptions {
  readonly kind: 'stream-project'
  readonly name: string
}

/**
 * Declares a project of log streams alone; the default export of its `project.ts`. `assay start` reads
 * them for as long as it runs, and shows their visitors and templates.
 */
export function streamProject(
  name: string,
  options: StreamProjectOptions,
): StreamProjectDeclaration {
  if (!/^[a-z0-9][a-z0-9-]*$/.test(name)) {
    throw projectErrors.project_invalid(
      `${name}: a name consists of lower-case letters, digits and dashes`,
    )
  }
  return { kind: 'stream-project', name, ...options }
}

/** The project as data. Errors: `project_invalid`, and those of `compileLogStream`. */
export function compileStreamProject(
  declaration: StreamProjectDeclaration,
): CompiledFeatureProject {
  const { name, title, description = '', owner, logs } = declaration
  checkNames(name, 'logs', logs)
  return {
    name,
    title,
    description,
    owner,
    sources: [],
    labels: [],
    featureSets: [],
    logs: logs.map((each) => compileLogStream(each)),
  }
}
