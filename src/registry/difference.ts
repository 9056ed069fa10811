// What changed between two versions, from their records alone.
import { canonicalJson } from '../lib/canonical-json.ts'
import type { ModelVersion, VersionMetric } from './types.ts'

export const differenceGroups = [
  'learner',
  'parameters',
  'data',
  'features',
  'metrics',
  'thresholds',
  'code',
] as const
export type DifferenceGroupName = (typeof differenceGroups)[number]

export type Change = 'same' | 'added' | 'removed' | 'changed'

/** One named value of either version; `null` where a version has none. */
export interface DifferenceRow {
  readonly name: string
  readonly from: string | null
  readonly to: string | null
  readonly change: Change
  /** Of a metric, with its interval and count where they are known. */
  readonly metrics?: { readonly from: VersionMetric | null; readonly to: VersionMetric | null }
}

export interface DifferenceGroup {
  readonly name: DifferenceGroupName
  /** By name; equal ones too. */
  readonly rows: readonly DifferenceRow[]
  readonly changed: number
}

export interface VersionDifference {
  readonly from: VersionName
  readonly to: VersionName
  readonly groups: readonly DifferenceGroup[]
  /** How many values differ. */
  readonly changed: number
}

export interface VersionName {
  readonly model: string
  readonly version: number
  readonly hash: string
}

/**
 * Compares two versions, also of two models. Of a version and itself nothing differs; the other way
 * round the same values differ, with `from` and `to` exchanged.
 */
export function versionDifference(from: ModelVersion, to: ModelVersion): VersionDifference {
  const before = valuesOf(from)
  const after = valuesOf(to)
  const groups = differenceGroups.map((name): DifferenceGroup => {
    const rows =
      name === 'metrics' ? metricRows(from.metrics, to.metrics) : rowsOf(before[name], after[name])
    return { name, rows, changed: rows.filter(({ change }) => change !== 'same').length }
  })
  const changed = groups.reduce((sum, group) => sum + group.changed, 0)
  return { from: nameOf(from), to: nameOf(to), groups, changed }
}

type Values = Readonly<Record<string, string>>

function valuesOf(version: ModelVersion): Record<Exclude<DifferenceGroupName, 'metrics'>, Values> {
  const { build, brought, kind, thresholds } = version
  return {
    learner: known({
      kind,
      declaration: build.declaration,
      label: build.label,
      split: textOf(build.split),
      format: brought?.format,
      signature: textOf(brought?.signature),
    }),
    parameters: parametersOf(build.learner),
    data: build.snapshots,
    features: Object.fromEntries(build.featureSets.map((set) => [set.name, set.version])),
    thresholds: Object.fromEntries(
      Object.entries(thresholds).map(([name, value]) => [name, String(value)]),
    ),
    code: known({
      revision: build.codeRevision,
      environment: build.environment,
      seed: String(build.seed),
      model: version.modelHash,
    }),
  }
}

/** Without the kind, which stands with the learner. */
function parametersOf(learner: unknown): Values {
  const { kind: _, ...parameters } = flat(learner)
  return parameters
}

/** Values of an object by the path to them; lists are one value. */
function flat(value: unknown, path = ''): Values {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return path === '' ? {} : known({ [path]: textOf(value) })
  }
  const parts = Object.entries(value).map(([name, part]) =>
    flat(part, path === '' ? name : `${path}.${name}`),
  )
  return Object.assign({}, ...parts) as Values
}

function textOf(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined
  return typeof value === 'string' ? value : canonicalJson(value)
}

/** Without what nobody said. */
function known(values: Readonly<Record<string, string | undefined>>): Values {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined && value !== '')
  return Object.fromEntries(entries) as Values
}

function rowsOf(from: Values, to: Values): DifferenceRow[] {
  return namesOf(from, to).map((name) => rowOf(name, valueIn(from, name), valueIn(to, name)))
}

function metricRows(
  from: Readonly<Record<string, VersionMetric>>,
  to: Readonly<Record<string, VersionMetric>>,
): DifferenceRow[] {
  return namesOf(from, to).map((name) => {
    const metrics = { from: valueIn(from, name), to: valueIn(to, name) }
    const text = (metric: VersionMetric | null) => (metric === null ? null : canonicalJson(metric))
    const { change } = rowOf(name, text(metrics.from), text(metrics.to))
    const figure = (metric: VersionMetric | null) => (metric === null ? null : String(metric.value))
    return { name, from: figure(metrics.from), to: figure(metrics.to), change, metrics }
  })
}

function rowOf(name: string, from: string | null, to: string | null): DifferenceRow {
  const change: Change =
    from === to ? 'same' : from === null ? 'added' : to === null ? 'removed' : 'changed'
  return { name, from, to, change }
}

function namesOf(from: object, to: object): string[] {
  return [...new Set([...Object.keys(from), ...Object.keys(to)])].sort()
}

function valueIn<T>(values: Readonly<Record<string, T>>, name: string): T | null {
  return Object.hasOwn(values, name) ? values[name] : null
}

function nameOf({ model, version, hash }: ModelVersion): VersionName {
  return { model, version, hash }
}
