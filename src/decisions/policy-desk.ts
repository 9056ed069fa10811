// What people change while a policy decides. An order is kept with its audit entry first and told to
// what decides then; one that could not be told is told again, and telling it twice changes nothing.
import { requireReason, systemActor, type ChangeBy } from '../access/index.ts'
import type { AuditLog, AuditObject } from '../audit/index.ts'
import type { CompiledColumn } from '../data/index.ts'
import type { Clock } from '../lib/clock.ts'
import { isAssayError } from '../lib/errors.ts'
import { contentHash } from '../lib/hash.ts'
import type { Ids } from '../lib/ids.ts'
import { isOneLine } from '../lib/one-line.ts'
import { DAY_US, formatTimestamp } from '../lib/time.ts'
import type { UnitOfWork } from '../lib/unit-of-work.ts'
import type { ListEntry, PausedRule } from './controls.ts'
import { decisionErrors } from './errors.ts'
import { listedValues } from './listed-values.ts'
import type { CompiledPolicy } from './policy.ts'
import { changedObject } from './policy-changes.ts'
import type { Act, ChangeOf, PolicyChange, PolicyStore } from './policy-changes.ts'
import type { DecideRemote } from './remote.ts'

/** Values of one order, and how long each is. */
const LIST_VALUES_MAX = 10_000
const VALUE_LENGTH_MAX = 256
/** How long an expired entry stays to be seen before it is taken off its list. */
const SWEPT_AFTER_US = 30 * DAY_US
const TOLD_AT_ONCE = 100

/** Called within the transaction in which one person changed at once what decides. */
type ForReview = (
  act: { readonly act: 'rule-paused'; readonly what: string; readonly object: AuditObject },
  by: ChangeBy,
) => Promise<unknown>

export interface PolicyDeskOptions {
  readonly store: PolicyStore
  readonly decide: Pick<
    DecideRemote,
    'namespaces' | 'changeList' | 'changeRule' | 'listEntries' | 'controls'
  >
  /** The policies that are live, whether what decides can be reached or not. */
  readonly livePolicies: () => Promise<readonly CompiledPolicy[]>
  /** The columns that live policies compare the values of a list with. */
  readonly listColumns?: (list: string) => Promise<readonly CompiledColumn[]>
  readonly unit: UnitOfWork
  readonly audit: Pick<AuditLog, 'append'>
  readonly clock: Clock
  readonly ids: Ids
  /** Has somebody else look at it afterwards. */
  readonly forReview?: ForReview
}

export interface PolicyDesk {
  /**
   * Puts values on a list, or takes them off it, by one person and at once. It is answered when it
   * decides, or in the state `ordered` while what decides is away.
   * Errors: `list_unknown`, `list_values_invalid`, `list_full`.
   */
  changeList(
    request: Omit<ChangeOf & { kind: 'list' }, 'kind'>,
    by: ChangeBy,
  ): Promise<PolicyChange>
  /** By one person, at once. Errors: `policy_not_found`, `rule_unknown`, `rule_unchanged`. */
  pauseRule(request: RuleOfPolicy, by: ChangeBy): Promise<PolicyChange>
  /**
   * Asks that a rule go on; another person confirms it. One waits at a time. Errors:
   * `change_by_script`, `change_waits`, `rule_unchanged`.
   */
  proposeResume(request: RuleOfPolicy, by: ChangeBy): Promise<PolicyChange>
  /** Errors: `change_not_found`, `change_needs_another`, `change_by_script`. */
  confirm(id: string, by: ChangeBy): Promise<PolicyChange>
  /** Takes back what waits for a second person. Error: `change_not_found`. */
  withdraw(id: string, by: ChangeBy): Promise<PolicyChange>
  /** Newest first; of one list, or of `policy/rule`. */
  changes(query: { readonly of?: string; readonly limit: number }): Promise<PolicyChange[]>
  /** What waits for a second person. */
  waiting(): Promise<PolicyChange[]>
  /** Error: `list_unknown`, where nothing is on it either. */
  /** What is on a list in a namespace, expired entries too. Errors: those of `decide`, where it is away. */
  entries(namespace: string, list: string): Promise<readonly ListEntry[]>
  paused(namespace: string, policy: string): Promise<readonly PausedRule[]>
  /** Tells what was not told yet; safe to call at any time. */
  tellDue(): Promise<void>
  /** Takes entries off that expired long ago. */
  sweep(): Promise<number>
}

