// The pipelines that the project declares, and beginning runs of them.
import { may, type Identity } from '../../../access/index.ts'
import { durationInWords } from '../../../lib/time.ts'
import {
  paramFromText,
  pipelineErrors,
  type BackfillState,
  type CompiledPipeline,
  type ParamValue,
} from '../../../pipelines/index.ts'
import type { Backfills, DeclaredPipelines } from '../../contract/index.ts'
import type { Handlers } from '../handlers.ts'
import { identityView, time } from '../present.ts'
import type { Rooms } from '../rooms.ts'
import { people } from './pipelines.ts'

const BACKFILLS_LISTED = 20

export function declaredPipelineViews(
  rooms: Rooms,
): Pick<
  Handlers,
  'declaredPipelines' | 'startPipeline' | 'startBackfill' | 'backfills' | 'cancelBackfill'
> {
  const declared = () => rooms.project()?.pipelines ?? []

  function named(name: string): CompiledPipeline {
    const found = declared().find((each) => each.name === name)
    if (found !== undefined) return found
    throw pipelineErrors.pipeline_unknown(`The project declares no pipeline ${name}.`)
  }

  return {
    async declaredPipelines({ identity }) {
      return { items: declared().map((each) => view(each, identity)) }
    },
    async startPipeline({ params, body, identity }) {
      const pipeline = named(params.pipeline)
      const id = await rooms.pipelineWork.start(
        {
          pipeline: pipeline.name,
          params: valuesOf(pipeline, body.params),
          partition: body.partition ?? null,
          options: { from: null, only: null, noCache: body.noCache ?? false },
          why: { kind: 'person', words: `${identity.name}: ${body.reason}` },
        },
        { actor: identity, reason: body.reason },
      )
      return { id, sentence: `A run of ${pipeline.name} has begun.` }
    },
    async startBackfill({ params, body, identity }) {
      const pipeline = named(params.pipeline)
      const { from, to, reason } = body
      const id = await rooms.pipelineWork.startBackfill(
        { pipeline: pipeline.name, params: valuesOf(pipeline, body.params), from, to },
        { actor: identity, reason },
      )
      return { id, sentence: `${pipeline.name} runs over ${from} to ${to}.` }
    },
    async backfills({ params, query, identity }) {
      const limit = query.limit ?? BACKFILLS_LISTED
      const states = await rooms.pipelineEngine.backfills(limit, params.pipeline)
      const known = await people(rooms)
      return { items: states.map((state) => backfillView(state, { identity, known })) }
    },
    async cancelBackfill({ params, body, identity }) {
      const { pipeline, backfill } = params
      const state = await rooms.pipelineEngine.backfill(backfill)
      if (state?.pipeline !== pipeline) {
        throw pipelineErrors.pipeline_unknown(`There is no backfill ${backfill} of ${pipeline}.`)
      }
      await rooms.pipelineDesk.cancelBackfill(backfill, { actor: identity, reason: body.reason })
      return { sentence: 'The backfill is being cancelled; partitions that are done stay done.' }
    },
  }
}

function backfillView(
  { id, from, to, state, actor, startedAtUs, endedAtUs, counts, progress, problem }: BackfillState,
  {
    identity,
    known,
  }: { readonly identity: Identity; readonly known: ReadonlyMap<string, Identity> },
): Backfills['items'][number] {
  const refusal = () => {
    if (state !== 'running') return 'It has ended.'
    return may(identity, 'run-pipelines') ? null : 'Your role may not run pipelines.'
  }
  const reason = refusal()
  return {
    id,
    from,
    to,
    state,
    by: identityView(known.get(actor), actor),
    startedAt: time(startedAtUs),
    durationMs: endedAtUs === null ? null : (endedAtUs - startedAtUs) / 1000,
    progress: { ...progress },
    failed: counts?.failed ?? null,
    problem,
    cancel: { allowed: reason === null, reason },
  }
}

/** Values as people write them, in the types of their defaults. */
function valuesOf(
  pipeline: CompiledPipeline,
  written: Readonly<Record<string, string>> = {},
): Record<string, ParamValue> {
  return Object.fromEntries(
    Object.entries(written).map(([name, text]) => [name, paramFromText(pipeline, name, text)]),
  )
}

function view(pipeline: CompiledPipeline, identity: Identity): DeclaredPipelines['items'][number] {
  const allowed = may(identity, 'run-pipelines')
  return {
    name: pipeline.name,
    title: pipeline.title,
    description: pipeline.description,
    steps: pipeline.steps.length,
    triggers: pipeline.triggers.map(triggerInWords),
    partitions: partitionsInWords(pipeline.partitions),
    params: Object.entries(pipeline.params).map(([name, spec]) => ({
      name,
      default: String(spec.default),
      description: spec.description,
    })),
    run: { allowed, reason: allowed ? null : 'Your role may not run pipelines.' },
  }
}

function triggerInWords(trigger: CompiledPipeline['triggers'][number]): string {
  switch (trigger.on) {
    case 'cron':
      return `at ${trigger.pattern} (${trigger.timeZone})`
    case 'data':
      return `when ${trigger.dataset} has a new version`
    case 'model':
      return `when a version of ${trigger.model} is registered`
    case 'freshness':
      return `when its newest good run is older than ${durationInWords(trigger.maxAgeUs)}`
  }
}

function partitionsInWords(partitions: CompiledPipeline['partitions']): string | null {
  if (partitions === null) return null
  if (partitions.by === 'list') return `${partitions.keys.length} keys`
  return `each ${partitions.by} from ${partitions.from}${partitions.until === null ? '' : ` until ${partitions.until}`}`
}
