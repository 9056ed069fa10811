import type { ComparedRuns, Estimate } from '../../../src/server/contract/index.ts'
import { useMediaQuery } from '@mantine/hooks'
import { useMemo } from 'react'
import { useAsk } from '../../client/queries.ts'
import { useView } from '../../client/view.ts'
import { count, figureOf, intervalText, none, score, statistic } from '../../parts/figures.ts'
import { ChoiceFilter } from '../../parts/filters.tsx'
import { ObjectLink, PageLink, Panel, ScreenHead } from '../../parts/layout.tsx'
import { SmallTable } from '../../parts/small-table.tsx'
import { Answered, Empty } from '../../parts/states.tsx'
import { scaleOf, Whisker, type Range } from '../../parts/whisker.tsx'
import { WideTable, type WideColumn } from '../../parts/wide-table.tsx'
import { MetricBars, ParallelChart, ScatterChart } from './compare-charts.tsx'
import { PrecisionRecallChart, RocChart } from './curves.tsx'
import { CurveChoices, MetricCurves } from './metric-curves.tsx'

export default function CompareScreen() {
  const { view } = useView()
  const ids = view.ids ?? ''
  const answer = useAsk('compareRuns', { query: { ids } }, { enabled: ids !== '' })
  if (ids === '') {
    return (
      <Empty title="No runs chosen">
        Mark two or more in <PageLink to="/experiments">Experiments</PageLink>.
      </Empty>
    )
  }
  return <Answered answer={answer}>{(data) => <Compared data={data} />}</Answered>
}

/** From so many runs on, figures stand in a table that scrolls, without the drawn intervals. */
const DRAWN_RUNS_MAX = 6

function Compared({ data }: { readonly data: ComparedRuns }) {
  const { view } = useView()
  return (
    <>
      <ScreenHead
        above={<PageLink to="/experiments">Experiments</PageLink>}
        title={`${data.runs.length} runs compared`}
        verdict={data.verdict}
      />
      <div className="filters">
        <ChoiceFilter
          name="show"
          title="Show"
          choices={[
            { value: undefined, title: 'Figures' },
            { value: 'curves', title: 'Curves' },
            { value: 'parallel', title: 'Parallel' },
            { value: 'scatter', title: 'Scatter' },
            { value: 'bars', title: 'Bars' },
          ]}
        />
      </div>
      <Shown show={view.show} data={data} />
    </>
  )
}

function Shown({ show, data }: { readonly show: string | undefined; readonly data: ComparedRuns }) {
  switch (show) {
    case 'curves':
      return <ComparedCurves data={data} />
    case 'parallel':
      return (
        <Panel>
          <ParallelChart data={data} />
        </Panel>
      )
    case 'scatter':
      return (
        <Panel>
          <ScatterChart data={data} />
        </Panel>
      )
    case 'bars':
      return (
        <Panel>
          <MetricBars data={data} />
        </Panel>
      )
    default:
      return <Figures data={data} />
  }
}

function ComparedCurves({ data }: { readonly data: ComparedRuns }) {
  const { view, change } = useView()
  const withCurve = data.metrics.filter(({ hasCurve }) => hasCurve)
  const others = data.metrics.filter(({ hasCurve }) => !hasCurve)
  const metric = view.metric ?? (withCurve[0] ?? others[0])?.name
  if (metric === undefined) return <Empty title="These runs have no metrics" />
  const isRunning = data.runs.some(({ status }) => status === 'running')
  return (
    <Panel>
      <label className="axes-choice">
        Metric{' '}
        <select
          className="filter-input"
          value={metric}
          onChange={(event) => change({ metric: event.target.value })}
        >
          {[
            { label: 'Curves', metrics: withCurve },
            { label: 'Single values', metrics: others },
          ]
            .filter(({ metrics }) => metrics.length > 0)
            .map(({ label, metrics }) => (
              <optgroup key={label} label={label}>
                {metrics.map(({ name, title }) => (
                  <option key={name} value={name}>
                    {title}
                  </option>
                ))}
              </optgroup>
            ))}
        </select>
      </label>
      {others.some(({ name }) => name === metric) ? null : <CurveChoices />}
      <MetricCurves
        ids={data.runs.map(({ id }) => id)}
        metric={metric}
        {...(isRunning ? { every: 5_000 } : {})}
      />
    </Panel>
  )
}

