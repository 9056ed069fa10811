import { contentHash } from '../lib/hash.ts'
import { missingCardFields } from './card.ts'
import type { CompiledGatePolicy } from './policy.ts'
import type {
  ChampionComparison,
  Evidence,
  EvidenceMetric,
  GateCheck,
  GateResult,
} from './types.ts'

/** The version that answers traffic now, against which a candidate must be compared. */
export interface Champion {
  readonly version: number
  readonly versionHash: string
}

/**
 * Holds evidence against a gate. Pure: the same gate, evidence and champion give the same result.
 * `champion` is the live version, undefined where there is none; evidence that compares with
 * another version, or with none although there is one, fails.
 */
export function runGate(
  gate: CompiledGatePolicy,
  evidence: Evidence,
  champion?: Champion,
): GateResult {
  const checks = [
    ...Object.entries(gate.minimum).map(([metric, least]) =>
      checkMinimum(metric, least, evidence.metrics[metric]),
    ),
    ...(gate.champion === null ? [] : [checkChampion(gate.champion, evidence, champion)]),
    ...(gate.card === 'complete' ? [checkCard(evidence)] : []),
  ]
  return {
    gate: gate.name,
    gateHash: gate.version,
    evidenceHash: contentHash(evidence),
    passed: checks.every((check) => check.passed),
    checks,
  }
}

function checkMinimum(name: string, least: number, metric: EvidenceMetric | undefined): GateCheck {
  const passed = metric !== undefined && metric.value >= least
  const actual = metric === undefined ? 'not measured' : describeMetric(metric)
  return {
    name: `minimum:${name}`,
    title: `Minimum ${name}`,
    required: `at least ${least}`,
    actual,
    passed,
    message:
      metric === undefined
        ? `${name} was not measured, and the gate asks for at least ${least}.`
        : `${name} is ${actual}; the gate asks for at least ${least}.`,
  }
}

type ChampionRule = NonNullable<CompiledGatePolicy['champion']>

function checkChampion(rule: ChampionRule, evidence: Evidence, champion?: Champion): GateCheck {
  const required = `lower bound of the difference at least ${round(0 - rule.margin)}`
  const base = { name: `champion:${rule.metric}`, title: 'No worse than the champion', required }
  const comparison = evidence.champion
  if (champion === undefined) {
    const message = 'This is the first version: there is no champion to compare with.'
    return { ...base, actual: 'first version', passed: true, message }
  }
  if (champion.versionHash === evidence.versionHash) {
    const message = 'This version is the champion itself.'
    return { ...base, actual: 'is the champion', passed: true, message }
  }
  const wrong = wrongComparison(rule, comparison, champion)
  if (comparison === undefined || wrong !== undefined) {
    return { ...base, actual: 'not compared', passed: false, message: wrong ?? '' }
  }
  const passed = comparison.low >= 0 - rule.margin
  const against = `version ${comparison.version} on the same ${comparison.rows.toLocaleString('en-US')} test rows`
  return {
    ...base,
    actual:
      `${signed(comparison.difference)} ` +
      `(${signed(comparison.low)} to ${signed(comparison.high)}, n ${comparison.rows.toLocaleString('en-US')})`,
    passed,
    message:
      `${rule.metric} is ${round(comparison.candidate)} against ${round(comparison.champion)} ` +
      `of ${against}; the difference is at least ${signed(comparison.low)} with ` +
      `${rule.confidence * 100} % confidence, and the gate allows ${round(0 - rule.margin)}.`,
  }
}

/** Why a comparison cannot stand for "no worse than the champion"; undefined where it can. */
function wrongComparison(
  rule: ChampionRule,
  comparison: ChampionComparison | undefined,
  champion: Champion,
): string | undefined {
  if (comparison === undefined) {
    return `The evidence lacks the comparison with the live version ${champion.version}.`
  }
  if (comparison.versionHash !== champion.versionHash) {
    return `The evidence compares with version ${comparison.version}, but ${champion.version} is live.`
  }
  if (comparison.metric !== rule.metric || comparison.confidence !== rule.confidence) {
    return (
      `The evidence compares ${comparison.metric} at ${comparison.confidence}; ` +
      `the gate asks for ${rule.metric} at ${rule.confidence}.`
    )
  }
  const numbers = [comparison.low, comparison.high, comparison.difference]
  if (!numbers.every(Number.isFinite)) return 'The comparison with the champion has no result.'
  return undefined
}

function checkCard({ card }: Evidence): GateCheck {
  const missing = missingCardFields(card)
  return {
    name: 'card:complete',
    title: 'Complete model card',
    required: 'every required field filled',
    actual: missing.length === 0 ? 'complete' : `${missing.length} fields missing`,
    passed: missing.length === 0,
    message:
      missing.length === 0
        ? 'The model card is complete.'
        : `The model card lacks ${missing.join(', ')}.`,
  }
}

function describeMetric({ value, low, high, n }: EvidenceMetric): string {
  const parts = [
    ...(low === undefined || high === undefined ? [] : [`${round(low)} to ${round(high)}`]),
    ...(n === undefined ? [] : [`n ${n.toLocaleString('en-US')}`]),
  ]
  return parts.length === 0 ? round(value) : `${round(value)} (${parts.join(', ')})`
}

/** Three decimals for people; comparisons use the exact values. */
function round(value: number): string {
  return (Math.abs(value) < 0.0005 ? 0 : value).toFixed(3).replace('-', '−')
}

function signed(value: number): string {
  return value < 0 ? round(value) : `+${round(value)}`
}
