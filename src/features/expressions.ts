import type { Expression, Operator } from './compiled.ts'
import { operatorVersions } from './compiled.ts'

/** Calls back for every node, the filters and conditions of aggregates included. */
export function visit(expression: Expression, see: (node: Expression) => void): void {
  see(expression)
  for (const child of childrenOf(expression)) visit(child, see)
}

/** The expressions directly inside another. */
export function childrenOf(node: Expression): readonly Expression[] {
  switch (node.op) {
    case 'constant':
    case 'column':
    case 'calendar':
    case 'isOneOf':
      return []
    case 'choose':
      return [node.condition, node.then, node.otherwise]
    case 'aggregate': {
      const { where, condition } = node.aggregate
      return [where, condition].filter((inner) => inner !== null)
    }
    case 'absolute':
    case 'squareRoot':
    case 'log1p':
    case 'not':
    case 'isMissing':
      return [node.of]
    default:
      return [node.left, node.right]
  }
}

/** The operators that an expression uses, with their versions. */
export function operatorsOf(expression: Expression): Record<string, number> {
  const used: Record<string, number> = {}
  visit(expression, (node) => {
    const operator: Operator = node.op === 'aggregate' ? node.aggregate.function : node.op
    used[operator] = operatorVersions[operator]
  })
  return used
}
