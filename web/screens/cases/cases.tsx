/** The review queue: read, say fraud (F), genuine (G) or can't tell (U), and take it back in ten seconds. */
import { useNavigate, useParams } from '@tanstack/react-router'
import { useEffect, useMemo, useRef, useState } from 'react'
import type { Case, CaseVerdictValue } from '../../../src/server/contract/index.ts'
import { useAct, useAsk } from '../../client/queries.ts'
import { pick, useView } from '../../client/view.ts'
import { DataTable, type Column } from '../../parts/data-table.tsx'
import { amount, count, none, score, shortDateTime } from '../../parts/figures.ts'
import { ChoiceFilter, ExportLinks, SelectFilter, TextFilter } from '../../parts/filters.tsx'
import { useKeys } from '../../parts/keys.ts'
import { Panel, ScreenHead } from '../../parts/layout.tsx'
import { notifyFailed, notifyUndo, notify } from '../../parts/notify.tsx'
import { LabelMark } from '../../parts/outcome.tsx'
import { Answered, Empty } from '../../parts/states.tsx'
import { useTimeZone } from '../../shell/bank.ts'
import { CaseDetail } from './case-detail.tsx'

const touched = ['cases', 'case', 'overview', 'decision', 'decisions'] as const
const said = { fraud: 'Fraud', genuine: 'Genuine', unsure: 'Can’t tell' } as const

export default function CasesScreen() {
  const params = useParams({ strict: false }) as Record<string, string | undefined>
  const { view, change } = useView()
  const navigate = useNavigate()
  const query = {
    ...pick(view, ['status', 'verdict', 'customer', 'terminal', 'text', 'order']),
    limit: 500,
  }
  const answer = useAsk('cases', { query: query as never }, { every: 4_000, keepPrevious: true })
  const rows = answer.data?.items ?? []
  const at = view.at ?? params.caseId
  const [marked, setMarked] = useState<ReadonlySet<string>>(new Set())
  const select = (id: string | undefined) => {
    if (params.caseId === undefined) change({ at: id })
    else void navigate({ to: '/cases', search: { ...view, at: id } } as never)
  }
  const current = rows.find((row) => row.id === at) ?? (at === undefined ? rows[0] : undefined)
  const acts = useVerdicts(rows, current, select, marked, () => setMarked(new Set()))
  const step = (by: number) => {
    const index = rows.findIndex((row) => row.id === current?.id)
    const next = rows[Math.min(rows.length - 1, Math.max(0, index + by))]
    if (next !== undefined) select(next.id)
  }
  const mark = (id: string) => {
    const next = new Set(marked)
    if (!next.delete(id)) next.add(id)
    setMarked(next)
  }
  useKeys({
    j: () => step(1),
    k: () => step(-1),
    f: () => acts.give('fraud'),
    g: () => acts.give('genuine'),
    u: () => acts.give('unsure'),
    z: () => acts.undo(),
    x: () => current !== undefined && mark(current.id),
  })
  const capacity = answer.data?.capacity
  return (
    <>
      <ScreenHead
        title="Review queue"
        {...(capacity === undefined ? {} : { verdict: capacity.verdict })}
        {...(capacity === undefined
          ? {}
          : {
              note: `${count(capacity.open)} open, ${count(capacity.decidedToday)} decided today${capacity.perDay === null ? '' : `, capacity ${count(capacity.perDay)} a day`}. A verdict becomes a label ten seconds later and flows into live precision, recall and the next training.`,
            })}
      />
      <div className="filters">
        <ChoiceFilter
          name="status"
          title="Status"
          choices={[
            { value: undefined, title: 'Open' },
            { value: 'closed', title: 'Closed' },
            { value: 'all', title: 'All' },
          ]}
        />
        <SelectFilter
          name="order"
          title="Highest score first"
          choices={[
            { value: 'oldest', title: 'Oldest first' },
            { value: 'newest', title: 'Newest first' },
            { value: 'amount', title: 'Largest amount first' },
          ]}
        />
        <TextFilter name="customer" title="Customer" width={100} />
        <TextFilter name="terminal" title="Terminal" width={100} />
        <TextFilter name="text" title="Number or reason" width={150} />
        <span className="filters-count num">
          {count(answer.data?.total ?? 0)} cases <ExportLinks name="cases" query={query as never} />
        </span>
      </div>
      {marked.size === 0 ? null : (
        <div className="bulk" role="group" aria-label="Bulk verdict">
          <b>{marked.size} marked</b>
          {(['fraud', 'genuine', 'unsure'] as const).map((verdict) => (
            <button
              key={verdict}
              type="button"
              className="button-link"
              onClick={() => acts.bulk(verdict)}
            >
              {said[verdict]}
            </button>
          ))}
          <button type="button" className="button-link" onClick={() => setMarked(new Set())}>
            Take the marks away
          </button>
        </div>
      )}
      <Answered answer={answer} rows={10}>
        {(data) =>
          data.items.length === 0 && at === undefined ? (
            <Panel>
              <Empty
                title={view.status === undefined ? 'Nothing waits for review' : 'No case matches'}
              >
                Decisions with the outcome “review” come here by themselves.
              </Empty>
            </Panel>
          ) : (
            <div className="cases">
              <Panel flush>
                <CaseList
                  rows={data.items}
                  selected={current?.id}
                  select={(row) => select(row.id)}
                  marked={marked}
                  mark={mark}
                />
              </Panel>
              <div>
                {current === undefined && at === undefined ? null : (
                  <CaseDetail
                    caseId={current?.id ?? at ?? ''}
                    known={current}
                    give={acts.give}
                    undo={acts.undo}
                  />
                )}
              </div>
            </div>
          )
        }
      </Answered>
    </>
  )
}

