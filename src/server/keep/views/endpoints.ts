import { may, type Identity } from '../../../access/index.ts'
import {
  documentsOf,
  leftBehind,
  usualGuards,
  type ChallengerSpec,
  type ChallengerTraffic,
  type Deployment,
  type Proposal,
} from '../../../serving/index.ts'
import { compareLive, compareShadow, trippedGuards } from '../../../monitoring/index.ts'
import { defineErrors } from '../../../lib/errors.ts'
import { DAY_US } from '../../../lib/time.ts'
import type {
  BodyOf,
  ChallengerView,
  Endpoint,
  Permission,
  ProposalView,
} from '../../contract/index.ts'
import { keyColumns, onAir } from '../bank.ts'
import type { Handlers } from '../handlers.ts'
import { identityView, plural, ref, time, timeOrNull, verdict, versionRef } from '../present.ts'
import type { Rooms } from '../rooms.ts'
import { comparedFigures, comparisonView } from './comparison.ts'
import { liveOrNone } from './policy.ts'

const errors = defineErrors({
  endpoint_unknown: {
    status: 404,
    title: 'No such policy answers traffic',
    action: 'See Endpoints for those that do.',
  },
})

/** The newest answers of either side that a comparison rests on. */
const COMPARED_MAX = 5000
const HISTORY_MAX = 100
const CANDIDATES_MAX = 30

const yes: Permission = { allowed: true, reason: null }
const no = (reason: string): Permission => ({ allowed: false, reason })

type Names =
  | 'endpoints'
  | 'comparisons'
  | 'endpoint'
  | 'proposeChallenger'
  | 'endChallenger'
  | 'suspendModel'
  | 'proposeResume'
  | 'confirmProposal'
  | 'withdrawProposal'

