// What is wrong with the examples of a draft: a misspelt name would make one pass or fail for no reason.
import type { CompiledColumn } from '../data/index.ts'
import { isOneLine } from '../lib/one-line.ts'
import type { DeployedPolicy } from './deployed.ts'
import type { PolicyMistake } from './draft-checks.ts'
import type { CompiledPolicy } from './policy.ts'
import type { RuleTest } from './policy-changes.ts'

/** Each with the names there are; empty where every example can be looked at. */
export function testMistakes(
  tests: readonly RuleTest[],
  policy: CompiledPolicy,
  { source, featureSets }: Pick<DeployedPolicy, 'source' | 'featureSets'>,
): PolicyMistake[] {
  const columns = new Map(source.columns.map((column) => [column.name, column]))
  const features = featureSets.flatMap((set) => set.features.map(({ name }) => name))
  const lists = (policy.lists ?? []).map(({ name }) => name)
  return tests.flatMap(({ name: test, event, features: given, score, listed }) => {
    const said = [
      ...(isOneLine(test) ? [] : ['its name must be one line without control characters']),
      ...unknown('column', Object.keys(event), [...columns.keys()]),
      ...Object.entries(event).flatMap(([name, value]) => {
        const column = columns.get(name)
        return column === undefined || fits(column, value)
          ? []
          : [`${name} takes ${wanted(column)}, not ${JSON.stringify(value)}`]
      }),
      ...unknown('feature', Object.keys(given), features),
      ...unknown('list', listed, lists),
      ...(score !== null && !(score >= 0 && score <= 1)
        ? [`the score is ${score}, not 0 to 1`]
        : []),
    ]
    return said.map((what) => ({ rule: null, at: null, sentence: `Test “${test}”: ${what}` }))
  })
}

function unknown(kind: string, names: readonly string[], known: readonly string[]): string[] {
  return names
    .filter((name) => !known.includes(name))
    .map((name) => `there is no ${kind} “${name}”; there are: ${known.join(', ') || 'none'}`)
}

function isText(column: CompiledColumn): boolean {
  switch (column.kind) {
    case 'id':
    case 'key':
      return column.type === 'text'
    case 'text':
    case 'category':
      return true
    default:
      return false
  }
}

function fits(column: CompiledColumn, value: string | number): boolean {
  if (isText(column)) return typeof value === 'string'
  if (typeof value !== 'number') return false
  return column.kind === 'number' || Number.isSafeInteger(value)
}

function wanted(column: CompiledColumn): string {
  if (isText(column)) return 'a text'
  switch (column.kind) {
    case 'number':
      return 'a number'
    case 'money':
      return 'a whole number of minor units, such as cents'
    case 'eventTime':
    case 'arrivalTime':
      return 'a whole number of microseconds since 1970'
    case 'boolean':
      return '0 or 1'
    default:
      return 'a whole number'
  }
}
