/** Centres of micro-clusters in one block of memory, and which of them is nearest to a point. */

export interface Nearest {
  /** Row of the nearest point; −1 of none. */
  row: number
  /** Euclidean; Infinity of none. */
  distance: number
}

/** Points that all others are measured from, so that most need not be compared. */
const PIVOTS = 6
/** Room for rounding in bounds that hold exactly for exact numbers. */
const SLACK = 1 - 1e-9

export class Points {
  readonly width: number
  size = 0
  #values: Float64Array
  #pivots: Float64Array[] = []
  /** Distance of each row from each pivot. */
  #apart = new Float64Array(64 * PIVOTS)
  readonly #query = new Float64Array(PIVOTS)

  constructor(width: number) {
    this.width = width
    this.#values = new Float64Array(64 * width)
  }

  add(point: ArrayLike<number>): number {
    if ((this.size + 1) * this.width > this.#values.length) {
      this.#values = grown(this.#values)
      this.#apart = grown(this.#apart)
    }
    this.set(this.size, point)
    return this.size++
  }

  set(row: number, point: ArrayLike<number>): void {
    this.#values.set(point, row * this.width)
    this.#pivots.forEach((pivot, i) => {
      this.#apart[row * PIVOTS + i] = distanceOf(pivot, point)
    })
  }

  /** The memory of a row: after a change of it, `set` must be called. */
  at(row: number): Float64Array {
    return this.#values.subarray(row * this.width, (row + 1) * this.width)
  }

  /** Chooses pivots among the points, each as far as can be from those before; speeds up `nearest`. */
  prepare(): void {
    this.#pivots = []
    if (this.size === 0) return
    const far = new Float64Array(this.size).fill(Infinity)
    let next = 0
    while (this.#pivots.length < PIVOTS) {
      const pivot = this.at(next).slice()
      const at = this.#pivots.push(pivot) - 1
      for (let row = 0; row < this.size; row++) {
        const distance = distanceOf(pivot, this.at(row))
        this.#apart[row * PIVOTS + at] = distance
        far[row] = Math.min(far[row], distance)
      }
      next = far.reduce((best, distance, row) => (distance > far[best] ? row : best), 0)
    }
  }

  /**
   * The nearest point of each group, the first of equally near ones: `groups` says which group a row
   * belongs to, by its position in `into`; a group of `into.length` or more is passed over. A row
   * whose distance cannot be the least is not summed up, by the triangle inequality or half-way.
   */
  nearest(point: Float64Array, groups: Uint8Array, into: readonly Nearest[]): void {
    for (const best of into) {
      best.row = -1
      best.distance = Infinity
    }
    this.#pivots.forEach((pivot, i) => {
      this.#query[i] = distanceOf(pivot, point)
    })
    for (let row = 0; row < this.size; row++) {
      const best = into[groups[row]]
      if (best === undefined || this.#isFar(row, best.distance)) continue
      const sum = this.#squareWithin(row, point, best.distance * best.distance)
      if (sum === undefined) continue
      best.row = row
      best.distance = Math.sqrt(sum)
    }
  }

  #isFar(row: number, limit: number): boolean {
    const at = row * PIVOTS
    for (let i = 0; i < this.#pivots.length; i++) {
      if (Math.abs(this.#query[i] - this.#apart[at + i]) * SLACK > limit) return true
    }
    return false
  }

  /** The squared distance of a row; undefined as soon as it is not below the limit. */
  #squareWithin(row: number, point: Float64Array, limit: number): number | undefined {
    const { width } = this
    const values = this.#values
    let sum = 0
    let at = row * width
    for (let place = 0; place < width;) {
      const end = Math.min(width, place + 8)
      for (; place < end; place++, at++) {
        const step = values[at] - point[place]
        sum += step * step
      }
      if (sum >= limit) return undefined
    }
    return sum
  }
}

function grown(values: Float64Array): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(values.length * 2)
  larger.set(values)
  return larger
}

export function distanceOf(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) {
    const step = a[i] - b[i]
    sum += step * step
  }
  return Math.sqrt(sum)
}

export function meanOf(points: readonly ArrayLike<number>[]): Float64Array {
  const centre = new Float64Array(points[0].length)
  for (const point of points) for (let i = 0; i < centre.length; i++) centre[i] += point[i]
  for (let i = 0; i < centre.length; i++) centre[i] /= points.length
  return centre
}
