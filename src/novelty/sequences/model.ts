import { contentHash } from '../../lib/hash.ts'
import { ln } from '../../lib/math.ts'
import { fail } from '../errors.ts'
import { Calibration, witnesses, type Figures, type Witness } from './calibration.ts'
import { CountVectors, type Weights } from './count-vectors.ts'
import {
  checkEventId,
  checkSession,
  countsOf,
  forEachGram,
  gramEvents,
  SequenceKnowledge,
  vectorKey,
  vectorOfKey,
  type Ends,
  type KnowledgeState,
} from './knowledge.ts'

export interface UnseenGram {
  /** The place of its last event, from 0. */
  readonly place: number
  /** One to three event ids, or (begin) and (end). */
  readonly events: readonly string[]
}

export interface Difference {
  readonly event: string
  /** How often it came, and how often in the nearest known count vector. */
  readonly count: number
  readonly nearest: number
}

export interface SequenceEvidence {
  /** The first n-grams that were never seen. */
  readonly unseen: readonly UnseenGram[]
  readonly unseenTotal: number
  /** Most unseen n-grams that end within so many successive places. */
  readonly unseenTogether: number
  /** Given where the session is shorter or longer than any known one. */
  readonly length?: { readonly length: number; readonly least: number; readonly most: number }
  /** Given where no known session has these counts. The greatest differences come first. */
  readonly counts?: { readonly distance: number; readonly differs: readonly Difference[] }
}

export interface SequenceVerdict {
  readonly known: boolean
  /** In nats, 0 or more; unknown above the threshold. */
  readonly score: number
  readonly threshold: number
  /** The version that judged. */
  readonly version: string
  /** −ln of each witness's p-value: 0 where it saw nothing new. */
  readonly surprises: Readonly<Record<Witness, number>>
  readonly evidence: SequenceEvidence
}

const SHOWN = 8
/** So many unknown count vectors are remembered with what they are nearest to: the same ones come again and again. */
const COMPARED_MAX = 4096

/** A frozen version of what is known, ready to judge. It is named by the hash of its content. */
export class SequenceModel {
  readonly version: string
  readonly threshold: number
  /** False where the sessions are too few for the budget: the threshold then draws on the tail. */
  readonly supported: boolean
  readonly sessions: number
  private readonly knowledge: SequenceKnowledge
  private readonly ids: ReadonlyMap<string, number>
  private readonly weights: Weights
  private readonly vectors: CountVectors
  private readonly calibration: Calibration
  private readonly compared = new Map<string, NonNullable<SequenceEvidence['counts']>>()
  /** What every session gets whose very sequence was learnt. */
  private readonly learnt: SequenceVerdict

  private constructor(state: KnowledgeState) {
    this.knowledge = SequenceKnowledge.fromState(state)
    this.version = contentHash(state)
    this.sessions = this.knowledge.sessions
    if (this.sessions === 0) throw fail.sessions_unusable('No session was learnt.')
    const { events, vectors } = this.knowledge
    this.ids = new Map([...events.keys()].map((event, id) => [event, id]))
    this.weights = weightsOf(events.values(), this.sessions)
    const known = [...vectors.entries()].map(([key]) => key)
    this.vectors = new CountVectors(known, this.ids)
    this.calibration = this.calibrate()
    const { threshold, supported } = this.calibration.threshold(this.knowledge.options.budget)
    this.threshold = threshold
    this.supported = supported
    this.learnt = {
      known: true,
      score: 0,
      threshold,
      version: this.version,
      surprises: { grams: 0, length: 0, counts: 0 },
      evidence: { unseen: [], unseenTotal: 0, unseenTogether: 0 },
    }
  }

  /** Freezes what is known now. Error: `sessions_unusable` where nothing is. */
  static of(knowledge: SequenceKnowledge): SequenceModel {
    return new SequenceModel(knowledge.toState())
  }

  /** Errors: `sequence_state_damaged`, `sessions_unusable`. */
  static fromState(state: KnowledgeState): SequenceModel {
    return new SequenceModel(state)
  }

  toState(): KnowledgeState {
    return this.knowledge.toState()
  }

  /** About how much memory its knowledge takes, and how often its filters take something new for known. */
  figures(): { readonly bytes: number; readonly falseShare: number } {
    const { bytes, grams, vectors } = this.knowledge
    return { bytes, falseShare: Math.max(grams.falseShare(), vectors.falseShare()) }
  }

  /**
   * Judges a session. One whose beginning or end is missing is judged by what it has: its n-grams, and whether it is
   * too long already. Error: `sessions_unusable` where it is empty or has more than 100,000 events.
   */
  judge(session: readonly string[], { begins = true, ends = true } = {}): SequenceVerdict {
    checkSession(session)
    for (const event of session) if (!this.ids.has(event)) checkEventId(event)
    if (begins && ends && this.knowledge.sequences.times(session.join(' ')) > 0) return this.learnt
    const { options } = this.knowledge
    const has: Ends = { begins: options.whole && begins, ends: options.whole && ends }
    const grams = unseenGrams(
      session,
      has,
      (event) => this.ids.has(event),
      (gram) => this.knowledge.grams.times(gram) > 0,
    )
    const together = mostTogether(grams, options.locality)
    const length = this.lengthOf(session.length, begins && ends)
    const counts = begins && ends ? this.countsOf(session) : undefined
    const figures = {
      grams: together,
      length: length?.figure ?? 0,
      counts: counts?.distance ?? 0,
    }
    const score = this.calibration.score(figures)
    return {
      known: score <= this.threshold,
      score,
      threshold: this.threshold,
      version: this.version,
      surprises: this.surprisesOf(figures),
      evidence: {
        unseen: grams
          .slice(0, SHOWN)
          .map(({ place, gram }) => ({ place, events: gramEvents(gram) })),
        unseenTotal: grams.length,
        unseenTogether: together,
        ...(length !== undefined && {
          length: { length: session.length, least: length.least, most: length.most },
        }),
        ...(counts !== undefined && { counts }),
      },
    }
  }

