// Why a step was run, or was not, in words.
import { shortHash } from '../../lib/hash.ts'
import { formatTimestamp } from '../../lib/time.ts'
import type { CompiledWork } from './compiled.ts'
import type { Wanted } from './plan.ts'
import type { CacheAnswer, EarlierStep, KeyParts, MadeBy, PipelineEngineStore } from './records.ts'

/** How many earlier attempts a new one is compared with. */
const COMPARED_MAX = 5

export function hitAnswer(of: MadeBy): CacheAnswer {
  const words = `same as run ${of.runId}, step ${of.step}, of ${formatTimestamp(of.atUs)}`
  return { hit: true, words: [words], of }
}

/** Against the earlier attempt that differs least; the newest of equals. */
export function missAnswer(parts: KeyParts, earlier: readonly EarlierStep[]): CacheAnswer {
  if (earlier.length === 0) return { hit: false, words: ['it was never run before'], of: null }
  const compared = earlier.map((each) => differences(each.parts, parts))
  const words = compared.reduce((least, each) => (each.length < least.length ? each : least))
  if (words.length > 0) return { hit: false, words, of: null }
  return { hit: false, words: ['the same was run before, and did not end well'], of: null }
}

/** Why a step is run although it may have been run before. */
export async function whyAnew(
  {
    pipeline,
    step,
    parts,
    removed,
    want,
  }: {
    readonly pipeline: string
    readonly step: CompiledWork
    readonly parts: KeyParts
    /** It was looked up, and what it made is not there any more. */
    readonly removed: boolean
    readonly want: Wanted
  },
  store: Pick<PipelineEngineStore, 'earlier'>,
): Promise<CacheAnswer> {
  const said = (words: string) => ({ hit: false, words: [words], of: null })
  if (want === 'anew') return said('it was asked for anew')
  if (!step.cache) return said('it is declared to run every time')
  if (removed) return said('what it made was removed from the store')
  return missAnswer(parts, await store.earlier(pipeline, step.name, COMPARED_MAX))
}

/** What is different between two attempts, a sentence each. */
export function differences(before: KeyParts, now: KeyParts): string[] {
  const words: string[] = []
  if (before.step !== now.step) words.push(`step \`${now.step}\` was \`${before.step}\``)
  for (const [name, was, is] of changes(before.code.files, now.code.files)) {
    if (was === undefined) words.push(`code now reaches ${name}`)
    else if (is === undefined) words.push(`code no longer reaches ${name}`)
    else words.push(`code of ${name} changed`)
  }
  if (before.code.packages !== now.code.packages) words.push('the locked packages changed')
  for (const [name, was, is] of changes(before.params, now.params)) {
    if (was === undefined) words.push(`parameter \`${name}\` is new: ${text(is)}`)
    else if (is === undefined) words.push(`parameter \`${name}\` is gone`)
    else words.push(`parameter \`${name}\` was ${text(was)}, is ${text(is)}`)
  }
  for (const [name, was, is] of changes(before.inputs, now.inputs)) {
    if (was === undefined) words.push(`input ${name} is new`)
    else if (is === undefined) words.push(`input ${name} is gone`)
    else words.push(`input ${name} changed (digest ${shortHash(was)} → ${shortHash(is)})`)
  }
  const { variables: variablesBefore, ...environmentBefore } = before.environment
  const { variables, ...environment } = now.environment
  for (const [name, was, is] of changes(environmentBefore, environment)) {
    words.push(`${name} was ${was}, is ${is}`)
  }
  for (const [name, was, is] of changes(variablesBefore, variables)) {
    words.push(`environment variable ${name} ${variableWords(was, is)}`)
  }
  return words
}

function variableWords(was: string | null | undefined, is: string | null | undefined): string {
  if (was === undefined) return 'is declared now'
  if (is === undefined) return 'is declared no more'
  if (was === null) return 'is set now'
  if (is === null) return 'is not set any more'
  if (sealOf(was) === sealOf(is)) return 'changed'
  return sealOf(was) === ''
    ? 'was kept as a plain hash, with which nothing is compared any more'
    : 'was kept under another secret of the home, and cannot be compared'
}

/** What says under which secret a value is kept; '' for the plain hashes of earlier versions. */
function sealOf(kept: string): string {
  return kept.slice(0, Math.max(0, kept.lastIndexOf(':')))
}

function changes<Value>(
  before: Readonly<Record<string, Value>>,
  now: Readonly<Record<string, Value>>,
): [string, Value | undefined, Value | undefined][] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(now)])].toSorted()
  return names
    .filter((name) => before[name] !== now[name])
    .map((name) => [name, before[name], now[name]])
}

function text(value: unknown): string {
  return typeof value === 'string' ? `"${value}"` : String(value)
}
