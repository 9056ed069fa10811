// What people change of policies, wired: the desk that orders, the drafts that become live, and the trial
// of a draft on the last decisions.
import {
  createPolicyDesk,
  createPolicyDrafts,
  decisionErrors,
  draftDocument,
  tryDraft,
  withParts,
  caseSettings,
  type BacktestReport,
  type CaseSettings,
  type CompiledPolicy,
  type DecideRemote,
  type DeployedPolicy,
  type DeploymentFiles,
  type DraftEvidence,
  type PolicyDesk,
  type PolicyDrafts,
  type PolicyParts,
} from '../decisions/index.ts'
import { isAssayError } from '../lib/errors.ts'
import { contentHash } from '../lib/hash.ts'
import type { Remote } from '../lib/rpc.ts'
import { DAY_US } from '../lib/time.ts'
import { championOf, type Deployment } from '../serving/index.ts'
import type { Deployer } from './deployer.ts'
import type { Metadata } from './metadata.ts'

export interface Policies {
  readonly policyDesk: PolicyDesk
  readonly drafts: PolicyDrafts
  /** The document that is live for a policy. Error: `policy_not_found`. */
  livePolicy(policy: string): Promise<DeployedPolicy>
  /** How the alerts of a policy are worked, as what is live declares it. */
  caseSettings(policy: string): Promise<CaseSettings>
  /** Reviews a day of all live policies; null where none states them. */
  reviewCapacity(): Promise<number | null>
  /** The last decisions answered again with other parts of the live policy. */
  tryPolicy(policy: string, parts: PolicyParts, namespace: string): Promise<BacktestReport>
  /** Tells what waits, sends what was approved, sweeps once a day. */
  chores(): Promise<void>
}

export interface PoliciesPorts {
  readonly metadata: Metadata
  readonly decide: Remote<DecideRemote>
  readonly documents: DeploymentFiles
  readonly deployPolicy: Deployer['deployPolicy']
  readonly runShadow: Deployer['runShadow']
  /** The namespace whose decisions a draft is tried on. */
  readonly namespace: () => Promise<string>
  /** A finished back-test of this version; undefined where there is none. */
  readonly backtestOf?: (
    version: string,
  ) => Promise<{ readonly hash: string; readonly summary: string } | undefined>
}

/** Documents that are kept read: one a policy and a little more. */
const DOCUMENTS_READ_MAX = 8