function Figures({ data }: { readonly data: ComparedRuns }) {
  const isDrawn = data.runs.length <= DRAWN_RUNS_MAX
  const hasCurves = data.roc.some((curve) => curve !== null)
  return (
    <div className="stack">
      {data.metrics.length === 0 ? null : isDrawn ? (
        <DrawnMetrics data={data} />
      ) : (
        <Panel title="Metrics" flush aside="The best is bold">
          <WideFigures data={data} />
        </Panel>
      )}
      {hasCurves && isDrawn ? <PlotsBeside data={data} /> : null}
      <Differences data={data} />
    </div>
  )
}

function headOf(data: ComparedRuns) {
  return [
    { title: '' },
    ...data.runs.map((run) => ({
      title: <PageLink to={`/experiments/${run.id}`}>{run.name}</PageLink>,
      right: true,
    })),
  ]
}

function DrawnMetrics({ data }: { readonly data: ComparedRuns }) {
  const isNarrow = useIsNarrow()
  return (
    <Panel
      title="Metrics"
      flush
      aside={
        data.pairs.length === 0
          ? 'On each run’s own test rows; the best is bold'
          : 'The best is bold; below, how far the others lie from it, row by row on the same resamples'
      }
    >
      {isNarrow ? (
        <StackedMetrics data={data} />
      ) : (
        <SmallTable
          label="Metrics"
          head={headOf(data)}
          rows={data.metrics.map((metric) => ({
            key: metric.name,
            cells: [
              metric.title,
              ...metric.values.map((estimate, i) => (
                <MetricCell key={data.runs[i]?.id ?? i} data={data} metric={metric} at={i}>
                  {estimate}
                </MetricCell>
              )),
            ],
          }))}
        />
      )}
    </Panel>
  )
}

function useIsNarrow(): boolean {
  return useMediaQuery('(max-width: 560px)', false, { getInitialValueInEffect: false }) ?? false
}

/** Where columns do not fit beside each other: metric by metric, the runs below each other. */
function StackedMetrics({ data }: { readonly data: ComparedRuns }) {
  return (
    <ul className="stacked-metrics" aria-label="Metrics">
      {data.metrics.map((metric) => (
        <li key={metric.name}>
          <h3>{metric.title}</h3>
          <ul>
            {data.runs.map((run, i) => (
              <li key={run.id}>
                <PageLink to={`/experiments/${run.id}`}>{run.name}</PageLink>
                <MetricCell data={data} metric={metric} at={i}>
                  {metric.values[i] ?? null}
                </MetricCell>
              </li>
            ))}
          </ul>
        </li>
      ))}
    </ul>
  )
}

function PlotsBeside({ data }: { readonly data: ComparedRuns }) {
  const curves = (of: ComparedRuns['roc']) =>
    data.runs.map((run, i) => ({ title: run.name, curve: of[i] ?? null }))
  return (
    <div className="columns">
      <Panel>
        <PrecisionRecallChart
          curves={curves(data.precisionRecall)}
          positiveShare={data.positiveShare}
        />
      </Panel>
      <Panel>
        <RocChart curves={curves(data.roc)} />
      </Panel>
    </div>
  )
}

/** On a narrow page two runs stand whole beside the names, and a third is seen to follow. */
function useWidths() {
  return useIsNarrow() ? { name: 116, run: 100 } : { name: 210, run: 150 }
}

/** One column a run, one row a metric, however many there are of both. */
function WideFigures({ data }: { readonly data: ComparedRuns }) {
  type Row = ComparedRuns['metrics'][number]
  const widths = useWidths()
  const columns = useMemo(
    () =>
      data.runs.map((run, i): WideColumn<Row> => ({
        key: run.id,
        title: run.name,
        head: <PageLink to={`/experiments/${run.id}`}>{run.name}</PageLink>,
        width: widths.run,
        align: 'right',
        cell: ({ values, best }) => {
          const value = statistic(values[i]?.value)
          return best === i ? <b>{value}</b> : value
        },
      })),
    [data.runs, widths.run],
  )
  return (
    <WideTable
      label="Metrics"
      rows={data.metrics}
      rowKey={(row) => row.name}
      pinned={[{ key: 'name', title: 'Metric', width: widths.name, cell: (row) => row.title }]}
      columns={columns}
      height="420px"
    />
  )
}

