// What people change while a policy decides: a record, effective from its sequence on, and on disk before
// it is confirmed.
import { LIST_ENTRIES_MAX } from './controls.ts'
import { durably, livePolicy } from './deciding.ts'
import { decisionErrors } from './errors.ts'
import { appendRecord, nextSequence, refusePaused } from './namespace.ts'
import type { Namespace } from './namespace.ts'
import type { ListRecord, ModelRecord, RuleRecord } from './records.ts'
import type { ListChange, ModelChange, RuleChange } from './remote.ts'

/** Error: `list_unknown`, `list_full`. What a list holds already is said again with its new end. */
export async function changeList(
  namespace: Namespace,
  { list, change, values, untilUs, actor, reason }: ListChange,
): Promise<{ sequence: number }> {
  refusePaused(namespace)
  const { controls, options } = namespace
  const declared = [...namespace.policies.values()].flatMap(
    ({ document }) => document.policy.lists ?? [],
  )
  if (!declared.some(({ name }) => name === list)) {
    const known = declared.map(({ name }) => name).join(', ') || 'none'
    throw decisionErrors.list_unknown(
      `No policy here declares a list "${list}"; declared: ${known}.`,
    )
  }
  if (change === 'add' && controls.entryCount(list) + values.length > LIST_ENTRIES_MAX) {
    throw decisionErrors.list_full(`The list "${list}" holds ${controls.entryCount(list)} values.`)
  }
  const appended = values.map((value) => {
    const record: ListRecord = {
      type: 'list',
      list,
      change,
      value,
      untilUs: change === 'add' ? untilUs : null,
      actor,
      reason,
      receivedAtUs: options.clock.nowUs(),
    }
    return applyControl(namespace, record)
  })
  await Promise.all(appended.map(({ durable }) => durably(durable)))
  return { sequence: appended.at(-1)?.sequence ?? namespace.journal.durableSequence }
}

/** Error: `policy_not_found`, `rule_unknown`. */
export async function changeRule(
  namespace: Namespace,
  { policy, rule, change, actor, reason }: RuleChange,
): Promise<{ sequence: number }> {
  refusePaused(namespace)
  const { document } = livePolicy(namespace, policy)
  if (!document.policy.rules.some(({ name }) => name === rule)) {
    throw decisionErrors.rule_unknown(`Policy "${policy}" as deployed has no rule "${rule}".`)
  }
  const receivedAtUs = namespace.options.clock.nowUs()
  const record: RuleRecord = { type: 'rule', policy, rule, change, actor, reason, receivedAtUs }
  const { sequence, durable } = applyControl(namespace, record)
  await durably(durable)
  return { sequence }
}

/** Error: `policy_not_found`. */
export async function changeModel(
  namespace: Namespace,
  { policy, change, actor, reason }: ModelChange,
): Promise<{ sequence: number }> {
  refusePaused(namespace)
  livePolicy(namespace, policy)
  const receivedAtUs = namespace.options.clock.nowUs()
  const record: ModelRecord = { type: 'model', policy, change, actor, reason, receivedAtUs }
  const { sequence, durable } = applyControl(namespace, record)
  await durably(durable)
  return { sequence }
}

function applyControl(namespace: Namespace, record: ListRecord | RuleRecord | ModelRecord) {
  const sequence = nextSequence(namespace)
  namespace.controls.apply(record, sequence)
  return appendRecord(namespace, record, sequence)
}
