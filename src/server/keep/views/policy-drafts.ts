import type { Identity as KnownIdentity } from '../../../access/index.ts'
import {
  APPROVALS_NEEDED,
  bindingOf,
  decisionErrors,
  differenceOf,
  partsOf,
  type BacktestReport,
  type KeptDraft,
  type PolicyChange,
  type PolicyParts as KeptParts,
} from '../../../decisions/index.ts'
import { monotonicUs } from '../../../lib/clock.ts'
import { DAY_US } from '../../../lib/time.ts'
import type { Draft, Ordered, PolicyParts, PolicyWork, Trial } from '../../contract/index.ts'
import { onAir } from '../bank.ts'
import type { Handlers } from '../handlers.ts'
import { count, identityView, plural, time } from '../present.ts'
import type { Rooms } from '../rooms.ts'
import { failingRulesView } from './failing-rules.ts'

const DRAFTS_SHOWN = 50
const FAILURES_SHOWN_US = 30 * DAY_US

type People = ReadonlyMap<string, KnownIdentity>

export function draftViews(
  rooms: Rooms,
): Pick<
  Handlers,
  | 'policyWork'
  | 'pauseRule'
  | 'resumeRule'
  | 'answerChange'
  | 'checkDraft'
  | 'tryDraft'
  | 'newDraft'
  | 'draft'
  | 'saveDraft'
  | 'actOnDraft'
  | 'answerDraft'
> {
  const { drafts, policyDesk, access } = rooms
  const people = async () => new Map((await access.identities()).map((each) => [each.id, each]))
  const view = async (draft: KeptDraft, identity: KnownIdentity) =>
    draftView(draft, await people(), drafts.obstacle(draft, identity) ?? null)
  /** A draft is addressed under its own policy. */
  const draftAt = async ({ policy, draft }: { policy: string; draft: string }) => {
    const kept = await drafts.draft(draft)
    if (kept.policy === policy) return kept
    throw decisionErrors.draft_not_found(`Policy "${policy}" has no draft ${draft}.`)
  }

  return {
    async policyWork({ params, identity }): Promise<PolicyWork> {
      const { policy } = params
      const document = await rooms.livePolicy(policy)
      const base = await drafts.base(policy)
      const { namespace, nowUs } = await onAir(rooms)
      const [known, kept, paused, waiting, failing] = await Promise.all([
        people(),
        drafts.drafts(policy, DRAFTS_SHOWN),
        policyDesk.paused(namespace, policy),
        policyDesk.waiting(),
        rooms.decisions.failingRules({
          namespace,
          policy,
          policyVersion: document.policy.version,
          fromUs: nowUs - FAILURES_SHOWN_US,
          untilUs: nowUs + 1,
        }),
      ])
      const asked = waiting.flatMap((change) =>
        change.of.kind === 'rule' && change.of.policy === policy
          ? [{ ...change, rule: change.of.rule }]
          : [],
      )
      const declared = rooms.project()?.policies.find(({ name }) => name === policy)
      const isKept = (await drafts.keptPolicy(policy)) !== undefined
      return {
        policy,
        version: base.version,
        parts: partsView(partsOf(base)),
        columns: document.source.columns.map(({ name, kind }) => ({ name, kind })),
        features: document.featureSets.flatMap((set) => set.features.map(({ name }) => name)),
        paused: paused.map(({ rule, actor, reason, atUs }) => ({
          rule,
          by: identityView(known.get(actor), actor),
          byItself: actor === 'assay',
          reason,
          at: time(atUs),
          resume: asked.find((change) => change.rule === rule)?.id ?? null,
        })),
        failing: await failingRulesView(rooms, { namespace, policy }, failing),
        waiting: asked.map(({ id, rule, actorId, reason, atUs }) => ({
          id,
          rule,
          by: identityView(known.get(actorId), actorId),
          reason,
          at: time(atUs),
          yours: actorId === identity.id,
        })),
        drafts: kept.map((draft) => rowView(draft, known)),
        declared: isKept && declared !== undefined ? differenceOf(base, declared) : [],
      }
    },

    pauseRule: async ({ params, body, identity }) =>
      orderedView(await policyDesk.pauseRule(params, { actor: identity, reason: body.reason })),
    resumeRule: async ({ params, body, identity }) =>
      orderedView(await policyDesk.proposeResume(params, { actor: identity, reason: body.reason })),
    async answerChange({ params, body, identity }) {
      const by = { actor: identity, reason: body.reason }
      const { change } = params
      return orderedView(
        body.action === 'confirm'
          ? await policyDesk.confirm(change, by)
          : await policyDesk.withdraw(change, by),
      )
    },

    async checkDraft({ params, body }) {
      const { mistakes, results, differences } = await drafts.check(params.policy, {
        parts: partsIn(body.parts),
        tests: body.tests,
      })
      return {
        mistakes: mistakes.map((mistake) => ({ ...mistake })),
        results: results.map((result) => ({ ...result, rules: [...result.rules] })),
        differences: [...differences],
      }
    },
    async tryDraft({ params, body }): Promise<Trial> {
      const startedUs = monotonicUs()
      const { namespace } = await onAir(rooms)
      const report = await rooms.tryPolicy(params.policy, partsIn(body.parts), namespace)
      return trialView(report, (monotonicUs() - startedUs) / 1000)
    },
    async newDraft({ params, body, identity }) {
      const { tests, reason } = body
      const { policy } = params
      const parts = partsIn(body.parts)
      return view(
        await drafts.save({ policy, parts, tests }, { actor: identity, reason }),
        identity,
      )
    },
    draft: async ({ params, identity }) => view(await draftAt(params), identity),
    async saveDraft({ params, body, identity }) {
      await draftAt(params)
      const { tests, reason, binds } = body
      const parts = partsIn(body.parts)
      const request = { policy: params.policy, id: params.draft, parts, tests, binds }
      return view(await drafts.save(request, { actor: identity, reason }), identity)
    },
    async actOnDraft({ params, body, identity }) {
      await draftAt(params)
      const by = { actor: identity, reason: body.reason }
      const acts = {
        shadow: drafts.shadow,
        propose: drafts.propose,
        withdraw: drafts.withdraw,
      } as const
      return view(await acts[body.action](params.draft, by), identity)
    },
    async answerDraft({ params, body, identity }) {
      await draftAt(params)
      const request = { id: params.draft, ...body }
      return view(await drafts.giveVerdict(request, identity.id), identity)
    },
  }
}