/** Giving verdicts, moving on, and taking the last one back. */
function useVerdicts(
  rows: readonly Case[],
  current: Case | undefined,
  select: (id: string | undefined) => void,
  marked: ReadonlySet<string>,
  unmark: () => void,
) {
  const giving = useAct('giveVerdict', touched)
  const undoing = useAct('undoVerdict', touched)
  const bulkGiving = useAct('bulkVerdict', touched)
  const bulkUndoing = useAct('bulkUndo', touched)
  const last = useRef<readonly string[]>([])
  const undo = () => {
    const ids = last.current
    last.current = []
    const [only] = ids
    if (only === undefined) return
    const done = { onError: notifyFailed, onSuccess: () => notify('Taken back; it is open again') }
    if (ids.length === 1) undoing.mutate({ params: { caseId: only } }, done)
    else bulkUndoing.mutate({ body: { caseIds: [...ids] } }, done)
    select(only)
  }
  const give = (verdict: CaseVerdictValue) => {
    if (current === undefined || current.status === 'closed') return
    const index = rows.findIndex((row) => row.id === current.id)
    const next = rows[index + 1] ?? rows[index - 1]
    giving.mutate(
      { params: { caseId: current.id }, body: { verdict } },
      {
        onError: notifyFailed,
        onSuccess: (closed) => {
          last.current = [closed.id]
          notifyUndo(
            `${said[verdict]}: ${closed.decision.eventId}`,
            closed.verdict?.undoUntil ?? null,
            undo,
          )
        },
      },
    )
    select(next?.id)
  }
  const bulk = (verdict: CaseVerdictValue) => {
    bulkGiving.mutate(
      { body: { caseIds: [...marked], verdict } },
      {
        onError: notifyFailed,
        onSuccess: (answer) => {
          last.current = answer.done
          notifyUndo(answer.sentence, answer.undoUntil, undo)
          for (const refused of answer.refused) notify(`${refused.caseId}: ${refused.detail}`)
          unmark()
        },
      },
    )
  }
  return { give, undo, bulk }
}

function CaseList({
  rows,
  selected,
  select,
  marked,
  mark,
}: {
  readonly rows: readonly Case[]
  readonly selected: string | undefined
  readonly select: (row: Case) => void
  readonly marked: ReadonlySet<string>
  readonly mark: (id: string) => void
}) {
  const zone = useTimeZone()
  const latest = useRef(mark)
  useEffect(() => {
    latest.current = mark
  })
  const columns = useMemo(
    (): readonly Column<Case>[] => [
      {
        key: 'mark',
        title: <span className="visually-hidden">Mark</span>,
        width: '18px',
        cell: (row) => (
          <input
            type="checkbox"
            aria-label={`Mark ${row.decision.eventId}`}
            checked={marked.has(row.id)}
            onChange={() => latest.current(row.id)}
          />
        ),
      },
      {
        key: 'score',
        title: 'Score',
        width: '46px',
        align: 'right',
        cell: (row) => score(row.decision.score),
      },
      {
        key: 'amount',
        title: rows[0]?.decision.amount?.currency ?? 'Amount',
        width: '68px',
        align: 'right',
        cell: (row) => (row.decision.amount === null ? none : amount(row.decision.amount)),
      },
      {
        key: 'when',
        title: zone,
        width: 'minmax(94px, 1fr)',
        cell: (row) => shortDateTime(row.decision.eventTime, zone),
      },
      {
        key: 'state',
        title: 'State',
        width: 'minmax(88px, 96px)',
        cell: (row) =>
          row.verdict === null ? (
            <span className="quiet">
              {row.viewers
                .filter((viewer) => !viewer.you)
                .map((viewer) => viewer.identity.name)[0] ?? 'open'}
            </span>
          ) : (
            <LabelMark label={row.verdict.value} />
          ),
      },
    ],
    [marked, rows, zone],
  )
  return (
    <DataTable
      label="Cases"
      rows={rows}
      columns={columns}
      rowKey={(row) => row.id}
      selected={selected}
      onSelect={select}
    />
  )
}
