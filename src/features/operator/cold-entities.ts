import type { ColdStore } from '../cold.ts'
import type { Dictionary, KeyValue } from './dictionary.ts'
import { NO_KEY, UNSEEN } from './dictionary.ts'
import type { References } from './entity-bytes.ts'
import { readEntity, writeEntity } from './entity-bytes.ts'
import type { EventId } from './labelled-events.ts'
import { PackedReader, PackedWriter } from './packed-bytes.ts'
import type { StagedEvent, EntityWindows } from './windows.ts'

/** What a label needs to find its event, of events that memory has no room for. */
export interface ColdEvent {
  readonly event: number
  readonly timeUs: number
  readonly flags: number
  /** The keys of its entities, one a kind that labels change. */
  readonly keys: readonly (KeyValue | undefined)[]
}

/** What the store was found to hold of an entity. */
interface Found {
  readonly value: KeyValue
  readonly bytes: Uint8Array | undefined
}

/**
 * Moves entities out to a cold store and back. An entity is written with the values of its codes, so
 * that neither it nor its keys need any memory while it is away. What is brought back stays in the
 * store until it is written again or expires: of an entity that memory knows, memory alone counts, and
 * one that it let go of has nothing in the store that a window reaches.
 */
export class ColdEntities {
  private readonly store: ColdStore
  private readonly dictionaries: readonly Dictionary[]
  private readonly kinds: readonly EntityWindows[]
  /** By kind: what was looked for last, which is mostly asked for next. */
  private readonly found: (Found | undefined)[]
  private readonly body = new PackedWriter()
  private readonly whole = new PackedWriter()
  /** By dictionary: the codes of the entity that is written, in the order of their numbers in it … */
  private readonly numbers: readonly Map<number, number>[]
  /** … and of the one that is read. */
  private readonly codes: readonly number[][]

  constructor(
    store: ColdStore,
    dictionaries: readonly Dictionary[],
    kinds: readonly EntityWindows[],
  ) {
    this.store = store
    this.dictionaries = dictionaries
    this.kinds = kinds
    this.found = kinds.map(() => undefined)
    this.numbers = dictionaries.map(() => new Map())
    this.codes = dictionaries.map(() => [])
  }

  /** How much lies in the store: entities, and events that labels may name. */
  get away(): number {
    return this.store.statistics().entries
  }

  /** Writes a known entity of a kind to the store and forgets it; it matters until `expiresUs`. */
  freeze(kind: number, windows: EntityWindows, entity: number, expiresUs: number): void {
    const { body, whole, dictionaries, numbers } = this
    for (const codes of numbers) codes.clear()
    body.clear()
    writeEntity(windows, entity, body, this.own)
    whole.clear()
    for (let d = 0; d < numbers.length; d++) {
      whole.integer(numbers[d].size)
      for (const code of numbers[d].keys()) whole.value(dictionaries[d].valueOf(code)!)
    }
    whole.bytes(body.written)
    const value = dictionaries[windows.plan.dictionary].valueOf(entity)!
    this.store.put(entityKey(kind, value), whole.written, expiresUs)
    this.found[kind] = undefined
    windows.forget(entity)
  }

  /** Brings an entity back, where it is away. */
  thaw(
    kind: number,
    windows: EntityWindows,
    entity: number,
    value: KeyValue,
    staged: StagedEvent,
  ): void {
    const { bytes } = this.find(kind, value)
    this.found[kind] = undefined
    if (bytes === undefined) return
    const from = new PackedReader(bytes)
    const { codes, dictionaries } = this
    // Each key is held until all are read, so that no code is given twice.
    for (let d = 0; d < codes.length; d++) {
      codes[d].length = 0
      for (let left = from.integer(); left > 0; left--) {
        codes[d].push(dictionaries[d].acquire(from.value()))
      }
    }
    readEntity(windows, entity, from, this.foreign, staged)
    for (let d = 0; d < codes.length; d++) {
      for (const code of codes[d]) dictionaries[d].release(code)
    }
  }

  /** Whether an entity is away. */
  has(kind: number, value: KeyValue): boolean {
    const windows = this.kinds[kind]
    const entity = this.dictionaries[windows.plan.dictionary].find(value)
    if (entity > UNSEEN && entity < windows.limit && windows.isKnown(entity)) return false
    this.found[kind] = undefined
    this.found[kind] = this.find(kind, value)
    return this.found[kind].bytes !== undefined
  }

  private find(kind: number, value: KeyValue): Found {
    const found = this.found[kind]
    if (found?.value === value) return found
    return { value, bytes: this.store.get(entityKey(kind, value)) }
  }

  /** Codes as their numbers in what is written, and back. */
  private readonly own: References = {
    code: (dictionary, code) => {
      if (code === NO_KEY) return NO_KEY
      const known = this.numbers[dictionary]
      const number = known.get(code) ?? known.size
      if (number === known.size) known.set(code, number)
      return number
    },
    event: (event) => event,
  }
  private readonly foreign: References = {
    code: (dictionary, number) => (number === NO_KEY ? NO_KEY : this.codes[dictionary][number]),
    event: (event) => event,
  }

  putEvent(id: EventId, { event, timeUs, flags, keys }: ColdEvent, expiresUs: number): void {
    const { whole } = this
    whole.clear()
    whole.integer(event)
    whole.double(timeUs)
    whole.integer(flags)
    for (const key of keys) {
      whole.integer(key === undefined ? 0 : 1)
      if (key !== undefined) whole.value(key)
    }
    this.store.put(eventKey(id), whole.written, expiresUs)
  }

  event(id: EventId, keys: number): ColdEvent | undefined {
    const bytes = this.store.get(eventKey(id))
    if (bytes === undefined) return undefined
    const from = new PackedReader(bytes)
    const [event, timeUs, flags] = [from.integer(), from.double(), from.integer()]
    const own = Array.from({ length: keys }, () =>
      from.integer() === 0 ? undefined : from.value(),
    )
    return { event, timeUs, flags, keys: own }
  }
}

/** Kinds and keys as a text: `0n42`, `1spump 7`. Numbers and texts never look alike. */
function entityKey(kind: number, value: KeyValue): string {
  return typeof value === 'number' ? `${kind}n${value}` : `${kind}s${value}`
}

function eventKey(id: EventId): string {
  return typeof id === 'number' ? `en${id}` : `es${id}`
}
