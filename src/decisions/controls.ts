// What people change while a policy decides: what is on its lists, which of its rules are paused, and
// whether its model is suspended. It follows from journal records, so a decision made again meets what
// it met then.
import { HOUR_US } from '../lib/time.ts'
import type { DeployedPolicy } from './deployed.ts'
import type { ListRecord, ModelRecord, RuleRecord } from './records.ts'

/** An entry of a list; it holds until a time of the source's clock, or for good. */
export interface ListEntry {
  readonly value: string
  readonly untilUs: number | null
  readonly actor: string
  readonly reason: string
  /** When it was added, and by which record. */
  readonly atUs: number
  readonly sequence: number
}

/** A rule that is paused, and why. */
export interface PausedRule {
  readonly policy: string
  readonly rule: string
  readonly actor: string
  readonly reason: string
  readonly atUs: number
  readonly sequence: number
}

/** A policy whose champion is not asked, and why. */
export interface SuspendedModel {
  readonly policy: string
  readonly actor: string
  readonly reason: string
  readonly atUs: number
  readonly sequence: number
}

/** As a checkpoint keeps them. */
export interface ControlsSnapshot {
  readonly lists: Readonly<Record<string, readonly ListEntry[]>>
  readonly paused: readonly PausedRule[]
  readonly suspended: readonly SuspendedModel[]
  /** How often rules with a cap have fired in the hour that is running. */
  readonly hours: readonly (readonly [key: string, hour: number, fired: number])[]
}

/** Entries of one list: what memory holds without a thought, and a person never types. */
export const LIST_ENTRIES_MAX = 1_000_000

const none: ReadonlySet<string> = new Set()

export class Controls {
  readonly #lists = new Map<string, Map<string, ListEntry>>()
  readonly #paused = new Map<string, Map<string, PausedRule>>()
  readonly #suspended = new Map<string, SuspendedModel>()
  readonly #hours = new Map<string, { hour: number; fired: number }>()

  constructor(snapshot?: ControlsSnapshot) {
    for (const [list, entries] of Object.entries(snapshot?.lists ?? {})) {
      this.#lists.set(list, new Map(entries.map((entry) => [entry.value, entry])))
    }
    for (const paused of snapshot?.paused ?? [])
      this.#pausedOf(paused.policy).set(paused.rule, paused)
    for (const each of snapshot?.suspended ?? []) this.#suspended.set(each.policy, each)
    for (const [key, hour, fired] of snapshot?.hours ?? []) this.#hours.set(key, { hour, fired })
  }

  snapshot(): ControlsSnapshot {
    return {
      lists: Object.fromEntries([...this.#lists].map(([name, held]) => [name, [...held.values()]])),
      paused: [...this.#paused.values()].flatMap((rules) => [...rules.values()]),
      suspended: [...this.#suspended.values()],
      hours: [...this.#hours].map(([key, { hour, fired }]) => [key, hour, fired] as const),
    }
  }

  apply(record: ListRecord | RuleRecord | ModelRecord, sequence: number): void {
    switch (record.type) {
      case 'list':
        return this.#applyEntry(record, sequence)
      case 'rule':
        return this.#applyRule(record, sequence)
      case 'model': {
        const { policy, change, actor, reason, receivedAtUs: atUs } = record
        if (change === 'resume') this.#suspended.delete(policy)
        else this.#suspended.set(policy, { policy, actor, reason, atUs, sequence })
      }
    }
  }

  #applyEntry(record: ListRecord, sequence: number): void {
    const { list, value, untilUs, actor, reason, receivedAtUs } = record
    const held = this.#lists.get(list) ?? new Map<string, ListEntry>()
    this.#lists.set(list, held)
    if (record.change === 'remove') held.delete(value)
    else held.set(value, { value, untilUs, actor, reason, atUs: receivedAtUs, sequence })
  }

  #applyRule(
    { policy, rule, change, actor, reason, receivedAtUs }: RuleRecord,
    sequence: number,
  ): void {
    const paused = this.#pausedOf(policy)
    // Whoever lets it go on has seen why it stopped: the hour begins anew.
    this.#hours.delete(`${policy}\n${rule}`)
    if (change === 'resume') paused.delete(rule)
    else paused.set(rule, { policy, rule, actor, reason, atUs: receivedAtUs, sequence })
    if (paused.size === 0) this.#paused.delete(policy)
  }

  #pausedOf(policy: string): Map<string, PausedRule> {
    const known = this.#paused.get(policy) ?? new Map<string, PausedRule>()
    this.#paused.set(policy, known)
    return known
  }

  isListed(list: string, value: string, clockUs: number): boolean {
    const entry = this.#lists.get(list)?.get(value)
    return entry !== undefined && (entry.untilUs === null || entry.untilUs > clockUs)
  }

  /** The entries of a list, expired ones too until they are removed. */
  entries(list: string): ListEntry[] {
    return [...(this.#lists.get(list)?.values() ?? [])]
  }

  entryCount(list: string): number {
    return this.#lists.get(list)?.size ?? 0
  }

  /** Names of the paused rules of a policy. */
  pausedRules(policy: string): ReadonlySet<string> {
    const paused = this.#paused.get(policy)
    return paused === undefined ? none : new Set(paused.keys())
  }

  suspended(policy: string): SuspendedModel | undefined {
    return this.#suspended.get(policy)
  }

  paused(policy: string): PausedRule[] {
    return [...(this.#paused.get(policy)?.values() ?? [])]
  }

  /**
   * Counts what fired on a decision; the rules that have now fired more often in this hour of the
   * source's clock than their cap.
   */
  noteFired(
    { policy }: Pick<DeployedPolicy, 'policy'>,
    fired: readonly string[],
    clockUs: number,
  ): { readonly rule: string; readonly fired: number; readonly cap: number }[] {
    const hour = Math.floor(clockUs / HOUR_US)
    return policy.rules.flatMap(({ name: rule, capPerHour: cap }) => {
      if (cap === undefined || !fired.includes(rule)) return []
      const key = `${policy.name}\n${rule}`
      const known = this.#hours.get(key)
      // An event of an hour that is over counts for the one that runs.
      const counted =
        known === undefined || known.hour < hour
          ? { hour, fired: 1 }
          : { hour: known.hour, fired: known.fired + 1 }
      this.#hours.set(key, counted)
      return counted.fired > cap ? [{ rule, fired: counted.fired, cap }] : []
    })
  }
}
