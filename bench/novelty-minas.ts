// MINAS (de Faria, de Leon Ferreira de Carvalho and Gama, "MINAS: multiclass learning algorithm for
// novelty detection in data streams", Data Mining and Knowledge Discovery 30, 2016), by its rules:
// k-means micro-clusters for each known class; a record inside the nearest one is of its class, any
// other goes to a short-term memory; that is clustered when it is full; a cluster is valid where it is
// large enough and its silhouette is positive; within the threshold T of the nearest micro-cluster it is
// an extension of its class, else the sleep memory is asked in the same way, else it is a novelty.
import { createRandom, type Random } from '../src/lib/random.ts'
import { distanceOf } from '../src/novelty/memory/points.ts'

export interface MinasOptions {
  readonly seed: number
  /** Micro-clusters of a class, and of the short-term memory. */
  readonly k: number
  /** Records in the short-term memory at which it is clustered. */
  readonly memory: number
  /** Records of a valid cluster, at least. */
  readonly least: number
  /** T is so many standard deviations of the nearest micro-cluster (the paper's TV1). */
  readonly factor: number
  /** Records after which unused micro-clusters sleep and old unknowns are removed. */
  readonly window: number
}

interface MicroCluster {
  readonly centre: Float64Array
  /** Of the distances of its records from the centre. */
  readonly deviation: number
  /** The largest of these distances. */
  readonly radius: number
  readonly label: string
  readonly novel: boolean
  last: number
}

export interface MinasTold {
  readonly sequence: number
  readonly kind: 'known' | 'novelty' | 'recurrence' | 'unknown'
  /** The class it is taken for. */
  readonly label: string
  readonly group: string | null
}

export class Minas {
  readonly #options: MinasOptions
  readonly #random: Random
  #model: MicroCluster[] = []
  #asleep: MicroCluster[] = []
  #memory: { sequence: number; point: Float64Array; label: string }[] = []
  #novelties = 0

