import { compilePipelines, type PipelineDeclaration } from '../pipelines/index.ts'
import { projectErrors } from './errors.ts'
import type { CompiledFeatureProject } from './feature-project.ts'

export interface PipelineProjectOptions {
  readonly title: string
  readonly description?: string
  readonly owner: string
  readonly pipelines: readonly PipelineDeclaration[]
}

export interface PipelineProjectDeclaration extends PipelineProjectOptions {
  readonly kind: 'pipeline-project'
  readonly name: string
}

/**
 * Declares a project of pipelines alone; the default export of its `project.ts`. The commands under
 * `assay pipelines` work with it, and `assay start` runs its triggers and shows its page.
 */
export function pipelineProject(
  name: string,
  options: PipelineProjectOptions,
): PipelineProjectDeclaration {
  if (!/^[a-z0-9][a-z0-9-]*$/.test(name)) {
    throw projectErrors.project_invalid(
      `${name}: a name consists of lower-case letters, digits and dashes`,
    )
  }
  return { kind: 'pipeline-project', name, ...options }
}

/** The project as data. Error: `pipeline_invalid`. */
export function compilePipelineProject(
  declaration: PipelineProjectDeclaration,
): CompiledFeatureProject {
  const { name, title, description = '', owner, pipelines } = declaration
  return {
    name,
    title,
    description,
    owner,
    sources: [],
    labels: [],
    featureSets: [],
    pipelines: compilePipelines(pipelines),
  }
}
