import { requireReason, type ChangeBy } from '../access/index.ts'
import { checkName, checkTags, checkText } from './checks.ts'
import type { Context } from './context.ts'
import { trackingErrors } from './errors.ts'
import { trackingLimits as limits } from './limits.ts'
import type { Experiment, Tags } from './types.ts'

export interface NewExperiment {
  /** Made up unless a protocol fixes it. */
  readonly id?: string | undefined
  readonly name: string
  /** Where the client says that its files lie; in Assay where nothing is said. */
  readonly artifactLocation?: string | undefined
  readonly tags?: Tags | undefined
}

export interface Experiments {
  /** Fails with `experiment_exists` where the name is taken, also by a deleted one. */
  createExperiment(experiment: NewExperiment, by: ChangeBy): Promise<Experiment>
  /** The experiment of that name, made if it is not there yet. */
  ensureExperiment(name: string, by: ChangeBy): Promise<Experiment>
  /** Those that are not deleted, in order of creation. */
  experiments(): Promise<Experiment[]>
  /** Deleted ones too, as long as they are not purged. */
  experiment(id: string): Promise<Experiment>
  experimentByName(name: string): Promise<Experiment>
  renameExperiment(id: string, name: string, by: ChangeBy): Promise<Experiment>
  /** Its runs and logged models go along; all of it can be restored until it is purged. */
  deleteExperiment(id: string, by: ChangeBy): Promise<void>
  /** What went along comes back; what was deleted before stays deleted. */
  restoreExperiment(id: string, by: ChangeBy): Promise<void>
  setExperimentTag(id: string, name: string, value: string, by: ChangeBy): Promise<void>
  deleteExperimentTag(id: string, name: string, by: ChangeBy): Promise<void>
}

export function experimentsOf(context: Context): Experiments {
  const { store, unit, clock, ids, record, experimentOrFail, writableExperiment } = context

  /** In a transaction. */
  async function insert({ id, name, artifactLocation, tags = {} }: NewExperiment, by: ChangeBy) {
    const atUs = clock.nowUs()
    const experiment: Experiment = {
      id: id ?? ids('experiment'),
      name,
      createdAtUs: atUs,
      createdBy: by.actor.id,
      updatedAtUs: atUs,
      ...(artifactLocation !== undefined && { artifactLocation }),
      tags,
    }
    await store.insertExperiment(experiment)
    await record(by, 'experiment-created', { kind: 'experiment', id: experiment.id }, { name })
    return experiment
  }

  async function requireFree(name: string): Promise<void> {
    const known = await store.experimentByName(name)
    if (known === undefined) return
    const state = known.deletedAtUs === undefined ? '' : ', which is deleted'
    throw trackingErrors.experiment_exists(`Experiment ${known.id} is named ${name}${state}.`)
  }

  return {
    async createExperiment(experiment, by) {
      checkText('The name of an experiment', experiment.name, limits.experimentName, 1)
      checkText('An artifact location', experiment.artifactLocation ?? '', limits.location)
      checkTags(experiment.tags ?? {}, limits.experimentTagValue)
      requireReason(by)
      return unit.transaction(async () => {
        await requireFree(experiment.name)
        return insert(experiment, by)
      })
    },

    async ensureExperiment(name, by) {
      checkText('The name of an experiment', name, limits.experimentName, 1)
      requireReason(by)
      return unit.transaction(async () => {
        const known = await store.experimentByName(name)
        return known === undefined ? insert({ name }, by) : writableExperiment(known.id)
      })
    },

    experiments: () => store.experiments(),
    experiment: experimentOrFail,

    async experimentByName(name) {
      const known = await store.experimentByName(name)
      if (known !== undefined) return known
      throw trackingErrors.experiment_not_found(`No experiment is named ${name}.`)
    },

    async renameExperiment(id, name, by) {
      checkText('The name of an experiment', name, limits.experimentName, 1)
      return unit.transaction(async () => {
        const experiment = await writableExperiment(id)
        if (experiment.name === name) return experiment
        await requireFree(name)
        const updatedAtUs = clock.nowUs()
        await store.updateExperiment(id, { name, updatedAtUs })
        const details = { from: experiment.name, to: name }
        await record(by, 'experiment-renamed', { kind: 'experiment', id }, details)
        return { ...experiment, name, updatedAtUs }
      })
    },

    deleteExperiment: (id, by) =>
      unit.transaction(async () => {
        await writableExperiment(id)
        const atUs = clock.nowUs()
        await store.updateExperiment(id, { deletedAtUs: atUs, updatedAtUs: atUs })
        const runs = await store.deleteContents(id, atUs)
        await record(by, 'experiment-deleted', { kind: 'experiment', id }, { runs })
      }),

    restoreExperiment: (id, by) =>
      unit.transaction(async () => {
        const { deletedAtUs } = await experimentOrFail(id)
        if (deletedAtUs === undefined) return
        await store.updateExperiment(id, { deletedAtUs: null, updatedAtUs: clock.nowUs() })
        const runs = await store.restoreContents(id)
        await record(by, 'experiment-restored', { kind: 'experiment', id }, { runs })
      }),

    async setExperimentTag(id, name, value, by) {
      checkTags({ [name]: value }, limits.experimentTagValue)
      await unit.transaction(async () => {
        await writableExperiment(id)
        await store.setExperimentTags(id, { [name]: value })
        await store.updateExperiment(id, { updatedAtUs: clock.nowUs() })
        await record(by, 'experiment-tag-set', { kind: 'experiment', id }, { tag: name })
      })
    },

    async deleteExperimentTag(id, name, by) {
      checkName(name, 'The name of a tag')
      await unit.transaction(async () => {
        await writableExperiment(id)
        if (!(await store.deleteExperimentTag(id, name))) {
          throw trackingErrors.tag_not_found(`Experiment ${id} has no tag ${name}.`)
        }
        await store.updateExperiment(id, { updatedAtUs: clock.nowUs() })
        await record(by, 'experiment-tag-deleted', { kind: 'experiment', id }, { tag: name })
      })
    },
  }
}
