import type { Clock } from '../../lib/clock.ts'
import { fail } from '../errors.ts'
import { checkEventId } from './knowledge.ts'
import type { SequenceModel, SequenceVerdict } from './model.ts'
import { checkWhole } from './options.ts'

export interface SequenceEvent {
  /** Whose activity it is: a session, a customer, a machine. */
  readonly entity: string
  /** What kind of event. */
  readonly event: string
  /** When it happened, in microseconds UTC. */
  readonly atUs: number
  /** Names the event among those of its entity; two with one id are one. */
  readonly id?: string
}

/** When the events of an entity make a window that is judged. */
export type WindowRule =
  /** With one of these events, or when `end` is called. */
  | { readonly by: 'end'; readonly events: readonly string[] }
  /** After nothing came for longer than this. */
  | { readonly by: 'gap'; readonly gapUs: number }
  /** After so many events. */
  | { readonly by: 'count'; readonly events: number }

export interface FilterOptions {
  readonly windows: WindowRule
  /**
   * How much later than a newer event of its entity one may come and still be put into its place. Events wait for as
   * long. What comes later yet is left out and counted. Default 0.
   */
  readonly lateUs?: number
  /** Events further ahead of `clock` are left out and counted: a sender's clock is wrong. Without a clock none are. */
  readonly aheadUs?: number
  readonly clock?: Clock
  /** Of more entities, the one that was quiet longest leaves, with a verdict on what it had. Default 10,000. */
  readonly entitiesMax?: number
  /** Most events held of all entities together; of more, again the quietest entity leaves. Default 1,000,000. */
  readonly heldMax?: number
  /** A longer window is judged as it is, and goes on as one without a beginning. Default 10,000. */
  readonly windowEventsMax?: number
  /** By how many ids an entity's repeated events are recognised, the newest. Default 256. */
  readonly idsMax?: number
}

export interface WindowVerdict extends SequenceVerdict {
  readonly entity: string
  readonly fromUs: number
  readonly throughUs: number
  /** What was judged, in its order; a person who confirms it as normal hands it to `SequenceVersions.learn`. */
  readonly events: readonly string[]
  /** Why it was judged: its rule, or `full`, `left` and `flushed` for a window that was not whole. */
  readonly closedBy: WindowRule['by'] | 'full' | 'left' | 'flushed'
}

/** Every event is in a window, waiting or in one of the last four. */
export interface FilterCounts {
  readonly events: number
  readonly windows: number
  readonly unknown: number
  /** Entities that left for others. */
  readonly left: number
  readonly late: number
  readonly ahead: number
  readonly duplicates: number
  /** Events that were not waited for any longer, because too many waited. */
  readonly hurried: number
}

const STATE_FORMAT = 'assay-sequence-filter/1'

export interface FilterState {
  readonly format: typeof STATE_FORMAT
  readonly windows: WindowRule
  readonly counts: FilterCounts
  /** The one that was quiet longest comes first. */
  readonly entities: readonly EntityState[]
}

interface EntityState {
  readonly entity: string
  readonly open: OpenWindow | null
  readonly waiting: readonly Waiting[]
  readonly releasedUs: number | null
  readonly newestUs: number
  readonly ids: readonly string[]
}

interface OpenWindow {
  readonly events: string[]
  fromUs: number
  throughUs: number
  readonly begins: boolean
}

interface Waiting {
  readonly event: string
  readonly atUs: number
}

interface Entity {
  open: OpenWindow | undefined
  /** In order of time; of one instant, as they came. */
  waiting: Waiting[]
  /** Time of the last event that has its place for good. */
  releasedUs: number | undefined
  newestUs: number
  readonly ids: Set<string>
}

type Closed = WindowVerdict[]

/**
 * Stage 1 online: takes events one at a time, gathers them in windows by entity, and says of each window whether it is
 * known. `modelOf` names the version that judges: one for all, one a role, or one an entity; it is asked when a window
 * closes. Nothing is learnt here.
 */
export class SequenceFilter {
  private readonly modelOf: (entity: string) => SequenceModel
  private readonly windows: WindowRule
  private readonly options: Required<Omit<FilterOptions, 'clock' | 'windows'>>
  private readonly clock: Clock | undefined
  private readonly ending: ReadonlySet<string>
  /** The one that was quiet longest comes first. */
  private readonly entities = new Map<string, Entity>()
  /** Events that wait or are in open windows. */
  private held = 0
  private tally: { -readonly [Name in keyof FilterCounts]: number } = {
    events: 0,
    windows: 0,
    unknown: 0,
    left: 0,
    late: 0,
    ahead: 0,
    duplicates: 0,
    hurried: 0,
  }

