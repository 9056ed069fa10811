import { matches, type DecisionRow, type Outcome } from '../../../decisions/index.ts'
import { outcomeRates } from '../../../monitoring/index.ts'
import type { LiveDecisions } from '../../contract/index.ts'
import { LIVE, newestNamespace } from '../bank.ts'
import { serverErrors } from '../errors.ts'
import type { Handlers } from '../handlers.ts'
import { time } from '../present.ts'
import type { Rooms } from '../rooms.ts'
import { filterOf, rowView } from './decisions.ts'
import { outcomeRateView } from './outcome-rates.ts'

/** Beyond what a person reads at once; those left out are among the decisions. */
const ROWS_MAX = 200
const RATE_US = 10_000_000
const SHARES_US = 300_000_000

export function liveViews(rooms: Rooms): Pick<Handlers, 'liveDecisions'> {
  return {
    async liveDecisions({ query: { after, ...query } }): Promise<LiveDecisions> {
      const place = after === undefined ? undefined : readPlace(after)
      const [newest, filter, { rows: all, isAll }] = await Promise.all([
        newestNamespace(rooms),
        filterOf(rooms, query),
        rooms.arrivals.look(),
      ])
      // While what decides is away nobody knows what is on air: it stays what it was.
      const namespace = query.namespace ?? newest?.namespace ?? place?.namespace ?? LIVE
      const here = all.filter((row) => row.namespace === namespace)
      // Another namespace is on air now: what is shown begins anew.
      const from = place?.namespace === namespace ? place.sequence : 0
      const since = here.filter(({ sequence }) => sequence > from)
      const matching = since.filter((row) => matches(row, { ...filter, namespace }))
      const shown = matching.slice(-ROWS_MAX).toReversed()
      const through = Math.max(from, here.at(-1)?.sequence ?? 0)
      return {
        place: `${namespace}:${through}`,
        namespace,
        items: shown.map((row) => rowView(rooms, row)),
        left: matching.length - shown.length,
        isWhole: isAll || from === 0 || since.length < here.length,
        pace: await paceOf(rooms, here, query.policy),
      }
    },
  }
}

function readPlace(text: string): { namespace: string; sequence: number } {
  const [, namespace, sequence] = /^(.+):(\d{1,15})$/.exec(text) ?? []
  if (namespace === undefined) {
    throw serverErrors.request_invalid(`after: "${text}" is not the \`place\` of an answer.`)
  }
  return { namespace, sequence: Number(sequence) }
}

/** Of one policy, or of all together; then there is no normal unless there is only one. */
async function paceOf(
  rooms: Rooms,
  here: readonly DecisionRow[],
  wanted: string | undefined,
): Promise<LiveDecisions['pace']> {
  const policies = rooms.project()?.policies ?? []
  const policy = wanted ?? (policies.length === 1 ? policies[0].name : undefined)
  const deployment = policy === undefined ? undefined : await rooms.serving.current(policy)
  const reference = deployment && (await rooms.references.read(deployment.modelHash))
  const nowUs = rooms.clock.nowUs()
  const ofPolicy = here.filter((row) => wanted === undefined || row.policy === wanted)
  const recent = ofPolicy.filter(({ receivedAtUs }) => receivedAtUs > nowUs - SHARES_US)
  const lately = recent.filter(({ receivedAtUs }) => receivedAtUs > nowUs - RATE_US)
  // At a high rate all that is at hand may be younger than ten seconds.
  const oldestUs = here[0]?.receivedAtUs ?? nowUs
  const spanUs = Math.min(RATE_US, Math.max(1_000_000, nowUs - oldestUs))
  const counted = new Map<Outcome, number>()
  for (const { outcome } of recent) counted.set(outcome, (counted.get(outcome) ?? 0) + 1)
  const counts = [...counted].map(([outcome, n]) => ({ outcome, n }))
  return {
    perSecond: lately.length / (spanUs / 1_000_000),
    n: recent.length,
    since: recent.length === 0 ? null : time(recent[0].receivedAtUs),
    outcomes: outcomeRates(counts, reference?.outcomes ?? null).map(outcomeRateView),
  }
}
