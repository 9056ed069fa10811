// The models that a run logged, and whether they can be served. The answer belongs to the content of
// the files, so it is worked out once for each.
import type { LoggedDescription } from '../../../registry/index.ts'
import type { FileOwner, Run, StoredFile } from '../../../tracking/index.ts'
import { isAssayError } from '../../../lib/errors.ts'
import { contentHash } from '../../../lib/hash.ts'
import type { RunModel } from '../../contract/index.ts'
import type { Rooms } from '../rooms.ts'

/** Of one run; those beyond are seen among its files. */
const MODELS_MAX = 20
const REMEMBERED_MAX = 500

type ModelRooms = Pick<Rooms, 'tracking' | 'describeLogged'>

type Describe = (
  owner: FileOwner,
  folder: string,
  files: readonly StoredFile[],
) => Promise<LoggedDescription>

/** Gives the models of a run: those of MLflow 3, then folders of its files that hold a model. */
export function runModels(rooms: ModelRooms): (run: Run) => Promise<RunModel[]> {
  const describe = describer(rooms)
  return async (run) => {
    const own = run.modelOutputs.slice(0, MODELS_MAX).map(({ modelId }) => modelId)
    const logged = await Promise.all(own.map((id) => loggedModel(rooms, describe, id)))
    const folders = run.artifacts
      .filter(({ name }) => name === 'MLmodel' || name.endsWith('/MLmodel'))
      .map(({ name }) => name.slice(0, -'/MLmodel'.length))
      .slice(0, MODELS_MAX - own.length)
    const inFiles = folders.map(async (folder) => {
      const owner = { kind: 'run', id: run.id } as const
      const name = folder === '' ? run.name : folder.slice(folder.lastIndexOf('/') + 1)
      const id = folder === '' ? `runs:/${run.id}` : `runs:/${run.id}/${folder}`
      return viewOf({ id, name, path: folder }, await described(rooms, describe, owner, folder))
    })
    return [...logged.filter((model) => model !== undefined), ...(await Promise.all(inFiles))]
  }
}

/** Undefined where the model was deleted. */
async function loggedModel(
  { tracking }: ModelRooms,
  describe: Describe,
  id: string,
): Promise<RunModel | undefined> {
  try {
    const { name } = await tracking.loggedModel(id)
    const owner = { kind: 'logged-model', id } as const
    const description = await described({ tracking }, describe, owner, '')
    return viewOf({ id, name, path: `models:/${id}` }, description)
  } catch (error) {
    if (isAssayError(error, 'logged_model_not_found')) return undefined
    throw error
  }
}

async function described(
  { tracking }: Pick<ModelRooms, 'tracking'>,
  describe: Describe,
  owner: FileOwner,
  folder: string,
): Promise<LoggedDescription> {
  try {
    return await describe(owner, folder, await tracking.files.filesBelow(owner, folder))
  } catch (error) {
    if (isAssayError(error, 'artifact_listing_too_long')) return unread
    throw error
  }
}

const unread: LoggedDescription = {
  flavors: [],
  signature: undefined,
  format: undefined,
  file: undefined,
  servable: false,
  why: 'It was not read: it has too many files.',
  fix: undefined,
}

function viewOf(
  model: Pick<RunModel, 'id' | 'name' | 'path'>,
  { flavors, servable, why, fix }: LoggedDescription,
): RunModel {
  return { ...model, flavors: [...flavors], servable, why, fix: fix ?? null }
}

function describer({ tracking, describeLogged }: ModelRooms): Describe {
  const known = new Map<string, Promise<LoggedDescription>>()
  return (owner, folder, files) => {
    const below = folder === '' ? 0 : folder.length + 1
    const contents = files.map(({ path, sha256 }) => [path.slice(below), sha256])
    const key = contentHash(contents)
    const before = known.get(key)
    if (before !== undefined) return before
    const sizes = new Map(files.map(({ path, size }) => [path.slice(below), size]))
    const read = async (path: string) => {
      const whole = folder === '' ? path : `${folder}/${path}`
      return (await tracking.files.read(owner, whole)).bytes
    }
    const description = describeLogged({ sizes, read })
    known.set(key, description)
    // A file that could not be read this time may be read the next.
    description.catch(() => known.delete(key))
    if (known.size > REMEMBERED_MAX) known.delete(known.keys().next().value!)
    return description
  }
}
