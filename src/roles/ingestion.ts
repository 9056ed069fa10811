// Files into the datasets of a project, the same for the server and for a command without one.
import type { ChangeBy } from '../access/index.ts'
import { ingestFile, ingestLabels, type IngestPorts, type IngestReport } from '../data/index.ts'
import type { CompiledProject } from '../projects/index.ts'
import { rolesErrors } from './errors.ts'

export interface IngestInto {
  readonly path: string
  /** A source or labels of the project; its first source where none is named. */
  readonly source: string | undefined
  /** Whether the file takes the place of what the dataset holds; by default it is added. */
  readonly replace?: boolean
}

/** Adds a file's rows to a dataset, or has them take its place. Error: `source_unknown`. */
export function ingestInto(
  project: Pick<CompiledProject, 'sources' | 'labels'>,
  { path, source: wanted, replace = false }: IngestInto,
  by: ChangeBy,
  ports: IngestPorts,
): Promise<IngestReport> {
  const mode = replace ? 'replace' : 'append'
  const source =
    wanted === undefined ? project.sources[0] : project.sources.find(({ name }) => name === wanted)
  if (source !== undefined) {
    const inFiles = project.labels.find(({ of, from }) => of === source.name && from !== null)
    const labels = inFiles && { labels: inFiles, labelsOptional: true }
    return ingestFile({ path, source, ...labels, by, mode }, ports)
  }
  const labels = project.labels.find(({ name }) => name === wanted)
  if (labels !== undefined) return ingestLabels({ path, labels, by, mode }, ports)
  const names = [...project.sources, ...project.labels].map(({ name }) => name).join(', ')
  throw rolesErrors.source_unknown(
    names === ''
      ? 'The project declares no sources.'
      : `The project declares no source "${wanted}"; it has ${names}.`,
  )
}
