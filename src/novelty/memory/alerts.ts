/**
 * The declared budget of alerts: so many in a window of records. What comes over it is not told by
 * itself but counted, and told together in one digest when the window ends.
 */
import type { MemorySettings } from './settings.ts'
import type { Finding, Verdict } from './types.ts'

export type AlertState = {
  /** The window that runs: which one, and how many were told in it. */
  readonly window: number
  readonly told: number
  readonly held: Digest | null
}

/** Findings that were over the budget. */
export type Digest = {
  readonly window: number
  readonly findings: number
  readonly records: number
  readonly verdicts: Readonly<Partial<Record<Verdict, number>>>
  /** Patterns that most of them are about, a bounded number. */
  readonly patterns: readonly string[]
  readonly firstFinding: string
  readonly lastFinding: string
}

const PATTERNS_MAX = 20

export class Alerts {
  readonly #max: number
  readonly #records: number
  #window: number
  #told: number
  #held: Digest | null
  #due: Digest[] = []

  constructor({ alertsMax, alertRecords }: MemorySettings, state?: AlertState) {
    this.#max = alertsMax
    this.#records = alertRecords
    this.#window = state?.window ?? 0
    this.#told = state?.told ?? 0
    this.#held = state?.held ?? null
  }

  saved(): AlertState {
    return { window: this.#window, told: this.#told, held: this.#held }
  }

  /** Whether the finding is told by itself. Noise is no alert: it uses nothing and is not told. */
  take(finding: Omit<Finding, 'alerted'>, seen: number): boolean {
    this.turn(seen)
    if (finding.verdict === 'noise') return false
    if (this.#told < this.#max) {
      this.#told++
      return true
    }
    this.#held = added(this.#held, this.#window, finding)
    return false
  }

  /** Ends windows that are over. */
  turn(seen: number): void {
    const window = Math.floor(seen / this.#records)
    if (window === this.#window) return
    if (this.#held !== null) this.#due.push(this.#held)
    this.#window = window
    this.#told = 0
    this.#held = null
  }

  /** The digests of windows that have ended since it was last asked. */
  due(): Digest[] {
    const due = this.#due
    this.#due = []
    return due
  }

  /** The digest of the window that runs, at the end of the stream. */
  rest(): Digest[] {
    const rest = this.#held === null ? [] : [this.#held]
    this.#held = null
    return [...this.due(), ...rest]
  }
}

function added(held: Digest | null, window: number, finding: Omit<Finding, 'alerted'>): Digest {
  const patterns = new Set([...(held?.patterns ?? []), finding.pattern ?? '']).values()
  return {
    window,
    findings: (held?.findings ?? 0) + 1,
    records: (held?.records ?? 0) + finding.records,
    verdicts: {
      ...held?.verdicts,
      [finding.verdict]: (held?.verdicts[finding.verdict] ?? 0) + 1,
    },
    patterns: [...patterns].filter((id) => id !== '').slice(0, PATTERNS_MAX),
    firstFinding: held?.firstFinding ?? finding.id,
    lastFinding: finding.id,
  }
}
