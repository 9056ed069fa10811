import type { GraphState } from '../graph/state.ts'
import { ByteWriter, PieceWriter } from './bytes.ts'
import type { Dictionary } from './dictionary.ts'

/** What is about written for each edge; a step need not be exact. */
const EDGE_BYTES = 40

/**
 * The edges of a graph on their way into a snapshot: those of the moment at which this was made. They
 * are written in the order in which they came, which is also the order in which they leave; so one that
 * leaves is written already, or is the next. The bytes are those of a graph that is written at once.
 */
export class GraphWriting {
  private readonly state: GraphState
  private readonly vertices: Dictionary
  private readonly count: number
  private written = 0
  /** Edges that have left since. */
  private gone = 0
  /**
   * Vertices are numbered as they are first met, by code. A code cannot come to mean another vertex
   * meanwhile: every edge that is still to be written holds its own since before the beginning.
   */
  private readonly indexes = new Map<number, number>()
  private readonly keys = new PieceWriter()
  private readonly edges = new PieceWriter()

  constructor(state: GraphState, vertices: Dictionary) {
    this.state = state
    this.vertices = vertices
    this.count = state.edges
  }

  get isWhole(): boolean {
    return this.written === this.count
  }

  /** Writes at most about so many bytes more, and returns how many. */
  step(bytes: number): number {
    let done = 0
    for (; done < bytes && !this.isWhole; done += EDGE_BYTES) this.writeNext()
    return done
  }

  /** Must be called before the edge that came first leaves, and its vertices are let go of. */
  beforeFirstLeaves(): void {
    if (this.gone === this.written && !this.isWhole) this.writeNext()
    this.gone++
  }

  /** All of it: the keys of the vertices, then the edges. */
  pieces(): Uint8Array[] {
    return [
      counted(this.indexes.size),
      ...this.keys.pieces(),
      counted(this.count),
      ...this.edges.pieces(),
    ]
  }

  private writeNext(): void {
    const { edges } = this
    const { from, to, amountMinor, timeUs } = this.state.edgeAt(this.written++ - this.gone)
    edges.integer(this.indexOf(from))
    edges.integer(this.indexOf(to))
    edges.double(amountMinor)
    edges.double(timeUs)
  }

  private indexOf(code: number): number {
    const known = this.indexes.get(code)
    if (known !== undefined) return known
    const index = this.indexes.size
    this.indexes.set(code, index)
    this.keys.value(this.vertices.valueOf(code)!)
    return index
  }
}

function counted(count: number): Uint8Array {
  const writer = new ByteWriter(4)
  writer.integer(count)
  return writer.finish()
}
