// What happens here as OpenLineage run events (spec 2-0-2, openlineage.io), so that a bank's catalogue
// of lineage hears of it: runs of pipelines, their steps, versions that were registered.
import { formatTimestamp } from '../../lib/time.ts'
import { sha256Hex } from '../../lib/hash.ts'
import type { ModelVersion } from '../../registry/index.ts'
import type { KeptOutput, StepRecord } from '../engine/index.ts'
import type { PipelineRun } from '../types.ts'

export type RunEventType = 'START' | 'RUNNING' | 'COMPLETE' | 'ABORT' | 'FAIL' | 'OTHER'

type Facet = { readonly _producer: string; readonly _schemaURL: string } & Record<string, unknown>
type Facets = Readonly<Record<string, Facet>>

export interface LineageDataset {
  readonly namespace: string
  readonly name: string
  readonly facets: Facets
  readonly outputFacets?: Facets
}

export interface RunEvent {
  readonly eventType: RunEventType
  /** ISO 8601, UTC. */
  readonly eventTime: string
  readonly producer: string
  readonly schemaURL: string
  readonly run: { readonly runId: string; readonly facets: Facets }
  readonly job: { readonly namespace: string; readonly name: string; readonly facets: Facets }
  readonly inputs: readonly LineageDataset[]
  readonly outputs: readonly LineageDataset[]
}

const EVENT_SCHEMA = 'https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent'
const FACETS = 'https://openlineage.io/spec/facets'

/** A UUID that an id always has: the first 128 bits of its SHA-256, marked as version 8 (RFC 9562). */
export function uuidOf(id: string): string {
  const hex = sha256Hex(new TextEncoder().encode(id))
  const variant = '89ab'[Number.parseInt(hex[16], 16) % 4]
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-')
}

export interface OpenLineage {
  /** What a run's step from one state to the next is told as; nothing where none is worth an event. */
  ofRun(before: PipelineRun | undefined, now: PipelineRun): RunEvent | undefined
  ofStep(before: StepRecord | undefined, now: StepRecord): RunEvent | undefined
  /** The training that led to a version, with the data that it read. */
  ofVersion(version: ModelVersion): readonly RunEvent[]
}

