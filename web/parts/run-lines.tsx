/**
 * Curves of several runs that have their own steps each. The smoothed curve is drawn strong, the
 * logged values behind it faint; a value that was no number leaves a gap.
 */
import { useComputedColorScheme } from '@mantine/core'
import { useEffect, useMemo, useRef, useState } from 'react'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { axisInk, inkOf } from './plot-ink.ts'
import { none } from './figures.ts'
import { smoothed } from './smoothing.ts'

export interface RunLine {
  readonly title: string
  readonly x: readonly number[]
  readonly y: readonly (number | null)[]
}

export interface RunLinesProps {
  readonly lines: readonly RunLine[]
  readonly xTitle: string
  readonly yTitle: string
  /** Seconds since 1970, written in this time zone; else plain numbers. */
  readonly time?: string | undefined
  readonly logarithmic: boolean
  /** 0 to 0.99; 0 shows the values alone. */
  readonly smoothing: number
  readonly writeX: (value: number) => string
  readonly writeY: (value: number | null) => string
  readonly height?: number
}

const KEYS_MAX = 12
export default function RunLines(props: RunLinesProps) {
  const { lines, smoothing, logarithmic, height = 300 } = props
  const place = useRef<HTMLDivElement>(null)
  const scheme = useComputedColorScheme()
  const [at, setAt] = useState<number | null>(null)
  const isSmoothed = smoothing > 0
  const data = useMemo(() => {
    const drawn = lines.flatMap(({ x, y }) => {
      // A logarithm has no place for what is not above zero; it is missing there, and said so.
      const seen = logarithmic ? y.map((one) => (one !== null && one > 0 ? one : null)) : y
      const table = (values: readonly (number | null)[]) =>
        [[...x], [...values]] as unknown as uPlot.AlignedData
      return isSmoothed ? [table(seen), table(smoothed(seen, smoothing))] : [table(seen)]
    })
    return drawn.length === 0 ? ([[]] as unknown as uPlot.AlignedData) : uPlot.join(drawn)
  }, [lines, logarithmic, smoothing, isSmoothed])
  useEffect(() => {
    const element = place.current
    if (element === null || lines.length === 0) return
    const plot = new uPlot(options(props, element.clientWidth, height, setAt), data, element)
    const observer = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height }))
    observer.observe(element)
    return () => {
      observer.disconnect()
      plot.destroy()
    }
  }, [data, scheme, height, logarithmic, props.xTitle, props.yTitle, props.time])
  const row = (i: number) => data[isSmoothed ? 2 * i + 2 : i + 1]
  return (
    <div className="lines">
      <p className="chart-hover">
        {at === null ? null : <b>{props.writeX(data[0]?.[at] ?? 0)}</b>}
        {lines.slice(0, KEYS_MAX).map((one, i) => (
          <span key={`${i} ${one.title}`}>
            <i className={`line-key line-${(i % 5) + 1} ${i >= 5 ? 'is-second' : ''}`} />
            {one.title}
            {at === null ? null : <b>{value(row(i)?.[at], props.writeY)}</b>}
          </span>
        ))}
        {lines.length > KEYS_MAX ? (
          <span className="quiet">and {lines.length - KEYS_MAX} more, in the table</span>
        ) : null}
      </p>
      <div ref={place} role="img" aria-label={`${props.yTitle} over ${props.xTitle}`} />
    </div>
  )
}

/** Undefined: this run has no value at this place, which is no gap of its curve. */
function value(found: number | null | undefined, write: (value: number | null) => string): string {
  return found === undefined ? none : write(found)
}

function options(
  { lines, xTitle, yTitle, time, logarithmic, smoothing, writeX, writeY }: RunLinesProps,
  width: number,
  height: number,
  onHover: (index: number | null) => void,
): uPlot.Options {
  const axis = axisInk()
  const line = (i: number, isRaw: boolean): uPlot.Series => ({
    label: lines[i]?.title ?? '',
    stroke: inkOf(`--series-${(i % 5) + 1}`),
    width: isRaw ? 1 : 1.75,
    alpha: isRaw ? 0.28 : 1,
    // After the fifth the colours come again, dashed.
    ...(i >= 5 ? { dash: [6, 3] } : {}),
    spanGaps: false,
    points: { show: (lines[i]?.x.length ?? 0) < 12, size: 5 },
  })
  return {
    width,
    height,
    padding: [10, 22, 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { size: 6 }, drag: { x: true, y: false } },
    scales: { x: { time: time !== undefined }, y: { distr: logarithmic ? 3 : 1 } },
    ...(time === undefined
      ? {}
      : { tzDate: (seconds: number) => uPlot.tzDate(new Date(seconds * 1000), time) }),
    axes: [
      {
        ...axis,
        label: xTitle,
        size: 28,
        space: 80,
        ...(time === undefined
          ? { values: (_plot: uPlot, ticks: number[]) => ticks.map((one) => writeX(one)) }
          : {}),
      },
      {
        ...axis,
        label: yTitle,
        size: 62,
        values: (_plot, ticks) => ticks.map((one) => (one === null ? '' : writeY(one))),
      },
    ],
    series: [
      {},
      ...lines.flatMap((_, i) =>
        smoothing > 0 ? [line(i, true), line(i, false)] : [line(i, false)],
      ),
    ],
    hooks: { setCursor: [(plot) => onHover(plot.cursor.idx ?? null)] },
  }
}
