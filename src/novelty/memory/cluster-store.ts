/** The micro-clusters of all patterns, and which of them is nearest to a point in each group. */
import type { Neighbour, Surroundings } from './judge.ts'
import { type Nearest, Points } from './points.ts'
import type { Cluster, Pattern } from './types.ts'

/** Groups of the index: what is no news, what was found and not confirmed, what sleeps. */
const USUAL = 0
const FOUND = 1
const ASLEEP = 2

export type SavedCluster = Omit<Cluster, 'anchor'> & {
  readonly anchor: readonly number[]
  readonly centre: readonly number[]
}

export class ClusterStore {
  readonly #index: Points
  readonly #limit: number
  readonly #patterns: ReadonlyMap<string, Pattern>
  #clusters: Cluster[]
  #groups = new Uint8Array(0)
  readonly #near: readonly Nearest[] = [0, 1, 2].map(() => ({ row: -1, distance: Infinity }))

  constructor(
    width: number,
    limit: number,
    patterns: ReadonlyMap<string, Pattern>,
    saved: readonly SavedCluster[],
  ) {
    this.#index = new Points(width)
    this.#limit = limit
    this.#patterns = patterns
    this.#clusters = saved.map(({ anchor, centre, ...cluster }) => {
      this.#index.add(centre)
      return { ...cluster, anchor: Float64Array.from(anchor) }
    })
    this.#index.prepare()
    this.regroup()
  }

  get size(): number {
    return this.#clusters.length
  }

  saved(): SavedCluster[] {
    return this.#clusters.map((cluster, row) => ({
      ...cluster,
      anchor: [...cluster.anchor],
      centre: [...this.#index.at(row)],
    }))
  }

  /** To be called when patterns fell asleep, woke, or became usual. */
  regroup(): void {
    this.#groups = Uint8Array.from(this.#clusters, ({ pattern }) => {
      const { state, usual } = this.#patternOf(pattern)
      return state === 'asleep' ? ASLEEP : usual ? USUAL : FOUND
    })
  }

  around(point: Float64Array): Surroundings {
    this.#index.nearest(point, this.#groups, this.#near)
    const [usual, found, asleep] = this.#near.map((near) => this.#neighbour(near))
    return { usual, found, asleep }
  }

  #neighbour({ row, distance }: Nearest): Neighbour | undefined {
    if (row < 0) return undefined
    const cluster = this.#clusters[row]
    const pattern = this.#patternOf(cluster.pattern)
    const centre = this.#index.at(row)
    return { row, cluster, pattern, centre, distance: distance / this.#limit }
  }

  add(cluster: Cluster): void {
    this.#index.add(cluster.anchor)
    this.#clusters.push(cluster)
  }

  remove(goes: (cluster: Cluster) => boolean): void {
    const kept: Cluster[] = []
    this.#clusters.forEach((cluster, row) => {
      if (goes(cluster)) return
      this.#index.set(kept.length, this.#index.at(row).slice())
      kept.push(cluster)
    })
    this.#index.size = kept.length
    this.#clusters = kept
  }

  /** Replaces clusters one by one; centres stay. */
  change(to: (cluster: Cluster) => Cluster): void {
    this.#clusters = this.#clusters.map(to)
  }

  filter(holds: (cluster: Cluster) => boolean): Cluster[] {
    return this.#clusters.filter(holds)
  }

  /** Moves a centre towards a record, never further from its anchor than half a limit. */
  learn({ cluster, row }: Neighbour, point: Float64Array): void {
    const { anchor, records } = cluster
    const centre = this.#index.at(row)
    const rate = 1 / Math.min(records + 1, 1000)
    let away = 0
    for (let i = 0; i < centre.length; i++) {
      centre[i] += rate * (point[i] - centre[i])
      const step = centre[i] - anchor[i]
      away += step * step
    }
    const most = 0.5 * this.#limit
    if (away > most * most) {
      const back = most / Math.sqrt(away)
      for (let i = 0; i < centre.length; i++) centre[i] = anchor[i] + back * (centre[i] - anchor[i])
    }
    this.#index.set(row, centre)
  }

  #patternOf(id: string): Pattern {
    const pattern = this.#patterns.get(id)
    if (pattern === undefined) throw new Error(`a cluster names the pattern ${id}, which is gone`)
    return pattern
  }
}
