// Deleting, restoring and renaming models and their versions, and who may do that when.
import { may, type ChangeBy, type Identity } from '../../../access/index.ts'
import {
  isKept,
  isPrompt,
  type ModelVersion,
  type RegisteredModel,
} from '../../../registry/index.ts'
import type { Model, Models, Permission, Version } from '../../contract/index.ts'
import type { Handlers } from '../handlers.ts'
import { plural, time } from '../present.ts'
import type { Rooms } from '../rooms.ts'

const UNDO_US = 10_000_000

const yes: Permission = { allowed: true, reason: null }
const no = (reason: string): Permission => ({ allowed: false, reason })
const readsOnly = no('Your role only reads.')

export function modelActs(
  rooms: Pick<Rooms, 'registry' | 'clock'>,
): Pick<
  Handlers,
  'deleteModel' | 'restoreModel' | 'renameModel' | 'deleteVersion' | 'restoreVersion'
> {
  const { registry, clock } = rooms
  const undoUntil = () => time(clock.nowUs() + UNDO_US)
  return {
    async deleteModel({ params: { model }, body, identity }) {
      await registry.deleteModel(model, by(identity, body))
      return { sentence: `${model} is deleted, and its versions with it.`, undoUntil: undoUntil() }
    },
    async restoreModel({ params: { model }, body, identity }) {
      await registry.restoreModel(model, by(identity, body))
      const versions = (await registry.versions(model)).length
      return { sentence: `${model} is restored, with ${plural(versions, 'version')}.` }
    },
    async renameModel({ params: { model }, body, identity }) {
      const { name } = await registry.renameModel(model, body.name.trim(), by(identity, body))
      return { sentence: `${model} is called ${name} now.` }
    },
    async deleteVersion({ params: { model, version }, body, identity }) {
      await registry.deleteVersion(model, version, by(identity, body))
      return { sentence: `${model} version ${version} is deleted.`, undoUntil: undoUntil() }
    },
    async restoreVersion({ params: { model, version }, body, identity }) {
      await registry.restoreVersion(model, version, by(identity, body))
      return { sentence: `${model} version ${version} is restored.` }
    },
  }
}

function by(actor: Identity, { reason }: { readonly reason: string }): ChangeBy {
  return { actor, reason }
}

/** Models that were deleted, newest first, with as many versions as restoring brings back. */
export async function deletedModels(
  { registry }: Pick<Rooms, 'registry'>,
  identity: Identity,
): Promise<Models['deleted']> {
  const restore = may(identity, 'track') ? yes : readsOnly
  const deleted = (await registry.allModels()).flatMap((model) =>
    model.deletedAtUs === undefined || isPrompt(model) ? [] : { ...model, at: model.deletedAtUs },
  )
  return Promise.all(
    deleted
      .sort((a, b) => b.at - a.at)
      .map(async ({ name, at }) => {
        const versions = await registry.allLabelled(name, 'with')
        const along = versions.filter(({ labels }) => labels.deletedAtUs === at)
        return { name, versions: along.length, deletedAt: time(at), restore }
      }),
  )
}

/** What may be done with a model as a whole. */
export async function modelPermissions(
  { registry }: Pick<Rooms, 'registry'>,
  { name, deletedAtUs }: RegisteredModel,
  versions: readonly ModelVersion[],
  identity: Identity,
): Promise<Model['may']> {
  if (!may(identity, 'track')) return { rename: readsOnly, remove: readsOnly, restore: readsOnly }
  if (deletedAtUs !== undefined) {
    const gone = no('It is deleted.')
    return { rename: gone, remove: gone, restore: yes }
  }
  const obstacle = await registry.renameObstacle(name)
  const kept = versions.find(({ status }) => isKept(status))
  return {
    rename: obstacle === undefined ? yes : no(obstacle),
    remove: kept === undefined ? yes : no(`v${kept.version} ${whyKept(kept)}`),
    restore: no('It is not deleted.'),
  }
}

/** What may be done with one version, besides approving and deploying it. */
export function versionPermissions(
  version: ModelVersion,
  deleted: { readonly version: boolean; readonly model: boolean },
  identity: Identity,
): Pick<Version['may'], 'remove' | 'restore'> {
  if (!may(identity, 'track')) return { remove: readsOnly, restore: readsOnly }
  if (deleted.version) {
    const restore = deleted.model
      ? no(`${version.model} is deleted: restore the model first.`)
      : yes
    return { remove: no('It is deleted.'), restore }
  }
  return {
    remove: isKept(version.status) ? no(`It ${whyKept(version)}`) : yes,
    restore: no('It is not deleted.'),
  }
}

function whyKept({ status }: Pick<ModelVersion, 'status'>): string {
  return status === 'live'
    ? 'answers traffic: deploy another version or roll back first.'
    : 'is approved and may go live: refuse it first.'
}
