/** The words of the pattern memory. */
import type { Shift } from './adwin.ts'

/** An event of the stream, its fields as texts and as a point. */
export interface MemoryRecord {
  /** Position in the stream, from 0, without gaps. */
  readonly sequence: number
  readonly timeUs: number
  readonly entity: string
  readonly fields: readonly string[]
  readonly point: Float64Array
}

export type Verdict = 'noise' | 'drift' | 'recurrence' | 'novelty'

export type Example = Omit<MemoryRecord, 'point'>

/** One step by which a pattern has moved: where it ended, and how long it was, in limits. */
export interface PathStep {
  readonly sequence: number
  readonly timeUs: number
  /** The pattern that it started from. */
  readonly pattern: string
  readonly step: number
  /** All steps from what was learnt up to here. */
  readonly moved: number
}

export interface Pattern {
  readonly id: string
  /** What it is called: a class of training, or what a person has said. */
  label: string | null
  readonly origin: 'learnt' | 'novelty' | 'drift'
  /** Whether its records are no news: learnt, or confirmed as harmless. */
  usual: boolean
  /** Whether a person has said what it is, or it was learnt. */
  confirmed: boolean
  state: 'active' | 'asleep'
  readonly firstSequence: number
  readonly firstUs: number
  lastSequence: number
  lastUs: number
  records: number
  /** The finding that made it; null of one that was learnt. */
  readonly finding: string | null
  path: readonly PathStep[]
  readonly examples: readonly Example[]
}

/** A ball of records of a pattern: its radius is one limit. */
export interface Cluster {
  readonly pattern: string
  /** Where it was first; learning moves a centre within bounds of it. */
  readonly anchor: Float64Array
  records: number
  /** How far from what was learnt, in limits along the path. */
  readonly moved: number
}

/** A record that belongs to no pattern. */
export interface Unknown extends MemoryRecord {
  /** Distance to the nearest usual pattern, in limits. */
  readonly score: number
}

export interface FieldDifference {
  readonly field: string
  /** Of a category: the value whose share differs, or `rarity`. */
  readonly value?: string
  /** How far apart, in spreads of the field. */
  readonly by: number
  /** An example of each side, as it stood in the stream; null where none is kept. */
  readonly usual: string | null
  readonly found: string | null
}

export interface NearPattern {
  readonly pattern: string
  readonly label: string | null
  /** In limits. */
  readonly distance: number
}

export interface Evidence {
  /** Nearest active pattern. */
  readonly nearest: NearPattern | null
  readonly asleep: NearPattern | null
  /** Mean distance of the members from their centre, in limits. */
  readonly spread: number
  /** From −1 to 1. */
  readonly silhouette: number
  /** Shares of the members that each witness finds strange. */
  readonly witnesses: {
    readonly nearestNeighbour: number
    readonly oneClassSvm: number
    readonly isolationForest: number
  }
  /** The widest empty step between the pattern and the cluster, in limits, over recent records. */
  readonly widestStep: number
  /** Rank correlation of time and distance along the way. */
  readonly risesWithTime: number
  /** Mean distances before and after ADWIN's last cut, and when that was; null of none. */
  readonly shift: (Shift & { readonly sequence: number }) | null
  readonly path: readonly PathStep[]
  /** The fields in which it differs most from the nearest pattern. */
  readonly differs: readonly FieldDifference[]
  readonly examples: readonly Example[]
}

export interface Finding {
  readonly id: string
  readonly verdict: Verdict
  readonly pattern: string | null
  readonly label: string | null
  readonly sequence: number
  readonly timeUs: number
  /** Records that it is about. */
  readonly records: number
  /** Their positions in the stream. */
  readonly members: readonly number[]
  /** Some of the entities that they are of. */
  readonly entities: readonly string[]
  /** Why this verdict and no other, in a sentence. */
  readonly why: string
  /** None of noise, and of a pattern that a single record woke. */
  readonly evidence: Evidence | null
  /** Whether it is told by itself; else the digest of its window counts it (noise is not told). */
  readonly alerted: boolean
}

/** What became of one record when it came. */
export interface Observation {
  readonly sequence: number
  readonly verdict: 'known' | 'unknown' | 'recurrence'
  /** The pattern that it belongs to; null of an unknown one. */
  readonly pattern: string | null
  /** The nearest usual pattern. */
  readonly nearest: string | null
  /** Distance to it, in limits: above 1 the record is strange. */
  readonly score: number
  /** What was found with this record, also about earlier ones. */
  readonly findings: readonly Finding[]
}

/** What a person says of a pattern. */
export type Feedback = {
  readonly pattern: string
  /** usual: harmless from now on; threat: stays news; noise: forget it; same: it is another's. */
  readonly says: 'usual' | 'threat' | 'noise' | 'same'
  readonly label?: string
  /** The pattern that it belongs to, for `same`. */
  readonly as?: string
  readonly actor: string
  readonly reason: string
  readonly atUs: number
}