  constructor(options: MinasOptions, training: ReadonlyMap<string, readonly Float64Array[]>) {
    this.#options = options
    this.#random = createRandom(options.seed)
    for (const [label, points] of training) {
      for (const members of kMeans(points, options.k, this.#random.fork(label))) {
        const rows = members.map((row) => points[row])
        this.#model.push(microCluster(rows, label, false, 0))
      }
    }
  }

  /** `score`: distance to the nearest micro-cluster of a known class, in its radii. */
  take(
    sequence: number,
    point: Float64Array,
  ): { readonly told: MinasTold[]; readonly score: number } {
    const near = nearest(this.#model, point)
    const known =
      nearest(
        this.#model.filter(({ novel }) => !novel),
        point,
      ) ?? near
    const told: MinasTold[] = []
    let novel = false
    if (near !== undefined && near.distance <= near.cluster.radius) {
      near.cluster.last = sequence
      novel = near.cluster.novel
      told.push(toldBy(sequence, near.cluster))
    } else {
      const label = known?.cluster.label ?? ''
      this.#memory.push({ sequence, point, label })
      told.push({ sequence, kind: 'unknown', label, group: null })
      if (this.#memory.length >= this.#options.memory) told.push(...this.#detect(sequence))
    }
    if (sequence > 0 && sequence % this.#options.window === 0) this.#tidy(sequence)
    const score = (known?.distance ?? Infinity) / Math.max(known?.cluster.radius ?? 1, 1e-9)
    return { told, score: Math.min(score, 1e9) + (novel ? 1 : 0) }
  }

  #detect(now: number): MinasTold[] {
    const { k, least, factor } = this.#options
    const points = this.#memory.map(({ point }) => point)
    const taken = new Set<number>()
    const told: MinasTold[] = []
    for (const members of kMeans(points, k, this.#random.fork(`detect-${now}`))) {
      if (members.length < least) continue
      const made = microCluster(
        members.map((row) => points[row]),
        '',
        true,
        now,
      )
      const near = nearest(this.#model, made.centre)
      if (near !== undefined && silhouette(near.distance, made.deviation) <= 0) continue
      const sleeping = nearest(this.#asleep, made.centre)
      const kin = (one: typeof near) =>
        one !== undefined && one.distance <= factor * one.cluster.deviation
      let cluster = made
      let kind: MinasTold['kind'] = 'novelty'
      if (near !== undefined && kin(near)) {
        cluster = { ...made, label: near.cluster.label, novel: near.cluster.novel }
        kind = near.cluster.novel ? 'novelty' : 'known'
      } else if (sleeping !== undefined && kin(sleeping)) {
        cluster = { ...made, label: sleeping.cluster.label, novel: sleeping.cluster.novel }
        this.#asleep = this.#asleep.filter((one) => one !== sleeping.cluster)
        this.#model.push({ ...sleeping.cluster, last: now })
        kind = 'recurrence'
      } else cluster = { ...made, label: `N${++this.#novelties}` }
      this.#model.push(cluster)
      const group = cluster.novel ? cluster.label : null
      for (const row of members) {
        taken.add(row)
        told.push({ sequence: this.#memory[row].sequence, kind, label: cluster.label, group })
      }
    }
    this.#memory = this.#memory.filter((_, row) => !taken.has(row))
    // Where nothing could be explained, the oldest make room, or it would be clustered at each record.
    const over = this.#memory.length - this.#options.memory + Math.ceil(this.#options.memory / 10)
    if (over > 0) this.#memory.splice(0, over)
    return told
  }

  #tidy(now: number): void {
    const idle = ({ last }: MicroCluster) => now - last > this.#options.window
    this.#asleep.push(...this.#model.filter(idle))
    this.#model = this.#model.filter((one) => !idle(one))
    this.#memory = this.#memory.filter(({ sequence }) => now - sequence <= this.#options.window)
  }
}

function toldBy(sequence: number, { label, novel }: MicroCluster): MinasTold {
  return { sequence, kind: novel ? 'novelty' : 'known', label, group: novel ? label : null }
}

/** The paper's: b to the nearest micro-cluster, a the cluster's own deviation. */
function silhouette(b: number, a: number): number {
  const most = Math.max(a, b)
  return most === 0 ? 0 : (b - a) / most
}

function microCluster(
  points: readonly Float64Array[],
  label: string,
  novel: boolean,
  last: number,
): MicroCluster {
  const centre = new Float64Array(points[0].length)
  for (const point of points) point.forEach((value, i) => (centre[i] += value / points.length))
  const distances = points.map((point) => distanceOf(point, centre))
  const squares = distances.reduce((sum, distance) => sum + distance * distance, 0)
  const deviation = Math.sqrt(squares / points.length)
  return { centre, deviation, radius: Math.max(...distances), label, novel, last }
}

function nearest(clusters: readonly MicroCluster[], point: Float64Array) {
  let best: { cluster: MicroCluster; distance: number } | undefined
  for (const cluster of clusters) {
    const distance = distanceOf(cluster.centre, point)
    if (best === undefined || distance < best.distance) best = { cluster, distance }
  }
  return best
}

/** Lloyd's k-means from k different points drawn at random; rows of each cluster that has some. */
function kMeans(points: readonly Float64Array[], k: number, random: Random): number[][] {
  const rows = random.shuffle(points.map((_, row) => row)).slice(0, Math.min(k, points.length))
  let centres = rows.map((row) => points[row].slice())
  let groups: number[][] = []
  for (let round = 0; round < 20; round++) {
    groups = centres.map(() => [])
    points.forEach((point, row) => {
      let best = 0
      let least = Infinity
      centres.forEach((centre, i) => {
        const distance = distanceOf(centre, point)
        if (distance < least) [best, least] = [i, distance]
      })
      groups[best].push(row)
    })
    const moved = groups.map((members, i) => {
      if (members.length === 0) return centres[i]
      const centre = new Float64Array(points[0].length)
      for (const row of members) {
        points[row].forEach((value, at) => (centre[at] += value / members.length))
      }
      return centre
    })
    const still = moved.every((centre, i) => distanceOf(centre, centres[i]) < 1e-9)
    centres = moved
    if (still) break
  }
  return groups.filter((members) => members.length > 0)
}
