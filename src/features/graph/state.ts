import type { GraphDirection } from './compiled.ts'
import type { Edge, EdgeFacts } from './edge-log.ts'
import { EdgeLog } from './edge-log.ts'
import type { GraphPlan } from './plan.ts'
import type { Call, Reading } from './readings.ts'
import { readingsOf } from './readings.ts'
import { VertexWindows } from './vertex-windows.ts'
import { IN, OUT } from './vertices.ts'

/** An edge as a vertex has it. */
export interface GraphEdge {
  /** Code of the vertex at the other end. */
  readonly other: number
  readonly amountMinor: number
  readonly timeUs: number
}

/**
 * The graph figures of a stream of edges, live. Its caller numbers the vertices: codes are small
 * whole numbers from 1; 0 stands for a vertex that no kept edge has, −1 for an end that the event
 * lacks. The caller also says what is seen: an event sees the edges that were inserted before, so the
 * values of a batch are worked out before any edge of it is inserted. What is returned depends on the
 * edges in (t − window, t] and on nothing else: not on evictions, restarts, other times asked for, or
 * the order of arrival, save among edges of equal time.
 */
export class GraphState {
  readonly plan: GraphPlan
  private readonly log = new EdgeLog()
  private readonly windows: VertexWindows
  private readonly readings: readonly (readonly Reading[])[]
  private readonly call: Call

  constructor(plan: GraphPlan) {
    this.plan = plan
    this.windows = new VertexWindows(plan)
    this.readings = readingsOf(plan, this.windows)
    const into = new Float64Array(0)
    this.call = { window: 0, afterUs: 0, throughUs: 0, from: 0, to: 0, into }
  }

  /** How many edges are kept. */
  get edges(): number {
    return this.log.length
  }

  /**
   * Writes the values of an event from → to at a time, in the order of the plan's aggregates; NaN
   * where missing. Nothing that is kept changes.
   */
  values(from: number, to: number, timeUs: number, into: Float64Array): void {
    const { call, plan, windows } = this
    call.from = from
    call.to = to
    call.throughUs = timeUs
    call.into = into
    windows.touch(from)
    windows.touch(to)
    for (let w = 0; w < plan.windows.length; w++) {
      const window = plan.windows[w]
      call.window = w
      call.afterUs = timeUs - window.windowUs
      if (window.from) windows.seek(w, from, timeUs)
      if (window.to && !(window.from && to === from)) windows.seek(w, to, timeUs)
      const readings = this.readings[w]
      for (let i = 0; i < readings.length; i++) readings[i](call)
    }
  }

  /**
   * The newest edges of a vertex with event times in (afterUs, throughUs], newest first and no more than
   * `most`: what a figure was made of, for a person to see.
   */
  edgesOf(
    vertex: number,
    direction: GraphDirection,
    afterUs: number,
    throughUs: number,
    most: number,
  ): GraphEdge[] {
    const { vertices } = this.windows
    const ring = vertices.ring(vertex, direction === 'in' ? IN : OUT)
    const entries = new Int32Array(Math.min(most, vertices.length(ring)))
    const count = vertices.newest(ring, afterUs, throughUs, entries.length, entries)
    return Array.from(entries.subarray(0, count), (entry) => ({
      other: vertices.neighbour(entry),
      amountMinor: vertices.amount(entry),
      timeUs: vertices.time(entry),
    }))
  }

  /** How many edges of a vertex have event times in (afterUs, throughUs]. */
  countOf(vertex: number, direction: GraphDirection, afterUs: number, throughUs: number): number {
    const { vertices } = this.windows
    const ring = vertices.ring(vertex, direction === 'in' ? IN : OUT)
    return vertices.countThrough(ring, throughUs) - vertices.countThrough(ring, afterUs)
  }

  /**
   * Takes in an edge: the amount in minor units (a whole number up to 2^53 − 1 in size; such as 0
   * where no figure reads it), the event time in microseconds UTC. Edges may come late; one that is not after
   * the last eviction may be left out by its caller, because no value can depend on it.
   */
  insert(from: number, to: number, amountMinor: number, timeUs: number): void {
    if (!Number.isSafeInteger(amountMinor) || from < 1 || to < 1) {
      throw new Error(`${from} → ${to} with ${amountMinor} is no edge.`)
    }
    const { windows } = this
    const number = this.log.push(from, to, amountMinor, timeUs)
    // Both rings have an entry of it.
    const pair = windows.pairs.acquire(from, to, 2)
    windows.insert(from, OUT, timeUs, amountMinor, to, number, pair)
    windows.insert(to, IN, timeUs, amountMinor, from, number, pair)
  }

  /**
   * Lets go of the edges at or before a time, oldest arrivals first: a late one may stay until those
   * that arrived before it go. Nothing is left of a vertex whose edges have all gone, so its code may
   * be used again. The caller makes sure that no event to come needs them: its time will be after
   * `throughUs` + the plan's horizon. `leave` is told of each edge.
   */
  evict(throughUs: number, leave?: (from: number, to: number) => void): void {
    const { log, windows } = this
    while (log.length > 0 && log.firstTime <= throughUs) {
      windows.touch(log.firstFrom)
      windows.touch(log.firstTo)
      windows.evict(log.firstFrom, OUT, throughUs)
      windows.evict(log.firstTo, IN, throughUs)
      leave?.(log.firstFrom, log.firstTo)
      log.shift()
    }
  }

  /** An edge by its place in the order of arrival; of those that are kept the first has 0. */
  edgeAt(place: number): Edge {
    return this.log.at(place)
  }

  /** The edges that are kept, in the order of arrival: all that a restart needs. */
  facts(): EdgeFacts {
    return this.log.facts()
  }

  /** Memory, near enough. */
  bytes(): number {
    const { vertices, pairs } = this.windows
    return this.log.bytes() + vertices.bytes() + pairs.bytes()
  }
}

/** The state that holds these edges. Codes may differ from those of the state that gave them. */
export function restoreGraphState(plan: GraphPlan, facts: EdgeFacts): GraphState {
  const state = new GraphState(plan)
  for (let i = 0; i < facts.times.length; i++) {
    state.insert(facts.from[i], facts.to[i], facts.amounts[i], facts.times[i])
  }
  return state
}
