import { fail } from './errors.ts'
import { didYouMean } from './suggestion.ts'

/** A column that a file may or must have, by the names it answers to. */
export interface WantedColumn {
  readonly names: readonly string[]
  readonly required: boolean
}

/**
 * Finds the wanted columns in a file's header. Returns the position of each in the file, −1 where
 * an optional one is absent. Throws one `header_mismatch` that lists every missing, unknown and
 * repeated column.
 */
export function matchHeader(
  header: readonly string[],
  wanted: readonly WantedColumn[],
  ignore: readonly string[],
  context: { readonly input: string; readonly contract: string },
): number[] {
  const owners = new Map<string, number>()
  wanted.forEach(({ names }, index) => names.forEach((name) => owners.set(name, index)))
  const ignored = new Set(ignore)
  const positions = new Array<number>(wanted.length).fill(-1)
  const unknown: string[] = []
  const repeated: string[] = []
  header.forEach((name, position) => {
    const owner = owners.get(name)
    if (owner === undefined) {
      if (!ignored.has(name)) unknown.push(name)
    } else if (positions[owner] === -1) {
      positions[owner] = position
    } else {
      repeated.push(name)
    }
  })
  const missing = wanted
    .filter(({ required }, index) => required && positions[index] === -1)
    .map(({ names }) => names[0])
  if (missing.length + unknown.length + repeated.length > 0) {
    const absent = wanted.filter(({ required }, index) => !required && positions[index] === -1)
    const optional = absent.flatMap(({ names }) => names)
    throw mismatch(header, { missing, unknown, repeated }, optional, context)
  }
  return positions
}

const listedMax = 10

function mismatch(
  header: readonly string[],
  wrong: { missing: string[]; unknown: string[]; repeated: string[] },
  optional: readonly string[],
  context: { readonly input: string; readonly contract: string },
): Error {
  const sentences = [`${context.input} does not match ${context.contract}.`]
  if (wrong.missing.length > 0) sentences.push(`Missing: ${listed(wrong.missing, wrong.unknown)}.`)
  if (wrong.unknown.length > 0) {
    sentences.push(`Not in the contract: ${listed(wrong.unknown, optional)}.`)
  }
  if (wrong.repeated.length > 0) sentences.push(`Given twice: ${listed(wrong.repeated, [])}.`)
  const separator = otherSeparator(header)
  if (separator !== undefined) {
    sentences.push(`The file seems to be separated by ${separator}; write it with commas.`)
  }
  return fail.header_mismatch(sentences.join(' '), { extra: wrong })
}

/** Names in quotes, each with the one of the others that was perhaps meant. */
function listed(names: readonly string[], others: readonly string[]): string {
  const shown = names.slice(0, listedMax).map((name) => {
    const near = didYouMean(name, others)
    const quoted = JSON.stringify(name.slice(0, 80))
    return near === undefined ? quoted : `${quoted} (did you mean ${JSON.stringify(near)}?)`
  })
  if (names.length > listedMax) shown.push(`and ${names.length - listedMax} more`)
  return shown.join(', ')
}

function otherSeparator(header: readonly string[]): string | undefined {
  if (header.length !== 1) return undefined
  const only = header[0]
  return only.includes(';') ? 'semicolons' : only.includes('\t') ? 'tabs' : undefined
}