export function openPolicies(ports: PoliciesPorts): Policies {
  const { metadata, decide, deployPolicy, runShadow, namespace, backtestOf } = ports
  const { stores, unit, audit, clock, access, serving, afterReviews } = metadata
  const documents = readOnce(ports.documents)
  const ids = metadata.ids

  async function documentOf(
    policy: string,
    hashOf: (current: Deployment) => string,
  ): Promise<DeployedPolicy> {
    const current = await serving.current(policy)
    const document = current && (await documents(hashOf(current)))
    if (document === undefined)
      throw decisionErrors.policy_not_found(`No policy "${policy}" is live.`)
    return document
  }
  const livePolicy = (policy: string) => documentOf(policy, ({ document }) => document)
  const champion = (policy: string) => documentOf(policy, championOf)

  async function settingsOf(policy: string): Promise<CaseSettings> {
    try {
      return caseSettings((await champion(policy)).policy.cases)
    } catch (error) {
      // Cases outlive the deployments of a policy.
      if (isAssayError(error, 'policy_not_found')) return caseSettings(undefined)
      throw error
    }
  }

  async function reviewCapacity(): Promise<number | null> {
    const stated = (await livePolicies()).flatMap((each) => each.reviewCapacityPerDay ?? [])
    return stated.length === 0 ? null : stated.reduce((sum, perDay) => sum + perDay, 0)
  }

  async function livePolicies(): Promise<readonly CompiledPolicy[]> {
    return (await liveDocuments()).map(({ policy }) => policy)
  }

  async function liveDocuments(): Promise<readonly DeployedPolicy[]> {
    const live = (await serving.history()).filter(({ toUs }) => toUs === undefined)
    const found = await Promise.all(live.map(({ document }) => documents(document)))
    return found.flatMap((document) => (document === undefined ? [] : [document]))
  }

  async function tryPolicy(policy: string, parts: PolicyParts, within: string) {
    const live = await champion(policy)
    return tryDocument(draftDocument(live, withParts(live.policy, parts)), within)
  }

  function tryDocument(document: DeployedPolicy, within: string): Promise<BacktestReport> {
    const positiveOf = async () => {
      const policy = document.policy.name
      const { rows } = await stores.decisions.query({ namespace: within, policy, limit: 1000 })
      return new Map(
        rows.flatMap(({ eventId, label }) => (label ? [[eventId, label.positive] as const] : [])),
      )
    }
    return tryDraft(document, { decide, namespace: within, positiveOf })
  }

  const policyDesk = createPolicyDesk({
    store: stores.decisionPolicies,
    decide,
    livePolicies,
    async listColumns(list) {
      return (await liveDocuments()).flatMap(({ policy, source }) =>
        (policy.lists ?? [])
          .filter(({ name }) => name === list)
          .flatMap(({ column }) => source.columns.filter(({ name }) => name === column)),
      )
    },
    unit,
    audit,
    clock,
    ids,
    forReview: (act, by) => afterReviews.open(act, by),
  })
  const drafts = createPolicyDrafts({
    store: stores.decisionPolicies,
    access,
    unit,
    audit,
    clock,
    ids,
    live: champion,
    deploy: deployPolicy,
    runShadow,
    async evidence({ policy, body }): Promise<DraftEvidence> {
      const { version } = body
      const known = await backtestOf?.(version)
      if (known !== undefined) {
        return { kind: 'backtest', hash: known.hash, version, sentence: known.summary }
      }
      const document = draftDocument(await champion(policy), body)
      const report = await tryDocument(document, await namespace())
      return { kind: 'trial', hash: contentHash(report), version, sentence: sayTrial(report) }
    },
  })

  /** The deployment that a policy's drafts were brought to last. */
  const settled = new Map<string, string>()

  /** Looks at drafts only after what is live has changed, and after a start. */
  async function settleDrafts(): Promise<void> {
    for (const { policy, id, toUs } of await serving.history()) {
      if (toUs !== undefined || settled.get(policy) === id) continue
      await drafts.settle(policy)
      settled.set(policy, id)
    }
  }

  let sweptAtUs = 0
  return {
    policyDesk,
    drafts,
    livePolicy,
    caseSettings: settingsOf,
    reviewCapacity,
    tryPolicy,
    async chores() {
      try {
        await policyDesk.tellDue()
        await drafts.deployDue()
        await settleDrafts()
        if (clock.nowUs() - sweptAtUs < DAY_US) return
        sweptAtUs = clock.nowUs()
        await policyDesk.sweep()
      } catch (error) {
        // What decides is starting again; the next look finds it.
        if (!isAssayError(error, 'peer_unavailable')) throw error
      }
    },
  }
}

function sayTrial({ events, moves, changed }: BacktestReport): string {
  const differ = Object.entries(moves).flatMap(([before, to]) =>
    Object.entries(to).flatMap(([after, { n }]) =>
      before === after || n === 0 ? [] : [`${n} from ${before} to ${after}`],
    ),
  )
  const what = changed.length === 0 ? 'none answered otherwise' : differ.join(', ')
  return `On the last ${events.n} decisions: ${what}.`
}

/** Documents are immutable, and large. */
function readOnce({ read }: DeploymentFiles) {
  const known = new Map<string, DeployedPolicy>()
  return async (hash: string): Promise<DeployedPolicy | undefined> => {
    const document = known.get(hash) ?? (await read(hash))
    if (document === undefined) return undefined
    known.delete(hash)
    known.set(hash, document)
    const [oldest] = known.keys()
    if (known.size > DOCUMENTS_READ_MAX) known.delete(oldest)
    return document
  }
}
