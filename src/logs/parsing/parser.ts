import type { BrookState } from './brook.ts'
import type { DrainState } from './drain.ts'

/**
 * Log parsing: from messages to the statements that wrote them. A template is a message's tokens with
 * `<*>` where they vary.
 */
export const VARIABLE = '<*>'

/** A statement as far as it is known; its template changes as messages come. */
export interface LogGroup {
  /** In the order in which groups were first seen, from 1 on. */
  readonly id: number
  /** Replaced, never changed in place, when the template becomes more general. */
  template: readonly string[]
  /** The template as people read it, with the spacing of the message that founded the group. */
  readonly text: string
  /** Messages so far. */
  count: number
  /** The number of the message that came last, from 1 on. */
  seen: number
  /** The group that this one turned out to be a part of. */
  into?: LogGroup
}

export interface LogParser {
  readonly name: ParserName
  /**
   * The group that a message belongs to; one that was never seen founds a group. A group may later
   * turn out to be part of another: `groupNow` follows it there.
   */
  add(message: string): LogGroup
  /** Those that are known now, in the order in which they were first seen. */
  groups(): readonly LogGroup[]
  /** Groups that had to go because there were more than the limit allows. */
  readonly evicted: number
  /** What varies in a message by its form alone, where it does not follow its group's template to the letter. */
  valuesOf(message: string): readonly string[]
  /** What a parser of its kind needs to go on; plain JSON. */
  state(): ParserState
}

export type ParserName = 'brook' | 'drain'

export type ParserState = BrookState | DrainState

/** What a parser tells besides its answers. */
export interface ParserListener {
  /** A group turned out to be part of an earlier one. */
  readonly merged?: (goes: LogGroup, stays: LogGroup) => void
  /** A group had to go because there were more than the limit allows. */
  readonly evicted?: (group: LogGroup) => void
}

/** The group that a group is part of by now: mostly itself. */
export function groupNow<G extends LogGroup>(group: G): G {
  let now: LogGroup = group
  while (now.into !== undefined) now = now.into
  // Paths are kept short, so that no message walks a long chain twice. A group merges with its own kind.
  for (let at: LogGroup = group; at.into !== undefined && at.into !== now;) {
    const next: LogGroup = at.into
    at.into = now
    at = next
  }
  return now as G
}

/** Tokens are what white space parts. */
export function tokensOf(message: string): string[] {
  const trimmed = message.trim()
  return trimmed === '' ? [] : trimmed.split(/\s+/)
}

/**
 * Keeps at most so many groups: returns those to let go of, the ones not seen for longest, a tenth
 * at a time so that room is not made for every single message.
 */
export function leastRecentlySeen<G extends LogGroup>(groups: readonly G[], most: number): G[] {
  if (groups.length <= most) return []
  const keep = Math.max(1, Math.floor(most * 0.9))
  return groups.toSorted((a, b) => a.seen - b.seen).slice(0, groups.length - keep)
}
