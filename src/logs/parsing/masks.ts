import { VARIABLE } from './parser.ts'

/** Replaces what is known to vary (addresses, numbers, …) before a message is looked at. */
export function createMask(patterns: readonly string[]): (message: string) => string {
  const expressions = patterns.map((pattern) => new RegExp(pattern, 'g'))
  return (message) =>
    expressions.reduce((masked, expression) => masked.replace(expression, VARIABLE), message)
}
