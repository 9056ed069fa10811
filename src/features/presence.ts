/**
 * How the values of a feature came about. Zero, missing, absent and stale are different, and a value
 * that a declaration gives instead of them looks like any other afterwards; so each is asked for by a
 * figure of its own, beside the feature, which the operator works out as it does the feature itself.
 */
import { contentHash } from '../lib/hash.ts'
import type { Matrix } from '../lib/matrix.ts'
import type { Aggregate, CompiledFeature, CompiledFeatureSet, Expression } from './compiled.ts'
import { operatorsOf } from './expressions.ts'
import { isRow, pastOf } from './lineage.ts'
import { subsetOf } from './sql/subset.ts'

/**
 * In the order in which they are told: a row that is looked up is not there (`absent`), or too old
 * (`stale`); else there is nothing that the value could be calculated from (`missing`), whatever the
 * declaration then gives; else the value is 0 (`zero`), or another (`value`).
 */
export const presences = ['absent', 'stale', 'missing', 'zero', 'value'] as const
export type Presence = (typeof presences)[number]

/** The feature alone, with figures of the same events that `presenceAt` reads. */
export function presenceSet(set: CompiledFeatureSet, name: string): CompiledFeatureSet {
  const own = subsetOf(set, new Set([name]))
  const feature = own.features.find((each) => each.name === name)!
  const { version: _, ...rest } = own
  const asked = probesOf(feature.expression)
  const features = [feature, ...asked.map(([probe, expression]) => probeOf(probe, expression))]
  const operators = { ...own.operators }
  for (const { expression } of features) Object.assign(operators, operatorsOf(expression))
  const content = { ...rest, operators, features }
  return { ...content, version: contentHash(content) }
}

/** How the value of one row came about, of the features of `presenceSet`. */
export function presenceAt({ names, columns }: Matrix, feature: string, row: number): Presence {
  const is = (name: string) => columns[names.indexOf(name)]?.[row] === 1
  if (is(probeNames.absent)) return 'absent'
  if (is(probeNames.stale)) return 'stale'
  const value = columns[names.indexOf(feature)][row]
  if (is(probeNames.missing) || Number.isNaN(value)) return 'missing'
  return value === 0 ? 'zero' : 'value'
}

/** With a space, as no feature's own name has one. */
const probeNames = { absent: 'is absent', stale: 'is stale', missing: 'is missing' } as const

function probeOf(name: string, expression: Expression): CompiledFeature {
  return {
    name,
    version: contentHash(expression),
    expression,
    unit: 'flag',
    currency: null,
    description: name,
    words: null,
  }
}

function probesOf(expression: Expression): (readonly [string, Expression])[] {
  const ages = new Map<string, Expression>()
  const old = new Map<string, Expression>()
  for (const node of pastOf(expression)) {
    if (node.op !== 'aggregate' || !isRow(node.aggregate)) continue
    const age = ageOf(node.aggregate)
    ages.set(contentHash(age), age)
    const { staleUs } = node.aggregate
    if (staleUs !== undefined) old.set(`${contentHash(age)} ${staleUs}`, isOld(age, staleUs))
  }
  const isAbsent = [...ages.values()].map((age): Expression => ({ op: 'isMissing', of: age }))
  const probes: (readonly [string, Expression | undefined])[] = [
    [probeNames.absent, anyOf(isAbsent)],
    [probeNames.stale, anyOf([...old.values()])],
    [probeNames.missing, anyOf(missingIn(expression))],
  ]
  return probes.flatMap(([name, probe]) => (probe === undefined ? [] : [[name, probe] as const]))
}

/** Seconds since the row that a look-up finds. */
function ageOf({ per, by, source }: Aggregate): Expression {
  return {
    op: 'aggregate',
    aggregate: {
      function: 'timeSinceLast',
      per,
      column: null,
      label: null,
      condition: null,
      where: null,
      windowUs: null,
      delayUs: 0,
      current: 'included',
      ...(source !== undefined && { source }),
      ...(by !== undefined && { by }),
    },
  }
}

function isOld(age: Expression, staleUs: number): Expression {
  const seconds: Expression = { op: 'constant', value: staleUs / 1e6 }
  const old: Expression = { op: 'atLeast', left: age, right: seconds }
  return { op: 'orElse', left: old, right: { op: 'constant', value: 0 } }
}

/** What a declaration replaces where it is missing: `mean.orElse(0)`, on the way to the value. */
function missingIn(expression: Expression): Expression[] {
  if (expression.op !== 'orElse') return []
  return [{ op: 'isMissing', of: expression.left }, ...missingIn(expression.left)]
}

function anyOf(conditions: readonly Expression[]): Expression | undefined {
  return conditions.reduce<Expression | undefined>(
    (left, right) => (left === undefined ? right : { op: 'or', left, right }),
    undefined,
  )
}
