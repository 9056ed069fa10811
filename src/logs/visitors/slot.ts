import { LeastHashes } from './least.ts'
import { type Pair, VisitorPairs } from './pairs.ts'
import type { VisitorCounting } from './counting.ts'
import { Uniques, type Visits } from './uniques.ts'

/** One request of one visitor, as it is counted. */
export interface Visit {
  readonly timeUs: number
  /** Hash of the visitor. */
  readonly visitor: number
  /** It calls itself a program. */
  readonly isBot: boolean
  /** It asks for what only programs ask for. */
  readonly isSuspect: boolean
  /** Values of the fields of the breakdowns, in their order; undefined where there is none. */
  readonly keys: readonly (string | undefined)[]
}

/** What came in one span of time. Merged, slots are those of the longer span. */
export class VisitorSlot {
  readonly people: Uniques
  readonly bots: Uniques
  readonly pairs: readonly VisitorPairs[]
  hits = 0
  botHits = 0

  /** `isOpen`: it may still be asked who came, which takes a filter where they are many. */
  constructor(counting: VisitorCounting, isOpen = true) {
    const { limit, precision, by, dayVisitors } = counting
    const filterCapacity = isOpen ? dayVisitors : undefined
    this.people = new Uniques({ limit, precision, filterCapacity })
    this.bots = new Uniques({ limit, precision })
    this.pairs = by.map((field) => new VisitorPairs(field, new LeastHashes<Pair>(limit)))
  }

  add({ visitor, isBot, isSuspect, keys }: Visit): void {
    if (isBot) {
      this.botHits++
      this.bots.add(visitor)
      return
    }
    this.hits++
    const visits = this.people.add(visitor)
    if (isSuspect && visits !== undefined) visits.isSuspect = true
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i]
      if (key !== undefined) this.pairs[i].add(key, visitor)
    }
  }

  merge(other: VisitorSlot): void {
    this.hits += other.hits
    this.botHits += other.botHits
    this.people.merge(other.people)
    this.bots.merge(other.bots)
    this.pairs.forEach((pairs, i) => pairs.merge(other.pairs[i]))
  }

  /** Says who behaves as a program: who was found out before, and who asks too often. */
  judge(hitsMax: number, suspects: LeastHashes<true>): void {
    const { known } = this.people
    known.settle()
    for (const [hash, visits] of known.entries) {
      if (visits.hits > hitsMax || suspects.entries.has(hash)) visits.isSuspect = true
      if (visits.isSuspect) suspects.at(hash, () => true)
    }
    suspects.settle()
  }

  isSuspect = (visitor: number): boolean =>
    this.people.known.entries.get(visitor)?.isSuspect === true
}

export function isSuspectVisit({ isSuspect }: Visits): boolean {
  return isSuspect
}