  private surprisesOf(figures: Figures): Record<Witness, number> {
    const [grams, length, counts] = witnesses.map((witness) =>
      this.calibration.surprise(witness, figures[witness]),
    )
    return { grams, length, counts }
  }

  private lengthOf(length: number, whole: boolean) {
    const seen = this.knowledge.lengths()
    const figure = lengthBeyond(length, seen)
    if (seen === undefined || figure === 0 || (!whole && length < seen.least)) return undefined
    return { figure, ...seen }
  }

  private countsOf(session: readonly string[]): SequenceEvidence['counts'] {
    const counts = countsOf(session)
    const own = vectorKey(counts)
    if (this.knowledge.vectors.times(own) > 0) return undefined
    const found = this.compared.get(own) ?? this.compare(counts)
    if (this.compared.size >= COMPARED_MAX) this.compared.clear()
    this.compared.set(own, found)
    return found
  }

  private compare(counts: ReadonlyMap<string, number>): NonNullable<SequenceEvidence['counts']> {
    const { distance, key } = this.vectors.nearest(counts, this.weights)
    const nearest = new Map(key === undefined ? [] : vectorOfKey(key))
    const differs = [...new Set([...counts.keys(), ...nearest.keys()])]
      .map((event) => ({ event, count: counts.get(event) ?? 0, nearest: nearest.get(event) ?? 0 }))
      .filter((each) => each.count !== each.nearest)
      .map((each) => ({ ...each, part: this.partOf(each) }))
      .toSorted((a, b) => b.part - a.part || (a.event < b.event ? -1 : 1))
    return { distance, differs: differs.slice(0, SHOWN).map(({ part: _, ...each }) => each) }
  }

  /** What a difference adds to the distance, but for a factor that all share. */
  private partOf({ event, count, nearest }: Difference): number {
    const id = this.ids.get(event)
    const weight = id === undefined ? this.weights.unseen : this.weights.known[id]
    return weight * Math.abs(ln(1 + count) - ln(1 + nearest))
  }

  /** Looks at each session that has its sequence alone as if it had been left out. The others show nothing. */
  private calibrate(): Calibration {
    const { events, sequences } = this.knowledge
    const weights = weightsOf(events.values(), this.sessions - 1)
    const figures: Figures[] = []
    for (const [sequence, times] of sequences.entries()) {
      if (times > 1) continue
      const left = this.figuresLeftOut(sequence.split(' '), weights)
      if (left.grams > 0 || left.length > 0 || left.counts > 0) figures.push(left)
    }
    return new Calibration(figures, this.sessions, 2 ** sequences.level)
  }

  /** The figures of a learnt session by all the others; `weights` are those of events that it does not hold. */
  private figuresLeftOut(session: readonly string[], weights: Weights): Figures {
    const { options, events, grams, vectors } = this.knowledge
    const unseen = unseenGrams(
      session,
      { begins: options.whole, ends: options.whole },
      (event) => events.get(event)! > 1,
      (gram) => grams.times(gram) > 1,
    )
    const counts = countsOf(session)
    const own = vectorKey(counts)
    const distance = vectors.times(own) > 1 ? 0 : this.distanceLeftOut(counts, own, weights)
    return {
      grams: mostTogether(unseen, options.locality),
      length: lengthBeyond(session.length, this.knowledge.lengths(session.length)),
      counts: distance,
    }
  }

  private distanceLeftOut(
    counts: ReadonlyMap<string, number>,
    own: string,
    weights: Weights,
  ): number {
    const others = this.sessions - 1
    const other = new Map(
      [...counts.keys()].map((event) => [
        this.ids.get(event)!,
        weightOf(this.knowledge.events.get(event)! - 1, others),
      ]),
    )
    return this.vectors.nearest(counts, { ...weights, other }, own).distance
  }
}

function weightsOf(events: Iterable<number>, sessions: number): Weights {
  const known = Float64Array.from(events, (found) => weightOf(found, sessions))
  return { known, unseen: weightOf(0, sessions) }
}

/** Inverse document frequency, smoothed so that it is never below 1: ln((1 + n)/(1 + found)) + 1. */
function weightOf(found: number, sessions: number): number {
  return ln((1 + sessions) / (1 + found)) + 1
}

/** How far a length lies outside, in ln; 0 inside. */
function lengthBeyond(
  length: number,
  seen: { readonly least: number; readonly most: number } | undefined,
): number {
  if (seen === undefined) return 0
  return Math.max(0, ln(seen.least / length), ln(length / seen.most))
}

interface PlacedGram {
  readonly place: number
  readonly gram: string
}

function unseenGrams(
  session: readonly string[],
  ends: Ends,
  isKnownEvent: (event: string) => boolean,
  isKnownGram: (gram: string) => boolean,
): PlacedGram[] {
  const unseen: PlacedGram[] = []
  for (const [place, event] of session.entries()) {
    if (!isKnownEvent(event)) unseen.push({ place, gram: event })
  }
  forEachGram(session, ends, (place, gram) => {
    if (!isKnownGram(gram)) unseen.push({ place, gram })
  })
  return unseen.toSorted((a, b) => a.place - b.place || a.gram.length - b.gram.length)
}

/** Most of them within so many successive places. */
function mostTogether(unseen: readonly PlacedGram[], places: number): number {
  let most = 0
  let from = 0
  for (const [to, { place }] of unseen.entries()) {
    while (unseen[from].place <= place - places) from++
    most = Math.max(most, to - from + 1)
  }
  return most
}