interface DifferenceRow {
  readonly name: string
  readonly values: readonly React.ReactNode[]
}

/** What the runs were started with, name by name. */
function Differences({ data }: { readonly data: ComparedRuns }) {
  const { view, change } = useView()
  const onlyDifferent = view.params !== 'all'
  const widths = useWidths()
  const params = data.params.filter((param) => param.differs || !onlyDifferent)
  // Clients name no learner; the run's own name stands there then.
  const hasLearner = data.runs.some(({ learner, name }) => learner !== name)
  const hasVersion = data.runs.some(({ registeredAs }) => registeredAs !== null)
  const versions = data.runs.map(({ id, registeredAs }) =>
    registeredAs === null ? none : <ObjectLink key={id} target={registeredAs} />,
  )
  const rows: DifferenceRow[] = [
    ...(hasVersion ? [{ name: 'Version', values: versions }] : []),
    ...(hasLearner ? [{ name: 'Learner', values: data.runs.map((run) => run.learner) }] : []),
    ...params.map(({ name, values }) => ({ name, values: values.map((one) => one ?? none) })),
  ]
  const columns = data.runs.map((run, i): WideColumn<DifferenceRow> => ({
    key: run.id,
    title: run.name,
    head: <PageLink to={`/experiments/${run.id}`}>{run.name}</PageLink>,
    width: widths.run,
    align: 'right',
    cell: ({ values }) => values[i],
  }))
  return (
    <Panel
      title="Parameters"
      flush
      aside={
        <button
          type="button"
          className="text-button"
          onClick={() => change({ params: onlyDifferent ? 'all' : undefined })}
        >
          {onlyDifferent ? 'Show those that agree too' : 'Only what differs'}
        </button>
      }
    >
      <WideTable
        label="Parameters"
        rows={rows}
        rowKey={(row) => row.name}
        pinned={[{ key: 'name', title: 'Name', width: widths.name, cell: (row) => row.name }]}
        columns={columns}
        height="420px"
      />
    </Panel>
  )
}

/** A figure with its interval drawn, and its paired difference to the best. */
function MetricCell({
  data,
  metric,
  at,
  children: estimate,
}: {
  readonly data: ComparedRuns
  readonly metric: ComparedRuns['metrics'][number]
  readonly at: number
  readonly children: Estimate | null
}) {
  if (estimate === null || estimate.value === null) return none
  const pair = data.pairs.find(({ name }) => name === metric.name)
  const difference = pair?.differences[at] ?? null
  const range = rangeOf(estimate)
  const scale = scaleOf(metric.values.flatMap((one) => rangeOf(one) ?? []))
  // Of a client's metric nobody says on how many cases it was measured.
  const known = [
    ...(estimate.interval === null ? [] : [intervalText(estimate.interval)]),
    ...(estimate.n === 0 ? [] : [`n ${count(estimate.n)}`]),
  ]
  return (
    <span className="compared">
      {metric.best === at ? <b>{figureOf(estimate)}</b> : figureOf(estimate)}
      {range === null ? null : <Whisker range={range} scale={scale} />}
      {known.length === 0 ? null : <span className="quiet">{known.join(', ')}</span>}
      {difference === null ? null : (
        <span>
          {minus(score(difference.value))}{' '}
          <span className="quiet">({minus(intervalText(difference.interval))})</span>
        </span>
      )}
    </span>
  )
}

function rangeOf(estimate: Estimate | null): Range | null {
  if (estimate?.value == null || estimate.interval === null) return null
  const { low, high } = estimate.interval
  return { value: estimate.value, lower: low, upper: high }
}

/** With the sign that is as wide as a digit. */
const minus = (text: string) => text.replaceAll('-', '−')
