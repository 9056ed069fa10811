/** One metric of several runs over steps or time, with what may be chosen about it. */
import { Suspense, lazy } from 'react'
import type { RunCurves } from '../../../src/server/contract/index.ts'
import { useAsk } from '../../client/queries.ts'
import { useView } from '../../client/view.ts'
import { Chart } from '../../parts/charts.tsx'
import { count, dateTime, duration, fullDateTime, none, statistic } from '../../parts/figures.ts'
import { ChoiceFilter } from '../../parts/filters.tsx'
import { PageLink } from '../../parts/layout.tsx'
import type { RunLine } from '../../parts/run-lines.tsx'
import { smoothed } from '../../parts/smoothing.ts'
import { SmallTable } from '../../parts/small-table.tsx'
import { Answered, Empty } from '../../parts/states.tsx'
import { useTimeZone } from '../../shell/bank.ts'

const RunLines = lazy(() => import('../../parts/run-lines.tsx'))

const TABLE_ROWS_MAX = 400

type Over = 'step' | 'elapsed' | 'time'

export function MetricCurves({
  ids,
  metric,
  every,
}: {
  readonly ids: readonly string[]
  readonly metric: string
  /** Milliseconds between two askings, while a run still runs. */
  readonly every?: number
}) {
  const answer = useAsk(
    'runCurves',
    { query: { ids: ids.join(','), metric } },
    { keepPrevious: true, ...(every === undefined ? {} : { every }) },
  )
  return (
    <Answered answer={answer} rows={5}>
      {(data) => <Curves data={data} />}
    </Answered>
  )
}

/** What is drawn is part of the address: over what, with which scale, how smooth. */
export function CurveChoices() {
  const { view, change } = useView()
  const share = smoothingOf(view.smooth)
  return (
    <div className="filters">
      <ChoiceFilter
        name="over"
        title="Over"
        choices={[
          { value: undefined, title: 'Step' },
          { value: 'elapsed', title: 'Time since start' },
          { value: 'time', title: 'Time' },
        ]}
      />
      <ChoiceFilter
        name="scale"
        title="Scale"
        choices={[
          { value: undefined, title: 'Linear' },
          { value: 'log', title: 'Logarithmic' },
        ]}
      />
      <label className="smoothing">
        Smoothing
        <input
          type="range"
          min={0}
          max={0.99}
          step={0.01}
          value={share}
          onChange={(event) =>
            change({ smooth: event.target.value === '0' ? undefined : event.target.value })
          }
        />
        <span className="num">{share === 0 ? 'none' : share.toFixed(2)}</span>
      </label>
    </div>
  )
}

function smoothingOf(text: string | undefined): number {
  const share = Number(text ?? 0)
  return Number.isFinite(share) ? Math.max(0, Math.min(0.99, share)) : 0
}

