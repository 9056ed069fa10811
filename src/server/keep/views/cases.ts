// The review queue: cases, what people do with them, and who has one open.
import { may, type Identity } from '../../../access/index.ts'
import { decisionErrors, type CaseGroup, type CaseGroupQuery } from '../../../decisions/index.ts'
import { AssayError } from '../../../lib/errors.ts'
import { DAY_US } from '../../../lib/time.ts'
import type { BulkAnswer, Case, Cases } from '../../contract/index.ts'
import { keyColumns, onAir } from '../bank.ts'
import { serverErrors } from '../errors.ts'
import type { Call, Handlers } from '../handlers.ts'
import { identityView, plural, time, timeOrNull, verdict } from '../present.ts'
import type { Rooms } from '../rooms.ts'
import { caseEvidence } from './case-evidence.ts'
import { caseView, type People } from './case-view.ts'

/** Who looks at a case says so every 15 seconds; after two missed times they have left. */
const VIEWER_GONE_US = 30_000_000
/** Alerts that a case shows; a case of more says how many there are. */
const ALERTS_IN_LIST = 20
const ALERTS_SHOWN = 200

export function caseViews(
  rooms: Rooms,
): Pick<
  Handlers,
  | 'cases'
  | 'case'
  | 'caseEvidence'
  | 'openCase'
  | 'giveVerdict'
  | 'undoVerdict'
  | 'correctVerdict'
  | 'answerProposal'
  | 'assignCase'
  | 'noteCase'
  | 'viewCase'
  | 'leaveCase'
  | 'bulkVerdict'
  | 'bulkUndo'
  | 'bulkAssign'
> {
  const { cases } = rooms
  const presence = createPresence(rooms)
  const oneCase = async (caseId: string, { id: you }: Identity): Promise<Case> => {
    const group = await groupOrFail(rooms, caseId)
    const [alerts, history, people, { nowUs }] = await Promise.all([
      rooms.decisions.groupAlerts([group.id], ALERTS_SHOWN),
      rooms.decisions.groupHistory(group.id),
      peopleOf(rooms),
      onAir(rooms),
    ])
    const seen = { group, alerts: alerts.get(group.id) ?? [], history }
    return caseView(rooms, seen, { people, you, nowUs, viewers: presence.of(group.id, you) })
  }
  /** An act on one case, answered with the case as it is then. */
  const acted = async (act: Promise<unknown>, caseId: string, identity: Identity) => {
    await act
    return oneCase(caseId, identity)
  }
  return {
    cases: (call) => queue(rooms, presence, call),
    case: ({ params, identity }) => oneCase(params.caseId, identity),
    caseEvidence: async ({ params }) =>
      caseEvidence(rooms, await groupOrFail(rooms, params.caseId)),
    async openCase({ body, identity }) {
      const { namespace, nowUs: atUs } = await onAir(rooms)
      const { policy, eventId, reason = 'Asked for by a person' } = body
      const by = identity.id
      const opened = await cases.open({ namespace, policy, eventId, by, reason, atUs })
      return oneCase(opened.id, identity)
    },
    giveVerdict: ({ params: { caseId }, body, identity }) =>
      acted(cases.close({ caseId, by: identity.id, ...body }), caseId, identity),
    undoVerdict: ({ params: { caseId }, identity }) =>
      acted(cases.undo({ caseId, by: identity.id }), caseId, identity),
    correctVerdict: ({ params: { caseId }, body, identity }) =>
      acted(cases.correct({ caseId, by: identity.id, ...body }), caseId, identity),
    answerProposal({ params: { caseId }, body: { answer, reason }, identity }) {
      const by = identity.id
      if (answer === 'confirm') {
        return acted(cases.confirm({ caseId, by, reason }), caseId, identity)
      }
      if (reason === undefined || reason.trim().length < 3) {
        throw serverErrors.request_invalid('reason: say why you turn it down.')
      }
      return acted(cases.turnDown({ caseId, by, reason }), caseId, identity)
    },
    async assignCase({ params: { caseId }, body, identity }) {
      const to = await workerOf(rooms, body.to, identity)
      const { reason } = body
      return acted(cases.assign({ caseId, by: identity.id, to, reason }), caseId, identity)
    },
    noteCase: ({ params: { caseId }, body, identity }) =>
      acted(cases.note({ caseId, by: identity.id, text: body.text }), caseId, identity),
    async viewCase({ params, identity }) {
      const { id } = await groupOrFail(rooms, params.caseId)
      return { viewers: presence.came(id, identity) }
    },
    async leaveCase({ params, identity }) {
      const { id } = await groupOrFail(rooms, params.caseId)
      return { viewers: presence.left(id, identity) }
    },
    ...bulkActs(rooms),
  }
}

