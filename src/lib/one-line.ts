/**
 * Whether a text is one line that shows all of itself: no control character, no end of line, and no mark
 * that turns the direction of what follows (Unicode UAX #9), by which a name passes for another.
 */
export function isOneLine(text: string): boolean {
  return !/[\p{Cc}\p{Zl}\p{Zp}\u200e\u200f\u202a-\u202e\u2066-\u2069]/u.test(text)
}
