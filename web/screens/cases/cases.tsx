/** The review queue: read, say fraud (F), genuine (G) or can't tell (C), and take it back in ten seconds (U). */
import { useNavigate, useParams } from '@tanstack/react-router'
import { useEffect, useRef, useState } from 'react'
import type { Case, CaseVerdictValue, Cases } from '../../../src/server/contract/index.ts'
import { useAsk } from '../../client/queries.ts'
import { pick, useView } from '../../client/view.ts'
import { count, plural } from '../../parts/figures.ts'
import { ChoiceFilter, ExportLinks, SelectFilter, TextFilter } from '../../parts/filters.tsx'
import { useKeys } from '../../parts/keys.ts'
import { PageLink, Panel, ScreenHead } from '../../parts/layout.tsx'
import { Answered, Empty } from '../../parts/states.tsx'
import { useCaseActs } from './acts.ts'
import { Bulk } from './bulk.tsx'
import { Ahead, CaseDetail, NoteDialog } from './case-detail.tsx'
import { CaseList, QueueKeys } from './case-list.tsx'
import { useStill } from './still.ts'

const filters = [
  'status',
  'assignee',
  'overdue',
  'waiting',
  'verdict',
  'customer',
  'terminal',
  'text',
  'order',
] as const

/** What the head of the page covers, with a little air. */
const HEADER_PX = 62
/** As many as one bulk act takes. */
const SHOWN_MAX = 200

export default function CasesScreen() {
  const params = useParams({ strict: false }) as Record<string, string | undefined>
  const { view, change } = useView()
  const navigate = useNavigate()
  const query = { ...pick(view, filters), limit: SHOWN_MAX }
  const answer = useAsk('cases', { query: query as never }, { every: 4_000, keepPrevious: true })
  const still = useStill(answer.data?.items ?? [], JSON.stringify(query))
  const rows = still.shown
  const at = view.at ?? params.caseId
  const [marked, setMarked] = useState<ReadonlySet<string>>(new Set())
  const [noting, setNoting] = useState<string>()
  const [asked, ask] = useState<CaseVerdictValue>()
  const select = (id: string | undefined) => {
    if (params.caseId === undefined) change({ at: id })
    else void navigate({ to: '/cases', search: { ...view, at: id } } as never)
  }
  // An address may name an alert, which the list knows as part of its case.
  const named = rows.find((row) => row.id === at || row.alerts.some(({ id }) => id === at))
  const current = named ?? (at === undefined ? rows[0] : undefined)
  const unmark = () => setMarked(new Set())
  const acts = useCaseActs({ rows, current, select, marked, unmark })
  const writeNote = () => setNoting(current?.id ?? at)
  const mark = (id: string) => {
    const next = new Set(marked)
    if (!next.delete(id)) next.add(id)
    setMarked(next)
  }
  const markAll = () => setMarked(new Set(rows.map(({ id }) => id)))
  const { showAll } = still
  // The keys that are heard first win.
  useMarkedKeys({ any: marked.size > 0, acts, ask, markAll, unmark })
  useQueueKeys({ rows, current, select, acts, mark, writeNote, showAll })
  const shown = current?.id ?? at
  const detail = useTopOf(shown)
  const workers = answer.data?.workers ?? []
  const next = rows[rows.findIndex(({ id }) => id === current?.id) + 1]
  return (
    <>
      <Head capacity={answer.data?.capacity} />
      <Filters capacity={answer.data?.capacity} />
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
              <Panel
                flush
                title={plural(data.total, 'case')}
                aside={
                  <span className="queue-aside">
                    {still.waiting === 0 ? null : (
                      <button type="button" className="new-rows" onClick={showAll}>
                        {count(still.waiting)} more came in: show <kbd>R</kbd>
                      </button>
                    )}
                    <ExportLinks name="cases" query={query as never} />
                  </span>
                }
              >
                <CaseList
                  rows={rows}
                  selected={current?.id}
                  select={(row) => select(row.id)}
                  marked={marked}
                  mark={mark}
                />
              </Panel>
              <div ref={detail}>
                {shown === undefined ? null : (
                  <CaseDetail
                    caseId={shown}
                    known={current}
                    acts={{ ...acts, writeNote }}
                    workers={workers}
                  />
                )}
                {next === undefined ? null : <Ahead one={next} />}
              </div>
            </div>
          )
        }
      </Answered>
      {marked.size === 0 ? null : (
        <Bulk
          marked={marked.size}
          acts={acts}
          workers={workers}
          verdict={asked}
          setVerdict={ask}
          unmark={unmark}
          markAll={markAll}
        />
      )}
      <NoteDialog caseId={noting} close={() => setNoting(undefined)} />
    </>
  )
}

