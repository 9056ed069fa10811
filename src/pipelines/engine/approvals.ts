// Steps at which people say yes or no.
import { contentHash } from '../../lib/hash.ts'
import type { CompiledApproval } from './compiled.ts'
import type { FoundInput } from './inputs.ts'
import type { ApprovalAnswer, HeldApproval } from './records.ts'

/** What people are asked, bound to the content that they are shown. */
export function heldApproval(
  { question, approvers }: CompiledApproval,
  inputs: Readonly<Record<string, FoundInput>>,
): HeldApproval {
  const digests = Object.entries(inputs).map(([name, { digest }]) => [name, digest])
  return { question, approvers, shown: contentHash([question, approvers, digests]) }
}

export interface ApprovalVerdict {
  readonly status: 'done' | 'failed' | 'held'
  readonly words: string
}

/** What the answers come to. One no is enough; answers to what was shown before do not count. */
export function verdictOf(
  { approvers, shown }: HeldApproval,
  step: string,
  answers: readonly ApprovalAnswer[],
): ApprovalVerdict {
  const counting = answers.filter((answer) => answer.step === step && answer.shown === shown)
  const refused = counting.find(({ verdict }) => verdict === 'refuse')
  if (refused !== undefined) {
    return { status: 'failed', words: `refused by ${refused.identityName}: ${refused.reason}` }
  }
  const names = new Map(counting.map((answer) => [answer.identityId, answer.identityName]))
  const said = [...names.values()].join(', ')
  if (names.size >= approvers) return { status: 'done', words: `approved by ${said}` }
  const left = approvers - names.size
  const waits = `waits for ${left} ${left === 1 ? 'person' : 'people'}`
  return { status: 'held', words: names.size === 0 ? waits : `approved by ${said}; ${waits}` }
}
