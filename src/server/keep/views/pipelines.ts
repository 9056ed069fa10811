import { defineErrors } from '../../../lib/errors.ts'
import type { PipelineRun, StepState } from '../../../pipelines/index.ts'
import type {
  ObjectRef,
  PipelineRun as PipelineRunView,
  Progress,
  ProgressStage,
} from '../../contract/index.ts'
import type { Handlers } from '../handlers.ts'
import { identityView, ref, time, timeOrNull } from '../present.ts'
import type { Rooms } from '../rooms.ts'

const errors = defineErrors({
  pipeline_not_found: {
    status: 404,
    title: 'There is no such pipeline run',
    action: 'Open Pipelines and choose a run from the list.',
  },
})

/** The screen on which what a step made can be looked at. */
const screens: Readonly<Record<string, ObjectRef>> = {
  data: ref('screen', '/data', 'Data'),
  features: ref('screen', '/features', 'Features'),
  learning: ref('screen', '/experiments', 'Experiments'),
  gate: ref('screen', '/models', 'Models'),
  live: ref('screen', '/decisions', 'Decisions'),
}

export function pipelineViews(rooms: Rooms): Pick<Handlers, 'progress' | 'pipelines' | 'pipeline'> {
  const people = async () => {
    const identities = await rooms.access.identities()
    return new Map(identities.map((identity) => [identity.id, identity]))
  }
  return {
    async progress(): Promise<Progress> {
      const [run] = await rooms.pipelines.list(1, 'learn')
      if (!run) return { state: 'idle', pipelineRun: null, stages: [], problem: null }
      return {
        state: run.status === 'interrupted' ? 'failed' : run.status,
        pipelineRun: run.id,
        stages: run.steps.map((step) => stageView(step)),
        problem: problemOf(run),
      }
    },
    async pipelines() {
      const known = await people()
      const runs = await rooms.pipelines.list(200)
      return { items: runs.map((run) => pipelineRunView(run, known)) }
    },
    async pipeline({ params }) {
      const run = await rooms.pipelines.get(params.pipelineRunId)
      if (!run) throw errors.pipeline_not_found(`No pipeline run has id ${params.pipelineRunId}.`)
      return pipelineRunView(run, await people())
    },
  }
}

function stageView(step: StepState): ProgressStage {
  return {
    id: step.name,
    title: step.title,
    state: step.status,
    figure: step.figure === '' ? null : step.figure,
    fraction: null,
    startedAt: timeOrNull(step.startedAtUs),
    finishedAt: timeOrNull(step.endedAtUs),
    target: screens[step.name] ?? null,
  }
}

/** A pipeline run as the page shows it. */
export function pipelineRunView(
  run: PipelineRun,
  people: ReadonlyMap<string, Parameters<typeof identityView>[0] & object>,
): PipelineRunView {
  return {
    id: run.id,
    pipeline: run.pipeline,
    state: run.status === 'interrupted' ? 'failed' : run.status,
    startedAt: time(run.startedAtUs),
    durationMs: run.endedAtUs === null ? null : (run.endedAtUs - run.startedAtUs) / 1000,
    by: identityView(people.get(run.actor), run.actor),
    problem: problemOf(run),
    steps: run.steps.map((step) => ({
      name: step.name,
      title: step.title,
      state: step.status,
      startedAt: timeOrNull(step.startedAtUs),
      durationMs:
        step.startedAtUs === null || step.endedAtUs === null
          ? null
          : (step.endedAtUs - step.startedAtUs) / 1000,
      figure: step.figure === '' ? null : step.figure,
      outputs: screens[step.name] === undefined ? [] : [screens[step.name]],
    })),
  }
}

function problemOf(run: PipelineRun): string | null {
  if (run.status === 'interrupted') {
    return 'The run was interrupted. What earlier steps kept is safe; start again to run it anew.'
  }
  return run.problem
}
