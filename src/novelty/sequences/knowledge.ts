/**
 * What normal sessions have in common, as sums: in how many sessions each event was, which 2- and 3-grams, count
 * vectors and sequences there were (and which of them in one session only), the shortest and longest sessions.
 * The order of sessions does not matter, and two knowledges add up.
 *
 * What was in one session only tells how strange that session would have looked to a filter that had learnt all
 * others, which is what thresholds are set by.
 */
import { fail } from '../errors.ts'
import {
  EVENT_IDS_MAX,
  EVENT_ID_CHARACTERS_MAX,
  SESSION_EVENTS_MAX,
  settled,
  type SequenceOptions,
  type Settled,
} from './options.ts'
import { Sightings, type SightingsState } from './sightings.ts'

export const KNOWLEDGE_FORMAT = 'assay-sequences/1'

/** Stand for the beginning and the end of a session; no event id holds such a character. */
const BEGIN = '\u0002'
const END = '\u0003'

export interface KnowledgeState {
  readonly format: typeof KNOWLEDGE_FORMAT
  readonly options: Settled
  readonly sessions: number
  /** Event ids with the number of sessions that hold them, sorted by id. */
  readonly events: readonly (readonly [string, number])[]
  readonly grams: SightingsState
  readonly vectors: SightingsState
  readonly sequences: SightingsState
  /** The two shortest and the two longest lengths. */
  readonly shortest: readonly number[]
  readonly longest: readonly number[]
}

export class SequenceKnowledge {
  readonly options: Settled
  sessions = 0
  readonly events = new Map<string, number>()
  grams: Sightings
  vectors: Sightings
  sequences: Sightings
  shortest: number[] = []
  longest: number[] = []

  constructor(options: SequenceOptions = {}) {
    this.options = settled(options)
    const limits = limitsOf(this.options)
    this.grams = new Sightings(limits.grams)
    this.vectors = new Sightings(limits.vectors)
    this.sequences = new Sightings(limits.sequences)
  }

  /** Learns one session that is confirmed to be normal. Error: `sessions_unusable`; then nothing is learnt. */
  learn(session: readonly string[]): void {
    checkSession(session)
    const own = new Set(session)
    let added = 0
    for (const event of own) {
      if (this.events.has(event)) continue
      checkEventId(event)
      added++
    }
    if (this.events.size + added > EVENT_IDS_MAX) {
      throw fail.sessions_unusable(
        `There are more than ${EVENT_IDS_MAX} different event ids; give kinds of events, not their values.`,
      )
    }
    for (const event of own) this.events.set(event, (this.events.get(event) ?? 0) + 1)
    const grams = new Set<string>()
    forEachGram(session, { begins: this.options.whole, ends: this.options.whole }, (_, gram) =>
      grams.add(gram),
    )
    for (const gram of grams) this.grams.add(gram)
    this.vectors.add(vectorKey(countsOf(session)))
    this.sequences.add(session.join(' '))
    this.sessions++
    this.addLengths([session.length], [session.length])
  }

  /** Adds what the other learnt. Error: `sequence_options_invalid` where they have other options. */
  merge(other: SequenceKnowledge): void {
    if (JSON.stringify(this.options) !== JSON.stringify(other.options)) {
      throw fail.sequence_options_invalid('Only filters with the same options can be merged.')
    }
    const names = new Set([...this.events.keys(), ...other.events.keys()])
    if (names.size > EVENT_IDS_MAX) {
      throw fail.sessions_unusable(`Together they have more than ${EVENT_IDS_MAX} event ids.`)
    }
    for (const [event, sessions] of other.events) {
      this.events.set(event, (this.events.get(event) ?? 0) + sessions)
    }
    this.grams.merge(other.grams)
    this.vectors.merge(other.vectors)
    this.sequences.merge(other.sequences)
    this.sessions += other.sessions
    this.addLengths(other.shortest, other.longest)
  }

  private addLengths(shortest: readonly number[], longest: readonly number[]): void {
    this.shortest = [...this.shortest, ...shortest].toSorted((a, b) => a - b).slice(0, 2)
    this.longest = [...this.longest, ...longest].toSorted((a, b) => b - a).slice(0, 2)
  }

  /** The shortest and longest length, without one session of a length where that is given. */
  lengths(without?: number): { readonly least: number; readonly most: number } | undefined {
    const left = without === undefined ? this.sessions : this.sessions - 1
    if (left < 1) return undefined
    const [least, nextLeast] = this.shortest
    const [most, nextMost] = this.longest
    return {
      least: without === least ? nextLeast : least,
      most: without === most ? nextMost : most,
    }
  }

  get bytes(): number {
    let names = 0
    for (const event of this.events.keys()) names += 2 * event.length
    return names + this.grams.bytes + this.vectors.bytes + this.sequences.bytes
  }

