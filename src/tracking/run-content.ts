import { contentHash, sha256Hex } from '../lib/hash.ts'
import type { LoggedModel, Metric, Run } from './types.ts'

/**
 * The hash of all that a run says: what it is and what was logged, of each metric its latest value.
 * When it was touched or deleted does not belong to that. NaN and infinities have no JSON form and stand as texts.
 */
export function runHash(run: Run): string {
  const { updatedAtUs: _, deletedAtUs: __, ...content } = run
  const metrics = Object.entries(run.metrics).map(([name, metric]) => [name, jsonOf(metric)])
  return contentHash({ ...content, metrics: Object.fromEntries(metrics) })
}

/**
 * The hash of all that a logged model says of itself. Its metrics belong to the runs that measured
 * them, and their hashes cover them.
 */
export function loggedModelHash(model: LoggedModel): string {
  const { updatedAtUs: _, deletedAtUs: __, metrics: ___, ...content } = model
  return contentHash(content)
}

/** The hash of values as logged. */
export function metricsHash(metrics: readonly Metric[]): string {
  return contentHash(metrics.map(jsonOf))
}

function jsonOf(metric: Metric): object {
  return Number.isFinite(metric.value) ? metric : { ...metric, value: String(metric.value) }
}

const adjectives =
  'able bold brave bright calm clean clear clever crisp deft eager early even fair fast fine firm fond free fresh gentle glad golden grand keen kind light lively loyal lucid mild neat noble plain polite proud quick quiet rapid rare ready round sharp silent smart solid steady swift'.split(
    ' ',
  )
const animals =
  'ant badger bear beaver bee bison carp cat cod crab crane crow deer dove duck eagle eel elk falcon finch fox frog gnu goat goose gull hare hawk heron ibis jay koala lark lion lynx mole moose moth newt otter owl panda quail raven robin seal snail stork swan tern toad trout viper vole wasp wolf wren yak'.split(
    ' ',
  )

/** A name for a run that was given none: drawn from its id, so it needs no randomness of its own. */
export function madeUpName(runId: string): string {
  const digits = sha256Hex(runId)
  const part = (from: number) => Number.parseInt(digits.slice(from, from + 8), 16)
  const [adjective, animal] = [
    adjectives[part(0) % adjectives.length],
    animals[part(8) % animals.length],
  ]
  return `${adjective}-${animal}-${part(16) % 1000}`
}

/** The id of a logged model, in the form that clients know: `m-` and 32 hex digits. */
export function loggedModelId(id: string): string {
  return `m-${sha256Hex(id).slice(0, 32)}`
}