/** `namespace` names this Assay; `producer` is the URI of the program. */
export function createOpenLineage({
  namespace,
  producer,
  nowUs,
}: {
  readonly namespace: string
  readonly producer: string
  readonly nowUs: () => number
}): OpenLineage {
  const facet = (schema: string, body: Record<string, unknown>): Facet => ({
    _producer: producer,
    _schemaURL: `${FACETS}/${schema}`,
    ...body,
  })
  const jobType = (type: 'DAG' | 'TASK') => ({
    jobType: facet('2-0-3/JobTypeJobFacet.json#/$defs/JobTypeJobFacet', {
      processingType: 'BATCH',
      integration: 'ASSAY',
      jobType: type,
    }),
  })
  const failure = (problem: string | null): Facets =>
    problem === null
      ? {}
      : {
          errorMessage: facet('1-0-1/ErrorMessageRunFacet.json#/$defs/ErrorMessageRunFacet', {
            message: problem,
            programmingLanguage: 'TypeScript',
          }),
        }
  const dataset = (name: string, version: string, more: Facets = {}): LineageDataset => ({
    namespace,
    name,
    facets: {
      version: facet('1-0-1/DatasetVersionDatasetFacet.json#/$defs/DatasetVersionDatasetFacet', {
        datasetVersion: version,
      }),
      ...more,
    },
  })
  const event = (
    type: RunEventType,
    atUs: number,
    about: Pick<RunEvent, 'run' | 'job'> & Partial<Pick<RunEvent, 'inputs' | 'outputs'>>,
  ): RunEvent => ({
    eventType: type,
    eventTime: formatTimestamp(atUs),
    producer,
    schemaURL: EVENT_SCHEMA,
    inputs: [],
    outputs: [],
    ...about,
  })

  const made = (step: StepRecord, [name, kept]: [string, KeptOutput]): LineageDataset => {
    const { digest, bytes, rows, columns } = kept
    const schema = columns && {
      schema: facet('1-1-1/SchemaDatasetFacet.json#/$defs/SchemaDatasetFacet', {
        fields: columns.map((column) => ({ name: column.name, type: column.type })),
      }),
    }
    return {
      ...dataset(`pipelines/${step.pipeline}/${step.step}/${name}`, digest, schema),
      outputFacets: {
        outputStatistics: facet(
          '1-0-2/OutputStatisticsOutputDatasetFacet.json#/$defs/OutputStatisticsOutputDatasetFacet',
          { size: bytes, ...(rows !== undefined && { rowCount: rows }) },
        ),
      },
    }
  }

  return {
    ofRun(before, now) {
      // A run that waits for people has begun already.
      const type = typeOf(before?.status, now.status, before === undefined)
      if (type === undefined) return undefined
      return event(type, now.endedAtUs ?? (type === 'START' ? now.startedAtUs : nowUs()), {
        run: { runId: uuidOf(now.id), facets: failure(now.problem) },
        job: { namespace, name: now.pipeline, facets: jobType('DAG') },
      })
    },
    ofStep(before, now) {
      const isNew = before === undefined || before.status === 'waiting'
      const type = typeOf(before?.status, now.status, isNew)
      if (type === undefined) return undefined
      const atUs = type === 'START' ? now.startedAtUs : now.endedAtUs
      return event(type, atUs ?? nowUs(), {
        run: {
          runId: uuidOf(`${now.runId}/${now.step}`),
          facets: {
            parent: facet('1-1-0/ParentRunFacet.json#/$defs/ParentRunFacet', {
              run: { runId: uuidOf(now.runId) },
              job: { namespace, name: now.pipeline },
            }),
            ...failure(now.problem),
          },
        },
        job: { namespace, name: `${now.pipeline}.${now.step}`, facets: jobType('TASK') },
        inputs: Object.values(now.inputs).map(({ source, digest }) =>
          dataset(nameOfInput(now, source), digest),
        ),
        outputs: Object.entries(now.outputs).map((output) => made(now, output)),
      })
    },
    ofVersion(version) {
      const { build, model, project } = version
      const about = {
        run: { runId: uuidOf(build.runId === '' ? version.hash : build.runId), facets: {} },
        job: {
          namespace,
          name: `${project === '' ? model : project}.train.${build.declaration}`,
          facets: jobType('TASK'),
        },
        inputs: [
          ...Object.entries(build.snapshots).map(([name, hash]) => dataset(name, hash)),
          ...build.featureSets.map((set) => dataset(`features/${set.name}`, set.version)),
        ],
        outputs: [dataset(`models/${model}`, String(version.version))],
      }
      const atUs = version.registeredAtUs
      return [event('START', atUs, about), event('COMPLETE', atUs, about)]
    },
  }
}

/** Outputs of steps are read under the name that they are made under. */
function nameOfInput({ pipeline }: StepRecord, source: string): string {
  const [, step] = /^step (.+)$/.exec(source) ?? []
  if (step !== undefined) return `pipelines/${pipeline}/${step}`
  const [, dataset] = /^data set (.+)$/.exec(source) ?? []
  return dataset ?? source
}

const ends: Readonly<Record<string, RunEventType>> = {
  done: 'COMPLETE',
  cached: 'COMPLETE',
  failed: 'FAIL',
  cancelled: 'ABORT',
  interrupted: 'ABORT',
}

/** A run has one beginning and one end, whatever states it goes through in between. */
function typeOf(before: string | undefined, now: string, isNew: boolean): RunEventType | undefined {
  if (before === now) return undefined
  return ends[now] ?? (now === 'running' && isNew ? 'START' : undefined)
}
