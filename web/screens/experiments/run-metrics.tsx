/** Metrics of a run: last, smallest and largest value, and the curve of each. */
import { useView } from '../../client/view.ts'
import type { Run, RunMetrics } from '../../../src/server/contract/index.ts'
import { useAsk } from '../../client/queries.ts'
import { Spark } from '../../parts/charts.tsx'
import { count, intervalText, none, statistic } from '../../parts/figures.ts'
import { Panel } from '../../parts/layout.tsx'
import { WideTable, type WideColumn } from '../../parts/wide-table.tsx'
import { Answered, Empty } from '../../parts/states.tsx'
import { CurveChoices, MetricCurves } from './metric-curves.tsx'

type Metric = RunMetrics['items'][number]

export function RunMetricsPanel({ run }: { readonly run: Run }) {
  const isRunning = run.status === 'running'
  const answer = useAsk(
    'runMetrics',
    { params: { runId: run.id } },
    isRunning ? { every: 5_000 } : {},
  )
  return (
    <Answered answer={answer} rows={4}>
      {({ items, next }) => (
        <>
          <Panel
            title="Metrics"
            flush
            aside={
              items.some(({ low }) => low !== null)
                ? '95 % intervals, on test rows only'
                : undefined
            }
          >
            {items.length === 0 ? (
              <Empty title={isRunning ? 'No metrics yet' : 'This run logged no metrics'} />
            ) : (
              <MetricsTable items={items} />
            )}
            {next === null ? null : (
              <p className="chart-note files-note">
                The first {count(items.length)} of its metrics by name; the table of runs has all of
                them as columns.
              </p>
            )}
          </Panel>
          <Curve run={run} items={items} />
        </>
      )}
    </Answered>
  )
}

const precision: readonly WideColumn<Metric>[] = [
  {
    key: 'interval',
    title: '95 % interval',
    width: 140,
    align: 'right',
    cell: ({ low, high }) =>
      low === null || high === null ? none : intervalText({ low, high, level: 0.95 }),
  },
  { key: 'n', title: 'n', width: 80, align: 'right', cell: ({ n }) => count(n) },
]

function MetricsTable({ items }: { readonly items: readonly Metric[] }) {
  const { change } = useView()
  const columns: readonly WideColumn<Metric>[] = [
    {
      key: 'last',
      title: 'Last',
      width: 110,
      align: 'right',
      cell: ({ last }) => <b title={String(last)}>{last === null ? 'NaN' : statistic(last)}</b>,
    },
    // Clients say neither.
    ...(items.every(({ low, n }) => low === null && n === null) ? [] : precision),
    {
      key: 'min',
      title: 'Smallest',
      width: 110,
      align: 'right',
      cell: ({ min }) => statistic(min),
    },
    { key: 'max', title: 'Largest', width: 110, align: 'right', cell: ({ max }) => statistic(max) },
    { key: 'step', title: 'Step', width: 80, align: 'right', cell: ({ step }) => count(step) },
    {
      key: 'curve',
      title: 'Curve',
      width: 130,
      cell: ({ curve }) => <Spark values={curve} />,
    },
  ]
  return (
    <WideTable
      label="Metrics"
      rows={items}
      rowKey={({ name }) => name}
      pinned={[
        {
          key: 'name',
          title: 'Metric',
          width: 220,
          cell: ({ name, title, curve }) =>
            curve.length < 2 ? (
              <span title={name}>{title}</span>
            ) : (
              <button
                type="button"
                className="text-button"
                title={`Draw ${name}`}
                onClick={() => change({ metric: name })}
              >
                {title}
              </button>
            ),
        },
      ]}
      columns={columns}
      height="360px"
    />
  )
}

/** The curve that was asked for, else of the first metric that has one, over steps where it has those. */
function Curve({ run, items }: { readonly run: Run; readonly items: readonly Metric[] }) {
  const { view } = useView()
  const withCurve = items.filter(({ curve }) => curve.length > 1)
  const metric =
    withCurve.find(({ name }) => name === view.metric) ??
    withCurve.find(({ step }) => step > 0) ??
    withCurve[0]
  if (metric === undefined) return null
  return (
    <Panel>
      <CurveChoices />
      <MetricCurves
        ids={[run.id]}
        metric={metric.name}
        {...(run.status === 'running' ? { every: 5_000 } : {})}
      />
    </Panel>
  )
}
