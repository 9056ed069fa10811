/** Charts over many runs: parallel coordinates, scatter, bars with intervals. */
import { useNavigate } from '@tanstack/react-router'
import type { ComparedRuns } from '../../../src/server/contract/index.ts'
import { useView } from '../../client/view.ts'
import { Chart } from '../../parts/charts.tsx'
import { count, intervalText, none, statistic } from '../../parts/figures.ts'
import { Parallel } from '../../parts/parallel.tsx'
import type { Coordinate } from '../../parts/parallel-axes.ts'
import { Scatter } from '../../parts/scatter.tsx'
import { SmallTable } from '../../parts/small-table.tsx'
import { Empty } from '../../parts/states.tsx'
import { scaleOf } from '../../parts/whisker.tsx'
import { keysOf, keyText } from './runs-query.ts'

interface ChartProps {
  readonly data: ComparedRuns
}

/** Everything of the compared runs that can be an axis, by its key. */
export function quantitiesOf(data: ComparedRuns): ReadonlyMap<string, Coordinate> {
  const all = new Map<string, Coordinate>()
  for (const { name, values } of data.params) {
    all.set(`params.${name}`, { title: name, values })
  }
  for (const { name, title, values } of data.metrics) {
    all.set(`metrics.${name}`, { title, values: values.map((one) => one?.value ?? null) })
  }
  return all
}

/** Parameters that differ, then metrics: what one would ask first. */
function usualAxes(data: ComparedRuns): string[] {
  const params = data.params.filter(({ differs }) => differs).slice(0, 4)
  const metrics = data.metrics.slice(0, 2).toReversed()
  return [
    ...params.map(({ name }) => `params.${name}`),
    ...metrics.map(({ name }) => `metrics.${name}`),
  ]
}

export function ParallelChart({ data }: ChartProps) {
  const { view, change } = useView()
  const navigate = useNavigate()
  const all = quantitiesOf(data)
  const inAddress = keysOf(view.axes).filter((key) => all.has(key))
  const keys = inAddress.length > 0 ? inAddress : usualAxes(data)
  const axes = keys.flatMap((key) => all.get(key) ?? [])
  const names = data.runs.map(({ name }) => name)
  const write = (next: readonly string[]) => change({ axes: next.map(keyText).join(',') })
  return (
    <Chart
      title="Parameters and metrics"
      note={
        axes.length < 2
          ? undefined
          : `Each line is a run, coloured by ${axes.at(-1)?.title ?? ''}: orange is low, blue is high, grey has no value.`
      }
      table={() => <ValuesTable data={data} axes={axes} />}
    >
      <div className="axes-choice">
        {keys.map((key) => (
          <button
            key={key}
            type="button"
            className="axis-chip"
            title="Take this axis away"
            onClick={() => write(keys.filter((one) => one !== key))}
          >
            {all.get(key)?.title} <span aria-hidden>×</span>
          </button>
        ))}
        <select
          className="filter-input"
          aria-label="Add an axis"
          value=""
          onChange={(event) => write([...keys, event.target.value])}
        >
          <option value="">Add an axis…</option>
          {[...all.keys()]
            .filter((key) => !keys.includes(key))
            .map((key) => (
              <option key={key}>{key}</option>
            ))}
        </select>
      </div>
      {axes.length < 2 ? (
        <Empty title="Choose two axes or more" />
      ) : (
        <Parallel
          axes={axes}
          names={names}
          onOpen={(i) => void navigate({ to: `/experiments/${data.runs[i]?.id ?? ''}` } as never)}
        />
      )}
    </Chart>
  )
}

