import type { CompiledSource, Frame } from '../data/index.ts'
import { columnOf, columnPosition } from '../data/index.ts'
import type { CompiledFeatureSet, Expression } from './compiled.ts'
import type { EntityKey } from './entity-key.ts'
import { encodeEntityKey } from './entity-key.ts'
import { fail } from './errors.ts'
import { childrenOf } from './expressions.ts'
import type { OnlineEntity, OnlineSet, OnlineValues } from './online.ts'
import { ONLINE_ENTITIES_MAX } from './online.ts'
import type { FeatureState } from './operator/state.ts'

/** Features that are known of one kind of entity, without any event. */
export interface OnlineKind {
  /** The key columns, sorted. */
  readonly entity: readonly string[]
  /** In the order of their set. */
  readonly features: readonly string[]
}

export interface PublishOnlineRequest {
  readonly store: Pick<OnlineValues, 'declare' | 'write'>
  readonly namespace: string
  /** A live state, or that at the end of a history; it holds the features of `set`. */
  readonly state: FeatureState
  readonly set: CompiledFeatureSet
  readonly source: CompiledSource
  /** One of `onlineKinds(set)`. */
  readonly kind: OnlineKind
  /** Whose values are written; `entitiesOf` finds those of past events. */
  readonly entities: Iterable<EntityKey>
  /** Default: the state's newest event time as each batch is worked out. */
  readonly asOfUs?: number
  /** See `OnlineSet`; default: values stay until they are retired. */
  readonly timeToLiveUs?: number | null
  /** Entities in one write, 1 to 10,000. Default: 500. */
  readonly batch?: number
  /** Told the number of entities done, after each batch. */
  readonly onProgress?: (entities: number) => void
}

export interface PublishOnlineReport {
  readonly set: OnlineSet
  readonly written: number
  /** Entities that had values of later facts. */
  readonly outdated: number
}

/**
 * Writes the current values of entities where other programs read them: for each entity, what the
 * state knows of it as of the last fact it took in. Between two batches the state may go on; each
 * batch says of what time and sequence it is. Fails as the store does, and may then be called again:
 * entities that were written already are written again or keep later values.
 */
export async function publishOnline(request: PublishOnlineRequest): Promise<PublishOnlineReport> {
  const set = onlineSetOf(request)
  await request.store.declare(set)
  return writeOnline(set, request)
}

/** As `publishOnline`, for a set that was declared: one that was retired since stays so. */
export async function writeOnline(
  set: OnlineSet,
  request: PublishOnlineRequest,
): Promise<PublishOnlineReport> {
  const { store, state, batch = 500 } = request
  if (!(Number.isSafeInteger(batch) && batch >= 1 && batch <= ONLINE_ENTITIES_MAX)) {
    throw new Error(`A batch of ${batch} entities cannot be written.`)
  }
  const read = currentValues(request)
  let written = 0
  let outdated = 0
  const flush = async (keys: readonly EntityKey[]) => {
    const report = await store.write(set, keys.map(read))
    written += report.written
    outdated += report.outdated
    request.onProgress?.(written + outdated)
  }
  let keys: EntityKey[] = []
  // A state without events knows of no entity, and of no time either.
  const known = state.newestUs > -Infinity || request.asOfUs !== undefined
  for (const key of known ? request.entities : []) {
    keys.push(key)
    if (keys.length < batch) continue
    await flush(keys)
    keys = []
  }
  if (keys.length > 0) await flush(keys)
  return { set, written, outdated }
}

/**
 * The kinds of entity that a set knows something of, with what it knows: every feature that looks at
 * past events and at nothing of the current one, under the keys of all that it looks at. A feature
 * of the event itself, such as its amount against the customer's mean, is no online value.
 */
export function onlineKinds(set: CompiledFeatureSet): readonly OnlineKind[] {
  const kinds = new Map<string, { entity: readonly string[]; features: string[] }>()
  for (const { name, expression } of set.features) {
    const keys = new Set<string>()
    if (!collectKeys(expression, keys) || keys.size === 0) continue
    const entity = [...keys].sort()
    const kind = kinds.get(entity.join('+')) ?? { entity, features: [] }
    kinds.set(entity.join('+'), kind)
    kind.features.push(name)
  }
  return [...kinds.values()]
}

/**
 * Each entity that a frame's events name, once, in the order of the events. Events that lack a key
 * have no entity.
 */
export function* entitiesOf(frame: Frame, entity: readonly string[]): Generator<EntityKey> {
  const columns = entity.map((column) => columnOf(frame, column))
  const met = new Set<string | number>()
  for (let row = 0; row < frame.rows; row++) {
    const key = columns.map((column) => column[row])
    if (key.some((value) => value === undefined || Number.isNaN(value))) continue
    const own = key as EntityKey
    const name = own.length === 1 ? own[0] : encodeEntityKey(entity, own)
    if (met.has(name)) continue
    met.add(name)
    yield own
  }
}

/** The set under which `publishOnline` writes: what readers address. */
export function onlineSetOf(
  request: Pick<PublishOnlineRequest, 'namespace' | 'set' | 'kind' | 'timeToLiveUs'>,
): OnlineSet {
  const { namespace, set, kind, timeToLiveUs = null } = request
  const { name, version } = set
  return { namespace, name, version, entity: kind.entity, features: kind.features, timeToLiveUs }
}

/** Whether an expression can do without the current event; the keys of its aggregates are added. */
function collectKeys(node: Expression, keys: Set<string>): boolean {
  switch (node.op) {
    case 'constant':
    case 'missing':
    case 'calendar':
      return true
    case 'aggregate': {
      // Those of another source are found by columns of the set's own.
      const { per, by = per } = node.aggregate
      for (const key of by) keys.add(key)
      return true
    }
    case 'graph':
      return false
    default: {
      const children = childrenOf(node)
      // What else has nothing inside reads the event's columns.
      return children.length > 0 && children.every((child) => collectKeys(child, keys))
    }
  }
}

/** Works out an entity's values: those of a row that has its key and nothing else. */
function currentValues(request: PublishOnlineRequest): (key: EntityKey) => OnlineEntity {
  const { state, source, set, kind } = request
  const positions = kind.features.map((feature) => {
    const position = state.names.indexOf(feature)
    if (position < 0) throw new Error(`The state does not work out ${feature}.`)
    return position
  })
  const keyPositions = kind.entity.map((column) => columnPosition(source, column))
  const timePosition = columnPosition(source, source.eventTime)
  const row: (number | string | undefined)[] = Array.from({ length: source.columns.length })
  return (key) => {
    checkKey(set, kind.entity, key)
    const asOfUs = request.asOfUs ?? state.newestUs
    row[timePosition] = asOfUs
    for (let i = 0; i < key.length; i++) row[keyPositions[i]] = key[i]
    const vector = state.valuesAt(row)
    const values = positions.map((position) => vector[position])
    return { key, asOfUs, sequence: state.lastSequence, values }
  }
}

function checkKey(set: CompiledFeatureSet, entity: readonly string[], key: EntityKey): void {
  for (const [i, column] of entity.entries()) {
    const type = set.inputs.find((input) => input.column === column)?.type
    const fits = typeof key[i] === (type === 'integer' ? 'number' : 'string')
    if (fits && key.length === entity.length) continue
    throw fail.online_key_invalid(
      `${JSON.stringify(key)} is no key of ${entity.join('+')}: ${column} is ` +
        `${type === 'integer' ? 'a whole number' : 'a text'}.`,
    )
  }
}
