// Experiments themselves, saved views of their runs, and keys for programs that log to them.
import type { Identity } from '../../../access/index.ts'
import type { Filter } from '../../../lib/filter.ts'
import type {
  Experiment as KnownExperiment,
  ExperimentField,
  RunView,
} from '../../../tracking/index.ts'
import type { Experiment, ExperimentsQuery, SavedView } from '../../contract/index.ts'
import type { Handlers } from '../handlers.ts'
import { identityView, time, timeOrNull } from '../present.ts'
import { changeBy, type ExperimentRooms } from './experiments-context.ts'

const EXPERIMENTS_PAGE = 100

export function experimentListViews(
  rooms: ExperimentRooms,
): Pick<
  Handlers,
  | 'experiments'
  | 'renameExperiment'
  | 'deleteExperiment'
  | 'restoreExperiment'
  | 'savedViews'
  | 'saveView'
  | 'deleteView'
  | 'createProgramKey'
> {
  const { tracking, runViews, access } = rooms
  const people = async () => new Map((await access.identities()).map((each) => [each.id, each]))

  return {
    async experiments({ query }) {
      const { deleted = 'without', limit = EXPERIMENTS_PAGE, cursor } = query
      const [{ experiments, next }, counts, known] = await Promise.all([
        tracking.searchExperiments({
          filter: filterOf(query),
          deleted,
          order: [],
          limit,
          after: cursor,
        }),
        tracking.runCounts(),
        people(),
      ])
      return {
        items: experiments.map((each) => experimentView(each, counts, known)),
        next: next ?? null,
        runs: Object.values(counts).reduce((sum, runs) => sum + runs, 0),
      }
    },

    async renameExperiment({ params, body, identity }) {
      const by = changeBy(identity, 'Renamed on the page of experiments')
      const renamed = await tracking.renameExperiment(params.experimentId, body.name.trim(), by)
      return experimentView(renamed, await tracking.runCounts(), await people())
    },

    async deleteExperiment({ params, identity }) {
      const { name } = await tracking.experiment(params.experimentId)
      const by = changeBy(identity, 'Deleted on the page of experiments')
      await tracking.deleteExperiment(params.experimentId, by)
      return { sentence: `${name} and its runs are deleted.` }
    },

    async restoreExperiment({ params, identity }) {
      const by = changeBy(identity, 'Restored on the page of experiments')
      await tracking.restoreExperiment(params.experimentId, by)
      const { name } = await tracking.experiment(params.experimentId)
      return { sentence: `${name} and its runs are restored.` }
    },

    async savedViews({ identity }) {
      const [views, known] = await Promise.all([runViews.viewsFor(identity.id), people()])
      return { items: views.map((view) => savedView(view, identity, known)) }
    },

    async saveView({ body, identity }) {
      const saved = await runViews.save(
        body,
        changeBy(identity, 'Saved on the page of experiments'),
      )
      return savedView(saved, identity, await people())
    },

    async deleteView({ params, identity }) {
      await runViews.remove(params.viewId, changeBy(identity, 'Removed on the page of experiments'))
      return { sentence: 'The view is removed.' }
    },

    async createProgramKey({ body, identity }) {
      const by = changeBy(identity, 'A key for a program, made on the page')
      const name = body.name.trim()
      const roles = [body.role ?? 'analyst']
      const program = await access.createIdentity({ name, kind: 'script', roles }, by)
      const { key, record } = await access.issueKey(
        { identityId: program.id, name: 'First key' },
        by,
      )
      return { id: record.id, name: program.name, key }
    },
  }
}

function filterOf({ text = '', named }: ExperimentsQuery): Filter<ExperimentField> {
  const by = (name: 'id' | 'name', op: '=' | 'ilike', value: string) =>
    ({ field: { of: 'attribute', name }, op, value }) as const
  return {
    all: [
      ...(text === '' ? [] : [by('name', 'ilike', `%${text}%`)]),
      ...(named === undefined ? [] : [{ any: [by('id', '=', named), by('name', '=', named)] }]),
    ],
  }
}

type People = ReadonlyMap<string, Identity>

function experimentView(
  experiment: KnownExperiment,
  counts: Readonly<Record<string, number>>,
  people: People,
): Experiment {
  return {
    id: experiment.id,
    name: experiment.name,
    runs: counts[experiment.id] ?? 0,
    createdAt: time(experiment.createdAtUs),
    updatedAt: time(experiment.updatedAtUs),
    by: identityView(people.get(experiment.createdBy), experiment.createdBy),
    deletedAt: timeOrNull(experiment.deletedAtUs),
  }
}

function savedView(view: RunView, asking: Identity, people: People): SavedView {
  return {
    id: view.id,
    name: view.name,
    view: view.view,
    shared: view.shared,
    by: identityView(people.get(view.ownerId), view.ownerId),
    mine: view.ownerId === asking.id,
    savedAt: time(view.savedAtUs),
  }
}
