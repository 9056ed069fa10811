/**
 * Online values: the newest feature values of each entity, kept where other programs can read them.
 * They are a copy for readers outside the decision path; a decision takes its features from the
 * live state, never from here.
 */
import type { EntityKey } from './entity-key.ts'
import { fail } from './errors.ts'

/** Most entities in one write, read or page. */
export const ONLINE_ENTITIES_MAX = 10_000
/** Most values (entities × features) in one write or read. */
export const ONLINE_VALUES_MAX = 1_000_000
/** Most features of one set. */
export const ONLINE_FEATURES_MAX = 2_000

/** Which values are meant: those of one version, of one kind of entity, in one namespace. */
export interface OnlineAddress {
  /** `live`, or that of a replay: what is written in one is never seen in another. */
  readonly namespace: string
  /** Hash of the declaration, SHA-256 in hex. A changed declaration stands beside the old one. */
  readonly version: string
  /** The key columns, in the order of an entity's key: `['customer_id', 'terminal_id']`. */
  readonly entity: readonly string[]
}

/** What is kept at an address. */
export interface OnlineSet extends OnlineAddress {
  /** Name of the feature set, for people. */
  readonly name: string
  /** In the order of written values. The same for ever: other features are another version. */
  readonly features: readonly string[]
  /**
   * How long an entity stays after it was last written, microseconds; null: until it is retired.
   * It may be declared anew, and holds from the next write of an entity on.
   */
  readonly timeToLiveUs: number | null
}

/** The values of one entity as of (event time, sequence). */
export interface OnlineEntity {
  readonly key: EntityKey
  /** The event time that the values are as of, microseconds UTC. */
  readonly asOfUs: number
  /** The last fact that they follow from, in the numbering of the namespace's journal. */
  readonly sequence: number
  /** In the order of the set's features; NaN where missing. */
  readonly values: ArrayLike<number>
}

export interface OnlineWriteReport {
  readonly written: number
  /** Entities that keep what they had, because it follows from later facts. */
  readonly outdated: number
}

export interface OnlineReadRequest {
  readonly keys: readonly EntityKey[]
  /** Names of the wanted features, in the wanted order. */
  readonly features: readonly string[]
  /** Values as of an earlier event time are stale (microseconds UTC). Default: none is. */
  readonly freshFromUs?: number
}

/**
 * What is known of one entity. Absent (nothing was written, or it has expired), stale, missing
 * (null) and zero are four different things.
 */
export type OnlineReading =
  | { readonly found: 'absent' }
  | {
      readonly found: 'fresh' | 'stale'
      readonly asOfUs: number
      readonly sequence: number
      /** In the order of the request's features; null where missing. */
      readonly values: readonly (number | null)[]
    }

export interface OnlineScanRequest {
  /** `next` of the page before; null for the first page. */
  readonly after: string | null
  /** About how many entities a page holds. */
  readonly limit: number
}

export interface OnlinePage {
  readonly keys: readonly EntityKey[]
  /** Where the next page begins; null after the last. A page may be empty and yet not the last. */
  readonly next: string | null
}

/**
 * The port. What every implementation keeps, and `online.cases.ts` checks:
 *
 * - A set is declared before it is written or read; else `online_set_unknown`. Declaring it again
 *   changes nothing but the time to live; declaring other features fails with
 *   `online_set_conflict`.
 * - What follows from earlier facts never replaces what follows from later ones, in any order of
 *   calls and from any number of writers: an entity takes a write whose (sequence, event time) is
 *   not before its own, whole or not at all. A write may therefore be repeated at will.
 * - A value comes back bit for bit, save that −0 is 0.
 * - Calls are bounded (`online_batch_too_large`). A key that does not fit the set's key columns is
 *   `online_key_invalid`, a feature that the set lacks is `feature_unknown`.
 * - Where the store is away or slow, a call fails with `online_store_unavailable` within the
 *   store's time limit, and says in `retryAfter` (seconds) when to try again.
 */
export interface OnlineValues {
  declare(set: OnlineSet): Promise<void>
  /** The declared sets of a namespace. */
  sets(namespace: string): Promise<readonly OnlineSet[]>
  write(address: OnlineAddress, entities: readonly OnlineEntity[]): Promise<OnlineWriteReport>
  /** One reading a key, in the order of the keys; one round trip. */
  read(address: OnlineAddress, request: OnlineReadRequest): Promise<readonly OnlineReading[]>
  /**
   * A page of the entities that have values. Every entity that is there from the first page to the
   * last is met, and may be met twice.
   */
  scan(address: OnlineAddress, request: OnlineScanRequest): Promise<OnlinePage>
  /**
   * Ends a set and removes its values; returns how many entities had some. From then on, it is
   * neither written nor read. Where removing was interrupted, calling again finishes it.
   */
  retire(address: OnlineAddress): Promise<number>
  close(): Promise<void>
}

