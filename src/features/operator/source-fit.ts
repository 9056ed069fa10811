import type { CompiledColumn, CompiledSource } from '../../data/index.ts'
import type { CompiledFeatureSet, CompiledInput } from '../compiled.ts'
import { fail } from '../errors.ts'

/** Fails with `feature_source_mismatch` where a set and the sources that it is to read do not fit. */
export function checkSources(set: CompiledFeatureSet, sources: readonly CompiledSource[]): void {
  const [own] = sources
  const mistakes: string[] = []
  if (set.source !== own.name) {
    mistakes.push(`the set reads "${set.source}" and the source is "${own.name}"`)
  }
  compare(set.inputs, set.timeZone, own, mistakes)
  for (const side of set.sources ?? []) {
    const source = sources.find((candidate) => candidate.name === side.source)
    if (source === undefined) mistakes.push(`its source "${side.source}" is not given`)
    else compare(side.inputs, side.timeZone, source, mistakes)
  }
  if (mistakes.length === 0) return
  const what = mistakes.join('; ')
  throw fail.feature_source_mismatch(`Feature set "${set.name}" does not fit: ${what}.`)
}

function compare(
  inputs: readonly CompiledInput[],
  timeZone: string,
  source: CompiledSource,
  mistakes: string[],
): void {
  if (timeZone !== source.timeZone) {
    mistakes.push(`its calendar is ${timeZone} and the source's is ${source.timeZone}`)
  }
  for (const input of inputs) {
    const column = source.columns.find((candidate) => candidate.name === input.column)
    if (column === undefined) mistakes.push(`the source has no column "${input.column}"`)
    else if (!sameMeaning(input, column)) {
      mistakes.push(`column "${input.column}" has another kind or unit`)
    }
  }
}

function sameMeaning(input: CompiledInput, column: CompiledColumn): boolean {
  if (input.kind !== column.kind) return false
  if (column.kind === 'key') return input.type === column.type
  if (column.kind !== 'money') return true
  return input.currency === column.currency && input.exponent === column.exponent
}
