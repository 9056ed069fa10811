import { decisionErrors, type CaseEvent, type CaseWithDecision } from '../../../decisions/index.ts'
import { AssayError } from '../../../lib/errors.ts'
import { DAY_US } from '../../../lib/time.ts'
import type { BulkAnswer, Case } from '../../contract/index.ts'
import type { Identity } from '../../../access/index.ts'
import { keyColumns, onAir } from '../bank.ts'
import type { Handlers } from '../handlers.ts'
import { identityView, plural, time, timeOrNull, verdict } from '../present.ts'
import type { Rooms } from '../rooms.ts'
import { rowView } from './decisions.ts'

/** Who looks at a case says so every 15 seconds; after two missed times they have left. */
const VIEWER_GONE_US = 30_000_000

export function caseViews(
  rooms: Rooms,
): Pick<
  Handlers,
  | 'cases'
  | 'case'
  | 'openCase'
  | 'giveVerdict'
  | 'undoVerdict'
  | 'correctVerdict'
  | 'viewCase'
  | 'leaveCase'
  | 'bulkVerdict'
  | 'bulkUndo'
> {
  const { decisions, cases, access, clock } = rooms
  const viewers = new Map<
    string,
    Map<string, { identity: Identity; sinceUs: number; seenUs: number }>
  >()
  const people = async () => new Map((await access.identities()).map((each) => [each.id, each]))
  type People = Awaited<ReturnType<typeof people>>

  const viewersOf = (caseId: string, you: string) => {
    const now = clock.nowUs()
    const looking = viewers.get(caseId)
    for (const [id, viewer] of looking ?? []) {
      if (now - viewer.seenUs > VIEWER_GONE_US) looking?.delete(id)
    }
    if (looking?.size === 0) viewers.delete(caseId)
    return [...(looking?.values() ?? [])].map(({ identity, sinceUs }) => ({
      identity: identityView(identity, identity.id),
      since: time(sinceUs),
      you: identity.id === you,
    }))
  }

  const caseView = (
    found: CaseWithDecision,
    history: readonly CaseEvent[],
    known: People,
    you: string,
  ): Case => {
    const { case: row, decision } = found
    return {
      id: row.id,
      status: row.status,
      openedAt: time(row.openedAtUs),
      decision: rowView(rooms, decision),
      verdict:
        row.verdict === null || row.by === null || row.atUs === null
          ? null
          : {
              value: row.verdict,
              by: identityView(known.get(row.by), row.by),
              at: time(row.atUs),
              reason: row.reason,
              undoUntil: timeOrNull(row.labelDueUs),
              corrected: row.corrected,
            },
      history: history.map((event) => ({
        at: time(event.atUs),
        by: identityView(known.get(event.by), event.by),
        sentence: eventInWords(event),
      })),
      viewers: viewersOf(row.id, you),
    }
  }

  const caseOrFail = async (caseId: string): Promise<CaseWithDecision> => {
    const found = await decisions.case(caseId)
    if (found === undefined) throw decisionErrors.case_not_found(`There is no case ${caseId}.`)
    return found
  }

  const oneCase = async (caseId: string, identity: Identity): Promise<Case> => {
    const found = await caseOrFail(caseId)
    return caseView(found, await decisions.caseHistory(caseId), await people(), identity.id)
  }

  const eachCase = async (
    caseIds: readonly string[],
    act: (caseId: string) => Promise<unknown>,
  ): Promise<Pick<BulkAnswer, 'done' | 'refused'>> => {
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

  return {
    async cases({ query, identity }) {
      const { namespace } = await onAir(rooms)
      const columns = keyColumns(rooms.project()?.sources[0])
      const status = query.status ?? 'open'
      const keys = {
        ...(query.customer !== undefined &&
          columns.customer !== undefined && { [columns.customer]: query.customer }),
        ...(query.terminal !== undefined &&
          columns.terminal !== undefined && { [columns.terminal]: query.terminal }),
      }
      const now = clock.nowUs()
      const [page, figures, known] = await Promise.all([
        decisions.cases({
          namespace,
          status: status === 'all' ? undefined : status,
          verdict: query.verdict,
          text: query.text,
          keys: Object.keys(keys).length === 0 ? undefined : keys,
          order: query.order ?? 'score',
          limit: query.limit,
          after: query.cursor,
        }),
        decisions.caseFigures(namespace, now - (now % DAY_US)),
        people(),
      ])
      const perDay = rooms.project()?.policies[0]?.reviewCapacityPerDay ?? null
      return {
        items: page.rows.map((row) => caseView(row, [], known, identity.id)),
        next: page.next,
        total: page.total,
        capacity: {
          perDay,
          open: figures.open,
          decidedToday: figures.closedSince,
          oldestOpenedAt: timeOrNull(figures.oldestOpenedAtUs),
          verdict: queueVerdict(figures.open, perDay),
        },
      }
    },
    case: ({ params, identity }) => oneCase(params.caseId, identity),
    async openCase({ body, identity }) {
      const { namespace } = await onAir(rooms)
      const opened = await cases.open({
        namespace,
        policy: body.policy,
        eventId: body.eventId,
        by: identity.id,
        reason: body.reason ?? 'Asked for by a person',
      })
      return oneCase(opened.id, identity)
    },
    async giveVerdict({ params, body, identity }) {
      await cases.giveVerdict({
        caseId: params.caseId,
        verdict: body.verdict,
        by: identity.id,
        reason: body.reason,
      })
      return oneCase(params.caseId, identity)
    },
    async undoVerdict({ params, identity }) {
      await cases.undo({ caseId: params.caseId, by: identity.id })
      return oneCase(params.caseId, identity)
    },
    async correctVerdict({ params, body, identity }) {
      await cases.correct({
        caseId: params.caseId,
        verdict: body.verdict,
        by: identity.id,
        reason: body.reason,
      })
      return oneCase(params.caseId, identity)
    },
    async viewCase({ params, identity }) {
      await caseOrFail(params.caseId)
      const now = clock.nowUs()
      const looking = viewers.get(params.caseId) ?? new Map()
      viewers.set(params.caseId, looking)
      const before = looking.get(identity.id)
      looking.set(identity.id, { identity, sinceUs: before?.sinceUs ?? now, seenUs: now })
      return { viewers: viewersOf(params.caseId, identity.id) }
    },
    async leaveCase({ params, identity }) {
      viewers.get(params.caseId)?.delete(identity.id)
      if (viewers.get(params.caseId)?.size === 0) viewers.delete(params.caseId)
      return { viewers: viewersOf(params.caseId, identity.id) }
    },
    async bulkVerdict({ body, identity }) {
      const answer = await eachCase(body.caseIds, (caseId) =>
        cases.giveVerdict({ caseId, verdict: body.verdict, by: identity.id, reason: body.reason }),
      )
      const last = answer.done.at(-1)
      const undoUntil = last === undefined ? null : (await caseOrFail(last)).case.labelDueUs
      return {
        ...answer,
        undoUntil: timeOrNull(undoUntil),
        sentence: bulkSentence(answer, 'closed'),
      }
    },
    async bulkUndo({ body, identity }) {
      const answer = await eachCase(body.caseIds, (caseId) =>
        cases.undo({ caseId, by: identity.id }),
      )
      return { ...answer, undoUntil: null, sentence: bulkSentence(answer, 'open again') }
    },
  }
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

function eventInWords({ action, verdict: given, reason }: CaseEvent): string {
  const value = given ?? ''
  const because = reason === null ? '' : `: ${reason}`
  switch (action) {
    case 'verdict':
      return `Reviewed as ${value}${because}.`
    case 'undo':
      return 'The verdict was taken back.'
    case 'correct':
      return `Corrected to ${value}${because}.`
    case 'label-sent':
      return 'The verdict became a label.'
    case 'label-refused':
      return `The verdict did not become a label${because}. Correct the verdict to send it again.`
  }
}
