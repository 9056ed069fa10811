// Back-tests: asked for here, run in `work`, read from what it keeps.
import type { Identity } from '../../../access/index.ts'
import { sayBacktest, type DeployedPolicy } from '../../../decisions/index.ts'
import { defineErrors } from '../../../lib/errors.ts'
import { parseTimestamp } from '../../../lib/time.ts'
import type { BacktestState, BacktestSummary, KeptBacktest } from '../../../pipelines/index.ts'
import type { Backtest, BacktestResult } from '../../contract/index.ts'
import type { Handlers } from '../handlers.ts'
import { identityView, moneyText, time } from '../present.ts'
import type { Rooms } from '../rooms.ts'

const errors = defineErrors({
  backtest_not_found: {
    status: 404,
    title: 'There is no such back-test',
    action: 'Choose one from the list of the policy; only the newest are kept.',
  },
  backtest_ended: {
    status: 409,
    title: 'The back-test has ended already',
    action: 'Look at what it came to; nothing is left to be stopped.',
  },
  backtest_period_invalid: {
    status: 422,
    title: 'This is no period',
    action: 'Give times from 1684 to 2255 in ISO 8601, and let the end lie after the beginning.',
  },
})

type BacktestHandlers = Pick<
  Handlers,
  'backtests' | 'startBacktest' | 'cancelBacktest' | 'backtestResult'
>

export function backtestViews(rooms: Rooms): BacktestHandlers {
  const people = async () =>
    new Map((await rooms.access.identities()).map((each) => [each.id, each] as const))
  return {
    async backtests({ params }) {
      const [known, states, kept] = await Promise.all([
        people(),
        rooms.backtests.states(),
        rooms.backtests.list(),
      ])
      const unkept = states.filter(
        ({ asked, state }) => asked.policy === params.policy && state !== 'done',
      )
      return {
        items: [
          ...unkept.map((each) => stateView(each, known)),
          ...kept
            .filter(({ policy }) => policy === params.policy)
            .map((each) => keptView(each, known)),
        ],
      }
    },

    async startBacktest({ params, body, identity }) {
      const { policy } = params
      const { draft: id, from, to, over, modelVersion } = body
      const [fromUs, toUs] = [instant(from), instant(to)]
      if (fromUs !== null && toUs !== null && toUs <= fromUs) {
        throw errors.backtest_period_invalid(`${to} does not lie after ${from}.`)
      }
      const draft = id === undefined ? undefined : await rooms.drafts.draft(id)
      if (draft !== undefined && draft.policy !== policy) {
        throw errors.backtest_not_found(`${id} is a draft of ${draft.policy}, not of ${policy}.`)
      }
      if (modelVersion !== undefined) {
        const { model } = await rooms.livePolicy(policy)
        await rooms.registry.version(model.name, modelVersion)
      }
      const asked = {
        policy,
        title: draft === undefined ? 'The live policy' : `Draft ${draft.body.version.slice(0, 8)}`,
        ...(draft && { draft: draft.body }),
        fromUs,
        toUs,
        over,
        modelVersion,
      }
      const by = { actor: identity, reason: `Back-test of ${policy}` }
      return { id: await rooms.backtests.start(asked, by) }
    },

    async cancelBacktest({ params }) {
      if (!(await rooms.backtests.cancel(params.backtest))) {
        throw errors.backtest_ended(`${params.backtest} neither runs nor waits.`)
      }
      return { sentence: 'Stopped; nothing is kept of it.' }
    },

    async backtestResult({ params }) {
      const kept = await rooms.backtests.kept(params.hash)
      if (kept === undefined || kept.evidence.policy !== params.policy) {
        throw errors.backtest_not_found(`Nothing is kept under ${params.hash}.`)
      }
      return resultView(kept, await rooms.livePolicy(params.policy))
    },
  }
}

/** Null where none is given. */
function instant(text: string | undefined): number | null {
  if (text === undefined) return null
  const us = parseTimestamp(text)
  if (us !== undefined) return us
  throw errors.backtest_period_invalid(`${text} is no time from 1684 to 2255.`)
}

type People = ReadonlyMap<string, Identity>

function stateView(backtest: BacktestState, people: People): Backtest {
  const { id, asked, state, progress, secondsLeft, askedAtUs, actor, problem, hash } = backtest
  return {
    id,
    title: asked.title,
    state,
    by: identityView(people.get(actor), actor),
    at: time(askedAtUs),
    ...periodView(asked),
    progress: progress && { ...progress, secondsLeft },
    problem,
    hash,
    version: null,
    sentence: null,
  }
}

function keptView(kept: BacktestSummary, people: People): Backtest {
  const { hash, title, actor, atUs, period, draft, events, changed } = kept
  const many = (n: number) => n.toLocaleString('en-US')
  return {
    id: hash,
    title,
    state: 'done',
    by: identityView(people.get(actor), actor),
    at: time(atUs),
    ...periodView(period),
    progress: null,
    problem: null,
    hash,
    version: draft.policy,
    sentence: `${many(changed)} of ${many(events)} events answered otherwise`,
  }
}

function periodView({ fromUs, toUs }: { fromUs: number | null; toUs: number | null }) {
  // A list must show whatever is kept: an instant that is none is shown as left open.
  const shown = (us: number | null) => (Number.isSafeInteger(us) ? time(us!) : null)
  return { from: shown(fromUs), to: shown(toUs) }
}

function resultView(
  { hash, seconds, evidence }: KeptBacktest,
  { source, policy }: DeployedPolicy,
): BacktestResult {
  const { report, over, namespace = null } = evidence
  const column = source.columns.find(({ kind }) => kind === 'money')
  const { currency, exponent } = column?.kind === 'money' ? column : { currency: null, exponent: 0 }
  const money = (minor: number) =>
    currency === null ? 'no money' : moneyText(minor, currency, exponent)
  const { fromUs, toUs, days, changed, ...rest } = report
  return {
    sentence: sayBacktest(report, money),
    hash,
    over: over.kind,
    namespace,
    currency,
    exponent,
    capacity: policy.reviewCapacityPerDay,
    seconds,
    ...periodView({ fromUs, toUs }),
    ...(rest as unknown as Pick<BacktestResult, 'draft'> & typeof rest),
    rules: report.rules.map((rule) => ({ ...rule, overlap: { ...rule.overlap } })),
    days: days.map(({ startUs, ...day }) => ({ at: time(startUs), ...day })),
    changed: changed.map(({ eventTimeUs, rules, ...event }) => {
      return { ...event, eventTime: time(eventTimeUs), rules: [...rules] }
    }),
  }
}
