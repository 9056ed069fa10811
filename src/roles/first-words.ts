// The first words of a start, with the key that is shown once: said whole, or not begun at all.
export interface FirstWords {
  /** Says them; resolves when they are said. Never resolves where the server is being stopped. */
  say(): Promise<void>
  /** From now on they are not begun; resolves, whatever came of it, when those begun are over. */
  end(): Promise<void>
}

/** `words` makes what it shows, so that it may neither be left half-way nor begun beside a stop. */
export function createFirstWords(words: () => Promise<void>): FirstWords {
  let begun: Promise<void> | undefined
  let hasEnded = false
  return {
    say() {
      if (hasEnded) return new Promise(() => {})
      begun = words()
      return begun
    },
    async end() {
      hasEnded = true
      await begun?.catch(() => undefined)
    },
  }
}
