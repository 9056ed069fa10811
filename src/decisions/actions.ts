// What a policy does beyond its answer: who is told of a decision, and by which way. Declared with the
// policy, so that the policy's hash covers it and its gates approve it.
import { checkedUrl } from '../registry/index.ts'
import { isAssayError } from '../lib/errors.ts'
import type { DecisionRecord } from './records.ts'
import type { Outcome } from './policy.ts'

/** By which way it goes: a POST, a message on a topic, or a line of a file. */
export type ActionTarget =
  | {
      readonly webhook: string
      /** What it is signed with: the name of a file among the home's secrets. */
      readonly secret?: string | undefined
    }
  | { readonly topic: string }
  | { readonly file: string }

export interface ActionDeclaration {
  readonly kind: 'action'
  readonly name: string
  readonly to: ActionTarget
  /** The outcomes it applies to; all where nothing is said. */
  readonly outcomes?: readonly Outcome[] | undefined
  /** It applies where one of these rules fired and counted; always where nothing is said. */
  readonly rules?: readonly string[] | undefined
}

/** What is not declared is absent. */
export interface CompiledAction {
  readonly name: string
  readonly to: ActionTarget
  readonly outcomes?: readonly Outcome[]
  readonly rules?: readonly string[]
}

export const actionLimits = { each: 20 } as const

/**
 * Declares an action of a policy: what is told of its decisions, to whom. It is delivered at least
 * once, after the answer, with the same key at every attempt; a receiver never delays a decision.
 */
export function action(
  name: string,
  options: Omit<ActionDeclaration, 'kind' | 'name'>,
): ActionDeclaration {
  return { kind: 'action', name, ...options }
}

export function compileAction({ name, to, outcomes, rules }: ActionDeclaration): CompiledAction {
  return {
    name,
    to: compileTarget(to),
    ...(outcomes !== undefined && { outcomes }),
    ...(rules !== undefined && { rules }),
  }
}

function compileTarget(to: ActionTarget): ActionTarget {
  if (!('webhook' in to)) return to
  const { webhook, secret } = to
  return { webhook, ...(secret !== undefined && { secret }) }
}

const NAME = /^[a-z0-9][a-z0-9-]{0,62}$/
/** One name in a folder, never a path. */
export const PLACE = /^[A-Za-z0-9][A-Za-z0-9_-]{0,99}(\.[A-Za-z0-9]{1,10})?$/

/** What is wrong with declared actions, each in a sentence. */
export function* actionMistakes(
  actions: readonly CompiledAction[],
  known: { readonly outcomes: readonly Outcome[]; readonly rules: readonly string[] },
): Generator<string> {
  if (actions.length > actionLimits.each) yield `a policy has at most ${actionLimits.each} actions`
  if (new Set(actions.map(({ name }) => name)).size !== actions.length) {
    yield 'two actions have the same name'
  }
  for (const { name, to, outcomes = [], rules = [] } of actions) {
    if (!NAME.test(name)) {
      yield `the name of the action "${name}" must be 1 to 63 lower-case letters, digits and dashes`
    }
    const outcome = outcomes.find((each) => !known.outcomes.includes(each))
    if (outcome !== undefined) {
      yield `action "${name}" names the outcome "${outcome}"; it may be ${known.outcomes.join(', ')}`
    }
    const rule = rules.find((each) => !known.rules.includes(each))
    if (rule !== undefined) yield `action "${name}": there is no rule "${rule}"`
    const mistake = targetMistake(to)
    if (mistake !== undefined) yield `action "${name}": ${mistake}`
  }
}

function targetMistake(to: ActionTarget): string | undefined {
  if ('topic' in to) return PLACE.test(to.topic) ? undefined : `"${to.topic}" is no name of a topic`
  if ('file' in to) return PLACE.test(to.file) ? undefined : `"${to.file}" is no name of a file`
  if (to.secret !== undefined && !NAME.test(to.secret)) {
    return `"${to.secret}" is no name of a secret`
  }
  try {
    // Whether private networks may be called is the server's word, when it sends.
    checkedUrl(to.webhook, { allowPrivate: true })
    return undefined
  } catch (error) {
    if (isAssayError(error)) return error.detail
    throw error
  }
}

/** Whether an action applies to a decision. */
export function applies(
  { outcomes, rules }: Pick<CompiledAction, 'outcomes' | 'rules'>,
  decision: Pick<DecisionRecord, 'outcome' | 'rules'>,
): boolean {
  if (outcomes !== undefined && !outcomes.includes(decision.outcome)) return false
  return rules === undefined || rules.some((rule) => decision.rules.includes(rule))
}

/** Where an action goes, in words. */
export function targetInWords(to: ActionTarget): string {
  if ('topic' in to) return `topic ${to.topic}`
  return 'file' in to ? `file ${to.file}` : `POST ${to.webhook}`
}

/** The decisions that an action applies to, in words. */
export function conditionInWords({
  outcomes,
  rules,
}: Pick<CompiledAction, 'outcomes' | 'rules'>): string {
  const outcome = outcomes === undefined ? 'every decision' : outcomes.join(' or ')
  return rules === undefined ? outcome : `${outcome}, where ${rules.join(' or ')} fired`
}
