// Quarantined rows that a person mended, back into the datasets that they belong to.
import type { ChangeBy } from '../access/index.ts'
import {
  csvField,
  resubmit,
  type CompiledSource,
  type QuarantineEntry,
  type ResubmitPorts,
} from '../data/index.ts'
import { isAssayError, type AssayError } from '../lib/errors.ts'
import type { ResubmitReport, ResubmittedRow } from '../pipelines/index.ts'
import type { CompiledProject } from '../projects/index.ts'
import { rolesErrors } from './errors.ts'

/** Submits rows again, all of a dataset or none of it. What still fails is listed, not thrown. */
export async function resubmitRows(
  rows: readonly ResubmittedRow[],
  by: ChangeBy,
  project: Pick<CompiledProject, 'sources' | 'labels'>,
  ports: ResubmitPorts,
): Promise<ResubmitReport> {
  const entries = new Map(
    (await ports.quarantine.get(rows.map(({ id }) => id))).map((entry) => [entry.id, entry]),
  )
  // A row that nobody knows goes with the first source, which says that it does not know it.
  const first = firstSource(project)
  const byDataset = Map.groupBy(rows, ({ id }) => entries.get(id)?.dataset ?? first.name)
  const whole: { accepted: number; refused: ResubmitReport['refused']; snapshot: string | null } = {
    accepted: 0,
    refused: [],
    snapshot: null,
  }
  for (const [dataset, group] of byDataset) {
    const report = await resubmitInto(dataset, group, entries)
    whole.accepted += report.accepted
    whole.refused = [...whole.refused, ...report.refused]
    whole.snapshot ??= report.snapshot
  }
  return whole

  async function resubmitInto(
    dataset: string,
    group: readonly ResubmittedRow[],
    known: ReadonlyMap<string, QuarantineEntry>,
  ): Promise<ResubmitReport> {
    const contract = [...project.sources, ...project.labels].find(({ name }) => name === dataset)
    const labels = project.labels.find(({ of, from }) => of === dataset && from !== null)
    const corrections = group.map((row) => correctionOf(row, known.get(row.id)?.header ?? []))
    const request = { corrections, contract: contract ?? first, ...(labels && { labels }), by }
    try {
      const { accepted, snapshot } = await resubmit(request, ports)
      return { accepted, refused: [], snapshot: snapshot.hash }
    } catch (error) {
      if (!isAssayError(error, 'resubmission_failed')) throw error
      return { accepted: 0, refused: refusedRows(error), snapshot: null }
    }
  }
}

function firstSource({ sources }: Pick<CompiledProject, 'sources'>): CompiledSource {
  if (sources.length > 0) return sources[0]
  throw rolesErrors.source_unknown('The project declares no sources.')
}

/** The line as the file would have had it, or the fields where the row never stood in a file. */
function correctionOf({ id, fields }: ResubmittedRow, header: readonly string[]) {
  if (header.length === 0) return { id, body: fields }
  return { id, raw: header.map((name) => csvField(fields[name] ?? '')).join(',') }
}

function refusedRows(error: AssayError): ResubmitReport['refused'] {
  const rows = (error.extra?.['failures'] ?? []) as readonly {
    readonly id: string
    readonly failures: readonly {
      readonly column: string | null
      readonly rule: string
      readonly message: string
    }[]
  }[]
  return rows.flatMap(({ id, failures }) =>
    failures.map(({ column, rule, message }) => ({ id, column, rule, message })),
  )
}
