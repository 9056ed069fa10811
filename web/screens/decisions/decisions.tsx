/** All decisions, filtered in the address, newest first; 100,000 rows scroll. */
import { useInfiniteQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useCallback, useMemo } from 'react'
import type { DecisionRow, DecisionsPage } from '../../../src/server/contract/index.ts'
import { call, type ProblemError } from '../../client/api.ts'
import { useAsk } from '../../client/queries.ts'
import { pick, useView, writeView } from '../../client/view.ts'
import { DataTable } from '../../parts/data-table.tsx'
import { count } from '../../parts/figures.ts'
import { ExportLinks, SelectFilter } from '../../parts/filters.tsx'
import { useKeys } from '../../parts/keys.ts'
import { PageLink, Panel, ScreenHead } from '../../parts/layout.tsx'
import { NoPolicy, useDecides } from '../../parts/no-policy.tsx'
import { Empty, Failed, Loading } from '../../parts/states.tsx'
import { useTimeZone } from '../../shell/bank.ts'
import { decisionColumns } from './columns.tsx'
import { DecisionFilters } from './filter-bar.tsx'
import { decisionAddress, decisionFilters, liveFilterKeys } from './filters.ts'

const pageSize = 300

export default function DecisionsScreen() {
  const { view, change } = useView()
  const navigate = useNavigate()
  const filters = decisionFilters(view)
  const order = view.order
  const query = { ...filters, ...(order === undefined ? {} : { order }), limit: pageSize }
  const answer = useInfiniteQuery<
    DecisionsPage,
    ProblemError,
    { pages: DecisionsPage[] },
    unknown[],
    string
  >({
    queryKey: ['decisions', 'list', query],
    queryFn: ({ pageParam, signal }) =>
      call('decisions', {
        query: { ...query, ...(pageParam === '' ? {} : { cursor: pageParam }) } as never,
        signal,
      }),
    initialPageParam: '',
    getNextPageParam: (last) => last.next ?? undefined,
    staleTime: 60_000,
    refetchOnWindowFocus: false,
  })
  const rows = useMemo(() => answer.data?.pages.flatMap((page) => page.items) ?? [], [answer.data])
  const total = answer.data?.pages[0]?.total ?? 0
  const open = useCallback(
    (row: DecisionRow) => {
      const [path = '', search = ''] = decisionAddress(row, view).split('?')
      void navigate({ to: path, search: Object.fromEntries(new URLSearchParams(search)) } as never)
    },
    [navigate, view],
  )
  const step = (by: number) => {
    const at = rows.findIndex((row) => row.eventId === view.at)
    const next = rows[Math.min(rows.length - 1, Math.max(0, at + by))]
    if (next !== undefined) change({ at: next.eventId })
  }
  useKeys({
    j: () => step(1),
    k: () => step(-1),
    Enter: () => {
      const row = rows.find((one) => one.eventId === view.at)
      if (row !== undefined) open(row)
    },
  })
  return (
    <>
      <ScreenHead
        title="Decisions"
        note={
          <span className="num" aria-live="polite">
            {count(total)} decisions <ExportLinks name="decisions" query={query as never} />
          </span>
        }
        actions={
          <>
            <PageLink to={`/decisions/live${writeView(pick(view, liveFilterKeys))}`}>Live</PageLink>
            <NewerNote
              newest={rows[0]}
              filters={filters}
              again={() => void answer.refetch()}
              order={order}
            />
          </>
        }
      />
      <div className="filters">
        <DecisionFilters />
        <SelectFilter
          name="label"
          title="Any label"
          choices={[
            { value: 'fraud', title: 'Fraud' },
            { value: 'genuine', title: 'Genuine' },
            { value: 'none', title: 'Not known yet' },
          ]}
        />
        <SelectFilter
          name="order"
          title="Newest first"
          choices={[
            { value: 'oldest', title: 'Oldest first' },
            { value: 'score', title: 'Highest score first' },
            { value: 'amount', title: 'Largest amount first' },
          ]}
        />
      </div>
      <Panel flush>
        {answer.data === undefined ? (
          answer.isError ? (
            <Failed error={answer.error} again={() => void answer.refetch()} />
          ) : (
            <Loading rows={14} />
          )
        ) : rows.length === 0 ? (
          <NoDecisions filtered={Object.keys(filters).length > 0} />
        ) : (
          <Table
            rows={rows}
            total={total}
            selected={view.at}
            open={open}
            onEnd={
              answer.hasNextPage && !answer.isFetching
                ? () => void answer.fetchNextPage()
                : undefined
            }
          />
        )}
      </Panel>
      <p className="keys-hint">
        <kbd>J</kbd> <kbd>K</kbd> move · <kbd>Enter</kbd> opens · <kbd>?</kbd> all keys
      </p>
    </>
  )
}

function NoDecisions({ filtered }: { readonly filtered: boolean }) {
  const decides = useDecides()
  if (filtered) {
    return (
      <Empty title="No decision matches">
        <PageLink to="/decisions">Take the filters away</PageLink>
      </Empty>
    )
  }
  if (!decides) return <NoPolicy />
  return (
    <Empty title="No decisions yet" command="npx assay decide payment.json">
      They appear when a policy answers its first event.
    </Empty>
  )
}

function Table({
  rows,
  total,
  selected,
  open,
  onEnd,
}: {
  readonly rows: readonly DecisionRow[]
  readonly total: number
  readonly selected: string | undefined
  readonly open: (row: DecisionRow) => void
  readonly onEnd: (() => void) | undefined
}) {
  const zone = useTimeZone()
  const { view } = useView()
  const currency = rows[0]?.amount?.currency
  const columns = useMemo(() => decisionColumns({ zone, view, currency }), [zone, view, currency])
  return (
    <DataTable
      label="Decisions"
      rows={rows}
      total={total}
      columns={columns}
      rowKey={(row) => row.eventId}
      onOpen={open}
      selected={selected}
      onEnd={onEnd}
    />
  )
}

/** New rows do not push the list about; a button offers them. */
function NewerNote({
  newest,
  filters,
  again,
  order,
}: {
  readonly newest: DecisionRow | undefined
  readonly filters: Record<string, string>
  readonly again: () => void
  readonly order: string | undefined
}) {
  const answer = useAsk('decisions', { query: { ...filters, limit: 1 } }, { every: 2_000 })
  const latest = answer.data?.items[0]
  const newer =
    order === undefined &&
    newest !== undefined &&
    latest !== undefined &&
    latest.sequence > newest.sequence
  return (
    <button type="button" className="button-link newer" disabled={!newer} onClick={again}>
      {newer ? 'Show newer decisions' : 'Up to date'}
    </button>
  )
}
