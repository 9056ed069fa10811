/** Training runs; mark two or more and compare them. */
import { useNavigate } from '@tanstack/react-router'
import { useMemo } from 'react'
import type { RunSummary } from '../../../src/server/contract/index.ts'
import { useAsk } from '../../client/queries.ts'
import { pick, useView } from '../../client/view.ts'
import { DataTable, type Column } from '../../parts/data-table.tsx'
import { dateTime, duration, none, score } from '../../parts/figures.ts'
import { ChoiceFilter, ExportLinks, TextFilter } from '../../parts/filters.tsx'
import { ObjectLink, PageLink, Panel, ScreenHead } from '../../parts/layout.tsx'
import { Answered, Empty } from '../../parts/states.tsx'
import { useTimeZone } from '../../shell/bank.ts'

export default function RunsScreen() {
  const { view, change } = useView()
  const query = pick(view, ['experiment', 'status', 'text'])
  const answer = useAsk('runs', { query: query as never }, { every: 5_000, keepPrevious: true })
  const marked = (view.marked ?? '').split(',').filter((id) => id !== '')
  const mark = (id: string) => {
    const next = marked.includes(id) ? marked.filter((one) => one !== id) : [...marked, id]
    change({ marked: next.length === 0 ? undefined : next.join(',') })
  }
  return (
    <>
      <ScreenHead
        title="Experiments"
        note="Every training run with its parameters, data, metrics and plots. Metrics are from rows that were not learnt from; each run says how they were set apart."
        actions={
          <>
            {marked.length < 2 ? (
              <span className="quiet learn-hint">Mark two or more to compare</span>
            ) : (
              <PageLink to={`/experiments/compare?ids=${marked.join(',')}`} className="button-link">
                Compare {marked.length} runs
              </PageLink>
            )}
            <PageLink to="/experiments/learn" className="button-link">
              Learn from a file
            </PageLink>
          </>
        }
      />
      <div className="filters">
        <ChoiceFilter
          name="status"
          title="Status"
          choices={[
            { value: undefined, title: 'All' },
            { value: 'running', title: 'Running' },
            { value: 'finished', title: 'Finished' },
            { value: 'failed', title: 'Failed' },
          ]}
        />
        <TextFilter name="text" title="Name or parameter" width={180} />
        <span className="filters-count num">
          {answer.data?.items.length ?? 0} runs <ExportLinks name="runs" query={query as never} />
        </span>
      </div>
      <Panel flush>
        <Answered answer={answer}>
          {({ items }) =>
            items.length === 0 ? (
              <Empty title="No runs yet" command="npx assay start --project FOLDER">
                Training a model records a run. Without a project:{' '}
                <PageLink to="/experiments/learn">learn from a file</PageLink>.
              </Empty>
            ) : (
              <Table rows={items} marked={marked} mark={mark} />
            )
          }
        </Answered>
      </Panel>
    </>
  )
}

function Table({
  rows,
  marked,
  mark,
}: {
  readonly rows: readonly RunSummary[]
  readonly marked: readonly string[]
  readonly mark: (id: string) => void
}) {
  const zone = useTimeZone()
  const navigate = useNavigate()
  const metrics = useMemo(() => leading(rows[0]?.metrics ?? []), [rows])
  const columns = useMemo(
    (): readonly Column<RunSummary>[] => [
      {
        key: 'mark',
        title: <span className="visually-hidden">Compare</span>,
        width: '18px',
        cell: (row) => (
          <input
            type="checkbox"
            aria-label={`Compare ${row.name}`}
            checked={marked.includes(row.id)}
            onChange={() => mark(row.id)}
          />
        ),
      },
      {
        key: 'name',
        title: 'Run',
        width: 'minmax(130px, 1.3fr)',
        cell: (row) => <PageLink to={`/experiments/${row.id}`}>{row.name}</PageLink>,
      },
      {
        key: 'learner',
        title: 'Learner',
        width: 'minmax(120px, 1fr)',
        from: 'middle',
        cell: (row) => row.learner,
      },
      {
        key: 'status',
        title: 'Status',
        width: '84px',
        from: 'narrow',
        cell: (row) => <span className={`status-mark is-${row.status}`}>{row.status}</span>,
      },
      ...metrics.map((metric, i): Column<RunSummary> => ({
        key: metric.name,
        title: metric.title,
        width: i === 0 ? '172px' : '118px',
        align: 'right',
        ...(i === 0 ? {} : { from: i === 1 ? ('middle' as const) : ('wide' as const) }),
        cell: (row) => {
          const estimate = row.metrics.find((one) => one.name === metric.name)?.estimate
          if (estimate === undefined) return none
          const { interval } = estimate
          return (
            <span title={`n ${estimate.n}`}>
              <b>{score(estimate.value)}</b>{' '}
              {i === 0 && interval !== null ? (
                <span className="quiet">
                  ({score(interval.low)}–{score(interval.high)})
                </span>
              ) : null}
            </span>
          )
        },
      })),
      {
        key: 'version',
        title: 'Version',
        width: '110px',
        from: 'middle',
        cell: (row) =>
          row.registeredAs === null ? (
            <span className="quiet">none</span>
          ) : (
            <ObjectLink target={row.registeredAs} />
          ),
      },
      {
        key: 'started',
        title: `Started, ${zone}`,
        width: '136px',
        from: 'wide',
        cell: (row) => dateTime(row.startedAt, zone),
      },
      {
        key: 'took',
        title: 'Took',
        width: '70px',
        align: 'right',
        from: 'wide',
        cell: (row) => duration(row.durationMs === null ? null : row.durationMs * 1000),
      },
    ],
    [marked, mark, metrics, zone],
  )
  return (
    <DataTable
      label="Runs"
      rows={rows}
      columns={columns}
      rowKey={(row) => row.id}
      onOpen={(row) => void navigate({ to: `/experiments/${row.id}` } as never)}
    />
  )
}

/** The three metrics that fit; the ones that weigh with rare events come first. */
function leading(metrics: RunSummary['metrics']): RunSummary['metrics'] {
  const first = ['average_precision', 'roc_auc']
  const rank = (name: string) => (first.includes(name) ? first.indexOf(name) : first.length)
  return metrics.toSorted((a, b) => rank(a.name) - rank(b.name)).slice(0, 3)
}