async function groupOrFail(rooms: Rooms, caseId: string): Promise<CaseGroup> {
  const group = await rooms.decisions.group(caseId)
  if (group !== undefined) return group
  // An alert that came in this second is in no case yet.
  await rooms.cases.gather()
  const again = await rooms.decisions.group(caseId)
  if (again === undefined) throw decisionErrors.case_not_found(`There is no case ${caseId}.`)
  return again
}

async function peopleOf({ access }: Rooms): Promise<People> {
  return new Map((await access.identities()).map((each) => [each.id, each]))
}

async function queue(
  rooms: Rooms,
  presence: Presence,
  { query, identity }: Call<'cases'>,
): Promise<Cases> {
  const { decisions } = rooms
  const { namespace, nowUs } = await onAir(rooms)
  const asked = queueQuery(rooms, query, { namespace, nowUs, you: identity.id })
  const wallUs = rooms.clock.nowUs()
  const [page, figures, ofAlerts, people] = await Promise.all([
    decisions.groups(asked),
    decisions.groupFigures(namespace, { nowUs, assignee: identity.id }),
    decisions.caseFigures(namespace, wallUs - (wallUs % DAY_US)),
    peopleOf(rooms),
  ])
  const ids = page.rows.map(({ id }) => id)
  const alerts = await decisions.groupAlerts(ids, ALERTS_IN_LIST)
  const perDay = await rooms.reviewCapacity()
  return {
    items: await Promise.all(
      page.rows.map((group) =>
        caseView(
          rooms,
          { group, alerts: alerts.get(group.id) ?? [], history: [] },
          { people, you: identity.id, nowUs, viewers: presence.of(group.id, identity.id) },
        ),
      ),
    ),
    next: page.next,
    total: page.total,
    capacity: {
      perDay,
      ...figures,
      decidedToday: ofAlerts.closedSince,
      oldestOpenedAt: timeOrNull(ofAlerts.oldestOpenedAtUs),
      verdict: queueVerdict(ofAlerts.open, perDay),
    },
    workers: [...people.values()]
      .filter((each) => each.kind === 'person' && may(each, 'work-cases'))
      .map((each) => identityView(each, each.id)),
  }
}

function queueQuery(
  rooms: Rooms,
  query: Call<'cases'>['query'],
  at: { readonly namespace: string; readonly nowUs: number; readonly you: string },
): CaseGroupQuery {
  const columns = keyColumns(rooms.project()?.sources[0])
  const status = query.status ?? 'open'
  const keys = {
    ...(query.customer !== undefined &&
      columns.customer !== undefined && { [columns.customer]: query.customer }),
    ...(query.terminal !== undefined &&
      columns.terminal !== undefined && { [columns.terminal]: query.terminal }),
  }
  const { assignee } = query
  return {
    namespace: at.namespace,
    status: status === 'all' ? undefined : status,
    assignee: assignee === 'none' ? null : assignee === 'me' ? at.you : assignee,
    dueBeforeUs: query.overdue === undefined ? undefined : at.nowUs,
    waiting: query.waiting === undefined ? undefined : true,
    verdict: query.verdict,
    text: query.text,
    keys: Object.keys(keys).length === 0 ? undefined : keys,
    order: query.order,
    limit: query.limit,
    after: query.cursor,
  }
}

/** Whom a case is given to; refused where that is nobody who works on cases. */
async function workerOf(
  rooms: Rooms,
  to: string | null,
  identity: Identity,
): Promise<string | null> {
  if (to === null) return null
  if (to === 'me') return identity.id
  const known = (await peopleOf(rooms)).get(to)
  if (known !== undefined && may(known, 'work-cases')) return known.id
  throw serverErrors.request_invalid(`to: ${to} is nobody who may work on cases.`)
}