  toState(): KnowledgeState {
    return {
      format: KNOWLEDGE_FORMAT,
      options: this.options,
      sessions: this.sessions,
      events: [...this.events].toSorted(([a], [b]) => (a < b ? -1 : 1)),
      grams: this.grams.toState(),
      vectors: this.vectors.toState(),
      sequences: this.sequences.toState(),
      shortest: this.shortest,
      longest: this.longest,
    }
  }

  /** Errors: `sequence_state_damaged`, `sequence_options_invalid`, `sketch_damaged`. */
  static fromState(state: KnowledgeState): SequenceKnowledge {
    checkState(state)
    const knowledge = new SequenceKnowledge(state.options)
    const limits = limitsOf(knowledge.options)
    knowledge.sessions = state.sessions
    for (const [event, sessions] of state.events) knowledge.events.set(event, sessions)
    knowledge.grams = Sightings.fromState(state.grams, limits.grams)
    knowledge.vectors = Sightings.fromState(state.vectors, limits.vectors)
    knowledge.sequences = Sightings.fromState(state.sequences, limits.sequences)
    knowledge.shortest = [...state.shortest]
    knowledge.longest = [...state.longest]
    return knowledge
  }
}

function limitsOf({ charactersMax, filteredKeys }: Settled) {
  return {
    grams: { charactersMax, filteredKeys },
    vectors: { charactersMax: charactersMax / 8, filteredKeys },
    sequences: { charactersMax: charactersMax / 32 },
  }
}

export interface Ends {
  readonly begins: boolean
  readonly ends: boolean
}

/**
 * Every 2- and 3-gram with the place of its last event; a beginning or an end that is given counts as an event.
 * The end has the place `session.length`.
 */
export function forEachGram(
  session: readonly string[],
  { begins, ends }: Ends,
  visit: (place: number, gram: string) => void,
): void {
  let before: string | undefined
  let last = begins ? BEGIN : undefined
  const through = ends ? session.length : session.length - 1
  for (let place = 0; place <= through; place++) {
    const event = place < session.length ? session[place] : END
    if (last !== undefined) {
      const pair = `${last} ${event}`
      visit(place, pair)
      if (before !== undefined) visit(place, `${before} ${pair}`)
    }
    before = last
    last = event
  }
}

/** A gram as a person reads it. */
export function gramEvents(gram: string): string[] {
  return gram
    .split(' ')
    .map((event) => (event === BEGIN ? '(begin)' : event === END ? '(end)' : event))
}

export function countsOf(session: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const event of session) counts.set(event, (counts.get(event) ?? 0) + 1)
  return counts
}

/** Events in their order, each followed by how often it came. */
export function vectorKey(counts: ReadonlyMap<string, number>): string {
  return [...counts]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([event, count]) => `${event} ${count}`)
    .join(' ')
}

export function vectorOfKey(key: string): [event: string, count: number][] {
  const parts = key.split(' ')
  const pairs: [string, number][] = []
  for (let i = 0; i < parts.length; i += 2) pairs.push([parts[i], Number(parts[i + 1])])
  return pairs
}

/** Error: `sessions_unusable`. */
export function checkSession(session: readonly string[]): void {
  if (session.length === 0) throw fail.sessions_unusable('A session has no event.')
  if (session.length > SESSION_EVENTS_MAX) {
    throw fail.sessions_unusable(
      `A session has ${session.length} events; at most ${SESSION_EVENTS_MAX} are taken. Cut it into windows.`,
    )
  }
}

/** Error: `sessions_unusable`. */
export function checkEventId(event: string): void {
  if (event === '') throw fail.sessions_unusable('An event has an empty id.')
  if (event.length > EVENT_ID_CHARACTERS_MAX) {
    throw fail.sessions_unusable(
      `An event id has ${event.length} characters, more than ${EVENT_ID_CHARACTERS_MAX}.`,
    )
  }
  // White space parts ids, control characters mark the ends, half a surrogate pair cannot be written.
  if (/[\s\p{Cc}\p{Cs}]/u.test(event)) {
    throw fail.sessions_unusable(
      `${JSON.stringify(event)} is no event id: it holds white space or a control character.`,
    )
  }
}

function checkState(state: KnowledgeState): void {
  if ((state?.format as string) !== KNOWLEDGE_FORMAT) {
    throw fail.sequence_state_damaged(`It does not say that it is ${KNOWLEDGE_FORMAT}.`)
  }
  const listed = [state.events, state.shortest, state.longest].every((part) => Array.isArray(part))
  if (!listed || !Number.isSafeInteger(state.sessions) || state.sessions < 0) {
    throw fail.sequence_state_damaged('A part of it is missing.')
  }
}
