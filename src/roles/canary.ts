// Looks after challengers: goes up a canary's steps once each was held long enough with enough decisions,
// and withdraws a challenger that a guard has had enough of, or whose version may not take part any more.
// Only ever less traffic than two people agreed on, or the next step that they did.
import { systemActor } from '../access/index.ts'
import type { ChallengerReads } from '../decisions/index.ts'
import type { Governance } from '../governance/index.ts'
import { isAssayError } from '../lib/errors.ts'
import type { Clock } from '../lib/clock.ts'
import {
  compareLive,
  compareShadow,
  trippedGuards,
  type ChallengerFigures,
} from '../monitoring/index.ts'
import {
  documentsOf,
  type ChallengerTraffic,
  type Deployment,
  type Deployments,
} from '../serving/index.ts'
import type { Deployer } from './deployer.ts'

export interface CanaryPorts {
  readonly serving: Pick<Deployments, 'history'>
  readonly governance: Pick<Governance, 'standing'>
  readonly decisions: ChallengerReads
  readonly deployer: Pick<Deployer, 'endChallenger' | 'advanceChallenger'>
  readonly clock: Clock
  /** The namespace whose traffic counts: the one on air. */
  readonly namespace: () => Promise<string>
}

/** Guards judge a challenger's newest answers: what was good for weeks must not hide what is bad now. */
const RECENT = 1000
/** As many of the champion's answers in the same time are looked at. */
const CHAMPIONS_MAX = 5000
const MINUTE_US = 60_000_000

/** Looks once at every challenger of every policy. */
export function createCanary(ports: CanaryPorts): { look(): Promise<void> } {
  const { serving, governance, decisions, deployer, clock } = ports

  async function figuresOf(challenger: ChallengerTraffic, deployments: readonly string[]) {
    const { name, mode, guards } = challenger
    const limit = Math.max(RECENT, guards.minDecisions)
    const query = { namespace: await ports.namespace(), deployments, limit }
    if (mode === 'shadow') {
      return compareShadow(await decisions.shadowsUnder({ ...query, challenger: name }))
    }
    const ours = await decisions.answeredUnder({ ...query, by: name })
    const since = ours[limit - 1]?.sequence ?? 0
    const champions = await decisions.answeredUnder({ ...query, by: null, limit: CHAMPIONS_MAX })
    const theirs = champions.filter(({ sequence }) => sequence >= since)
    return compareLive([...ours, ...theirs], challenger)
  }

  /** Whether so many events fell to it under these documents. */
  async function hasTaken(name: string, deployments: readonly string[], limit: number) {
    const query = { namespace: await ports.namespace(), deployments, limit, by: name }
    return (await decisions.answeredUnder(query)).length >= limit
  }

  /** Why it must not go on; undefined where it may. */
  async function troubleWith(
    challenger: ChallengerTraffic,
    figures: ChallengerFigures,
  ): Promise<string | undefined> {
    const standing = await governance.standing(challenger.model, challenger.version)
    const isOut = standing.state === 'refused' || standing.state === 'gate-failed'
    if (isOut) return standing.message
    const tripped = trippedGuards(figures, challenger.guards)
    return tripped.length === 0 ? undefined : tripped.join(' ')
  }

  async function lookAt(
    { policy }: Deployment,
    challenger: ChallengerTraffic,
    history: readonly Deployment[],
  ): Promise<void> {
    const { name } = challenger
    const figures = await figuresOf(challenger, documentsOf(history, challenger))
    const trouble = await troubleWith(challenger, figures)
    if (trouble !== undefined) {
      const by = { actor: systemActor, reason: `Withdrawn by its guards. ${trouble}` }
      return deployer.endChallenger({ policy, name, action: 'withdraw' }, by)
    }
    const { steps = [], step, stepFromUs } = challenger
    if (step === undefined || stepFromUs === undefined || step + 1 >= steps.length) return
    const heldMinutes = (clock.nowUs() - stepFromUs) / MINUTE_US
    const { holdMinutes, minDecisions } = steps[step]
    if (heldMinutes < holdMinutes) return
    const lived = documentsOf(history, challenger, step)
    if (!(await hasTaken(name, lived, minDecisions))) return
    const reason = `Step ${step + 1} was held for ${Math.floor(heldMinutes)} minutes with ${minDecisions} decisions or more, and no guard tripped.`
    await deployer.advanceChallenger(policy, name, { actor: systemActor, reason })
  }

  return {
    async look() {
      const history = await serving.history()
      for (const live of history.filter(({ toUs }) => toUs === undefined)) {
        for (const challenger of live.challengers ?? []) {
          try {
            await lookAt(
              live,
              challenger,
              history.filter((each) => each.policy === live.policy),
            )
          } catch (error) {
            // A person was faster, or `decide` is restarting: the next look finds how it stands then.
            if (!isAssayError(error, 'challenger_unknown', 'peer_unavailable')) throw error
          }
        }
      }
    },
  }
}
