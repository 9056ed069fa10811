/**
 * Charts, each with labelled axes, exact values on hover and a table behind it. Lines are uPlot's
 * (fetched only when one is shown); bars and sparks are SVG. Missing values leave a gap.
 */
import { Suspense, lazy, useState, type ReactNode } from 'react'
import type { ComparedHistogram } from '../../src/server/contract/index.ts'
import { percent, statistic } from './figures.ts'
import type { LinesProps } from './lines.tsx'
import { SmallTable } from './small-table.tsx'

const DrawnLines = lazy(() => import('./lines.tsx'))

/** A chart with its title, and a switch to the table behind it. */
export function Chart({
  title,
  note,
  table,
  children,
}: {
  readonly title: string
  readonly note?: ReactNode
  readonly table: () => ReactNode
  readonly children: ReactNode
}) {
  const [asTable, setAsTable] = useState(false)
  return (
    <figure className="chart">
      <figcaption>
        <h3>{title}</h3>
        <button type="button" className="chart-switch" onClick={() => setAsTable(!asTable)}>
          {asTable ? 'Chart' : 'Table'}
          <span className="visually-hidden"> of {title}</span>
        </button>
      </figcaption>
      {asTable ? table() : children}
      {note === undefined ? null : <p className="chart-note">{note}</p>}
    </figure>
  )
}

/** A chart of lines over x: time in seconds since 1970, or plain numbers. */
export function LineChart(
  props: LinesProps & { readonly title: string; readonly note?: ReactNode },
) {
  const { title, note, ...lines } = props
  return (
    <Chart
      title={title}
      note={note}
      table={() => (
        <SmallTable
          label={title}
          head={[
            { title: lines.xTitle },
            ...lines.series.map((one) => ({ title: one.title, right: true })),
          ]}
          rows={lines.x.map((x, i) => ({
            key: String(i),
            cells: [
              lines.writeX(x),
              ...lines.series.map((one) => lines.writeY(one.values[i] ?? null)),
            ],
          }))}
        />
      )}
    >
      <Suspense fallback={<div style={{ height: lines.height ?? 200 }} />}>
        <DrawnLines {...lines} />
      </Suspense>
    </Chart>
  )
}

export interface Bar {
  readonly title: string
  readonly value: number
  readonly second?: number | null
}

/** Upright bars from zero; where bars have a second value the two stand side by side. */
export function BarChart({
  title,
  bars,
  xTitle,
  yTitle,
  names,
  write,
  note,
  height = 150,
}: {
  readonly title: string
  readonly bars: readonly Bar[]
  readonly xTitle: string
  readonly yTitle: string
  readonly names?: readonly [string, string]
  readonly write: (value: number | null) => string
  readonly note?: ReactNode
  readonly height?: number
}) {
  const [at, setAt] = useState<number | null>(null)
  const top = Math.max(1e-12, ...bars.map((bar) => Math.max(bar.value, bar.second ?? 0)))
  const one = at === null ? undefined : bars[at]
  const first = bars[0]?.title ?? ''
  const last = bars.at(-1)?.title ?? ''
  return (
    <Chart
      title={title}
      note={note}
      table={() => (
        <SmallTable
          label={title}
          head={[
            { title: xTitle },
            { title: names?.[0] ?? yTitle, right: true },
            ...(names === undefined ? [] : [{ title: names[1], right: true }]),
          ]}
          rows={bars.map((bar) => ({
            key: bar.title,
            cells: [
              bar.title,
              write(bar.value),
              ...(names === undefined ? [] : [write(bar.second ?? null)]),
            ],
          }))}
        />
      )}
    >
      <div className="bars" onPointerLeave={() => setAt(null)}>
        <div className="bars-scale" aria-hidden>
          <span>{write(top)}</span>
          <span>{write(0)}</span>
        </div>
        <div className="bars-plot" style={{ height }} role="img" aria-label={`${title}: ${yTitle}`}>
          {bars.map((bar, i) => (
            <div
              key={bar.title}
              className={`bar ${i === at ? 'is-at' : ''}`}
              onPointerEnter={() => setAt(i)}
            >
              <span className="bar-first" style={{ height: `${(bar.value / top) * 100}%` }} />
              {names === undefined || bar.second == null ? null : (
                <span className="bar-second" style={{ height: `${(bar.second / top) * 100}%` }} />
              )}
            </div>
          ))}
        </div>
        <div className="bars-x" aria-hidden>
          <span>{first}</span>
          <span>{xTitle}</span>
          <span>{last}</span>
        </div>
      </div>
      <p className="chart-hover" aria-live="off">
        {one === undefined ? (
          names === undefined ? (
            yTitle
          ) : (
            <>
              <span className="key key-first" /> {names[0]} <span className="key key-second" />{' '}
              {names[1]}
            </>
          )
        ) : (
          `${one.title}: ${names === undefined ? '' : `${names[0]} `}${write(one.value)}${
            names === undefined ? '' : `, ${names[1]} ${write(one.second ?? null)}`
          }`
        )}
      </p>
    </Chart>
  )
}

export function binTitles(edges: readonly number[], write = statistic): string[] {
  return edges.slice(0, -1).map((edge, i) => {
    const to = edges[i + 1]
    return edge === to ? write(edge) : `${write(edge)} to ${write(to)}`
  })
}

/** Training (or what else stands in its place) against live over the same bins, as shares. */
export function ComparedBars({
  title,
  distribution,
  xTitle,
  note,
  names = ['Training', 'Live'],
  write,
}: {
  readonly title: string
  readonly distribution: ComparedHistogram
  readonly xTitle: string
  readonly note?: ReactNode
  readonly names?: readonly [string, string]
  /** How an edge of a bin is written. */
  readonly write?: (value: number | null | undefined) => string
}) {
  const titles = binTitles(distribution.edges, write)
  return (
    <BarChart
      title={title}
      xTitle={xTitle}
      yTitle="Share"
      names={names}
      write={percent}
      note={note}
      bars={distribution.training.map((value, i) => ({
        title: titles[i] ?? String(i),
        value,
        second: distribution.live?.[i] ?? null,
      }))}
    />
  )
}

/** A small line without axes, for shape only; the figure beside it says the value. */
export function Spark({ values }: { readonly values: readonly (number | null)[] }) {
  const known = values.filter((value): value is number => value !== null)
  if (known.length < 2) return null
  const low = Math.min(0, ...known)
  const high = Math.max(...known, low + 1e-9)
  const step = 100 / (values.length - 1)
  let path = ''
  let down = false
  values.forEach((value, i) => {
    if (value === null) {
      down = false
      return
    }
    const y = 27 - ((value - low) / (high - low)) * 25
    path += `${down ? 'L' : 'M'}${(i * step).toFixed(2)} ${y.toFixed(2)}`
    down = true
  })
  return (
    <svg className="spark" viewBox="0 0 100 28" preserveAspectRatio="none" aria-hidden>
      <path d={path} vectorEffect="non-scaling-stroke" />
    </svg>
  )
}
