// Runs of pipelines: those of the standard flows, whose steps follow one another, and those that a
// project declares, whose steps form a graph.
import { may, type Identity } from '../../../access/index.ts'
import { defineErrors } from '../../../lib/errors.ts'
import { changeSentence, type PipelineRun, type StepState } from '../../../pipelines/index.ts'
import type {
  ObjectRef,
  Permission,
  PipelineRun as PipelineRunView,
  Progress,
  ProgressStage,
} from '../../contract/index.ts'
import type { Handlers } from '../handlers.ts'
import { identityView, ref, time, timeOrNull } from '../present.ts'
import type { Rooms } from '../rooms.ts'

export const pipelineViewErrors = defineErrors({
  pipeline_not_found: {
    status: 404,
    title: 'There is no such pipeline run',
    action: 'Open Pipelines and choose a run from the list.',
  },
})

/** The screen on which what a step of the standard flow made can be looked at. */
const screens: Readonly<Record<string, ObjectRef>> = {
  data: ref('screen', '/data', 'Data'),
  features: ref('screen', '/features', 'Features'),
  learning: ref('screen', '/experiments', 'Experiments'),
  gate: ref('screen', '/models', 'Models'),
  live: ref('screen', '/decisions', 'Decisions'),
}

/** Runs of a list, unless it is asked for more or fewer. */
const LISTED = 100

export function pipelineViews(
  rooms: Rooms,
): Pick<Handlers, 'progress' | 'pipelines' | 'pipeline' | 'cancelPipeline'> {
  return {
    async progress(): Promise<Progress> {
      const [run] = await rooms.pipelines.list(1, 'learn')
      if (!run) return { state: 'idle', pipelineRun: null, stages: [], problem: null }
      return {
        state: run.status === 'done' || run.status === 'running' ? run.status : 'failed',
        pipelineRun: run.id,
        stages: run.steps.map((step) => stageView(step)),
        problem: problemOf(run),
      }
    },
    async pipelines({ query }) {
      const known = await people(rooms)
      const runs = await rooms.pipelines.list(query.limit ?? LISTED, query.pipeline)
      return { items: runs.map((run) => pipelineRunView(run, known)) }
    },
    async pipeline({ params, identity }) {
      const run = await rooms.pipelines.get(params.pipelineRunId)
      if (!run) {
        throw pipelineViewErrors.pipeline_not_found(
          `No pipeline run has id ${params.pipelineRunId}.`,
        )
      }
      const view = pipelineRunView(run, await people(rooms))
      const steps = run.engine === undefined ? [] : await rooms.pipelineEngine.steps(run.id)
      const before = new Map(steps.map((step) => [step.step, step.before]))
      return {
        ...view,
        steps:
          run.engine === undefined
            ? view.steps
            : view.steps.map((step) => ({ ...step, before: [...(before.get(step.name) ?? [])] })),
        params: asText(run.engine?.params ?? {}),
        cancel: mayCancel(run, identity),
        changes: (run.engine?.changes ?? []).map((change) => ({
          at: time(change.atUs),
          sentence: changeSentence(change),
        })),
      }
    },
    async cancelPipeline({ params, body, identity }) {
      await rooms.pipelineDesk.cancel(params.pipelineRunId, {
        actor: identity,
        reason: body.reason,
      })
      return { sentence: 'The run is being cancelled; what its steps kept stays.' }
    },
  }
}

/** Identities by their ids. */
export async function people(rooms: Pick<Rooms, 'access'>): Promise<ReadonlyMap<string, Identity>> {
  const identities = await rooms.access.identities()
  return new Map(identities.map((identity) => [identity.id, identity]))
}

/** Values as people read them. */
export function asText(values: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, String(value)]))
}

function mayCancel(run: PipelineRun, identity: Identity): Permission {
  const refusal = () => {
    if (run.engine === undefined) return 'The standard flow ends by itself.'
    if (run.status !== 'running' && run.status !== 'waiting') return 'It has ended.'
    return may(identity, 'run-pipelines') ? null : 'Your role may not run pipelines.'
  }
  const reason = refusal()
  return { allowed: reason === null, reason }
}

function stageView(step: StepState): ProgressStage {
  return {
    id: step.name,
    title: step.title,
    state: stageState(step.status),
    figure: step.figure === '' ? null : step.figure,
    fraction: null,
    startedAt: timeOrNull(step.startedAtUs),
    finishedAt: timeOrNull(step.endedAtUs),
    target: screens[step.name] ?? null,
  }
}

/** The standard flow has fewer states than the engine. */
function stageState(status: StepState['status']): ProgressStage['state'] {
  return status === 'done' || status === 'running' || status === 'failed' ? status : 'waiting'
}

/** A pipeline run as the page shows it. */
export function pipelineRunView(
  run: PipelineRun,
  known: ReadonlyMap<string, Identity>,
): PipelineRunView {
  const { engine, steps } = run
  return {
    id: run.id,
    pipeline: run.pipeline,
    about: engine?.partition ?? run.about ?? null,
    state: run.status === 'interrupted' ? 'failed' : run.status,
    startedAt: time(run.startedAtUs),
    durationMs: run.endedAtUs === null ? null : (run.endedAtUs - run.startedAtUs) / 1000,
    by: identityView(known.get(run.actor), run.actor),
    why: engine?.why.words ?? null,
    problem: problemOf(run),
    counts: { ...(engine?.counts ?? countsOf(steps)) },
    steps: steps.map((step, place) =>
      stepView(step, engine === undefined ? steps.slice(Math.max(0, place - 1), place) : []),
    ),
    declared: engine !== undefined,
  }
}

function countsOf(steps: readonly StepState[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { status } of steps) counts[status] = (counts[status] ?? 0) + 1
  return counts
}

/** A step, and those that it waits for. */
export function stepView(
  step: StepState,
  before: readonly Pick<StepState, 'name'>[],
): PipelineRunView['steps'][number] {
  const { startedAtUs, endedAtUs } = step
  const screen = screens[step.name]
  return {
    name: step.name,
    title: step.title,
    state: step.status,
    startedAt: timeOrNull(startedAtUs),
    durationMs:
      startedAtUs === null || endedAtUs === null ? null : (endedAtUs - startedAtUs) / 1000,
    figure: step.figure === '' ? null : step.figure,
    outputs: screen === undefined ? [] : [screen],
    before: before.map(({ name }) => name),
  }
}

function problemOf(run: PipelineRun): string | null {
  if (run.status === 'interrupted') {
    return 'The run was interrupted. What earlier steps kept is safe; start again to run it anew.'
  }
  return run.problem
}
