import type { Dictionary } from './dictionary.ts'
import { Entries } from './entries.ts'
import { EntityRecords } from './entity-records.ts'
import { DistinctLinks, ExtremeLinks } from './links.ts'
import type { KindPlan, StoredNumber } from './plan.ts'
import { RING_INTEGERS, Rings } from './rings.ts'

/** Of an entity that has a past, and of one that something happened to lately. */
const KNOWN = 1
const USED = 2

/** The entities of one kind with the rings of their events: who is known, and what memory that takes. */
export abstract class KnownEntities {
  readonly plan: KindPlan
  readonly rings: Rings
  readonly entries: Entries
  readonly distinctLinks: readonly (DistinctLinks | undefined)[]
  readonly dictionaries: readonly Dictionary[]
  protected readonly extremeLinks: readonly (ExtremeLinks | undefined)[]
  protected readonly records: EntityRecords
  /** In an entity's record: cursors follow the ring's integers; dues and lanes, one double. */
  protected readonly cursorsAt = RING_INTEGERS
  protected readonly duesAt = 1
  protected readonly lanesAt: number
  private readonly stored: readonly StoredNumber[]
  private readonly knownField: number

  /** Of a plan's dictionaries and its source's stored numbers. */
  constructor(
    plan: KindPlan,
    stored: readonly StoredNumber[],
    dictionaries: readonly Dictionary[],
  ) {
    const { spans, lanes, links } = plan
    this.plan = plan
    this.stored = stored
    this.dictionaries = dictionaries
    this.lanesAt = this.duesAt + spans.length
    this.knownField = this.cursorsAt + spans.length * 2
    this.records = new EntityRecords(this.knownField + 1, this.lanesAt + lanes)
    this.rings = new Rings(
      this.records,
      plan.fields.map((field) => field.width),
    )
    this.entries = new Entries(this.rings, plan.fields)
    this.distinctLinks = links.map((link) =>
      link.op === 'distinct'
        ? new DistinctLinks(link, this.rings, dictionaries[link.dictionary])
        : undefined,
    )
    this.extremeLinks = links.map((link) =>
      link.op === 'distinct' ? undefined : new ExtremeLinks(link, this.rings, this.entries),
    )
  }

  /** Makes an entity one without a past. */
  protected abstract reset(entity: number): void

  /** Makes room for entities up to this one. */
  reserve(entity: number): void {
    const { records } = this
    const from = records.size
    records.reserve(entity)
    for (let added = from; added < records.size; added++) this.reset(added)
  }

  /** How many entities there is room for. */
  get limit(): number {
    return this.records.size
  }

  /** Whether the entity has a past. */
  isKnown(entity: number): boolean {
    return this.records.integers[this.knownAt(entity)] > 0
  }

  /** How many entities are known, and how many events their rings hold. */
  count(): { readonly entities: number; readonly events: number } {
    let [entities, events] = [0, 0]
    for (let entity = 1; entity < this.limit; entity++) {
      if (!this.isKnown(entity)) continue
      entities++
      events += this.rings.length(entity)
    }
    return { entities, events }
  }

  /** How many events an entity's ring holds. */
  length(entity: number): number {
    return this.rings.length(entity)
  }

  /** Whether a stored number is whole. */
  isWhole(number: number): boolean {
    return this.stored[number].whole
  }

  /** Time of the entity's newest event; −Infinity where its ring is empty. */
  newestUs(entity: number): number {
    this.rings.select(entity)
    return this.rings.first < this.rings.end ? this.rings.time(this.rings.end - 1) : -Infinity
  }

  /** Forgets an entity with all that it has. */
  forget(entity: number): void {
    if (!this.isKnown(entity)) return
    const { rings } = this
    rings.select(entity)
    for (const links of this.distinctLinks) links?.clear(entity)
    for (const links of this.extremeLinks) links?.clear(entity)
    for (let position = rings.first; position < rings.end; position++) {
      this.releaseCodes(rings.slot(position))
    }
    this.reset(entity)
    this.records.integers[this.knownAt(entity)] = 0
    this.dictionaries[this.plan.dictionary].release(entity)
  }

  /** Counts an entity as known from its first event on. */
  welcome(entity: number): void {
    const at = this.knownAt(entity)
    const known = this.records.integers[at] > 0
    this.records.integers[at] = USED
    if (known) return
    this.dictionaries[this.plan.dictionary].hold(entity)
  }

  /** Lets go of the codes that an entry holds. */
  protected releaseCodes(slot: number): void {
    const { plan, entries, dictionaries } = this
    for (const { holds, index } of plan.fields) {
      if (holds === 'code') dictionaries[index].release(entries.code(slot, index))
    }
  }

  /** Where a labelled event is in an entity's ring, which is selected; −1: it has left. */
  protected positionOf(entity: number, event: number, timeUs: number): number {
    const { rings, entries } = this
    rings.select(entity)
    for (let position = rings.positionAfter(timeUs) - 1; position >= rings.first; position--) {
      if (rings.time(position) < timeUs) break
      if (entries.event(rings.slot(position)) === event) return position
    }
    return -1
  }

  bytes(): number {
    let bytes = this.rings.bytes() + this.records.bytes()
    for (const links of this.distinctLinks) bytes += links?.bytes() ?? 0
    for (const links of this.extremeLinks) bytes += links?.bytes() ?? 0
    return bytes
  }

  /** Whether an entity was used since it was asked before. */
  wasUsed(entity: number): boolean {
    const at = this.knownAt(entity)
    const used = this.records.integers[at] === USED
    if (used) this.records.integers[at] = KNOWN
    return used
  }

  private knownAt(entity: number): number {
    return this.records.integersOf(entity) + this.knownField
  }
}
