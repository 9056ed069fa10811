// Training and serving must see the same values. Prevented by one operator for both; measured here.

export interface SkewCheck {
  readonly compared: number
  readonly mismatches: number
  /** The first few, for a person to look at. */
  readonly examples: readonly SkewExample[]
}

export interface SkewExample {
  readonly eventId: string
  readonly feature: string
  readonly live: number | null
  readonly history: number | null
}

const EXAMPLES_MAX = 20

/**
 * Compares vectors bit for bit (a missing value equals a missing one). `live` and `history` give, for
 * each event, the values in the order of `names`; events that only one side has are not compared.
 */
export function compareVectors(
  names: readonly string[],
  live: Iterable<{ readonly eventId: string; readonly values: ArrayLike<number | null> }>,
  historyOf: (eventId: string) => ArrayLike<number | null> | undefined,
): SkewCheck {
  let compared = 0
  let mismatches = 0
  const examples: SkewExample[] = []
  for (const { eventId, values } of live) {
    const history = historyOf(eventId)
    if (history === undefined) continue
    for (let i = 0; i < names.length; i++) {
      compared++
      const a = plain(values[i])
      const b = plain(history[i])
      if (Object.is(a, b)) continue
      mismatches++
      if (examples.length < EXAMPLES_MAX)
        examples.push({ eventId, feature: names[i], live: a, history: b })
    }
  }
  return { compared, mismatches, examples }
}

function plain(value: number | null | undefined): number | null {
  return value === null || value === undefined || Number.isNaN(value) ? null : value
}
