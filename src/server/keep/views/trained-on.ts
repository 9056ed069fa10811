// Which versions of models were trained on a thing: the first of them, because a bank that trains
// every night has thousands.
import type { Registry, TrainingInput } from '../../../registry/index.ts'
import type { ObjectRef } from '../../contract/index.ts'
import { versionRef } from '../present.ts'

export const USERS_MAX = 20

export interface Users {
  readonly usedBy: ObjectRef[]
  readonly usedByMore: boolean
}

/** Of several snapshots the users of each, one after another. */
export async function usersOf(
  registry: Pick<Registry, 'trainedOn'>,
  inputs: readonly TrainingInput[],
): Promise<Users> {
  const found = await Promise.all(inputs.map((input) => registry.trainedOn(input, USERS_MAX)))
  return {
    usedBy: found.flatMap(({ versions }) =>
      versions.map(({ model, version }) => versionRef(model, version)),
    ),
    usedByMore: found.some(({ more }) => more),
  }
}