  /** Error: `sequence_options_invalid`. */
  constructor(
    modelOf: (entity: string) => SequenceModel,
    { windows, clock, ...given }: FilterOptions,
  ) {
    this.modelOf = modelOf
    this.windows = windows
    this.clock = clock
    this.options = {
      lateUs: given.lateUs ?? 0,
      aheadUs: given.aheadUs ?? 0,
      entitiesMax: given.entitiesMax ?? 10_000,
      heldMax: given.heldMax ?? 1_000_000,
      windowEventsMax: given.windowEventsMax ?? 10_000,
      idsMax: given.idsMax ?? 256,
    }
    checkWhole('lateUs', this.options.lateUs, 0, Number.MAX_SAFE_INTEGER)
    checkWhole('aheadUs', this.options.aheadUs, 0, Number.MAX_SAFE_INTEGER)
    checkWhole('entitiesMax', this.options.entitiesMax, 1, 10_000_000)
    checkWhole('heldMax', this.options.heldMax, 1, 1_000_000_000)
    checkWhole('windowEventsMax', this.options.windowEventsMax, 1, 100_000)
    checkWhole('idsMax', this.options.idsMax, 0, 1_000_000)
    if (windows.by === 'gap') checkWhole('gapUs', windows.gapUs, 1, Number.MAX_SAFE_INTEGER)
    if (windows.by === 'count') {
      checkWhole('windows.events', windows.events, 1, this.options.windowEventsMax)
    }
    this.ending = new Set(windows.by === 'end' ? windows.events : [])
  }

  get counts(): FilterCounts {
    return { ...this.tally }
  }

  /** Takes one event; answers with the windows that it closed. Error: `sessions_unusable`; then it is not taken. */
  add({ entity: name, event, atUs, id }: SequenceEvent): Closed {
    checkEvent(name, event, atUs, id)
    this.tally.events++
    if (this.clock !== undefined && atUs > this.clock.nowUs() + this.options.aheadUs) {
      this.tally.ahead++
      return []
    }
    const closed: Closed = []
    const entity = this.entityOf(name, atUs)
    if (id !== undefined && !remember(entity.ids, id, this.options.idsMax)) {
      this.tally.duplicates++
      return closed
    }
    if (entity.releasedUs !== undefined && atUs < entity.releasedUs) {
      this.tally.late++
      return closed
    }
    const place = entity.waiting.findLastIndex((each) => each.atUs <= atUs) + 1
    entity.waiting.splice(place, 0, { event, atUs })
    this.held++
    entity.newestUs = Math.max(entity.newestUs, atUs)
    this.release(name, entity, entity.newestUs - this.options.lateUs, closed)
    while (entity.waiting.length > this.options.windowEventsMax) {
      this.tally.hurried++
      this.place(name, entity, entity.waiting.shift()!, closed)
    }
    this.makeRoom(closed)
    return closed
  }

  /** Says how far time has come where no event does: late ones are no longer waited for, and gaps end windows. */
  advance(nowUs: number): Closed {
    const closed: Closed = []
    const dueUs = nowUs - this.options.lateUs
    for (const [name, entity] of this.entities) {
      this.release(name, entity, dueUs, closed)
      this.closeAfterGap(name, entity, dueUs, closed)
    }
    return closed
  }

  /** The session of an entity has ended: what waits is placed, and the window judged as a whole one. */
  end(name: string): Closed {
    const closed: Closed = []
    const entity = this.entities.get(name)
    if (entity === undefined) return closed
    this.release(name, entity, Infinity, closed)
    this.close(name, entity, 'end', closed)
    return closed
  }

  /** Judges every open window as one that is cut, and forgets all entities: before a stop for good. */
  flush(): Closed {
    const closed: Closed = []
    for (const [name, entity] of this.entities) {
      this.release(name, entity, Infinity, closed)
      this.close(name, entity, 'flushed', closed)
    }
    this.entities.clear()
    return closed
  }

  /** What the open window of an entity looks like so far; undefined where it has none. */
  soFar(name: string): SequenceVerdict | undefined {
    const open = this.entities.get(name)?.open
    if (open === undefined || open.events.length === 0) return undefined
    return this.modelOf(name).judge(open.events, { begins: open.begins, ends: false })
  }

  private entityOf(name: string, atUs: number): Entity {
    const found = this.entities.get(name)
    const entity: Entity = found ?? {
      open: undefined,
      waiting: [],
      releasedUs: undefined,
      newestUs: atUs,
      ids: new Set(),
    }
    this.entities.delete(name)
    this.entities.set(name, entity)
    return entity
  }

  private makeRoom(closed: Closed): void {
    const { entitiesMax, heldMax } = this.options
    while (this.entities.size > entitiesMax || (this.held > heldMax && this.entities.size > 1)) {
      const [[quiet, leaving]] = this.entities
      this.release(quiet, leaving, Infinity, closed)
      this.close(quiet, leaving, 'left', closed)
      this.entities.delete(quiet)
      this.tally.left++
    }
  }

