/**
 * Figures of what lies around two vertices: who stands between them, whom both know, and what their
 * neighbours pass on. Searches follow the newest edges of each vertex, as many as are declared.
 */
import { ln } from '../../lib/math.ts'
import { addPlainSum, plainSum } from './power-sums.ts'
import type { VertexWindows } from './vertex-windows.ts'
import type { Side } from './vertices.ts'
import { IN, OUT } from './vertices.ts'

/** The part of time that a search sees: (afterUs, throughUs]. */
export interface Span {
  /** Number of the window. */
  window: number
  afterUs: number
  throughUs: number
}

/** What two vertices' neighbours have in common. */
export interface Overlap {
  common: number
  union: number
  adamicAdar: number
}

const sides: readonly Side[] = [OUT, IN]

export class Neighbourhood {
  private readonly windows: VertexWindows
  private readonly found: Int32Array
  private readonly shared: Int32Array
  private readonly sums = new Float64Array(2)
  /** By vertex: the stamp of the search that met it last, and an entry that it was met at. */
  private marks = new Int32Array(0)
  private metAt = new Int32Array(0)
  private stamp = 0

  /** For searches of at most `explored` edges a ring. */
  constructor(windows: VertexWindows, explored: number) {
    this.windows = windows
    this.found = new Int32Array(explored)
    this.shared = new Int32Array(2 * explored)
  }

  /** How many vertices have an edge from `from` and one to `to`, if wanted in this order. */
  intermediaries(from: number, to: number, span: Span, explored: number, inOrder: boolean): number {
    const { vertices } = this.windows
    this.begin()
    const { found, marks, metAt, stamp } = this
    const scattered = this.explore(from, OUT, span, explored)
    // From the newest to the oldest: the oldest edge to each vertex is noted last.
    for (let i = 0; i < scattered; i++) {
      const middle = vertices.neighbour(found[i])
      if (middle === from || middle === to) continue
      marks[middle] = stamp
      metAt[middle] = found[i]
    }
    const gathered = scattered === 0 ? 0 : this.explore(to, IN, span, explored)
    let count = 0
    for (let i = 0; i < gathered; i++) {
      const middle = vertices.neighbour(found[i])
      if (marks[middle] !== stamp) continue
      // The newest edge from each vertex is met first; one look at it is enough.
      marks[middle] = 0
      if (!inOrder || vertices.isBefore(metAt[middle], found[i])) count++
    }
    return count
  }

  /** Common and united neighbours; `adamicAdar` where it is wanted. */
  overlap(
    one: number,
    other: number,
    span: Span,
    explored: number,
    adamicAdar: boolean,
    into: Overlap,
  ): void {
    this.begin()
    const ofOne = this.stamp - 1
    const ofBoth = this.stamp
    const own = this.mark(one, ofOne, span, explored)
    const { marks, shared } = this
    let common = 0
    let union = own
    for (const side of sides) {
      const count = this.explore(other, side, span, explored)
      for (let i = 0; i < count; i++) {
        const neighbour = this.windows.vertices.neighbour(this.found[i])
        if (neighbour === other || marks[neighbour] === ofBoth) continue
        if (marks[neighbour] === ofOne) shared[common++] = neighbour
        else union++
        marks[neighbour] = ofBoth
      }
    }
    into.common = common
    into.union = union
    into.adamicAdar = adamicAdar ? this.adamicAdar(common, span) : NaN
  }

  /** Edges and amounts of the neighbours of a vertex on a side; returns the number of edges. */
  twoHop(vertex: number, side: Side, span: Span, explored: number, amounts: boolean): number {
    const { windows, sums } = this
    this.begin()
    const { found, marks } = this
    const count = this.explore(vertex, side, span, explored)
    // The entries found give way to the different neighbours among them.
    let different = 0
    for (let i = 0; i < count; i++) {
      const neighbour = windows.vertices.neighbour(found[i])
      if (neighbour === vertex || marks[neighbour] === this.stamp) continue
      marks[neighbour] = this.stamp
      found[different++] = neighbour
    }
    windows.touchSides(span.window, side, found, different)
    let edges = 0
    sums.fill(0)
    for (let i = 0; i < different; i++) {
      const neighbour = found[i]
      windows.seekSide(span.window, neighbour, side, span.throughUs)
      const own = windows.edges(span.window, neighbour, side)
      if (own === 0) continue
      edges += own
      if (!amounts) continue
      const at = windows.amountsAt(span.window, neighbour, side)
      addPlainSum(sums, 0, windows.vertices.doubles, at)
    }
    return edges
  }

  /** The sum of amounts of the last `twoHop`. */
  get twoHopSum(): number {
    return plainSum(this.sums, 0)
  }

  /** Marks the neighbours of a vertex in both directions; returns how many there are. */
  private mark(vertex: number, stamp: number, span: Span, explored: number): number {
    const { marks } = this
    let different = 0
    for (const side of sides) {
      const count = this.explore(vertex, side, span, explored)
      for (let i = 0; i < count; i++) {
        const neighbour = this.windows.vertices.neighbour(this.found[i])
        if (neighbour === vertex || marks[neighbour] === stamp) continue
        marks[neighbour] = stamp
        different++
      }
    }
    return different
  }

  /** Σ 1 / ln k over the first vertices of `shared`, by rising k. */
  private adamicAdar(count: number, span: Span): number {
    const { windows, shared } = this
    for (let i = 0; i < count; i++) {
      const vertex = shared[i]
      windows.seek(span.window, vertex, span.throughUs)
      shared[i] = windows.neighbours(span.window, vertex, 'both')
    }
    const degrees = shared.subarray(0, count)
    if (count > 1) degrees.sort()
    let sum = 0
    for (const degree of degrees) if (degree > 1) sum += inverseLn(degree)
    return sum
  }

  private explore(vertex: number, side: Side, span: Span, explored: number): number {
    const { vertices } = this.windows
    const ring = vertices.ring(vertex, side)
    return vertices.newest(ring, span.afterUs, span.throughUs, explored, this.found)
  }

  /** Begins a search: nothing is marked with the new stamp. */
  private begin(): void {
    const { size } = this.windows.vertices
    if (this.marks.length < size) {
      this.marks = new Int32Array(size)
      this.metAt = new Int32Array(size)
      this.stamp = 0
    }
    // A search takes two stamps at most; both must be new.
    if (this.stamp >= 0x7ffffff0) {
      this.marks.fill(0)
      this.stamp = 0
    }
    this.stamp += 2
  }
}

const inverses = new Float64Array(1024)

function inverseLn(k: number): number {
  if (k >= inverses.length) return 1 / ln(k)
  if (inverses[k] === 0) inverses[k] = 1 / ln(k)
  return inverses[k]
}
