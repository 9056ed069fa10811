import { useComputedColorScheme } from '@mantine/core'
import { useEffect, useRef, useState } from 'react'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { axisInk, inkOf } from './plot-ink.ts'

export interface Line {
  readonly title: string
  readonly values: readonly (number | null)[]
  readonly dashed?: boolean
}

export interface LinesProps {
  /** Rising. Seconds since 1970 where `time` is set. */
  readonly x: readonly number[]
  readonly series: readonly Line[]
  readonly xTitle: string
  readonly yTitle: string
  readonly time?: string
  readonly writeX: (value: number) => string
  readonly writeY: (value: number | null) => string
  /** For the axis, where `writeY` says more than a tick needs. */
  readonly writeTick?: (value: number) => string
  readonly yRange?: readonly [number, number]
  readonly height?: number
}

export default function Lines(props: LinesProps) {
  const place = useRef<HTMLDivElement>(null)
  const scheme = useComputedColorScheme()
  const [at, setAt] = useState<number | null>(null)
  const height = props.height ?? 200
  const key = JSON.stringify([props.x, props.series])
  useEffect(() => {
    const element = place.current
    if (element === null) return
    const plot = new uPlot(
      options(props, element.clientWidth, height, setAt),
      [[...props.x], ...props.series.map((one) => [...one.values])] as uPlot.AlignedData,
      element,
    )
    const observer = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height }))
    observer.observe(element)
    return () => {
      observer.disconnect()
      plot.destroy()
    }
    // `key` stands for the data: arrays made anew with the same numbers draw nothing anew.
  }, [key, scheme, height, props.xTitle, props.yTitle])
  return (
    <div className="lines">
      <p className="chart-hover">
        {at === null ? null : <b>{props.writeX(props.x[at] ?? 0)}</b>}
        {props.series.map((one, i) => (
          <span key={one.title}>
            <i
              className={`line-key ${one.dashed === true ? 'is-dashed' : `line-${(i % 5) + 1}`}`}
            />
            {one.title}
            {at === null ? null : <b>{props.writeY(one.values[at] ?? null)}</b>}
          </span>
        ))}
      </p>
      <div ref={place} role="img" aria-label={`${props.yTitle} over ${props.xTitle}`} />
    </div>
  )
}

/** Days where the ticks are days, else hours with the day at midnight. */
function timeTicks(timeZone: string) {
  const day = new Intl.DateTimeFormat('en-GB', { timeZone, day: 'numeric', month: 'short' })
  const hour = new Intl.DateTimeFormat('en-GB', { timeZone, hour: '2-digit', minute: '2-digit' })
  return (_plot: uPlot, ticks: number[], _axis: number, _space: number, step: number) =>
    ticks.map((tick) => {
      const when = new Date(tick * 1000)
      const clock = hour.format(when)
      return step >= 86_400 || clock === '00:00' ? day.format(when) : clock
    })
}

function options(
  props: LinesProps,
  width: number,
  height: number,
  onHover: (index: number | null) => void,
): uPlot.Options {
  const axis = axisInk()
  return {
    width,
    height,
    padding: [10, 22, 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { size: 6 }, drag: { x: false, y: false } },
    scales: {
      x: { time: props.time !== undefined },
      y:
        props.yRange === undefined
          ? { range: (_plot, _low, high) => [0, (high ?? 0) * 1.08 || 1] }
          : { range: [...props.yRange] as [number, number] },
    },
    ...(props.time === undefined
      ? {}
      : {
          tzDate: (seconds: number) => uPlot.tzDate(new Date(seconds * 1000), props.time ?? 'UTC'),
        }),
    axes: [
      {
        ...axis,
        label: props.xTitle,
        size: 28,
        space: 70,
        ...(props.time === undefined ? {} : { values: timeTicks(props.time) }),
      },
      {
        ...axis,
        label: props.yTitle,
        size: 52,
        values: (_plot, ticks) => ticks.map((tick) => (props.writeTick ?? props.writeY)(tick)),
      },
    ],
    series: [
      {},
      ...props.series.map((one, i) => ({
        label: one.title,
        stroke: inkOf(one.dashed === true ? '--ink-3' : `--series-${(i % 5) + 1}`),
        width: 1.75,
        spanGaps: false,
        points: { show: props.x.length < 12 && one.dashed !== true, size: 5 },
        ...(one.dashed === true ? { dash: [5, 4] } : {}),
      })),
    ],
    hooks: { setCursor: [(plot) => onHover(plot.cursor.idx ?? null)] },
  }
}
