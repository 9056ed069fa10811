import { isAssayError } from '../../../lib/errors.ts'
import type { SearchResults } from '../../contract/index.ts'
import { ref } from '../present.ts'
import type { Rooms } from '../rooms.ts'

type Found = SearchResults['items'][number]

const DRAFTS = 20
const CASES = 5

/** What a search finds of people's work by name: endpoints, drafts of policies, and lists. */
export async function workObjects(rooms: Rooms): Promise<Found[]> {
  const live = (await rooms.serving.history()).filter(({ toUs }) => toUs === undefined)
  const found = await Promise.all(live.map(({ policy }) => ofPolicy(rooms, policy)))
  const seen = new Set<string>()
  // A list may be declared by several policies.
  return found.flat().filter(({ target: { id } }) => !seen.has(id) && seen.add(id))
}

async function ofPolicy(rooms: Rooms, policy: string): Promise<Found[]> {
  const here = encodeURIComponent(policy)
  const screen = (path: string, title: string, detail: string): Found => ({
    target: ref('screen', path, title),
    detail,
  })
  const [drafts, lists] = await Promise.all([
    rooms.drafts.drafts(policy, DRAFTS),
    listsOf(rooms, policy),
  ])
  return [
    screen(`/endpoints/${here}`, policy, 'Endpoint: who answers its traffic'),
    ...lists.map(({ name, description }) =>
      screen(`/lists?list=${encodeURIComponent(name)}`, name, `List; ${description}`),
    ),
    ...drafts.map(({ id, state, history }) =>
      screen(
        `/policies/${here}/drafts/${encodeURIComponent(id)}`,
        `Draft of ${policy}`,
        `${state}; ${history.at(-1)?.reason ?? ''} (${id})`,
      ),
    ),
  ]
}

async function listsOf({ livePolicy }: Pick<Rooms, 'livePolicy'>, policy: string) {
  try {
    return (await livePolicy(policy)).policy.lists ?? []
  } catch (error) {
    if (isAssayError(error)) return []
    throw error
  }
}

/** The cases of an entity of which the key is written so. */
export async function casesOf(
  { decisions }: Pick<Rooms, 'decisions'>,
  namespace: string,
  entity: { readonly column: string; readonly value: string },
): Promise<Found[]> {
  const { rows } = await decisions.groups({ namespace, entity, order: 'newest', limit: CASES })
  return rows.map(({ id, status }) => ({
    target: ref('case', id, `Case of ${entity.column} ${entity.value}`),
    detail: `${status} case`,
  }))
}
