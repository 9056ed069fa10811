/** All that a memory of patterns is, as plain JSON. */
import type { AdwinState } from './adwin.ts'
import type { AlertState } from './alerts.ts'
import type { SavedCluster } from './cluster-store.ts'
import type { Place } from './encoding.ts'
import type { FrontierPoint } from './judge.ts'
import type { MemorySettings } from './settings.ts'
import type { Evidence, Feedback, Pattern, Unknown } from './types.ts'
import type { WitnessModels } from './witnesses.ts'

type Plain<T extends { readonly point: Float64Array }> = Omit<T, 'point'> & {
  readonly point: readonly number[]
}

export type MemoryState = {
  readonly format: 1
  readonly settings: MemorySettings
  /** The names of records' fields, and what each number of a point means. */
  readonly columns: readonly string[]
  readonly places: readonly Place[]
  /** The distance that counts as 1. */
  readonly limit: number
  readonly seen: number
  readonly made: { readonly patterns: number; readonly findings: number }
  readonly patterns: readonly Pattern[]
  readonly clusters: readonly SavedCluster[]
  readonly unknown: readonly Plain<Unknown>[]
  readonly frontier: readonly Plain<FrontierPoint>[]
  readonly distances: AdwinState
  readonly shift: Evidence['shift']
  readonly alerts: AlertState
  readonly witnesses: WitnessModels
  /** The newest thousand things that people said. */
  readonly feedback: readonly Feedback[]
  /** What left the memory for want of room. */
  readonly forgotten: { readonly patterns: number; readonly unknown: number }
}

export function toPlain<T extends { readonly point: Float64Array }>(one: T): Plain<T> {
  return { ...one, point: [...one.point] }
}

export function fromPlain<T extends { readonly point: readonly number[] }>(one: T) {
  return { ...one, point: Float64Array.from(one.point) }
}