  private release(name: string, entity: Entity, throughUs: number, closed: Closed): void {
    let due = 0
    while (due < entity.waiting.length && entity.waiting[due].atUs <= throughUs) due++
    for (const each of entity.waiting.splice(0, due)) this.place(name, entity, each, closed)
  }

  private place(name: string, entity: Entity, { event, atUs }: Waiting, closed: Closed): void {
    this.closeAfterGap(name, entity, atUs, closed)
    entity.releasedUs = atUs
    entity.open ??= { events: [], fromUs: atUs, throughUs: atUs, begins: true }
    if (entity.open.events.length === 0) entity.open.fromUs = atUs
    entity.open.events.push(event)
    entity.open.throughUs = atUs
    if (this.ending.has(event)) this.close(name, entity, 'end', closed)
    else if (this.windows.by === 'count' && entity.open.events.length >= this.windows.events) {
      this.close(name, entity, 'count', closed)
    } else if (entity.open.events.length >= this.options.windowEventsMax) {
      this.close(name, entity, 'full', closed)
      entity.open = { events: [], fromUs: atUs, throughUs: atUs, begins: false }
    }
  }

  private closeAfterGap(name: string, entity: Entity, atUs: number, closed: Closed): void {
    if (this.windows.by !== 'gap' || entity.open === undefined) return
    const lastUs = entity.open.throughUs + this.windows.gapUs
    if (atUs <= lastUs) return
    this.close(name, entity, 'gap', closed)
    // What comes later of the time up to here belonged to the window that is gone.
    entity.releasedUs = lastUs + 1
  }

  private close(
    name: string,
    entity: Entity,
    closedBy: WindowVerdict['closedBy'],
    closed: Closed,
  ): void {
    const { open } = entity
    entity.open = undefined
    if (open === undefined || open.events.length === 0) return
    const { events, fromUs, throughUs, begins } = open
    this.held -= events.length
    const ends = closedBy === this.windows.by || closedBy === 'end'
    const verdict = this.modelOf(name).judge(events, { begins, ends })
    this.tally.windows++
    if (!verdict.known) this.tally.unknown++
    closed.push({ ...verdict, entity: name, fromUs, throughUs, events, closedBy })
  }

  /** What is open and waiting, to go on from after a restart. It holds no knowledge: versions are saved by themselves. */
  toState(): FilterState {
    return {
      format: STATE_FORMAT,
      windows: this.windows,
      counts: this.counts,
      entities: [...this.entities].map(([entity, each]) => ({
        entity,
        open: each.open === undefined ? null : { ...each.open, events: [...each.open.events] },
        waiting: [...each.waiting],
        releasedUs: each.releasedUs ?? null,
        newestUs: each.newestUs,
        ids: [...each.ids],
      })),
    }
  }

  /** Takes up what was saved. Error: `sequence_state_damaged` where it is no state, or of other windows. */
  restore(state: FilterState): void {
    if (state?.format !== STATE_FORMAT || !Array.isArray(state.entities)) {
      throw fail.sequence_state_damaged(`It does not say that it is ${STATE_FORMAT}.`)
    }
    if (JSON.stringify(state.windows) !== JSON.stringify(this.windows)) {
      throw fail.sequence_state_damaged('It was saved by a filter with other windows.')
    }
    this.entities.clear()
    this.held = 0
    for (const { entity, open, waiting, releasedUs, newestUs, ids } of state.entities) {
      this.entities.set(entity, {
        open: open === null ? undefined : { ...open, events: [...open.events] },
        waiting: [...waiting],
        releasedUs: releasedUs ?? undefined,
        newestUs,
        ids: new Set(ids),
      })
    }
    for (const { open, waiting } of this.entities.values()) {
      this.held += waiting.length + (open?.events.length ?? 0)
    }
    this.tally = { ...state.counts }
  }
}

/** False where the id is among the remembered ones. */
function remember(ids: Set<string>, id: string, most: number): boolean {
  if (ids.has(id)) return false
  ids.add(id)
  const [oldest] = ids
  if (ids.size > most) ids.delete(oldest)
  return true
}

/** Error: `sessions_unusable`. */
function checkEvent(entity: string, event: string, atUs: number, id = ''): void {
  checkEventId(event)
  if (id.length > 1024)
    throw fail.sessions_unusable(`An id has ${id.length} characters, over 1024.`)
  if (entity === '' || entity.length > 1024) {
    throw fail.sessions_unusable(`An entity has ${entity.length} characters; it has 1 to 1024.`)
  }
  if (!Number.isSafeInteger(atUs)) {
    throw fail.sessions_unusable(`${atUs} is no time in whole microseconds.`)
  }
}
