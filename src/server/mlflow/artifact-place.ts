// Where a path behind `mlflow-artifacts:` lies with us. Clients put the files of a run under
// <location of its experiment>/<run>/artifacts and those of a logged model under
// <location>/models/<model>/artifacts; all other paths are names in one folder.
import { isAssayError } from '../../lib/errors.ts'
import type { FileOwner } from '../../tracking/index.ts'
import { experimentLocation } from './encode.ts'
import { mlflowErrors } from './errors.ts'
import type { MlflowRooms } from './rooms.ts'

/** An owner and a path below it; '' is all of its files. */
export interface Place {
  readonly owner: FileOwner
  readonly path: string
}

export type PlaceRooms = Pick<MlflowRooms, 'tracking'>

export async function placeOf(rooms: PlaceRooms, path: string): Promise<Place> {
  refuseFragment(path)
  const parts = path.split('/')
  for (let at = parts.indexOf('artifacts', 1); at > 0; at = parts.indexOf('artifacts', at + 1)) {
    const owner = await ownerAt(rooms, parts.slice(0, at))
    if (owner !== undefined) return { owner, path: parts.slice(at + 1).join('/') }
  }
  return { owner: { kind: 'folder', id: '' }, path }
}

/** The owner whose files a client looks for under these parts; undefined where there is none. */
async function ownerAt(
  { tracking }: PlaceRooms,
  parts: readonly string[],
): Promise<FileOwner | undefined> {
  const id = parts.at(-1)!
  const isModel = /^m-[0-9a-f]{32}$/.test(id) && parts.at(-2) === 'models'
  const found: Found = await (isModel
    ? unlessMissing(tracking.loggedModel(id))
    : unlessMissing(tracking.runHead(id)))
  if (found === undefined) return undefined
  // What would be written to a deleted model is refused, and never goes astray.
  if (found === 'deleted') return { kind: 'logged-model', id }
  const experiment = await tracking.experiment(found.experimentId)
  const location = pathOfLocation(experimentLocation(experiment))
  if (location !== parts.slice(0, isModel ? -2 : -1).join('/')) return undefined
  return { kind: isModel ? 'logged-model' : 'run', id }
}

/** `mlflow-artifacts:/1` and `mlflow-artifacts://host:5000/1` are the path `1`. */
function pathOfLocation(location: string): string | undefined {
  const found = /^mlflow-artifacts:(?:\/\/[^/?#]*)?\/*([^?#]*)/.exec(location)
  return found?.[1].replace(/\/+$/, '')
}

/** The place that an artifact URI names, as versions and runs have it; undefined for other stores. */
export async function placeOfUri(rooms: PlaceRooms, uri: string): Promise<Place | undefined> {
  const run = /^runs:\/+([^/?#]+)\/?([^?#]*)$/.exec(uri)
  if (run !== null) return { owner: { kind: 'run', id: run[1] }, path: run[2] }
  const model = /^models:\/+(m-[0-9a-f]{32})\/?([^?#]*)$/.exec(uri)
  if (model !== null) return { owner: { kind: 'logged-model', id: model[1] }, path: model[2] }
  const path = pathOfLocation(uri)
  return path === undefined ? undefined : placeOf(rooms, path)
}

/** A path within a place. */
export function within({ owner, path }: Place, deeper: string | undefined): Place {
  refuseFragment(deeper ?? '')
  return { owner, path: [path, deeper ?? ''].filter((part) => part !== '').join('/') }
}

// MLflow takes it for the beginning of a fragment, so a client could not ask for such a file.
function refuseFragment(path: string): void {
  if (path.includes('#')) throw mlflowErrors.mlflow_request_invalid('Invalid path')
}

type Found = { readonly experimentId: string } | 'deleted' | undefined

async function unlessMissing<T>(found: Promise<T>): Promise<T | 'deleted' | undefined> {
  try {
    return await found
  } catch (error) {
    if (isAssayError(error, 'run_not_found')) return undefined
    if (isAssayError(error, 'logged_model_not_found')) {
      return error.extra?.['deleted'] === true ? 'deleted' : undefined
    }
    throw error
  }
}
