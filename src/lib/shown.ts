import { inspect } from 'node:util'

/** No longer than this, so that a message stays one. */
const LENGTH_MAX = 80

/**
 * A value from outside, of any kind, as a message shows it. `String(value)` would call the value's
 * own `toString`, which in a damaged file may be anything.
 */
export function shown(value: unknown): string {
  const text = typeof value === 'object' ? inspect(value, { breakLength: Infinity }) : String(value)
  return text.length > LENGTH_MAX ? `${text.slice(0, LENGTH_MAX)}…` : text
}
