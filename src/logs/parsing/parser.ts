/**
 * Log parsing: from messages to the statements that wrote them. A template is a message's tokens with
 * `<*>` where they vary.
 */
export const VARIABLE = '<*>'

/** A statement as far as it is known; its template changes as messages come. */
export interface LogGroup {
  /** In the order in which groups were first seen, from 1 on. */
  readonly id: number
  template: readonly string[]
  /** Messages so far. */
  count: number
}

export interface LogParser {
  /** The group that a message belongs to; one that was never seen founds a group. */
  add(message: string): LogGroup
  /** In the order in which they were first seen. */
  groups(): readonly LogGroup[]
}

/** Tokens are what white space parts. */
export function tokensOf(message: string): string[] {
  const trimmed = message.trim()
  return trimmed === '' ? [] : trimmed.split(/\s+/)
}