export interface RuleOfPolicy {
  readonly policy: string
  readonly rule: string
}

export function createPolicyDesk(options: PolicyDeskOptions): PolicyDesk {
  const { store, decide, livePolicies, unit, audit, clock, ids } = options
  let telling: Promise<unknown> = Promise.resolve()

  function act(by: ChangeBy): Act {
    const { id: actorId, name: actorName } = by.actor
    return { actorId, actorName, reason: requireReason(by), atUs: clock.nowUs() }
  }

  async function order(
    of: ChangeOf,
    state: PolicyChange['state'],
    by: ChangeBy,
    inTransaction?: () => Promise<void>,
  ) {
    const change: PolicyChange = { id: ids('change'), of, state, ...act(by) }
    await unit.transaction(async () => {
      await inTransaction?.()
      await keep(change, state === 'proposed' ? 'proposed' : 'ordered', by)
      if (of.kind === 'rule' && of.change === 'pause') {
        const what = `Rule ${of.rule} of policy ${of.policy} was paused`
        const object = { kind: 'policy', id: of.policy }
        await options.forReview?.({ act: 'rule-paused', what, object }, by)
      }
    })
    return state === 'proposed' ? change : carryOut(change.id)
  }

  async function keep(change: PolicyChange, what: string, by: ChangeBy): Promise<void> {
    await store.saveChange(change)
    await audit.append({
      actor: by.actor.id,
      action: `decisions.${change.of.kind}-change-${what}`,
      object: { kind: change.of.kind, id: changedObject(change.of) },
      reason: requireReason(by),
      details: { change: change.id, ...auditDetails(change.of) },
    })
  }

  /** Tells all that is due in its order, this one included, and says how it went. */
  async function carryOut(id: string): Promise<PolicyChange> {
    await desk.tellDue()
    const change = (await store.change(id))!
    if (change.state === 'failed') {
      throw decisionErrors.change_failed(change.detail ?? 'It was refused.')
    }
    return change
  }

  async function tell(change: PolicyChange): Promise<void> {
    let state: PolicyChange['state'] = 'told'
    let detail: string | undefined
    try {
      await tellNamespaces(change)
    } catch (error) {
      // What decides is away or full: it is told again.
      if (!isAssayError(error) || error.status >= 500) throw error
      state = 'failed'
      detail = error.detail
    }
    const known = { ...change, state, ...(detail !== undefined && { detail }) }
    const by = { actor: systemActor, reason: detail ?? 'It decides now' }
    await unit.transaction(async () => {
      if (state === 'failed') await keep(known, 'failed', by)
      else await store.saveChange(known)
    })
  }

  async function tellNamespaces({ of, actorId: actor, reason }: PolicyChange): Promise<void> {
    for (const { namespace, policies } of await decide.namespaces()) {
      if (policies.length === 0) continue
      try {
        if (of.kind === 'list') await decide.changeList({ ...of, namespace, actor, reason })
        else await decide.changeRule({ ...of, namespace, actor, reason })
      } catch (error) {
        // Not every namespace decides by every policy.
        if (!isAssayError(error, 'list_unknown', 'policy_not_found', 'rule_unknown')) throw error
      }
    }
  }

  async function requireList(list: string): Promise<void> {
    const known = (await livePolicies()).flatMap(({ lists = [] }) => lists.map(({ name }) => name))
    if (known.includes(list)) return
    const names = [...new Set(known)].join(', ') || 'none'
    throw decisionErrors.list_unknown(
      `No live policy declares a list "${list}"; there are: ${names}.`,
    )
  }

  async function requireRule({ policy, rule }: RuleOfPolicy): Promise<void> {
    const live = (await livePolicies()).find(({ name }) => name === policy)
    if (live === undefined) throw decisionErrors.policy_not_found(`No policy "${policy}" is live.`)
    if (!live.rules.some(({ name }) => name === rule)) {
      throw decisionErrors.rule_unknown(`Policy "${policy}" as deployed has no rule "${rule}".`)
    }
  }

  /** All that is known to have been asked of a rule, newest first. */
  const changesOf = ({ policy, rule }: RuleOfPolicy) =>
    store.changes({ of: `${policy}/${rule}`, limit: TOLD_AT_ONCE })

  /** Whether a rule is paused wherever its policy decides; undefined while nobody can say. */
  async function isPaused({ policy, rule }: RuleOfPolicy): Promise<boolean | undefined> {
    const [newest] = (await changesOf({ policy, rule })).filter(({ state }) => state === 'ordered')
    if (newest?.of.kind === 'rule') return newest.of.change === 'pause'
    try {
      const all = await decide.namespaces()
      const here = all.filter(({ policies }) => policies.some((each) => each.policy === policy))
      const paused = await Promise.all(
        here.map(async ({ namespace }) =>
          (await decide.controls({ namespace, policy })).paused.some((each) => each.rule === rule),
        ),
      )
      if (paused.length === 0 || new Set(paused).size > 1) return undefined
      return paused[0]
    } catch (error) {
      if (!isAssayError(error) || error.status < 500) throw error
      return undefined
    }
  }

  /** Refuses what is so already; the check it returns runs in the transaction of the change. */
  async function requireChange(of: RuleOfPolicy, change: 'pause' | 'resume') {
    const [seen] = await changesOf(of)
    if ((await isPaused(of)) === (change === 'pause')) {
      const state = change === 'pause' ? 'paused already' : 'not paused'
      throw decisionErrors.rule_unchanged(`Rule "${of.rule}" of "${of.policy}" is ${state}.`)
    }
    return async () => {
      const [now] = await changesOf(of)
      if (now?.state === 'proposed' && change === 'resume') {
        throw decisionErrors.change_waits(`${now.actorName} proposed it: ${now.id}.`)
      }
      if (now?.id !== seen?.id) {
        throw decisionErrors.rule_unchanged(`${now?.actorName} changed "${of.rule}" just now.`)
      }
    }
  }

  /** What waits for a rule is over once the rule is changed. */
  async function closeWaiting(of: RuleOfPolicy, by: ChangeBy): Promise<void> {
    for (const change of await changesOf(of)) {
      if (change.state === 'proposed') {
        await keep({ ...change, state: 'withdrawn' }, 'withdrawn', by)
      }
    }
  }

  async function waitingChange(id: string): Promise<PolicyChange> {
    const change = await store.change(id)
    if (change?.state === 'proposed') return change
    throw decisionErrors.change_not_found(`Nothing waits under ${id}.`)
  }

  const desk: PolicyDesk = {
    async changeList({ list, change, values, untilUs }, by) {
      await requireList(list)
      const columns = (await options.listColumns?.(list)) ?? []
      const written = values.map((value) => value.trim())
      const asCompared = listedValues(written, columns, change)
      const checked = [...new Set(asCompared)]
      checkValues(checked)
      const until = change === 'add' ? untilUs : null
      if (until !== null) await requireAhead(decide, until)
      return order({ kind: 'list', list, change, values: checked, untilUs: until }, 'ordered', by)
    },
    async pauseRule({ policy, rule }, by) {
      await requireRule({ policy, rule })
      const stillSo = await requireChange({ policy, rule }, 'pause')
      return order({ kind: 'rule', policy, rule, change: 'pause' }, 'ordered', by, async () => {
        await stillSo()
        await closeWaiting({ policy, rule }, by)
      })
    },
    async proposeResume({ policy, rule }, by) {
      requirePerson(by)
      await requireRule({ policy, rule })
      const stillSo = await requireChange({ policy, rule }, 'resume')
      return order({ kind: 'rule', policy, rule, change: 'resume' }, 'proposed', by, stillSo)
    },
    async confirm(id, by) {
      requirePerson(by)
      await unit.transaction(async () => {
        const change = await waitingChange(id)
        if (change.actorId === by.actor.id) {
          throw decisionErrors.change_needs_another(`${by.actor.name} proposed it.`)
        }
        await keep({ ...change, state: 'ordered', confirmed: act(by) }, 'confirmed', by)
        if (change.of.kind === 'rule') await closeWaiting(change.of, by)
      })
      return carryOut(id)
    },
    withdraw: (id, by) =>
      unit.transaction(async () => {
        const change: PolicyChange = { ...(await waitingChange(id)), state: 'withdrawn' }
        await keep(change, 'withdrawn', by)
        return change
      }),
    changes: (query) => store.changes(query),
    waiting: () => store.changesIn('proposed', TOLD_AT_ONCE),
    async entries(namespace, list) {
      const held = await decide.listEntries({ namespace, list })
      // Entries outlive the policy that declared their list.
      if (held.length === 0) await requireList(list)
      return held
    },
    paused: async (namespace, policy) => (await decide.controls({ namespace, policy })).paused,

    tellDue() {
      const next = telling.then(async () => {
        for (;;) {
          const due = await store.changesIn('ordered', TOLD_AT_ONCE)
          try {
            for (const change of due) await tell(change)
          } catch (error) {
            if (!isAssayError(error)) throw error
            return
          }
          if (due.length < TOLD_AT_ONCE) return
        }
      })
      telling = next.catch(() => {})
      return next
    },

    async sweep() {
      let swept = 0
      for (const { lists = [] } of await livePolicies()) {
        for (const { name: list } of lists) {
          const values = (await longExpired(decide, list)).slice(0, LIST_VALUES_MAX)
          if (values.length === 0) continue
          const by = { actor: systemActor, reason: 'They expired thirty days ago' }
          await order(
            { kind: 'list', list, change: 'remove', values, untilUs: null },
            'ordered',
            by,
          )
          swept += values.length
        }
      }
      return swept
    },
  }
  return desk
}

