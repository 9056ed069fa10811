/**
 * What makes three witnesses of different units one score, and where the threshold lies. Both come from the training
 * sessions alone, each looked at as if it had been left out (jackknife): so it is known how often a normal session
 * that was not learnt yet shows that much.
 *
 * Each witness's figure becomes a p-value: the share of left-out sessions that show at least as much. Beyond the
 * greatest of them the tail goes on exponentially. The score is −ln of the harmonic mean of the p-values (Wilson
 * 2019), which holds for witnesses that depend on each other: a rare normal path surprises all three at once and
 * must not count thrice. 0 means that nothing is new.
 */
import { exp, ln } from '../../lib/math.ts'

/** n-grams, length, count vector. */
export const witnesses = ['grams', 'length', 'counts'] as const
export type Witness = (typeof witnesses)[number]
export type Figures = Readonly<Record<Witness, number>>

/** What surprises e-fold more beyond the greatest figure of normal sessions, where those say nothing. */
const units: Figures = { grams: 1, length: ln(2), counts: ln(2) }

export class Calibration {
  private readonly sessions: number
  /** How many sessions each figure stands for. */
  private readonly standsFor: number
  private readonly tails: Readonly<Record<Witness, Tail>>
  /** Scores of left-out sessions, each by all the others, that are above 0; the highest first. */
  private readonly scores: Float64Array

  /**
   * `figures` are those of left-out sessions that show anything; each stands for `standsFor` sessions where they are a
   * sample. The other ones of the `sessions` show nothing.
   */
  constructor(figures: readonly Figures[], sessions: number, standsFor: number) {
    this.sessions = sessions
    this.standsFor = standsFor
    this.tails = {
      grams: tailOf(figures, 'grams'),
      length: tailOf(figures, 'length'),
      counts: tailOf(figures, 'counts'),
    }
    const scores = figures.map((each) => this.combined(each, true)).filter((score) => score > 0)
    this.scores = Float64Array.from(scores).sort().reverse()
  }

  /** −ln of the p-value of one witness; 0 for a figure of 0. */
  surprise(witness: Witness, figure: number): number {
    return this.surpriseAt(witness, figure, false)
  }

  /** In nats; 0 where every figure is 0. */
  score(figures: Figures): number {
    return this.combined(figures, false)
  }

  /** `among`: the figures are some of those that this was made of, and are held against the others alone. */
  private combined(figures: Figures, among: boolean): number {
    const surprises = witnesses.map((witness) => this.surpriseAt(witness, figures[witness], among))
    const most = Math.max(...surprises)
    if (most === 0) return 0
    const sum = surprises.reduce((total, surprise) => total + exp(surprise - most), 0)
    return Math.max(0, most + ln(sum / witnesses.length))
  }

  private surpriseAt(witness: Witness, figure: number, among: boolean): number {
    if (figure <= 0) return 0
    const { ascending, sum } = this.tails[witness]
    const own = among ? 1 : 0
    const all = ln(this.sessions + 1 - own)
    const asGreat = (ascending.length - firstFrom(ascending, figure)) * this.standsFor - own
    if (asGreat > 0) return Math.max(0, all - ln(1 + asGreat))
    const others = ascending.length - own
    const mean = others === 0 ? 0 : (sum - own * figure) / others
    const greatest = ascending.at(-1 - own) ?? 0
    return all + (figure - greatest) / Math.max(units[witness], mean)
  }

  /**
   * The score above which a session is unknown, so that a normal one is with a probability of at most `budget`, as
   * far as it comes from where the training sessions came from (conformal: of n + 1 exchangeable scores the new one
   * is among the k highest with probability k/(n + 1)). `supported` is false where the sessions are too few for the
   * budget; then the tail is drawn on.
   */
  threshold(budget: number): { readonly threshold: number; readonly supported: boolean } {
    const allowed = budget * (this.sessions + 1)
    if (allowed < 1) {
      return { threshold: (this.scores.at(0) ?? 0) - ln(allowed), supported: false }
    }
    const rank = Math.floor((allowed - 1) / this.standsFor)
    return { threshold: this.scores.at(rank) ?? 0, supported: true }
  }
}

interface Tail {
  /** The figures above 0. */
  readonly ascending: Float64Array
  readonly sum: number
}

function tailOf(figures: readonly Figures[], witness: Witness): Tail {
  const ascending = Float64Array.from(figures, (each) => each[witness])
    .filter((figure) => figure > 0)
    .sort()
  return { ascending, sum: ascending.reduce((total, figure) => total + figure, 0) }
}

function firstFrom(ascending: Float64Array, value: number): number {
  let [from, to] = [0, ascending.length]
  while (from < to) {
    const middle = (from + to) >>> 1
    if (ascending[middle] < value) from = middle + 1
    else to = middle
  }
  return from
}
