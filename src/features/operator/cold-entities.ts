import type { ColdStore } from '../cold.ts'
import { ByteReader, ByteWriter } from './bytes.ts'
import type { Dictionary, KeyValue } from './dictionary.ts'
import { NO_KEY } from './dictionary.ts'
import { readEntity, writeEntity } from './entity-bytes.ts'
import type { EventId } from './labelled-events.ts'
import type { StagedEvent, EntityWindows } from './windows.ts'

/** What a label needs to find its event, of events that memory has no room for. */
export interface ColdEvent {
  readonly event: number
  readonly timeUs: number
  readonly flags: number
  /** The keys of its entities, one a kind that labels change. */
  readonly keys: readonly (KeyValue | undefined)[]
}

/**
 * Moves entities out to a cold store and back. An entity is written with the values of its codes, so
 * that neither it nor its keys need any memory while it is away.
 */
export class ColdEntities {
  private readonly store: ColdStore
  private readonly dictionaries: readonly Dictionary[]
  private readonly body = new ByteWriter()
  private readonly whole = new ByteWriter()

  constructor(store: ColdStore, dictionaries: readonly Dictionary[]) {
    this.store = store
    this.dictionaries = dictionaries
  }

  /** How much is away: entities, and events that labels may name. */
  get away(): number {
    return this.store.statistics().entries
  }

  /** Writes a known entity of a kind to the store and forgets it; it matters until `expiresUs`. */
  freeze(kind: number, windows: EntityWindows, entity: number, expiresUs: number): void {
    const { body, whole, dictionaries } = this
    const indexes = dictionaries.map(() => new Map<number, number>())
    body.clear()
    writeEntity(windows, entity, body, {
      code: (dictionary, code) => {
        if (code === NO_KEY) return NO_KEY
        const known = indexes[dictionary]
        const index = known.get(code) ?? known.size
        known.set(code, index)
        return index
      },
      event: (event) => event,
    })
    whole.clear()
    indexes.forEach((codes, d) => {
      whole.integer(codes.size)
      for (const code of codes.keys()) whole.value(dictionaries[d].valueOf(code)!)
    })
    whole.bytes(body.finish())
    const value = dictionaries[windows.plan.dictionary].valueOf(entity)!
    this.store.put(entityKey(kind, value), whole.finish(), expiresUs)
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
    if (this.away === 0) return
    const key = entityKey(kind, value)
    const bytes = this.store.get(key)
    if (bytes === undefined) return
    const from = new ByteReader(bytes)
    // Each key is held until all are read, so that no code is given twice.
    const codes = this.dictionaries.map((dictionary) =>
      Array.from({ length: from.integer() }, () => dictionary.acquire(from.value())),
    )
    const references = {
      code: (dictionary: number, index: number) =>
        index === NO_KEY ? NO_KEY : codes[dictionary][index],
      event: (event: number) => event,
    }
    readEntity(windows, entity, from, references, staged)
    codes.forEach((own, d) => own.forEach((code) => this.dictionaries[d].release(code)))
    this.store.remove(key)
  }

  /** Whether an entity is away. */
  has(kind: number, value: KeyValue): boolean {
    return this.away > 0 && this.store.get(entityKey(kind, value)) !== undefined
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
    this.store.put(eventKey(id), whole.finish(), expiresUs)
  }

  event(id: EventId, keys: number): ColdEvent | undefined {
    const bytes = this.store.get(eventKey(id))
    if (bytes === undefined) return undefined
    const from = new ByteReader(bytes)
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
