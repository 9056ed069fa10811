/**
 * Parallel coordinates: one upright axis a quantity, one line a run. Dragging on an axis keeps the
 * lines that pass there; lines are coloured by the last axis, which is said in words beside it.
 */
import { useLayoutEffect, useMemo, useRef, useState, type PointerEvent } from 'react'
import { none, statistic } from './figures.ts'
import {
  axisOf,
  isWithin,
  placeOn,
  shadeOf,
  type Axis,
  type Brush,
  type Coordinate,
} from './parallel-axes.ts'

export interface ParallelProps {
  readonly axes: readonly Coordinate[]
  /** What each line is called; `axes[i].values` are in the same order. */
  readonly names: readonly string[]
  readonly onOpen?: (index: number) => void
}

const HEIGHT = 320
const TOP = 44
const BOTTOM = 26
const SIDE = 70
const AXIS_GAP_MIN = 110

export function Parallel({ axes: coordinates, names, onOpen }: ParallelProps) {
  const place = useRef<HTMLDivElement>(null)
  const width = useWidth(place)
  const [brushes, setBrushes] = useState<Readonly<Record<string, Brush>>>({})
  const [at, setAt] = useState<number | null>(null)
  const axes = useMemo(() => coordinates.map(axisOf), [coordinates])
  const colour = axes.at(-1)
  const inner = Math.max(width, SIDE * 2 + AXIS_GAP_MIN * (axes.length - 1))
  const x = (i: number) =>
    axes.length < 2 ? inner / 2 : SIDE + (i * (inner - 2 * SIDE)) / (axes.length - 1)
  const y = (axis: Axis, run: number) => {
    const share = placeOn(axis, run)
    return share === null ? HEIGHT - 8 : TOP + (1 - share) * (HEIGHT - TOP - BOTTOM)
  }
  const kept = names.map((_, run) => axes.every((axis) => isWithin(axis, run, brushes[axis.title])))
  const line = (run: number) =>
    axes
      .map((axis, i) => `${i === 0 ? 'M' : 'L'}${x(i).toFixed(1)} ${y(axis, run).toFixed(1)}`)
      .join('')
  const order = names.map((_, run) => run).toSorted((a, b) => Number(kept[a]) - Number(kept[b]))
  return (
    <div className="parallel" ref={place}>
      <p className="chart-hover" aria-live="off">
        {at === null ? (
          <span className="quiet">
            {kept.filter(Boolean).length} of {names.length} runs; drag along an axis to keep some
          </span>
        ) : (
          <>
            <b>{names[at]}</b>
            {axes.map((axis) => (
              <span key={axis.title}>
                {axis.title} <b>{written(axis, at)}</b>
              </span>
            ))}
          </>
        )}
        {Object.keys(brushes).length === 0 ? null : (
          <button type="button" className="text-button" onClick={() => setBrushes({})}>
            Keep all
          </button>
        )}
      </p>
      <div className="parallel-scroll">
        <svg
          width={inner}
          height={HEIGHT}
          role="img"
          aria-label={`Runs over ${axes.map(({ title }) => title).join(', ')}`}
        >
          {order.map((run) => (
            <path
              key={run}
              d={line(run)}
              className={`parallel-line ${kept[run] ? '' : 'is-out'} ${run === at ? 'is-at' : ''}`}
              style={kept[run] && colour !== undefined ? { stroke: shadeOf(colour, run) } : {}}
              onPointerEnter={() => setAt(run)}
              onPointerLeave={() => setAt(null)}
              onClick={() => onOpen?.(run)}
            />
          ))}
          {axes.map((axis, i) => (
            <AxisLine
              key={axis.title}
              axis={axis}
              x={x(i)}
              brush={brushes[axis.title]}
              onBrush={(brush) =>
                setBrushes((before) => {
                  const { [axis.title]: _gone, ...others } = before
                  return brush === undefined ? others : { ...others, [axis.title]: brush }
                })
              }
            />
          ))}
        </svg>
      </div>
    </div>
  )
}

function written(axis: Axis, run: number): string {
  const value = axis.values[run]
  if (value === null || value === undefined) return none
  return typeof value === 'number' ? statistic(value) : value
}

interface AxisLineProps {
  readonly axis: Axis
  readonly x: number
  readonly brush: Brush | undefined
  readonly onBrush: (brush: Brush | undefined) => void
}

/** One axis with its ends, its categories, and what is kept of it. */
function AxisLine({ axis, x, brush, onBrush }: AxisLineProps) {
  const from = useRef<number | null>(null)
  const length = HEIGHT - TOP - BOTTOM
  const share = (event: PointerEvent<SVGRectElement>) => {
    const box = event.currentTarget.getBoundingClientRect()
    return Math.max(0, Math.min(1, 1 - (event.clientY - box.top) / box.height))
  }
  const marks = axis.ticks.map(({ at, text }) => (
    <text key={text} x={x + 6} y={TOP + (1 - at) * length + 4} className="parallel-tick">
      {text}
    </text>
  ))
  const short = axis.title.length > 20 ? `${axis.title.slice(0, 19)}…` : axis.title
  return (
    <g>
      <text x={x} y={18} className="parallel-title" textAnchor="middle">
        <title>{axis.title}</title>
        {short}
      </text>
      <line x1={x} x2={x} y1={TOP} y2={HEIGHT - BOTTOM} className="parallel-axis" />
      {axis.missing ? (
        <text x={x + 6} y={HEIGHT - 4} className="parallel-tick">
          missing
        </text>
      ) : null}
      {brush === undefined ? null : (
        <rect
          x={x - 7}
          width={14}
          y={TOP + (1 - brush.high) * length}
          height={Math.max(2, (brush.high - brush.low) * length)}
          className="parallel-brush"
        />
      )}
      {marks}
      <rect
        x={x - 12}
        y={TOP}
        width={24}
        height={length}
        className="parallel-grip"
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId)
          from.current = share(event)
        }}
        onPointerMove={(event) => {
          if (from.current === null) return
          const to = share(event)
          onBrush({ low: Math.min(from.current, to), high: Math.max(from.current, to) })
        }}
        onPointerUp={(event) => {
          // A press without a drag takes the choice on this axis back.
          if (from.current !== null && Math.abs(share(event) - from.current) < 0.01) {
            onBrush(undefined)
          }
          from.current = null
        }}
      />
    </g>
  )
}

/** The width of a place on the page, now and as it changes. */
export function useWidth(place: React.RefObject<HTMLElement | null>): number {
  const [width, setWidth] = useState(640)
  useLayoutEffect(() => {
    const element = place.current
    if (element === null) return
    setWidth(element.clientWidth)
    const observer = new ResizeObserver(() => setWidth(element.clientWidth))
    observer.observe(element)
    return () => observer.disconnect()
  }, [place])
  return width
}
