/**
 * What an event tells beyond its own fields: how busy its entity is, whether the values are usual for
 * it, and, where events carry two parties, how both stand in the graph of interactions. Counts decay
 * with event time; entities, parties and pairs are bounded: the one unseen longest is forgotten.
 */
import { ln, pow } from '../../lib/math.ts'
import { SECOND_US } from '../../lib/time.ts'

export interface EntityEvent {
  readonly entity: string
  readonly party?: string
  readonly timeUs: number
  /** The event's categories, in a fixed order. */
  readonly categories: readonly string[]
}

export type EntityStatisticsSettings = {
  /** After so much event time a count weighs half, in microseconds. */
  readonly halfLifeUs: number
  readonly entitiesMax: number
  readonly pairsMax: number
}

/** Values of one category that are remembered of an entity. */
const VALUES_MAX = 32

type Decayed = { count: number; atUs: number }
type EntityMemory = Decayed & {
  /** Different parties met, decayed as counts are. */
  parties: number
  readonly values: Map<string, number>[]
}

export type EntityStatisticsState = {
  readonly entities: readonly (readonly [
    string,
    {
      readonly count: number
      readonly atUs: number
      readonly parties: number
      readonly values: readonly (readonly (readonly [string, number])[])[]
    },
  ])[]
  readonly reached: readonly (readonly [
    string,
    { readonly count: number; readonly atUs: number },
  ])[]
  readonly pairs: readonly (readonly [string, { readonly count: number; readonly atUs: number }])[]
}

export class EntityStatistics {
  readonly #settings: EntityStatisticsSettings
  readonly #entities: Map<string, EntityMemory>
  readonly #reached: Map<string, Decayed>
  readonly #pairs: Map<string, Decayed>

  constructor(settings: EntityStatisticsSettings, state?: EntityStatisticsState) {
    this.#settings = settings
    this.#entities = new Map(
      state?.entities.map(([id, { values, ...one }]) => [
        id,
        { ...one, values: values.map((list) => new Map(list)) },
      ]),
    )
    this.#reached = new Map(state?.reached.map(([id, one]) => [id, { ...one }]))
    this.#pairs = new Map(state?.pairs.map(([id, one]) => [id, { ...one }]))
  }

  /** The names of what `add` returns. */
  static names(withParty: boolean): readonly string[] {
    const own = ['entity_events', 'entity_quiet_seconds', 'entity_surprise']
    return withParty ? [...own, 'entity_parties', 'party_entities', 'pair_events'] : own
  }

  get sizes() {
    return {
      entities: this.#entities.size,
      parties: this.#reached.size,
      pairs: this.#pairs.size,
    }
  }

  /** Takes an event and tells how it stands to what came before it. */
  add(event: EntityEvent): number[] {
    const { entity, party, timeUs, categories } = event
    const { entitiesMax, pairsMax } = this.#settings
    const known = this.#entities.get(entity)
    const memory: EntityMemory = known ?? {
      count: 0,
      atUs: timeUs,
      parties: 0,
      values: categories.map(() => new Map<string, number>()),
    }
    const kept = this.#kept(memory, timeUs)
    const quiet = known === undefined ? 0 : Math.max(0, timeUs - memory.atUs) / SECOND_US
    const surprise = surpriseOf(memory, categories)
    memory.count = memory.count * kept + 1
    memory.parties *= kept
    memory.atUs = Math.max(memory.atUs, timeUs)
    const figures = [memory.count, quiet, surprise]
    if (party !== undefined) {
      const pairKey = `${entity.length}:${entity}${party}`
      const met = this.#pairs.has(pairKey)
      const reached = this.#reached.get(party) ?? { count: 0, atUs: timeUs }
      const keptReached = this.#kept(reached, timeUs)
      if (!met) memory.parties++
      reached.count = reached.count * keptReached + (met ? 0 : 1)
      reached.atUs = Math.max(reached.atUs, timeUs)
      const pair = this.#pairs.get(pairKey) ?? { count: 0, atUs: timeUs }
      pair.count = pair.count * this.#kept(pair, timeUs) + 1
      pair.atUs = Math.max(pair.atUs, timeUs)
      renew(this.#reached, party, reached, entitiesMax)
      renew(this.#pairs, pairKey, pair, pairsMax)
      figures.push(memory.parties, reached.count, pair.count)
    }
    renew(this.#entities, entity, memory, entitiesMax)
    return figures
  }

  saved(): EntityStatisticsState {
    return {
      entities: [...this.#entities].map(([id, { values, ...one }]) => [
        id,
        { ...one, values: values.map((list) => [...list]) },
      ]),
      reached: [...this.#reached].map(([id, one]) => [id, { ...one }]),
      pairs: [...this.#pairs].map(([id, one]) => [id, { ...one }]),
    }
  }

  /** What is left of a count by now; an event that comes late changes nothing. */
  #kept({ atUs }: Decayed, timeUs: number): number {
    return timeUs <= atUs ? 1 : pow(0.5, (timeUs - atUs) / this.#settings.halfLifeUs)
  }
}

/**
 * How rare the values are for this entity: the mean over the categories of ln((n + 1) / (n_value + 1)),
 * an inverse document frequency; 0 of an entity that was never seen. Counts the values.
 */
function surpriseOf({ values }: EntityMemory, categories: readonly string[]): number {
  if (categories.length === 0) return 0
  let sum = 0
  categories.forEach((value, i) => {
    const counts = values[i]
    let all = 0
    for (const count of counts.values()) all += count
    const own = counts.get(value) ?? 0
    sum += ln((all + 1) / (own + 1))
    if (own === 0 && counts.size >= VALUES_MAX) {
      const rarest = [...counts].reduce((least, one) => (one[1] < least[1] ? one : least))
      counts.delete(rarest[0])
    }
    counts.set(value, own + 1)
  })
  return sum / categories.length
}

/** Puts an entry last and forgets the first where there are too many. */
function renew<T>(map: Map<string, T>, key: string, value: T, most: number): void {
  map.delete(key)
  map.set(key, value)
  if (map.size <= most) return
  const [oldest] = map.keys()
  map.delete(oldest)
}
