// Rules whose calculation fails on events: counted by hour, so that a period is a sum.
import { HOUR_US } from '../lib/time.ts'
import type { DecisionRange, DecisionRow } from './ports.ts'

/** How often a rule of one version of a policy failed in one hour of the source's clock. */
export interface RuleFailures {
  readonly namespace: string
  readonly policy: string
  readonly policyVersion: string
  readonly rule: string
  /** Start of the hour, µs UTC. */
  readonly startUs: number
  readonly n: number
  /** By that clock: an event that comes late says nothing of since when. */
  readonly firstUs: number
  readonly lastUs: number
  /** Of the last one. */
  readonly lastEventId: string
}

/** A rule that failed in a period, and so could not fire. */
export interface FailingRule {
  readonly rule: string
  readonly n: number
  readonly firstUs: number
  readonly lastUs: number
  readonly lastEventId: string
}

/** Whole hours that the period touches; of one version of the policy where it is named. */
export interface FailingRulesQuery extends DecisionRange {
  readonly policyVersion?: string | undefined
}

/** What a decision adds: a failure for each of its rules that failed. */
export function failuresOf(
  row: Pick<DecisionRow, 'namespace' | 'policy' | 'policyVersion' | 'eventId' | 'clockUs'>,
  failed: readonly string[],
): RuleFailures[] {
  const { namespace, policy, policyVersion, eventId, clockUs } = row
  const startUs = Math.floor(clockUs / HOUR_US) * HOUR_US
  const at = { startUs, n: 1, firstUs: clockUs, lastUs: clockUs, lastEventId: eventId }
  return failed.map((rule) => ({ namespace, policy, policyVersion, rule, ...at }))
}

/** Whether a count belongs to what is asked for. */
export function isWithin(
  counted: RuleFailures,
  { namespace, policy, policyVersion, fromUs, untilUs }: FailingRulesQuery,
): boolean {
  return (
    counted.namespace === namespace &&
    (policy === undefined || counted.policy === policy) &&
    (policyVersion === undefined || counted.policyVersion === policyVersion) &&
    counted.startUs + HOUR_US > fromUs &&
    counted.startUs < untilUs
  )
}

/** One of each rule, the most frequent first. */
export function sumFailures(counted: readonly FailingRule[]): FailingRule[] {
  const found = new Map<string, FailingRule>()
  for (const { rule, n, firstUs, lastUs, lastEventId } of counted) {
    const known = found.get(rule)
    if (known === undefined) {
      found.set(rule, { rule, n, firstUs, lastUs, lastEventId })
      continue
    }
    found.set(rule, {
      rule,
      n: known.n + n,
      firstUs: Math.min(known.firstUs, firstUs),
      lastUs: Math.max(known.lastUs, lastUs),
      lastEventId: lastUs >= known.lastUs ? lastEventId : known.lastEventId,
    })
  }
  return [...found.values()].toSorted((a, b) => b.n - a.n || (a.rule < b.rule ? -1 : 1))
}
