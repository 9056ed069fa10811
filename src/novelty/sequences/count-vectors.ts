import { log1p } from '../../lib/math.ts'
import { fail } from '../errors.ts'
import { vectorOfKey } from './knowledge.ts'

/** What each event weighs in a distance. */
export interface Weights {
  /** Of the known events, by their numbers. The array is never changed. */
  readonly known: Float64Array
  /** Of events that are not known. */
  readonly unseen: number
  /** Known events that weigh something else this once, by their numbers. */
  readonly other?: ReadonlyMap<number, number>
}

export interface Nearest {
  readonly distance: number
  /** Undefined where no vector is known. */
  readonly key: string | undefined
}

/**
 * Known count vectors, and the nearest of them. The distance of two is Σ w(event)·|ln(1 + a) − ln(1 + b)| over all
 * events, a and b being how often it came: one more of a thing that comes often says little.
 *
 * As |a − b| = a + b − 2·min(a, b), only events that both have are looked at one by one: an index says for each event
 * which vectors have it.
 */
export class CountVectors {
  private readonly ids: ReadonlyMap<string, number>
  /** Sorted. */
  private readonly keys: readonly string[]
  private readonly places: readonly Places[]
  /** Of each vector Σ w·ln(1 + count), by the weights. */
  private readonly totals = new WeakMap<Float64Array, Float64Array>()
  private readonly scratch: Float64Array

  /** `ids` numbers the events that are known, from 0. Error: `sequence_state_damaged`. */
  constructor(keys: Iterable<string>, ids: ReadonlyMap<string, number>) {
    this.ids = ids
    this.keys = [...keys].toSorted()
    this.places = placesOf(this.keys, ids)
    this.scratch = new Float64Array(this.keys.length)
  }

  /**
   * The nearest known vector but `without`; the distance to nothing at all where none is known. Distances are rounded
   * to a millionth, so that those which differ by the order of a sum are one; of equally near vectors it is the first
   * by key.
   */
  nearest(counts: ReadonlyMap<string, number>, weights: Weights, without?: string): Nearest {
    const { scratch, keys } = this
    scratch.fill(0)
    let own = 0
    for (const [event, count] of counts) {
      const level = log1p(count)
      const id = this.ids.get(event)
      const usual = id === undefined ? weights.unseen : weights.known[id]
      const weight = id === undefined ? usual : (weights.other?.get(id) ?? usual)
      own += weight * level
      if (id === undefined) continue
      const { vectors, levels } = this.places[id]
      for (let i = 0; i < vectors.length; i++) {
        scratch[vectors[i]] +=
          (weight - usual) * levels[i] - 2 * weight * Math.min(level, levels[i])
      }
    }
    const totals = this.totalsBy(weights.known)
    let distance = Infinity
    let nearest: number | undefined
    for (let vector = 0; vector < keys.length; vector++) {
      if (own + totals[vector] + scratch[vector] >= distance || keys[vector] === without) continue
      const exact = rounded(own + totals[vector] + scratch[vector])
      if (exact >= distance) continue
      distance = exact
      nearest = vector
    }
    if (nearest === undefined) return { distance: rounded(own), key: undefined }
    return { distance, key: keys[nearest] }
  }

  private totalsBy(weights: Float64Array): Float64Array {
    const known = this.totals.get(weights)
    if (known !== undefined) return known
    const totals = new Float64Array(this.keys.length)
    for (const [id, { vectors, levels }] of this.places.entries()) {
      for (let i = 0; i < vectors.length; i++) totals[vectors[i]] += weights[id] * levels[i]
    }
    this.totals.set(weights, totals)
    return totals
  }
}

/** Which vectors have an event, and ln(1 + count) in each. */
interface Places {
  readonly vectors: Int32Array
  readonly levels: Float64Array
}

function placesOf(keys: readonly string[], ids: ReadonlyMap<string, number>): Places[] {
  const found = Array.from(ids, () => ({ vectors: [] as number[], levels: [] as number[] }))
  for (const [vector, key] of keys.entries()) {
    for (const [event, count] of vectorOfKey(key)) {
      const id = ids.get(event)
      if (id === undefined) {
        throw fail.sequence_state_damaged(`A count vector has ${event}, which no session had.`)
      }
      const place = found[id]
      place.vectors.push(vector)
      place.levels.push(log1p(count))
    }
  }
  return found.map(({ vectors, levels }) => ({
    vectors: Int32Array.from(vectors),
    levels: Float64Array.from(levels),
  }))
}

function rounded(distance: number): number {
  return Math.max(0, Math.round(distance * 1e6) / 1e6)
}