export function endpointViews(rooms: Rooms): Pick<Handlers, Names> {
  const { serving, challengers, decisions, governance, registry, access } = rooms
  const people = async () => new Map((await access.identities()).map((each) => [each.id, each]))

  async function challengerView(
    policy: string,
    challenger: ChallengerTraffic,
    history: readonly Deployment[],
  ): Promise<ChallengerView> {
    const { name, mode, guards, fromUs, step, stepFromUs } = challenger
    const deployments = documentsOf(history, challenger)
    const { namespace } = await onAir(rooms)
    const query = { namespace, deployments, limit: COMPARED_MAX }
    const figures =
      mode === 'live'
        ? compareLive(
            [
              ...(await decisions.answeredUnder({ ...query, by: name })),
              ...(await decisions.answeredUnder({ ...query, by: null })),
            ],
            challenger,
          )
        : compareShadow(await decisions.shadowsUnder({ ...query, challenger: name }))
    const tests = await rooms.challengerTests.of(policy, challenger, namespace)
    const tripped = trippedGuards(figures, guards)
    const { n } = figures.challenger
    return {
      ...declaredView(challenger),
      since: time(fromUs),
      step: step === undefined ? null : step + 1,
      stepSince: timeOrNull(stepFromUs),
      health:
        tripped.length > 0
          ? verdict('alert', tripped.join(' '))
          : n < guards.minDecisions
            ? verdict('no-data', `${n} of ${guards.minDecisions} answers that a judgement needs.`)
            : verdict('ok', `No guard has tripped over ${plural(n, 'answer')}.`),
      comparison: comparisonView(figures, tests),
    }
  }

  async function proposalView(
    proposal: Proposal,
    identity: Identity,
    known: ReadonlyMap<string, Identity>,
  ): Promise<ProposalView> {
    const { id, kind, closed, proposedBy, state } = proposal
    const obstacle =
      state === 'open' ? await challengers.obstacle(proposal, identity.id) : 'It is closed.'
    const mayChange = may(identity, 'deploy')
    return {
      id,
      kind,
      sentence: proposalSentence(proposal),
      challenger: proposal.kind === 'challenge' ? declaredView(proposal.challenger) : null,
      by: identityView(known.get(proposedBy), proposedBy),
      reason: proposal.reason,
      at: time(proposal.atUs),
      state,
      closed: closed
        ? {
            by: identityView(known.get(closed.identityId), closed.identityId),
            reason: closed.reason,
            at: time(closed.atUs),
          }
        : null,
      confirm: obstacle === undefined ? yes : no(obstacle),
      withdraw: mayChange ? yes : no('Only an administrator withdraws a proposal.'),
    }
  }

  /** Versions that may challenge, newest first. */
  async function candidatesOf({ model, version }: Deployment): Promise<Endpoint['candidates']> {
    const versions = (await registry.versions(model)).slice(0, CANDIDATES_MAX)
    const found = await Promise.all(
      versions.map(async (each) => {
        if (each.version === version || each.brought !== undefined) return []
        const standing = await governance.standing(model, each.version)
        if (standing.gate?.passed !== true || standing.state === 'refused') return []
        const live = standing.state === 'approved'
        return [{ version: versionRef(model, each.version), number: each.version, live }]
      }),
    )
    return found.flat()
  }

  /** Of the policy as it decides now, over the last day of events. */
  async function failingSentence(policy: string): Promise<string | undefined> {
    const { namespace, nowUs } = await onAir(rooms)
    const policyVersion = (await liveOrNone(rooms, policy))?.policy.version
    const range = { fromUs: nowUs - DAY_US, untilUs: nowUs + 1 }
    const [first, ...others] = await decisions.failingRules({
      namespace,
      policy,
      policyVersion,
      ...range,
    })
    if (first === undefined) return undefined
    const more = others.length === 0 ? '' : ` (and ${plural(others.length, 'more rule')})`
    return `Rule ${first.rule}${more} could not be calculated on ${plural(first.n, 'event')} of the last day.`
  }

  async function summaryOf(current: Deployment) {
    const { policy, model, version, challengers: beside = [] } = current
    const suspension = (await challengers.suspensions()).find((each) => each.policy === policy)
    const proposals = await challengers.proposals(policy)
    const open = proposals.filter(({ state }) => state === 'open')
    const isSuspended = suspension?.suspended === true
    const failing = await failingSentence(policy)
    const words = beside.length === 0 ? 'alone' : `beside ${plural(beside.length, 'challenger')}`
    return {
      suspension: isSuspended ? suspension : undefined,
      proposals,
      summary: {
        policy: ref('policy', policy),
        champion: versionRef(model, version),
        challengers: beside.length,
        proposals: open.length,
        verdict: isSuspended
          ? verdict('alert', `Its champion is suspended: ${suspension.reason}`)
          : failing !== undefined
            ? verdict('alert', failing)
            : open.length > 0
              ? verdict(
                  'warning',
                  `${plural(open.length, 'proposal')} waiting for a second person.`,
                )
              : verdict('ok', `${model} version ${version} answers ${words}.`),
      },
    }
  }

  async function endpointView(policy: string, identity: Identity): Promise<Endpoint> {
    const current = await serving.current(policy)
    if (current === undefined) throw errors.endpoint_unknown(`Nothing answers ${policy}.`)
    const known = await people()
    const history = await serving.history(policy)
    const { summary, proposals, suspension } = await summaryOf(current)
    const rollbackTo = await serving.rollbackTarget({ policy })
    const { challengers: beside = [], lastGood } = current
    const taken = beside.filter(({ mode }) => mode === 'live')
    const views = await Promise.all(proposals.map((each) => proposalView(each, identity, known)))
    const mayDeploy = may(identity, 'deploy')
      ? yes
      : no('Only an administrator changes who answers traffic.')
    const also = (obstacle: string | undefined) =>
      mayDeploy.allowed && obstacle !== undefined ? no(obstacle) : mayDeploy
    return {
      ...summary,
      championShare: Math.max(0, 1 - taken.reduce((sum, { share }) => sum + share, 0)),
      sticky: current.sticky ?? null,
      lastGood: lastGood === undefined ? null : versionRef(lastGood.model, lastGood.version),
      suspended:
        suspension === undefined
          ? null
          : {
              by: identityView(known.get(suspension.actorId), suspension.actorId),
              reason: suspension.reason,
              at: time(suspension.atUs),
            },
      traffic: await Promise.all(beside.map((each) => challengerView(policy, each, history))),
      open: views.filter(({ state }) => state === 'open'),
      closed: views.filter(({ state }) => state !== 'open'),
      history: history.slice(0, HISTORY_MAX).map((each, index) => ({
        at: time(each.fromUs),
        action: each.action,
        sentence: changeSentence(each, history[index + 1]),
        by: identityView(known.get(each.actorId), each.actorId),
        reason: each.reason,
      })),
      candidates: await candidatesOf(current),
      rollbackTo: rollbackTo ? versionRef(rollbackTo.model, rollbackTo.version) : null,
      usualGuards,
      may: {
        propose: mayDeploy,
        end: mayDeploy,
        suspend: also(suspension && 'It is suspended already.'),
        resume: also(suspension ? undefined : 'It is not suspended.'),
        rollBack: also(rollbackTo ? undefined : 'No earlier deployment was approved.'),
      },
    }
  }

  async function specOf(policy: string, body: BodyOf<'proposeChallenger'>) {
    const current = await serving.current(policy)
    if (current === undefined) throw errors.endpoint_unknown(`Nothing answers ${policy}.`)
    const { version, mode, steps, when, guards } = body
    const spec: ChallengerSpec = {
      name: body.name ?? `v${version}`,
      model: body.model ?? current.model,
      version,
      mode,
      share: body.share ?? steps?.[0]?.share ?? (mode === 'shadow' ? 1 : 0.05),
      ...(when !== undefined && { when }),
      ...(steps !== undefined && { steps }),
      guards: { ...usualGuards, ...guards },
    }
    return spec
  }

  /** The first key column of the policy's source. */
  async function usualSticky(policy: string): Promise<string> {
    return keyColumns((await rooms.livePolicy(policy)).source).customer ?? ''
  }

  return {
    async endpoints() {
      const live = (await serving.history()).filter(({ toUs }) => toUs === undefined)
      const items = await Promise.all(live.map(async (each) => (await summaryOf(each)).summary))
      return { items }
    },
    async comparisons({ query: { policy, name } }) {
      const live = (await serving.history(policy)).filter(({ toUs }) => toUs === undefined)
      const items = live.map(async (of) => {
        const asked = (of.challengers ?? []).filter(
          (each) => name === undefined || each.name === name,
        )
        const history = asked.length === 0 ? [] : await serving.history(of.policy)
        const views = asked.map((each) => challengerView(of.policy, each, history))
        return (await Promise.all(views)).flatMap((view) => comparedFigures(of.policy, view))
      })
      return { items: (await Promise.all(items)).flat() }
    },
    endpoint: ({ params, identity }) => endpointView(params.policy, identity),
    async proposeChallenger({ params: { policy }, body, identity }) {
      const challenger = await specOf(policy, body)
      const sticky = body.sticky ?? (await usualSticky(policy))
      await challengers.propose({ policy, challenger, sticky }, identity.id, body.reason)
      return endpointView(policy, identity)
    },
    async endChallenger({ params, body, identity }) {
      const by = { actor: identity, reason: body.reason }
      await rooms.endChallenger({ ...params, action: 'end' }, by)
      return endpointView(params.policy, identity)
    },
    async suspendModel({ params: { policy }, body, identity }) {
      await rooms.suspendModel(policy, { actor: identity, reason: body.reason })
      return endpointView(policy, identity)
    },
    async proposeResume({ params: { policy }, body, identity }) {
      await challengers.proposeResume(policy, identity.id, body.reason)
      return endpointView(policy, identity)
    },
    async confirmProposal({ params, body, identity }) {
      await rooms.confirmProposal(params.proposal, identity.id, body.reason)
      return endpointView(params.policy, identity)
    },
    async withdrawProposal({ params, body, identity }) {
      await challengers.withdraw(params.proposal, identity.id, body.reason)
      return endpointView(params.policy, identity)
    },
  }
}