/** Values of which every entry, whatever the namespace, expired so long ago by the clock there. */
async function longExpired(
  decide: Pick<DecideRemote, 'namespaces' | 'listEntries'>,
  list: string,
): Promise<string[]> {
  const goes = new Map<string, boolean>()
  for (const { namespace, nowUs } of await decide.namespaces()) {
    for (const { value, untilUs } of await decide.listEntries({ namespace, list })) {
      const isOver = untilUs !== null && nowUs !== null && untilUs + SWEPT_AFTER_US < nowUs
      goes.set(value, isOver && (goes.get(value) ?? true))
    }
  }
  return [...goes].flatMap(([value, isOver]) => (isOver ? [value] : []))
}

/** By the clock of each namespace; while what decides is away nobody knows them. */
async function requireAhead(
  decide: Pick<DecideRemote, 'namespaces'>,
  untilUs: number,
): Promise<void> {
  let clocks: number[]
  try {
    const all = await decide.namespaces()
    clocks = all.flatMap(({ nowUs, policies }) =>
      nowUs === null || policies.length === 0 ? [] : [nowUs],
    )
  } catch (error) {
    if (!isAssayError(error)) throw error
    return
  }
  if (clocks.length === 0 || clocks.some((nowUs) => nowUs < untilUs)) return
  const now = formatTimestamp(Math.min(...clocks))
  throw decisionErrors.list_values_invalid(
    `The end ${formatTimestamp(untilUs)} is over: it is ${now} by the clock of the events. Give a later one, or none.`,
  )
}

