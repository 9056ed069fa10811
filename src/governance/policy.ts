import { contentHash } from '../lib/hash.ts'
import { governanceErrors } from './errors.ts'

export interface GatePolicyOptions {
  /** Metric → the least value with which a version passes, on rows nobody learned from. */
  readonly minimum: Readonly<Record<string, number>>
  /**
   * No worse than the champion: the lower bound of the paired difference must be at least −margin.
   * `confidence` is that of the two-sided interval; 0.95 unless told.
   */
  readonly champion?: {
    readonly metric: string
    readonly margin: number
    readonly confidence?: number
  }
  /** `complete`: every required field of the model card must be filled. */
  readonly card: 'complete' | 'any'
  /** How many different identities must approve; at least 2. */
  readonly approvals: number
}

/** A gate as a project declares it. */
export interface GatePolicyDeclaration extends GatePolicyOptions {
  readonly kind: 'gate-policy'
  readonly name: string
}

/** A gate as data. `version` is the content hash of everything else in it. */
export interface CompiledGatePolicy {
  readonly name: string
  readonly version: string
  /** The rules' own version: a change of what a check means is a change of the gate. */
  readonly rules: 1
  readonly minimum: Readonly<Record<string, number>>
  readonly champion: {
    readonly metric: string
    readonly margin: number
    readonly confidence: number
  } | null
  readonly card: 'complete' | 'any'
  readonly approvals: number
}

/**
 * Declares the gate that every version of a model must pass before people may approve it:
 * `gatePolicy('card-fraud-gate', { minimum: { average_precision: 0.5 }, card: 'complete', approvals: 2 })`.
 */
export function gatePolicy(name: string, options: GatePolicyOptions): GatePolicyDeclaration {
  return { kind: 'gate-policy', name, ...options }
}

/** Metrics with a paired bootstrap difference (learning's `pairedDifference`). */
const comparableMetrics: readonly string[] = ['average_precision', 'roc_auc']

/** Checks a gate and turns it into data. Fails with `gate_policy_invalid`. */
export function compileGatePolicy(declaration: GatePolicyDeclaration): CompiledGatePolicy {
  const { name, minimum, champion, card, approvals } = declaration
  const invalid = (what: string) => governanceErrors.gate_policy_invalid(`Gate "${name}": ${what}.`)
  if (!/^[a-z0-9][a-z0-9-]*$/.test(name)) {
    throw invalid('a name consists of lower-case letters, digits and dashes')
  }
  for (const [metric, value] of Object.entries(minimum)) {
    if (!Number.isFinite(value)) throw invalid(`the minimum of ${metric} is not a number`)
  }
  if (Object.keys(minimum).length === 0 && champion === undefined) {
    throw invalid('it asks for nothing; declare a minimum or a champion rule')
  }
  if (champion !== undefined && !comparableMetrics.includes(champion.metric)) {
    throw invalid(
      `a champion is compared by ${comparableMetrics.join(' or ')}, not by ${champion.metric}`,
    )
  }
  const confidence = champion?.confidence ?? 0.95
  if (champion !== undefined && !(champion.margin >= 0 && Number.isFinite(champion.margin))) {
    throw invalid('the champion margin must be a number of at least 0')
  }
  if (!(confidence > 0.5 && confidence < 1)) {
    throw invalid('the confidence must lie between 0.5 and 1')
  }
  if (!Number.isSafeInteger(approvals) || approvals < 2 || approvals > 10) {
    throw invalid('it must ask for 2 to 10 approvals (four eyes)')
  }
  if (card !== 'complete' && card !== 'any') throw invalid('card must be "complete" or "any"')
  const body = {
    name,
    rules: 1 as const,
    minimum: { ...minimum },
    champion: champion ? { metric: champion.metric, margin: champion.margin, confidence } : null,
    card,
    approvals,
  }
  return { ...body, version: contentHash(body) }
}

/** What a gate asks for, one sentence each. */
export function gateRequirements(gate: CompiledGatePolicy): string[] {
  const { minimum, champion, card, approvals } = gate
  return [
    ...Object.entries(minimum).map(([metric, value]) => `${metric} is at least ${value}.`),
    ...(champion === null
      ? []
      : [
          `${champion.metric} is no worse than the live version's by more than ` +
            `${champion.margin}, with ${champion.confidence * 100} % confidence.`,
        ]),
    ...(card === 'complete' ? ['The model card is complete.'] : []),
    `${approvals} people approve who neither trained nor registered it.`,
  ]
}
