/**
 * How online values lie in Redis, as docs/reference/online-values.md promises it to readers: a hash
 * an entity, which `HGETALL` shows with the names of its features, and a register of the sets of
 * each namespace. A change here is a change of that promise.
 */
import type { OnlineAddress, OnlineSet } from '../../features/index.ts'
import { decodeEntityKey } from '../../features/index.ts'
import { canonicalJson } from '../../lib/canonical-json.ts'

/** Fields of an entity's hash beside its features, whose names cannot begin like this. */
export const AS_OF_FIELD = '@as_of_us'
export const SEQUENCE_FIELD = '@sequence'

/** So many digits of a version stand in keys; the register holds all of it. */
const VERSION_DIGITS = 16

/** A hash with a field for each declared set. */
export function registerKey(prefix: string, namespace: string): string {
  return `${prefix}:${namespace}:sets`
}

export function registerField({ version, entity }: OnlineAddress): string {
  return `${version.slice(0, VERSION_DIGITS)}:${entity.join('+')}`
}

export function registerText(set: OnlineSet): string {
  const { name, version, entity, features, timeToLiveUs } = set
  return canonicalJson({ name, version, entity, features, timeToLiveUs })
}

/** The set that `registerText` wrote; undefined where something else wrote it. */
export function registeredSet(namespace: string, text: string): OnlineSet | undefined {
  try {
    const { name, version, entity, features, timeToLiveUs } = JSON.parse(text) as OnlineSet
    const lists = Array.isArray(entity) && Array.isArray(features)
    const texts = typeof name === 'string' && typeof version === 'string'
    const lives = timeToLiveUs === null || Number.isSafeInteger(timeToLiveUs)
    if (!lists || !texts || !lives) return undefined
    return { namespace, name, version, entity, features, timeToLiveUs }
  } catch {
    return undefined
  }
}

/** What the keys of a set's entities begin with; the entity's encoded key follows. */
export function entityPrefix(prefix: string, address: OnlineAddress): string {
  return `${prefix}:${address.namespace}:${registerField(address)}:`
}

export function entityOf(prefix: string, address: OnlineAddress, key: string) {
  return decodeEntityKey(address.entity, key.slice(entityPrefix(prefix, address).length))
}

/** The shortest decimal that reads back as the same double; `NaN` where missing. */
export function valueText(value: number): string {
  return String(value)
}

/** The value of a field; null where missing, undefined where the text is no value. */
export function valueOf(text: string | null): number | null | undefined {
  if (text === null || text.trim() === '') return undefined
  if (text === 'NaN') return null
  const value = Number(text)
  return Number.isNaN(value) ? undefined : value
}