function declaredView({ name, model, version, mode, share, when, steps, guards }: ChallengerSpec) {
  return {
    name,
    version: versionRef(model, version),
    mode,
    share,
    when: when ?? null,
    steps: (steps ?? []).map((step) => ({ ...step })),
    guards: { ...guards },
  }
}

function percent(share: number): string {
  return `${Number((share * 100).toFixed(2))} %`
}

function challengerWords({ model, version, mode, share, when }: ChallengerSpec): string {
  const where =
    mode === 'live' ? `on ${percent(share)} of traffic` : `in shadow of ${percent(share)}`
  return `${model} version ${version} ${where}${when === undefined ? '' : `, where ${when}`}`
}

function proposalSentence(proposal: Proposal): string {
  return proposal.kind === 'resume'
    ? 'Ask the suspended champion again'
    : `Try ${challengerWords(proposal.challenger)}`
}

function changeSentence(now: Deployment, before: Deployment | undefined): string {
  const { action, model, version, challengers = [] } = now
  const beside = challengers.map(challengerWords).join('; ') || 'no challenger'
  const left = leftBehind(before, now).map(({ name }) => name)
  const ended = left.length === 0 ? '' : `; ${left.join(', ')} ended with the champion before`
  switch (action) {
    case 'deploy':
      return before?.model === model && before.version === version
        ? `${model} version ${version} decides by another policy${ended}`
        : `${model} version ${version} became champion${ended}`
    case 'rollback':
      return `Back to ${model} version ${version}${ended}`
    case 'challenge':
      return `A challenger began: ${beside}`
    case 'advance':
      return `A canary’s next step: ${beside}`
    case 'end':
      return `A challenger was ended; there is ${beside}`
    case 'withdraw':
      return `A challenger was withdrawn by itself; there is ${beside}`
    case 'shadow':
      return 'Rules of a draft run in shadow beside it'
    case 'unshadow':
      return 'No draft runs in shadow beside it any more'
  }
}