export function ScatterChart({ data }: ChartProps) {
  const { view, change } = useView()
  const navigate = useNavigate()
  const all = quantitiesOf(data)
  const usual = usualAxes(data)
  const keyX = view.x !== undefined && all.has(view.x) ? view.x : (usual[0] ?? '')
  const keyY = view.y !== undefined && all.has(view.y) ? view.y : (usual.at(-1) ?? '')
  const [x, y] = [all.get(keyX), all.get(keyY)]
  if (x === undefined || y === undefined) {
    return <Empty title="These runs have no values to draw" />
  }
  const choice = (name: 'x' | 'y', title: string, value: string) => (
    <label>
      {title}{' '}
      <select
        className="filter-input"
        value={value}
        onChange={(event) => change({ [name]: event.target.value })}
      >
        {[...all.keys()].map((key) => (
          <option key={key}>{key}</option>
        ))}
      </select>
    </label>
  )
  return (
    <Chart
      title={`${y.title} over ${x.title}`}
      table={() => <ValuesTable data={data} axes={[x, y]} />}
    >
      <div className="axes-choice">
        {choice('x', 'Across', keyX)}
        {choice('y', 'Up', keyY)}
      </div>
      <Scatter
        x={x}
        y={y}
        names={data.runs.map(({ name }) => name)}
        onOpen={(i) => void navigate({ to: `/experiments/${data.runs[i]?.id ?? ''}` } as never)}
      />
    </Chart>
  )
}

function ValuesTable({ data, axes }: ChartProps & { readonly axes: readonly Coordinate[] }) {
  return (
    <SmallTable
      label="Values"
      head={[{ title: 'Run' }, ...axes.map(({ title }) => ({ title, right: true }))]}
      rows={data.runs.map((run, i) => ({
        key: run.id,
        cells: [run.name, ...axes.map(({ values }) => values[i] ?? none)],
      }))}
    />
  )
}

/** Bars from zero with the interval of each, best first; a run without the metric says so. */
export function MetricBars({ data }: ChartProps) {
  const { view, change } = useView()
  const metric = data.metrics.find(({ name }) => name === view.metric) ?? data.metrics[0]
  if (metric === undefined) return <Empty title="These runs have no metrics" />
  const sign = metric.higherIsBetter ? -1 : 1
  const bars = data.runs
    .map((run, i) => ({ run, estimate: metric.values[i] ?? null }))
    .toSorted((a, b) => {
      const [x, y] = [a.estimate?.value ?? null, b.estimate?.value ?? null]
      return x === null || y === null ? Number(x === null) - Number(y === null) : sign * (x - y)
    })
  const ranges = bars.flatMap(({ estimate }) => {
    if (estimate?.value == null) return []
    const { low = estimate.value, high = estimate.value } = estimate.interval ?? {}
    return [{ value: estimate.value, lower: low, upper: high }]
  })
  const scale = scaleOf(ranges, true)
  const share = (value: number) =>
    Math.max(0, Math.min(1, (value - scale.low) / (scale.high - scale.low || 1))) * 100
  return (
    <Chart
      title={metric.title}
      note="Bars begin at zero; the line over a bar is its 95 % interval where one is known."
      table={() => (
        <SmallTable
          label={metric.title}
          head={[
            { title: 'Run' },
            { title: metric.title, right: true },
            { title: '95 % interval', right: true },
            { title: 'n', right: true },
          ]}
          rows={bars.map(({ run, estimate }) => ({
            key: run.id,
            cells: [
              run.name,
              statistic(estimate?.value),
              intervalText(estimate?.interval ?? null) || none,
              estimate === null || estimate.n === 0 ? none : count(estimate.n),
            ],
          }))}
        />
      )}
    >
      <label className="axes-choice">
        Metric{' '}
        <select
          className="filter-input"
          value={metric.name}
          onChange={(event) => change({ metric: event.target.value })}
        >
          {data.metrics.map(({ name, title }) => (
            <option key={name} value={name}>
              {title}
            </option>
          ))}
        </select>
      </label>
      <ul className="run-bars">
        {bars.map(({ run, estimate }) => {
          const value = estimate?.value ?? null
          return (
            <li key={run.id}>
              <span className="run-bars-name" title={run.name}>
                {run.name}
              </span>
              <span className="run-bars-bar" aria-hidden>
                {value === null ? (
                  <span className="quiet">no value</span>
                ) : (
                  <i
                    style={{
                      left: `${Math.min(share(0), share(value))}%`,
                      width: `${Math.abs(share(value) - share(0))}%`,
                    }}
                  />
                )}
                {estimate?.interval == null || value === null ? null : (
                  <span
                    className="run-bars-interval"
                    style={{
                      left: `${share(estimate.interval.low)}%`,
                      width: `${share(estimate.interval.high) - share(estimate.interval.low)}%`,
                    }}
                  />
                )}
              </span>
              <span className="num">{statistic(value)}</span>
            </li>
          )
        })}
      </ul>
    </Chart>
  )
}
