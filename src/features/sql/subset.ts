import { contentHash } from '../../lib/hash.ts'
import type { CompiledFeatureSet } from '../compiled.ts'
import { operatorsOf, visit } from '../expressions.ts'

/**
 * The same set with only some of its features, in its order: what one engine calculates of it. It is
 * a set like any other, with a version of its own.
 */
export function subsetOf(set: CompiledFeatureSet, names: ReadonlySet<string>): CompiledFeatureSet {
  const features = set.features.filter(({ name }) => names.has(name))
  if (features.length === set.features.length) return set
  const labels = new Set<string>()
  const operators: Record<string, number> = {}
  for (const { expression } of features) {
    Object.assign(operators, operatorsOf(expression))
    visit(expression, (node) => {
      if (node.op === 'aggregate' && node.aggregate.label !== null) labels.add(node.aggregate.label)
    })
  }
  const { version: _, ...rest } = set
  const content = {
    ...rest,
    operators,
    labels: set.labels.filter(({ name }) => labels.has(name)),
    features,
  }
  return { ...content, version: contentHash(content) }
}
