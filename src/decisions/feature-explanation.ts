// Why a feature of an entity has its present value: asked of the live state, which nothing here
// changes.
import type { Aggregate, ExplainedGraph } from '../features/index.ts'
import { decisionErrors } from './errors.ts'
import { asOf, entityRows } from './live-features.ts'
import type { Namespace } from './namespace.ts'

export interface FeatureQuestion {
  readonly feature: string
  /** Columns of the source as in an event, as for `liveValues`; what is left out is missing. */
  readonly values: unknown
  /** As of when, µs UTC; by default now by the source's clock. */
  readonly atUs?: number | undefined
}

/** A value with what it rests on. Times in µs UTC; numbers that are missing are null. */
export interface ExplainedFeature {
  readonly feature: string
  readonly value: number | null
  readonly asOfUs: number
  /** The newest event that the state has seen, of any entity. */
  readonly newestEventUs: number | null
  readonly aggregates: readonly {
    readonly aggregate: Aggregate
    /** Whose events these are. */
    readonly source: string
    readonly description: string
    readonly value: number | null
    /** The window (from, to]; null: all time. */
    readonly fromUs: number | null
    readonly toUs: number
    readonly events: number
    readonly newest: readonly {
      readonly id: string | null
      readonly timeUs: number
      readonly value: number | null
      readonly counts: boolean
    }[]
  }[]
  readonly graphs: readonly (Omit<ExplainedGraph, 'value'> & { readonly value: number | null })[]
}

/**
 * Looks a feature up as of now, or of `atUs` as far back as the state reaches: the value that
 * `liveValues` gives. Errors: `entity_invalid`, `not_ready`, `feature_unknown`.
 */
export function explainLiveFeature(
  namespace: Namespace,
  { feature, values, atUs }: FeatureQuestion,
): ExplainedFeature {
  const { state } = namespace
  if (state === undefined) throw decisionErrors.not_ready('Live state is not loaded yet.')
  const asOfUs = asOf(namespace, state, atUs)
  const [row] = entityRows(state.source, [values], asOfUs)
  const { value, aggregates, graphs } = state.explain(row, feature)
  return {
    feature,
    value: orNull(value),
    asOfUs,
    newestEventUs: state.newestEventTimeUs,
    aggregates: aggregates.map(({ withCurrent: _, ...each }) => ({
      ...each,
      value: orNull(each.value),
    })),
    graphs: graphs.map((each) => ({ ...each, value: orNull(each.value) })),
  }
}

const orNull = (value: number): number | null => (Number.isNaN(value) ? null : value)
