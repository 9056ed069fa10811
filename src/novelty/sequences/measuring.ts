import { rocAuc } from '../../learning/index.ts'
import { fail } from '../errors.ts'
import { witnesses, type Witness } from './calibration.ts'
import type { SequenceModel, SequenceVerdict } from './model.ts'

export interface SequenceMeasures {
  readonly auc: number
  readonly f1: number
  readonly threshold: number
  readonly precision: number
  readonly recall: number
  /** The share of normal sessions that are called unknown. */
  readonly falseAlarms: number
  /** Sessions that were judged, and how many of them are called unknown. */
  readonly normal: { readonly sessions: number; readonly unknown: number }
  readonly abnormal: { readonly sessions: number; readonly unknown: number }
  /** Of the abnormal sessions called unknown, how many each witness is most surprised by. */
  readonly foundBy: Readonly<Record<Witness, number>>
}

/** Counts verdicts on normal and abnormal sessions; sessions may be many, so their scores alone are held. */
export class SequenceTally {
  private readonly model: SequenceModel
  private readonly scores = { normal: [] as number[], abnormal: [] as number[] }
  private readonly unknown = { normal: 0, abnormal: 0 }
  private readonly foundBy = { grams: 0, length: 0, counts: 0 }

  constructor(model: SequenceModel) {
    this.model = model
  }

  /** Judges a session whose class is known. */
  judge(session: readonly string[], kind: 'normal' | 'abnormal'): SequenceVerdict {
    const verdict = this.model.judge(session)
    this.scores[kind].push(verdict.score)
    if (verdict.known) return verdict
    this.unknown[kind]++
    if (kind === 'abnormal') this.foundBy[mainWitness(verdict)]++
    return verdict
  }

  /** Error: `sessions_unusable` where one class is missing. */
  measures(): SequenceMeasures {
    const { normal, abnormal } = this.scores
    if (normal.length === 0 || abnormal.length === 0) {
      throw fail.sessions_unusable(
        `There are ${normal.length} normal and ${abnormal.length} abnormal sessions to judge; both are needed.`,
      )
    }
    const y = new Float64Array(normal.length + abnormal.length).fill(1, normal.length)
    const found = this.unknown.abnormal
    const flagged = found + this.unknown.normal
    return {
      auc: rocAuc(y, Float64Array.from([...normal, ...abnormal])),
      f1: (2 * found) / (flagged + abnormal.length),
      threshold: this.model.threshold,
      precision: flagged === 0 ? 0 : found / flagged,
      recall: found / abnormal.length,
      falseAlarms: this.unknown.normal / normal.length,
      normal: { sessions: normal.length, unknown: this.unknown.normal },
      abnormal: { sessions: abnormal.length, unknown: this.unknown.abnormal },
      foundBy: { ...this.foundBy },
    }
  }
}

/** The witness that is most surprised; the first of equals. */
export function mainWitness({ surprises }: SequenceVerdict): Witness {
  return witnesses.toSorted((a, b) => surprises[b] - surprises[a])[0]
}

const listed = 3

/** What is new in a session, in a sentence for a person; '' where nothing is. */
export function inWords({ evidence }: SequenceVerdict): string {
  const parts: string[] = []
  const [first] = evidence.unseen
  if (first !== undefined) {
    const others = evidence.unseenTotal - 1
    const more = others === 0 ? '' : ` and ${others} more`
    parts.push(`never seen: ${first.events.join(' → ')} at place ${first.place + 1}${more}`)
  }
  if (evidence.length !== undefined) {
    const { length, least, most } = evidence.length
    parts.push(`${length} events, known are ${least} to ${most}`)
  }
  if (evidence.counts !== undefined) {
    const differs = evidence.counts.differs
      .slice(0, listed)
      .map(({ event, count, nearest }) => `${event} ${count} times instead of ${nearest}`)
    parts.push(`nearest known counts: ${differs.join(', ')}`)
  }
  return parts.join('; ')
}
