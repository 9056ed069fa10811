// Learning from files that people bring: the file comes in, a thread of `work` learns from it, and its
// report is read from the run that was tracked.
import type { Identity } from '../../../access/index.ts'
import { defineErrors, isAssayError } from '../../../lib/errors.ts'
import { learnVerdict, type LearnReport, type PipelineRun } from '../../../pipelines/index.ts'
import type { Run } from '../../../tracking/index.ts'
import type { Learning, LearningSummary } from '../../contract/index.ts'
import type { Handlers } from '../handlers.ts'
import { identityView, ref, time, verdict, versionRef } from '../present.ts'
import type { LearningFile, Rooms } from '../rooms.ts'
import { pipelineRunView } from './pipelines.ts'

const errors = defineErrors({
  learning_file_missing: {
    status: 404,
    title: 'This file is not here any more',
    action: 'Upload it again: only the newest files are kept.',
  },
  learning_not_found: {
    status: 404,
    title: 'Nothing was learnt under this id',
    action: 'Open Experiments, “Learn from a file”, and choose one from the list.',
  },
  learning_ended: {
    status: 409,
    title: 'It has ended already',
    action: 'Look at what it came to; nothing is left to be stopped.',
  },
})

type LearningHandlers = Pick<
  Handlers,
  | 'uploadLearningFile'
  | 'learningFile'
  | 'startLearning'
  | 'learnings'
  | 'learning'
  | 'cancelLearning'
>

const PIPELINE = 'learn-file'
const LISTED_MAX = 50
const SEED = 1
const REPORT = 'learn-report.json'

export function learningViews(rooms: Rooms): LearningHandlers {
  const fileBy = async (id: string) => {
    const file = await rooms.learningFiles.get(id)
    if (file === undefined) throw errors.learning_file_missing(`No file has the hash ${id}.`)
    return file
  }
  const runBy = async (id: string) => {
    const run = await rooms.pipelines.get(id)
    if (run?.pipeline !== PIPELINE) throw errors.learning_not_found(`No run has id ${id}.`)
    return run
  }
  const pending = async (): Promise<readonly string[]> => {
    try {
      return await rooms.learning.pending()
    } catch (error) {
      // While `work` is away, nothing is learnt; what it kept is told all the same.
      if (isAssayError(error, 'peer_unavailable', 'peer_failed')) return []
      throw error
    }
  }
  const people = async () => {
    const identities = await rooms.access.identities()
    return new Map(identities.map((each) => [each.id, each]))
  }

  return {
    async uploadLearningFile({ query, upload }) {
      return fileView(await rooms.learningFiles.receive(upload!, plainName(query.name)))
    },
    learningFile: async ({ params }) => fileView(await fileBy(params.fileId)),

    async startLearning({ body, identity }) {
      const { file, test, goal, register, seed = SEED, drop = [], ...question } = body
      const request = {
        file: asked(await fileBy(file)),
        ...(test !== undefined && { test: asked(await fileBy(test)) }),
        question: { ...question, drop },
        goal,
        register,
        seed,
      }
      return { id: await rooms.learning.start(request, by(identity, request.file.name)) }
    },

    async learnings() {
      const runs = await rooms.pipelines.list(LISTED_MAX, PIPELINE)
      const [tracked, known, queue] = await Promise.all([
        trackedRuns(rooms, runs),
        people(),
        pending(),
      ])
      return {
        items: runs.map((run): LearningSummary => {
          const kept = tracked.get(run.id)
          return {
            id: run.id,
            title: titleOf(run),
            state: stateOf(run, queue),
            startedAt: time(run.startedAtUs),
            durationMs: run.endedAtUs === null ? null : (run.endedAtUs - run.startedAtUs) / 1000,
            by: identityView(known.get(run.actor), run.actor),
            figure: figureOf(run),
            run: kept ? ref('run', kept.id, kept.name) : null,
          }
        }),
      }
    },

    async learning({ params }): Promise<Learning> {
      const run = await runBy(params.learningId)
      const [tracked, known, queue] = await Promise.all([
        trackedRuns(rooms, [run]),
        people(),
        pending(),
      ])
      const kept = tracked.get(run.id)
      const report = await reportOf(rooms, kept)
      const [version] = kept ? await rooms.registry.registeredFrom([kept.id]) : []
      return {
        id: run.id,
        title: titleOf(run),
        state: stateOf(run, queue),
        before: Math.max(0, queue.indexOf(run.id)),
        pipeline: pipelineRunView(run, known),
        verdict: report && verdictOf(report),
        report,
        html:
          kept === undefined || report === null
            ? null
            : `/api/v1/runs/${encodeURIComponent(kept.id)}/artifacts/report.html`,
        run: kept ? ref('run', kept.id, kept.name) : null,
        version: version ? versionRef(version.model, version.version) : null,
      }
    },

    async cancelLearning({ params, identity }) {
      const run = await runBy(params.learningId)
      const stopped = await rooms.learning.cancel(run.id, by(identity, titleOf(run)))
      if (!stopped) throw errors.learning_ended(`${run.id} is not being learnt.`)
      return { sentence: `${titleOf(run)}: stopped. Nothing was kept of it.` }
    },
  }
}

