import type { Row } from '../../data/index.ts'
import { edgesBehind } from '../graph/behind.ts'
import type { GraphPlan } from '../graph/plan.ts'
import { GraphState } from '../graph/state.ts'
import type { ByteReader } from './bytes.ts'
import type { KeyValue } from './dictionary.ts'
import { Dictionary, NO_KEY, UNSEEN } from './dictionary.ts'
import { GraphWriting } from './graph-writing.ts'
import type { SourceStage } from './stage.ts'

/** One graph of the source's events: who its vertices are, and which events are edges. */
export interface GraphPart {
  readonly plan: GraphPlan
  /** Positions in rows. */
  readonly from: number
  readonly to: number
  /** Whether equal values at both ends are different vertices. */
  readonly apart: boolean
  /** Position among the source's numbers; −1 where edges have no amount. */
  readonly amount: number
  readonly mask: number
  /** Where its figures go in `EventValues.graphs`, by aggregate. */
  readonly into: readonly number[]
}

/** What a figure of a graph was made of. */
export interface ExplainedEdges {
  readonly edges: number
  /** Newest first. */
  readonly newest: readonly {
    readonly from: string
    readonly to: string
    /** The amount in major units; null where edges have none. */
    readonly value: number | null
    readonly timeUs: number
  }[]
}

/** The live graph of one `GraphPart`, with the keys of its vertices. */
export class LiveGraph {
  readonly part: GraphPart
  private readonly vertices = new Dictionary()
  private readonly state: GraphState
  private readonly figures: Float64Array
  /** Codes of the ends of the event that was looked at last. */
  from = NO_KEY
  to = NO_KEY
  /** Told before an edge leaves, while the graph is written. */
  onLeave: (() => void) | undefined

  constructor(part: GraphPart) {
    this.part = part
    this.state = new GraphState(part.plan)
    this.figures = new Float64Array(part.plan.aggregates.length)
  }

  /** Works out the figures of the staged event from the edges before it. */
  look(row: Row, stage: SourceStage): void {
    const { from, to, apart, into } = this.part
    this.from = this.vertices.find(vertexOf(row[from], apart ? 'from' : null))
    this.to = this.vertices.find(vertexOf(row[to], apart ? 'to' : null))
    this.state.values(this.from, this.to, stage.event.timeUs, this.figures)
    for (let i = 0; i < into.length; i++) stage.values.graphs[into[i]] = this.figures[i]
  }

  /**
   * The edges behind one of its figures, for the event or row that was looked at last: how many there
   * are and the newest of them, with the keys of their ends.
   */
  explain(figure: number, timeUs: number, most: number): ExplainedEdges {
    const { plan, amount } = this.part
    const aggregate = plan.aggregates[figure]
    const span = { afterUs: timeUs - aggregate.windowUs, throughUs: timeUs }
    const { edges, newest } = edgesBehind(this.state, aggregate, this, span, most)
    return {
      edges,
      newest: newest.map(({ from, to, amountMinor, timeUs: us }) => ({
        from: this.keyOf(from),
        to: this.keyOf(to),
        value: amount < 0 ? null : amountMinor / plan.amountScale,
        timeUs: us,
      })),
    }
  }

  private keyOf(code: number): string {
    const value = String(this.vertices.valueOf(code))
    return this.part.apart ? value.replace(/^(?:from|to) (?:string|number) /, '') : value
  }

  /** Takes the staged event in, where it is an edge. */
  insert(row: Row, stage: SourceStage): void {
    const { from, to, apart, amount, mask } = this.part
    if ((stage.event.flags & mask) !== mask) return
    const value = amount < 0 ? 0 : stage.values.numbers[amount]
    if (row[from] === undefined || row[to] === undefined || Number.isNaN(value)) return
    // It was looked at just before, so the codes that there are need not be found again.
    const source = this.hold(this.from, row[from], apart ? 'from' : null)
    const target = this.hold(this.to, row[to], apart ? 'to' : null)
    this.state.insert(source, target, value, stage.event.timeUs)
  }

  private hold(code: number, value: Row[number], end: 'from' | 'to' | null): number {
    if (code <= UNSEEN) return this.vertices.acquire(vertexOf(value, end))
    this.vertices.hold(code)
    return code
  }

  private add(from: KeyValue, to: KeyValue, amountMinor: number, timeUs: number): void {
    const [source, target] = [this.vertices.acquire(from), this.vertices.acquire(to)]
    this.state.insert(source, target, amountMinor, timeUs)
  }

  /** Lets go of the edges at or before a time. */
  evict(throughUs: number): void {
    this.state.evict(throughUs, (from, to) => {
      this.onLeave?.()
      this.vertices.release(from)
      this.vertices.release(to)
    })
  }

  bytes(): number {
    return this.state.bytes() + this.vertices.bytes()
  }

  /** What writes its edges as they are now, a little at a time: it must be told before one leaves. */
  write(): GraphWriting {
    return new GraphWriting(this.state, this.vertices)
  }

  /** Fills an empty graph. */
  read(from: ByteReader): void {
    const keys = Array.from({ length: from.integer() }, () => from.value())
    for (let edges = from.integer(); edges > 0; edges--) {
      const [source, target] = [keys[from.integer()], keys[from.integer()]]
      this.add(source, target, from.double(), from.double())
    }
  }
}

/** A vertex's key; with an end, one that is no vertex at the other end. */
function vertexOf(value: Row[number], end: 'from' | 'to' | null): KeyValue | undefined {
  if (value === undefined || end === null) return value
  return `${end} ${typeof value} ${value}`
}