function bulkActs(rooms: Rooms): Pick<Handlers, 'bulkVerdict' | 'bulkUndo' | 'bulkAssign'> {
  const { cases } = rooms
  return {
    async bulkVerdict({ body: { caseIds, verdict: given, reason }, identity }) {
      const by = identity.id
      const answer = await eachCase(caseIds, (caseId) =>
        cases.close({ caseId, verdict: given, by, reason }),
      )
      const last = answer.done.at(-1)
      const group = last === undefined ? undefined : await groupOrFail(rooms, last)
      const alerts = group && (await rooms.decisions.groupAlerts([group.id], ALERTS_SHOWN))
      const due = group && alerts?.get(group.id)?.at(-1)?.case.labelDueUs
      const became = group?.proposal == null ? 'closed' : 'waiting for a second person'
      return { ...answer, undoUntil: timeOrNull(due), sentence: bulkSentence(answer, became) }
    },
    async bulkUndo({ body, identity }) {
      const answer = await eachCase(body.caseIds, (caseId) =>
        cases.undo({ caseId, by: identity.id }),
      )
      return { ...answer, undoUntil: null, sentence: bulkSentence(answer, 'open again') }
    },
    async bulkAssign({ body: { caseIds, to, reason }, identity }) {
      const worker = await workerOf(rooms, to, identity)
      const answer = await eachCase(caseIds, (caseId) =>
        cases.assign({ caseId, to: worker, by: identity.id, reason }),
      )
      const became = worker === null ? 'given back to the queue' : 'handed over'
      return { ...answer, undoUntil: null, sentence: bulkSentence(answer, became) }
    },
  }
}

/** Each case is checked alone; one that refuses leaves the others. */
async function eachCase(
  caseIds: readonly string[],
  act: (caseId: string) => Promise<unknown>,
): Promise<Pick<BulkAnswer, 'done' | 'refused'>> {
  const done: string[] = []
  const refused: { caseId: string; detail: string }[] = []
  for (const caseId of caseIds) {
    try {
      await act(caseId)
      done.push(caseId)
    } catch (error) {
      if (!(error instanceof AssayError)) throw error
      refused.push({ caseId, detail: error.detail })
    }
  }
  return { done, refused }
}

function bulkSentence(
  { done, refused }: Pick<BulkAnswer, 'done' | 'refused'>,
  became: string,
): string {
  const left = refused.length === 0 ? '' : ` ${plural(refused.length, 'case')} left as they were.`
  return `${plural(done.length, 'case')} ${became}.${left}`
}

export function queueVerdict(open: number, perDay: number | null) {
  if (open === 0) return verdict('ok', 'Nothing waits for review.')
  if (perDay === null) return verdict('ok', `${plural(open, 'payment')} to review.`)
  return open <= perDay
    ? verdict('ok', `${plural(open, 'payment')} to review, within a day’s capacity of ${perDay}.`)
    : verdict(
        'warning',
        `${plural(open, 'payment')} to review, more than a day’s capacity of ${perDay}.`,
      )
}

type Presence = ReturnType<typeof createPresence>

/** Who has which case open: in memory, because it is over when the process is. */
function createPresence({ clock }: Rooms) {
  const looking = new Map<
    string,
    Map<string, { identity: Identity; sinceUs: number; seenUs: number }>
  >()
  const of = (caseId: string, you: string) => {
    const now = clock.nowUs()
    const here = looking.get(caseId)
    for (const [id, viewer] of here ?? []) {
      if (now - viewer.seenUs > VIEWER_GONE_US) here?.delete(id)
    }
    if (here?.size === 0) looking.delete(caseId)
    return [...(here?.values() ?? [])].map(({ identity, sinceUs }) => ({
      identity: identityView(identity, identity.id),
      since: time(sinceUs),
      you: identity.id === you,
    }))
  }
  return {
    of,
    came(caseId: string, identity: Identity) {
      const now = clock.nowUs()
      const here = looking.get(caseId) ?? new Map()
      looking.set(caseId, here)
      const before = here.get(identity.id)
      here.set(identity.id, { identity, sinceUs: before?.sinceUs ?? now, seenUs: now })
      return of(caseId, identity.id)
    },
    left(caseId: string, identity: Identity) {
      looking.get(caseId)?.delete(identity.id)
      return of(caseId, identity.id)
    },
  }
}