/** The schema knows a declared choice of a threshold by its kind alone; drafts compare it whole. */
function partsIn(parts: PolicyParts): KeptParts {
  return parts as KeptParts
}

function partsView(parts: ReturnType<typeof partsOf>): PolicyParts {
  return structuredClone(parts) as unknown as PolicyParts
}

function rowView(draft: KeptDraft, known: People): PolicyWork['drafts'][number] {
  const { id, policy, state, body, history, updatedAtUs } = draft
  const last = history.at(-1)
  const author = draft.authors[0] ?? 'system'
  return {
    id,
    policy,
    state,
    version: body.version,
    by: identityView(known.get(author), author),
    reason: last?.reason ?? '',
    updatedAt: time(updatedAtUs),
    sentence: standing(draft),
  }
}

function standing({ state, verdicts, results, history, base, body, shadow }: KeptDraft): string {
  const failed = results.filter(({ passed }) => !passed).length
  const given = verdicts.filter(({ verdict }) => verdict === 'approve').length
  switch (state) {
    case 'draft':
      if (history.at(-1)?.act === 'shadow-ended')
        return `Its shadow ended: ${history.at(-1)?.reason}`
      return failed > 0
        ? `${plural(failed, 'test')} of ${results.length} does not hold`
        : `${plural(differenceOf(base, body).length, 'change')}, not proposed yet`
    case 'shadow':
      return 'Its rules run in shadow, and answer nothing'
    case 'proposed':
      return `${given} of ${APPROVALS_NEEDED} approvals by people who did not write it${shadow === null ? '' : '; its rules run in shadow'}`
    case 'approved':
      return 'Approved, on its way to traffic'
    default: {
      const last = history.at(-1)
      return last === undefined ? state : `${last.actorName}: ${last.reason}`
    }
  }
}

function draftView(draft: KeptDraft, known: People, obstacle: string | null): Draft {
  const { body, base, tests, results, evidence, verdicts, history } = draft
  const person = (id: string) => identityView(known.get(id), id)
  return {
    ...rowView(draft, known),
    parts: partsView(partsOf(body)),
    tests: structuredClone(tests) as Draft['tests'],
    results: results.map((result) => ({ ...result, rules: [...result.rules] })),
    differences: differenceOf(base, body),
    evidence,
    binds: bindingOf({ ...draft, version: body.version }),
    verdicts: verdicts.map(({ actorId, verdict, reason, atUs }) => {
      return { by: person(actorId), verdict, reason, at: time(atUs) }
    }),
    needed: APPROVALS_NEEDED,
    obstacle,
    history: history.map(({ act, actorId, reason, atUs, version, changes }) => {
      return { act, by: person(actorId), reason, at: time(atUs), version, changes: [...changes] }
    }),
  }
}

/** `done` and `idle` are how many values changed the list, and how many stood so already. */
export function orderedView(
  { id, state, of }: PolicyChange,
  counted?: { readonly done: number; readonly idle: number },
): Ordered {
  const put = counted?.done ?? (of.kind === 'list' ? of.values.length : 0)
  const rest =
    counted !== undefined && counted.idle > 0 && of.kind === 'list'
      ? `; ${plural(counted.idle, 'value')} ${of.change === 'add' ? 'on it already, with this end and reason now' : 'not on it'}`
      : ''
  const what =
    of.kind === 'list'
      ? `${plural(put, 'value')} ${of.change === 'add' ? 'put on' : 'taken off'} ${of.list}`
      : `${of.rule} ${of.change === 'pause' ? 'is paused' : 'goes on'}`
  const sentences = {
    proposed: 'Proposed; another person has to confirm it',
    ordered: `${what} as soon as decisions can be reached${rest}`,
    told: `${what}, from the next decision on${rest}`,
    failed: 'It was refused',
    withdrawn: 'Withdrawn',
  } as const
  return { id, state, sentence: sentences[state] }
}

function trialView(report: BacktestReport, tookMs: number): Trial {
  const { events, draft, before, rules, changed, moves } = report
  const tallies = ({ outcomes }: typeof draft) => ({
    allow: outcomes.allow.n,
    review: outcomes.review.n,
    decline: outcomes.decline.n,
  })
  const differ = Object.entries(moves).reduce(
    (sum, [from, to]) =>
      sum + Object.entries(to).reduce((all, [into, { n }]) => all + (from === into ? 0 : n), 0),
    0,
  )
  return {
    sentence:
      events.n === 0
        ? 'Nothing was decided yet to try it on.'
        : `${count(differ)} of the last ${count(events.n)} decisions would be answered otherwise.`,
    events: events.n,
    before: tallies(before),
    draft: tallies(draft),
    rules: rules.map(({ name, fired, adds }) => ({
      name,
      fired: fired.n,
      positives: fired.positives,
      labelled: fired.positives + fired.negatives,
      alone: adds.n,
    })),
    changed: changed.slice(0, 50).map((each) => ({
      eventId: each.eventId,
      before: each.before,
      draft: each.draft,
      rules: [...each.rules],
    })),
    tookMs,
  }
}
