/**
 * The cycles that an edge u → v would close: paths from v back to u whose edges follow one another in
 * time. The search meets in the middle, two edges from either side at most, so that its work grows
 * with the square of the edges explored a vertex and not with the length of the cycle. Definition and
 * bounds: `cycles` in compiled.ts.
 */
import type { Span } from './neighbourhood.ts'
import type { Vertices } from './vertices.ts'
import { IN, OUT } from './vertices.ts'

/** By length of the cycle: how many there are, and the most money round one (NaN without any). */
export interface CyclesFound {
  readonly counts: Float64Array
  readonly flows: Float64Array
}

/** Partial paths, listed by the vertex where they may meet others. */
class Paths {
  /** By vertex: the stamp of the search and the last path that ends there. */
  private stamps = new Int32Array(0)
  private heads = new Int32Array(0)
  private stamp = 0
  private length = 0
  private readonly next: Int32Array
  /** The path's inner vertex beside the meeting point, 0 where there is none. */
  readonly inner: Int32Array
  /** The edge at the meeting point. */
  readonly edge: Int32Array
  /** The least amount along the path. */
  readonly least: Float64Array

  constructor(most: number) {
    this.next = new Int32Array(most + 1)
    this.inner = new Int32Array(most + 1)
    this.edge = new Int32Array(most + 1)
    this.least = new Float64Array(most + 1)
  }

  clear(vertices: number): void {
    if (this.stamps.length < vertices || this.stamp === 0x7fffffff) {
      this.stamps = new Int32Array(vertices)
      this.heads = new Int32Array(vertices)
      this.stamp = 0
    }
    this.stamp++
    this.length = 0
  }

  add(vertex: number, inner: number, edge: number, least: number): void {
    const path = ++this.length
    this.next[path] = this.stamps[vertex] === this.stamp ? this.heads[vertex] : 0
    this.stamps[vertex] = this.stamp
    this.heads[vertex] = path
    this.inner[path] = inner
    this.edge[path] = edge
    this.least[path] = least
  }

  /** The first path at a vertex; 0 where there is none. */
  first(vertex: number): number {
    return this.stamps[vertex] === this.stamp ? this.heads[vertex] : 0
  }
  after(path: number): number {
    return this.next[path]
  }
}

export class CycleSearch implements CyclesFound {
  readonly counts: Float64Array
  readonly flows: Float64Array
  private readonly vertices: Vertices
  private readonly explored: number
  private readonly longest: number
  private readonly hop: Int32Array
  private readonly leaving: Int32Array
  private readonly arriving: Int32Array
  /** Last edges into u, by where they begin. */
  private readonly lastEdges: Paths
  /** The first two edges from v, by where they end. */
  private readonly firstTwo: Paths

  /** For cycles of at most `longest` edges, following `explored` edges a vertex. */
  constructor(vertices: Vertices, longest: number, explored: number) {
    this.vertices = vertices
    this.longest = longest
    this.explored = explored
    this.counts = new Float64Array(longest + 1)
    this.flows = new Float64Array(longest + 1)
    this.hop = new Int32Array(explored)
    this.leaving = new Int32Array(explored)
    this.arriving = new Int32Array(explored)
    this.lastEdges = new Paths(explored)
    this.firstTwo = new Paths(longest > 4 ? explored * explored : 0)
  }

  /** Finds the cycles that an edge `from` → `to` closes; they are in `counts` and `flows`. */
  search(from: number, to: number, span: Span): void {
    this.counts.fill(0)
    this.flows.fill(NaN)
    if (from === to) return
    const arriving = this.newest(from, IN, span, this.arriving)
    if (arriving === 0) return
    const leaving = this.newest(to, OUT, span, this.leaving)
    if (leaving === 0) return
    this.listLastEdges(from, to, arriving)
    if (this.longest > 4) this.firstTwo.clear(this.vertices.size)
    for (let i = 0; i < leaving; i++) this.follow(this.leaving[i], from, to, span)
    if (this.longest < 5) return
    for (let i = 0; i < arriving; i++) this.comeFrom(this.arriving[i], from, to, span)
  }

  private listLastEdges(from: number, to: number, arriving: number): void {
    const { vertices, lastEdges } = this
    lastEdges.clear(vertices.size)
    for (let i = 0; i < arriving; i++) {
      const edge = this.arriving[i]
      const tail = vertices.neighbour(edge)
      if (tail !== from && tail !== to) lastEdges.add(tail, 0, edge, vertices.amount(edge))
    }
  }

  /** Goes on from the first edge of a path, v → a. */
  private follow(first: number, from: number, to: number, span: Span): void {
    const { vertices } = this
    const a = vertices.neighbour(first)
    const amount = vertices.amount(first)
    if (a === from) this.close(2, amount)
    if (a === from || a === to || this.longest < 3) return
    this.closeByLast(3, a, first, amount)
    if (this.longest < 4) return
    const count = this.newest(a, OUT, span, this.hop)
    for (let i = 0; i < count; i++) {
      const second = this.hop[i]
      // Newest first: what follows is no later than what is not after the first edge.
      if (!vertices.isBefore(first, second)) break
      const b = vertices.neighbour(second)
      if (b === from || b === to || b === a) continue
      const least = Math.min(amount, vertices.amount(second))
      this.closeByLast(4, b, second, least)
      if (this.longest > 4) this.firstTwo.add(b, a, second, least)
    }
  }

  /** Closes paths that end with an edge from `vertex` to u. */
  private closeByLast(length: number, vertex: number, edge: number, least: number): void {
    const { lastEdges, vertices } = this
    for (let path = lastEdges.first(vertex); path > 0; path = lastEdges.after(path)) {
      if (!vertices.isBefore(edge, lastEdges.edge[path])) continue
      this.close(length, Math.min(least, lastEdges.least[path]))
    }
  }

  /** Goes back from the last edge of a path of four, c → u, to where the first two edges end. */
  private comeFrom(last: number, from: number, to: number, span: Span): void {
    const { vertices, firstTwo } = this
    const c = vertices.neighbour(last)
    if (c === from || c === to) return
    const count = this.newest(c, IN, span, this.hop)
    for (let i = 0; i < count; i++) {
      const third = this.hop[i]
      if (!vertices.isBefore(third, last)) continue
      const b = vertices.neighbour(third)
      if (b === c) continue
      const least = Math.min(vertices.amount(last), vertices.amount(third))
      for (let path = firstTwo.first(b); path > 0; path = firstTwo.after(path)) {
        if (firstTwo.inner[path] === c) continue
        if (!vertices.isBefore(firstTwo.edge[path], third)) continue
        this.close(5, Math.min(least, firstTwo.least[path]))
      }
    }
  }

  private close(length: number, least: number): void {
    this.counts[length]++
    if (!(this.flows[length] >= least)) this.flows[length] = least
  }

  private newest(
    vertex: number,
    side: typeof OUT | typeof IN,
    span: Span,
    into: Int32Array,
  ): number {
    const ring = this.vertices.ring(vertex, side)
    return this.vertices.newest(ring, span.afterUs, span.throughUs, this.explored, into)
  }
}