function Curves({ data }: { readonly data: RunCurves }) {
  const { view } = useView()
  const zone = useTimeZone()
  const share = smoothingOf(view.smooth)
  const series = data.series.filter(({ values }) => values.length > 0)
  if (series.length === 0) {
    return <Empty title={`None of these runs logged ${data.title}`} />
  }
  if (series.every(({ values }) => values.length === 1)) {
    return <SingleValues title={data.title} series={series} />
  }
  const hasSteps = series.some(({ steps }) => steps.some((step) => step !== steps[0]))
  const wanted = view.over === 'elapsed' || view.over === 'time' ? view.over : 'step'
  const over: Over = wanted === 'step' && !hasSteps ? 'elapsed' : wanted
  const lines = series.map((one): RunLine => ({
    title: one.name,
    x: xOf(one, over),
    y: one.values,
  }))
  const writeX = (x: number) =>
    over === 'step'
      ? statistic(x)
      : over === 'elapsed'
        ? duration(x * 1e6)
        : fullDateTime(new Date(x * 1000).toISOString(), zone)
  const xTitle =
    over === 'step' ? 'Step' : over === 'elapsed' ? 'Time since the first value' : `Time, ${zone}`
  const gaps = series.some(({ values }) => values.includes(null))
  // A thinned curve keeps up to four values of each stretch, but no stretch without any.
  const maybeThinned = series.some(({ values }) => values.length > data.points / 8)
  const notPositive =
    view.scale === 'log' &&
    series.some(({ values }) => values.some((one) => one !== null && one <= 0))
  const notes = [
    share === 0 ? '' : 'Strong: smoothed. Faint: as logged.',
    maybeThinned
      ? `Of curves with more than ${count(data.points)} values, the first, last, smallest and largest of each stretch are drawn.`
      : '',
    over === wanted ? '' : 'All were logged at one step: drawn over time.',
    gaps ? 'A gap is a value that was no number.' : '',
    notPositive ? 'Values of zero and below have no place on this scale.' : '',
  ].filter(Boolean)
  return (
    <Chart
      title={data.title}
      note={notes.length === 0 ? undefined : notes.join(' ')}
      table={() => <CurvesTable lines={lines} xTitle={xTitle} writeX={writeX} share={share} />}
    >
      <Suspense fallback={<div style={{ height: 300 }} />}>
        <RunLines
          lines={lines}
          xTitle={xTitle}
          yTitle={data.title}
          time={over === 'time' ? zone : undefined}
          logarithmic={view.scale === 'log'}
          smoothing={share}
          writeX={writeX}
          writeY={statistic}
        />
      </Suspense>
    </Chart>
  )
}

/** One value a run makes no curve. */
function SingleValues({
  title,
  series,
}: {
  readonly title: string
  readonly series: RunCurves['series']
}) {
  const zone = useTimeZone()
  return (
    <>
      <p className="chart-note">
        {series.length === 1
          ? `The run logged ${title} once: there is no curve to draw.`
          : `Each run logged ${title} once: there is no curve to draw.`}
      </p>
      <SmallTable
        label={title}
        head={[
          { title: 'Run' },
          { title, right: true },
          { title: 'Step', right: true },
          { title: `Logged, ${zone}` },
        ]}
        rows={series.map(({ runId, name, values, steps, at }) => ({
          key: runId,
          cells: [
            <PageLink key="run" to={`/experiments/${runId}`}>
              {name}
            </PageLink>,
            values[0] == null ? 'NaN' : statistic(values[0]),
            count(steps[0]),
            dateTime(new Date(at[0] ?? 0).toISOString(), zone),
          ],
        }))}
      />
    </>
  )
}

function xOf({ steps, at }: RunCurves['series'][number], over: Over): readonly number[] {
  if (over === 'step') return steps
  const start = over === 'time' ? 0 : (at[0] ?? 0)
  return at.map((ms) => (ms - start) / 1000)
}

function CurvesTable({
  lines,
  xTitle,
  writeX,
  share,
}: {
  readonly lines: readonly RunLine[]
  readonly xTitle: string
  readonly writeX: (x: number) => string
  readonly share: number
}) {
  const rows = lines.flatMap((line) => {
    const smooth = share === 0 ? undefined : smoothed(line.y, share)
    return line.x.map((x, i) => ({
      key: `${line.title} ${i}`,
      cells: [
        line.title,
        writeX(x),
        line.y[i] == null ? none : String(line.y[i]),
        ...(smooth === undefined ? [] : [statistic(smooth[i])]),
      ],
    }))
  })
  return (
    <>
      <SmallTable
        label="Values"
        head={[
          { title: 'Run' },
          { title: xTitle, right: true },
          { title: 'Value', right: true },
          ...(share === 0 ? [] : [{ title: 'Smoothed', right: true }]),
        ]}
        rows={rows.slice(0, TABLE_ROWS_MAX)}
      />
      {rows.length > TABLE_ROWS_MAX ? (
        <p className="chart-note">
          The first {TABLE_ROWS_MAX} values of {rows.length}.
        </p>
      ) : null}
    </>
  )
}
