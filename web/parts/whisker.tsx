/** A figure with its interval, drawn on a scale that the rows of a table share. */
export interface Range {
  readonly value: number
  readonly lower: number
  readonly upper: number
}

export interface Scale {
  readonly low: number
  readonly high: number
}

/** A scale on which all ranges have room; with `zero`, zero as well. */
export function scaleOf(ranges: readonly Range[], zero = false): Scale {
  const ends = ranges.flatMap(({ lower, upper }) => [lower, upper])
  const low = Math.min(...ends, zero ? 0 : Infinity)
  const high = Math.max(...ends, zero ? 0 : -Infinity)
  const room = (high - low || Math.abs(high) || 1) * 0.04
  return { low: low - room, high: high + room }
}

/** The words stand beside it; this is for the eye. */
export function Whisker({
  range,
  scale,
  zero = false,
}: {
  readonly range: Range
  readonly scale: Scale
  /** Marks zero. */
  readonly zero?: boolean
}) {
  const at = (value: number) => ((value - scale.low) / (scale.high - scale.low)) * 100
  return (
    <svg className="whisker" viewBox="0 0 100 16" preserveAspectRatio="none" aria-hidden>
      {zero ? <line className="whisker-zero" x1={at(0)} x2={at(0)} y1="0" y2="16" /> : null}
      <line x1={at(range.lower)} x2={at(range.upper)} y1="8" y2="8" />
      <line x1={at(range.lower)} x2={at(range.lower)} y1="5" y2="11" />
      <line x1={at(range.upper)} x2={at(range.upper)} y1="5" y2="11" />
      <line
        className="whisker-value"
        x1={at(range.value)}
        x2={at(range.value)}
        y1="3.5"
        y2="12.5"
      />
    </svg>
  )
}