function requirePerson({ actor: { name, kind } }: ChangeBy): void {
  if (kind !== 'person') throw decisionErrors.change_by_script(`${name} is a ${kind}.`)
}

function checkValues(values: readonly string[]): void {
  const unseen = values.findIndex((value) => !isOneLine(value))
  if (unseen >= 0) {
    throw decisionErrors.list_values_invalid(
      `Value ${unseen + 1}, ${JSON.stringify(values[unseen].slice(0, 50))}, has a control character.`,
    )
  }
  const wrong = values.find((value) => value === '' || value.length > VALUE_LENGTH_MAX)
  if (values.length === 0 || values.length > LIST_VALUES_MAX || wrong !== undefined) {
    throw decisionErrors.list_values_invalid(
      wrong === undefined
        ? `There are ${values.length} values; send 1 to ${LIST_VALUES_MAX}.`
        : `A value of ${wrong.length} characters; each has 1 to ${VALUE_LENGTH_MAX}.`,
    )
  }
}

/** Values may be of people: the log gets their number and hash, the order itself has them. */
function auditDetails(of: ChangeOf): Record<string, unknown> {
  if (of.kind === 'rule') return { rule: of.rule, policy: of.policy, to: of.change }
  const { list, change, values, untilUs } = of
  return { list, to: change, values: values.length, valuesHash: contentHash(values), untilUs }
}