/** Refuses a set that no store could keep, with `online_set_invalid`. */
export function checkOnlineSet(set: OnlineSet): void {
  checkOnlineAddress(set)
  const { name, features, timeToLiveUs } = set
  if (!/^[A-Za-z][A-Za-z0-9_-]{0,62}$/.test(name)) {
    throw fail.online_set_invalid(`"${name}" cannot be the name of a set of online values.`)
  }
  if (features.length === 0 || features.length > ONLINE_FEATURES_MAX) {
    throw fail.online_set_invalid(
      `${name} has ${features.length} features; 1 to ${ONLINE_FEATURES_MAX} can be kept.`,
    )
  }
  for (const feature of features) {
    if (/^[A-Za-z_][A-Za-z0-9_]{0,119}$/.test(feature)) continue
    throw fail.online_set_invalid(`"${feature}" of ${name} cannot be the name of a feature.`)
  }
  if (new Set(features).size < features.length) {
    throw fail.online_set_invalid(`${name} names a feature twice.`)
  }
  if (timeToLiveUs !== null && !(Number.isSafeInteger(timeToLiveUs) && timeToLiveUs >= 1000)) {
    throw fail.online_set_invalid(
      `The time to live of ${name} must be whole microseconds, a millisecond at least.`,
    )
  }
}

/** Refuses an address that is none, with `online_set_invalid`. */
export function checkOnlineAddress({ namespace, version, entity }: OnlineAddress): void {
  checkOnlineNamespace(namespace)
  if (!/^[0-9a-f]{64}$/.test(version)) {
    throw fail.online_set_invalid(`"${version}" is no version: 64 hexadecimal digits are.`)
  }
  const columns = entity.every((column) => /^[A-Za-z][A-Za-z0-9_]{0,62}$/.test(column))
  if (entity.length === 0 || entity.length > 8 || !columns) {
    throw fail.online_set_invalid(`"${entity.join('+')}" does not name 1 to 8 key columns.`)
  }
}

export function checkOnlineNamespace(namespace: string): void {
  if (/^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/.test(namespace)) return
  throw fail.online_set_invalid(`"${namespace}" cannot be a namespace.`)
}

/** Fails with `online_set_conflict` where a version is declared with other content than before. */
export function checkSameOnlineSet(declared: OnlineSet, again: OnlineSet): void {
  const same =
    declared.version === again.version &&
    declared.features.length === again.features.length &&
    declared.features.every((feature, i) => feature === again.features[i])
  if (same) return
  throw fail.online_set_conflict(
    `Version ${again.version.slice(0, 16)} of ${declared.name} for ` +
      `${declared.entity.join('+')} holds ${declared.features.length} features, ` +
      `other than the ${again.features.length} of ${again.name}.`,
  )
}

/** Refuses a write that is too large; what does not fit the set is a defect of the writer. */
export function checkOnlineWrite(set: OnlineSet, entities: readonly OnlineEntity[]): void {
  checkSize(entities.length, set.features.length)
  for (const { asOfUs, sequence, values } of entities) {
    if (values.length !== set.features.length) {
      throw new Error(`${values.length} values cannot fill ${set.features.length} features.`)
    }
    if (!Number.isSafeInteger(asOfUs) || !(Number.isSafeInteger(sequence) && sequence >= 0)) {
      throw new Error(`Values as of (${asOfUs}, ${sequence}) have no place in the order.`)
    }
  }
}

/** Refuses a read that is too large or asks for features that the set does not have. */
export function checkOnlineRead(set: OnlineSet, { keys, features }: OnlineReadRequest): void {
  checkSize(keys.length, features.length)
  const known = new Set(set.features)
  const unknown = features.filter((feature) => !known.has(feature))
  if (unknown.length === 0) return
  throw fail.feature_unknown(
    `${set.name} keeps no ${unknown.slice(0, 10).join(', ')} of ${set.entity.join('+')}. ` +
      `It keeps ${set.features.slice(0, 100).join(', ')}.`,
  )
}

export function checkOnlineScan({ limit }: OnlineScanRequest): void {
  if (Number.isSafeInteger(limit) && limit >= 1) checkSize(limit, 0)
  else throw fail.online_batch_too_large(`A page cannot hold ${limit} entities.`)
}

export function onlineSetUnknown({ namespace, version, entity }: OnlineAddress): Error {
  return fail.online_set_unknown(
    `Namespace ${namespace} holds no values of version ${version.slice(0, 16)} ` +
      `for ${entity.join('+')}.`,
  )
}

function checkSize(entities: number, features: number): void {
  if (entities <= ONLINE_ENTITIES_MAX && entities * features <= ONLINE_VALUES_MAX) return
  throw fail.online_batch_too_large(
    `${entities} entities with ${features} features each; one call takes ` +
      `${ONLINE_ENTITIES_MAX} entities and ${ONLINE_VALUES_MAX} values.`,
  )
}