function by(identity: Identity, what: string) {
  return { actor: identity, reason: `Learning from a file on the page: ${what}` }
}

function asked({ id, name, form }: LearningFile) {
  return { id, name, form }
}

function fileView({ id, name, bytes, rows, columns, guess }: LearningFile) {
  return {
    id,
    name,
    bytes,
    rows,
    columns: columns.map((column) => ({
      ...column,
      values: column.values.map((value) => ({ ...value })),
    })),
    guess,
  }
}

/** The last part of a path, without what no name has. */
function plainName(name: string): string {
  const last = name.split(/[\\/]/).at(-1) ?? ''
  const plain = last.replace(/\p{Cc}+/gu, ' ').trim()
  return plain === '' ? 'file' : plain
}

/** The runs that these pipeline runs have kept, by the latter. */
async function trackedRuns(
  { tracking }: Rooms,
  pipelineRuns: readonly PipelineRun[],
): Promise<ReadonlyMap<string, Run>> {
  if (pipelineRuns.length === 0) return new Map()
  const tag = 'pipeline_run'
  const ids = pipelineRuns.map(({ id }) => id)
  const { runs } = await tracking.searchRuns({
    experimentIds: [],
    filter: {
      all: [
        { field: { of: 'tag', name: tag }, op: 'in', value: ids },
        { field: { of: 'attribute', name: 'status' }, op: '=', value: 'finished' },
      ],
    },
    deleted: 'without',
    order: [],
    limit: 1000,
  })
  return new Map(runs.map((run) => [run.tags[tag], run]))
}

type ReportView = NonNullable<Learning['report']>

/** The report as `learn-file` wrote it; the contract's form of it is the same, less the format. */
async function reportOf(
  rooms: Rooms,
  run: Run | undefined,
): Promise<(LearnReport & ReportView) | null> {
  if (run === undefined || !run.artifacts.some(({ name }) => name === REPORT)) return null
  const { bytes } = await rooms.tracking.artifact(run.id, REPORT)
  const report = JSON.parse(Buffer.from(bytes).toString('utf8')) as LearnReport & ReportView
  // Reports of an earlier release have neither.
  return {
    ...report,
    otherCurves: report.otherCurves ?? [],
    contributions: report.contributions ?? null,
  }
}

function verdictOf(report: LearnReport): Learning['verdict'] {
  const likely = report.warnings.filter(({ level }) => level === 'likely').length
  const said = learnVerdict(report)
  if (likely === 0) return verdict('ok', said)
  return verdict('warning', `${said} The figures are likely too good: see the warnings.`)
}

function titleOf({ about, id }: PipelineRun): string {
  return about ?? id
}

function stateOf({ id, status }: PipelineRun, queue: readonly string[]): LearningSummary['state'] {
  if (status === 'interrupted') return 'failed'
  // These flows are never cancelled by themselves: whoever stops one removes it.
  if (status === 'cancelled') return 'failed'
  return status === 'running' && queue.indexOf(id) > 0 ? 'waiting' : status
}

function figureOf({ problem, status, steps }: PipelineRun): string | null {
  if (status === 'interrupted') return 'It was interrupted.'
  if (problem !== null) return problem
  const compared = steps.find(({ name }) => name === 'compare')
  const said = status === 'done' ? compared : steps.findLast((step) => step.figure !== '')
  return said?.figure || null
}