/** The next case is read from its top, where its verdict is given, however far the last was read. */
function useTopOf(shown: string | undefined) {
  const detail = useRef<HTMLDivElement>(null)
  const before = useRef(shown)
  useEffect(() => {
    if (before.current === shown) return
    before.current = shown
    const above = (detail.current?.getBoundingClientRect().top ?? 0) - HEADER_PX
    if (above < 0) window.scrollBy(0, above)
  }, [shown])
  return detail
}

/** With cases marked, the keys of verdicts ask about all of them. */
function useMarkedKeys({
  any,
  acts,
  ask,
  markAll,
  unmark,
}: {
  readonly any: boolean
  readonly acts: ReturnType<typeof useCaseActs>
  readonly ask: (verdict: CaseVerdictValue) => void
  readonly markAll: () => void
  readonly unmark: () => void
}) {
  useKeys({
    X: markAll,
    ...(any && {
      f: () => ask('fraud'),
      g: () => ask('genuine'),
      c: () => ask('unsure'),
      a: () => acts.bulkAssign('me'),
      Escape: unmark,
    }),
  })
}

function useQueueKeys({
  rows,
  current,
  select,
  acts,
  mark,
  writeNote,
  showAll,
}: {
  readonly rows: readonly Case[]
  readonly current: Case | undefined
  readonly select: (id: string) => void
  readonly acts: ReturnType<typeof useCaseActs>
  readonly mark: (id: string) => void
  readonly writeNote: () => void
  readonly showAll: () => void
}) {
  const step = (by: number) => {
    const index = rows.findIndex((row) => row.id === current?.id)
    const next = rows[Math.min(rows.length - 1, Math.max(0, index + by))]
    if (next !== undefined) select(next.id)
  }
  useKeys({
    j: () => step(1),
    k: () => step(-1),
    f: () => acts.give('fraud'),
    g: () => acts.give('genuine'),
    c: () => acts.give('unsure'),
    u: () => acts.undo(),
    a: () => acts.assign('me'),
    n: writeNote,
    x: () => current !== undefined && mark(current.id),
    r: showAll,
    '/': () => document.querySelector<HTMLInputElement>('.filters input')?.focus(),
  })
}

function Head({ capacity }: { readonly capacity: Cases['capacity'] | undefined }) {
  if (capacity === undefined) return <ScreenHead title="Review queue" />
  const { open, overdue, decidedToday, perDay } = capacity
  const late = overdue === 0 ? '' : `, ${count(overdue)} overdue`
  const day = perDay === null ? '' : `, capacity ${count(perDay)} a day`
  return (
    <ScreenHead
      title="Review queue"
      verdict={capacity.verdict}
      note={`${plural(open, 'open case')}${late}; ${plural(decidedToday, 'alert')} decided today${day}. A verdict becomes a label after ten seconds.`}
      actions={<PageLink to="/calls">A customer calls</PageLink>}
    />
  )
}

function Filters({ capacity }: { readonly capacity: Cases['capacity'] | undefined }) {
  const titled = (title: string, n: number | undefined) =>
    n === undefined || n === 0 ? title : `${title} ${count(n)}`
  return (
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
      <ChoiceFilter
        name="assignee"
        title="Who has it"
        choices={[
          { value: undefined, title: 'Anybody' },
          { value: 'me', title: titled('Mine', capacity?.mine) },
          { value: 'none', title: titled('Nobody', capacity?.unassigned) },
        ]}
      />
      <ChoiceFilter
        name="overdue"
        title="Due"
        choices={[
          { value: undefined, title: 'Any time' },
          { value: 'yes', title: titled('Overdue', capacity?.overdue) },
        ]}
      />
      {(capacity?.waiting ?? 0) === 0 ? null : (
        <ChoiceFilter
          name="waiting"
          title="Second person"
          choices={[
            { value: undefined, title: 'All' },
            { value: 'yes', title: titled('Wait for a yes', capacity?.waiting) },
          ]}
        />
      )}
      <SelectFilter
        name="order"
        title="Most at risk first"
        choices={[
          { value: 'due', title: 'Due first' },
          { value: 'oldest', title: 'Oldest first' },
          { value: 'newest', title: 'Newest first' },
          { value: 'score', title: 'Highest score first' },
          { value: 'amount', title: 'Largest amount first' },
        ]}
      />
      <TextFilter name="customer" title="Customer" width={90} />
      <TextFilter name="terminal" title="Terminal" width={90} />
      <TextFilter name="text" title="Number or reason" width={130} />
      <QueueKeys />
    </div>
  )
}
