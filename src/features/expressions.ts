import type { Expression, Operator } from './compiled.ts'
import { operatorVersions } from './compiled.ts'
import { graphOperatorVersions } from './graph/compiled.ts'

/**
 * Calls back for every node, with the source that the node speaks of: null for the set's own. What
 * is inside an aggregate (its filter, its condition, its figure of each event) comes too.
 */
export function visit(
  expression: Expression,
  see: (node: Expression, source: string | null) => void,
  source: string | null = null,
): void {
  see(expression, source)
  const inside = expression.op === 'aggregate' ? (expression.aggregate.source ?? source) : source
  for (const child of childrenOf(expression)) visit(child, see, inside)
}

/** The expressions directly inside another. */
export function childrenOf(node: Expression): readonly Expression[] {
  switch (node.op) {
    case 'constant':
    case 'missing':
    case 'column':
    case 'calendar':
    case 'isOneOf':
    case 'sameText':
    case 'categoryIndex':
      return []
    case 'choose':
      return [node.condition, node.then, node.otherwise]
    case 'aggregate': {
      const { where, condition, of } = node.aggregate
      return [where, condition, of].filter((inner) => inner != null)
    }
    case 'graph': {
      const { where } = node.graph.graph
      return where === null ? [] : [where]
    }
    case 'absolute':
    case 'squareRoot':
    case 'log1p':
    case 'exp':
    case 'ln':
    case 'sign':
    case 'not':
    case 'isMissing':
      return [node.of]
    default:
      return [node.left, node.right]
  }
}

/** The columns that a node names, of the source that it speaks of; aggregates name their own. */
export function columnsOf(node: Expression): readonly string[] {
  switch (node.op) {
    case 'column':
    case 'isOneOf':
    case 'categoryIndex':
      return [node.column]
    case 'sameText':
      return [node.left, node.right]
    case 'graph': {
      const { from, to, amount } = node.graph.graph
      return amount === null ? [from, to] : [from, to, amount]
    }
    default:
      return []
  }
}

/** The operators that an expression uses, with their versions; those of graphs as `graph.edges`. */
export function operatorsOf(expression: Expression): Record<string, number> {
  const used: Record<string, number> = {}
  visit(expression, (node) => {
    if (node.op === 'graph') {
      const { function: fn } = node.graph
      used[`graph.${fn}`] = graphOperatorVersions[fn]
      return
    }
    const operator: Operator = node.op === 'aggregate' ? node.aggregate.function : node.op
    used[operator] = operatorVersions[operator]
  })
  return used
}
