// The present feature values of entities, for programs that decide nothing here: asked of the live
// state, which nothing here changes.
import { createRowParser } from '../data/index.ts'
import type { CompiledSource, Failure, Row } from '../data/index.ts'
import type { CompiledFeatureSet } from '../features/index.ts'
import { formatTimestamp } from '../lib/time.ts'
import { plainVector } from './deciding.ts'
import { decisionErrors } from './errors.ts'
import type { LiveState } from './live-state.ts'
import { sourceNowUs } from './namespace.ts'
import type { Namespace } from './namespace.ts'

export interface EntityQuestion {
  /** Name of a feature set. */
  readonly set: string
  /**
   * Objects with columns of the source: keys, and what else of an event the features look at. What
   * is left out is missing, and so are the features of its entity. At most 1,000.
   */
  readonly rows: readonly unknown[]
  /** As of when, µs UTC; by default now by the source's clock. */
  readonly atUs?: number | undefined
}

export interface EntityValues {
  readonly set: string
  /** Hash of the declaration that live state follows: the newest of that name. */
  readonly version: string
  readonly asOfUs: number
  /** The newest event that the state has seen, of any entity. */
  readonly newestEventUs: number | null
  /** Features in declared order. */
  readonly names: string[]
  /** A row a question, null where missing. */
  readonly values: (number | null)[][]
}

const ROWS_MAX = 1000
const FAILURES_SHOWN = 20

/**
 * Features of entities as of now, or of `atUs` as far back as the state reaches: windows hold past
 * events only. Errors: `entity_invalid`, `not_ready`, `feature_set_not_live`, `batch_too_large`.
 */
export function liveValues(namespace: Namespace, question: EntityQuestion): EntityValues {
  const { state } = namespace
  if (state === undefined) throw decisionErrors.not_ready('Live state is not loaded yet.')
  const { rows } = question
  if (rows.length > ROWS_MAX) {
    throw decisionErrors.batch_too_large(`The request has ${rows.length} rows.`)
  }
  const set = liveSet(state, question.set)
  const asOfUs = asOf(namespace, state, question.atUs)
  const names = set.features.map(({ name }) => name)
  const places = names.map((name) => state.layout.names.indexOf(name))
  const asked = entityRows(state.source, rows, asOfUs)
  return {
    set: set.name,
    version: set.version,
    asOfUs,
    newestEventUs: state.newestEventTimeUs,
    names,
    values: asked.map((row) => {
      const vector = plainVector(state.valuesAt(row))
      return places.map((place) => vector[place])
    }),
  }
}

function liveSet({ featureSets }: LiveState, name: string): CompiledFeatureSet {
  const found = featureSets.findLast((set) => set.name === name)
  if (found !== undefined) return found
  const names = featureSets.map((set) => set.name).join(', ')
  throw decisionErrors.feature_set_not_live(
    `Live state computes no feature set "${name}"; it computes ${names}.`,
  )
}

/** The time that values are as of. A replay's clock may stand behind what its history holds. */
export function asOf(namespace: Namespace, state: LiveState, atUs: number | undefined): number {
  const newestUs = state.newestEventTimeUs
  const nowUs = sourceNowUs(namespace) ?? newestUs
  if (nowUs === null) {
    throw decisionErrors.entity_invalid('No event has come yet, so there is nothing to look up.')
  }
  const asOfUs = atUs ?? Math.max(nowUs, newestUs ?? nowUs)
  if (!state.isTooLate(asOfUs)) return asOfUs
  throw decisionErrors.entity_invalid(
    `Live state does not reach back to ${formatTimestamp(asOfUs)}; ask for a later time, or ask ` +
      'for history.',
  )
}

/** Rows of the source with the given columns and time, and nothing else. */
export function entityRows(
  source: CompiledSource,
  bodies: readonly unknown[],
  atUs: number,
): Row[] {
  const columns = source.columns
    .filter(({ kind }) => kind !== 'id' && kind !== 'eventTime')
    .map((column) => ({ ...column, nullable: true }))
  const places = source.columns.map(({ name }) => columns.findIndex((each) => each.name === name))
  const timePlace = source.columns.findIndex(({ name }) => name === source.eventTime)
  const parser = createRowParser({ ...source, columns })
  const failures: (Failure & { readonly row: number })[] = []
  const rows = bodies.map((body, i) => {
    const parsed = parser.fromJson(body)
    if (!parsed.ok) {
      failures.push(...parsed.failures.map((each) => ({ row: i + 1, ...each })))
      return []
    }
    const row = places.map((place) => (place < 0 ? undefined : parsed.row[place]))
    return row.with(timePlace, atUs)
  })
  if (failures.length === 0) return rows
  const [{ row, message }] = failures
  throw decisionErrors.entity_invalid(`Row ${row} cannot be looked up: ${message}`, {
    extra: { failures: failures.slice(0, FAILURES_SHOWN) },
  })
}
