/** One point a run over any two quantities; the few that fit are named beside their points. */
import { useRef, useState } from 'react'
import { statistic, tick } from './figures.ts'
import { useWidth } from './parallel.tsx'
import { axisOf, placeOn, type Axis, type Coordinate } from './parallel-axes.ts'

export interface ScatterProps {
  readonly x: Coordinate
  readonly y: Coordinate
  readonly names: readonly string[]
  readonly onOpen?: (index: number) => void
}

const HEIGHT = 340
const LEFT = 64
const BOTTOM = 44
const RIGHT = 24
const TOP = 14
const ROOM = 12
const NAMED_MAX = 14

export function Scatter({ x, y, names, onOpen }: ScatterProps) {
  const place = useRef<HTMLDivElement>(null)
  const width = useWidth(place)
  const [at, setAt] = useState<number | null>(null)
  const across = axisOf(x)
  const up = axisOf(y)
  // No point lies on an edge, where half of it would be cut off.
  const left = (share: number) => LEFT + ROOM + share * (width - LEFT - RIGHT - 2 * ROOM)
  const top = (share: number) => TOP + ROOM + (1 - share) * (HEIGHT - TOP - BOTTOM - 2 * ROOM)
  const points = names.flatMap((name, i) => {
    const [a, b] = [placeOn(across, i), placeOn(up, i)]
    return a === null || b === null ? [] : [{ i, name, x: left(a), y: top(b) }]
  })
  const without = names.length - points.length
  const write = (axis: Axis, i: number) => {
    const value = axis.values[i]
    return typeof value === 'number' ? statistic(value) : String(value)
  }
  return (
    <div className="scatter" ref={place}>
      <p className="chart-hover" aria-live="off">
        {at === null ? (
          <span className="quiet">
            {points.length} runs
            {without === 0 ? '' : `; ${without} without one of the two values are not shown`}
          </span>
        ) : (
          <>
            <b>{names[at]}</b>
            <span>
              {x.title} <b>{write(across, at)}</b>
            </span>
            <span>
              {y.title} <b>{write(up, at)}</b>
            </span>
          </>
        )}
      </p>
      <svg width={width} height={HEIGHT} role="img" aria-label={`${y.title} over ${x.title}`}>
        {ticksOf(up).map(({ at: share, text }) => (
          <g key={text}>
            <line
              x1={LEFT}
              x2={width - RIGHT}
              y1={top(share)}
              y2={top(share)}
              className="scatter-grid"
            />
            <text x={LEFT - 8} y={top(share) + 4} className="parallel-tick" textAnchor="end">
              {text}
            </text>
          </g>
        ))}
        <line x1={LEFT} x2={LEFT} y1={TOP} y2={HEIGHT - BOTTOM} className="parallel-axis" />
        <line
          x1={LEFT}
          x2={width - RIGHT}
          y1={HEIGHT - BOTTOM}
          y2={HEIGHT - BOTTOM}
          className="parallel-axis"
        />
        {ticksOf(across).map(({ at: share, text }) => (
          <text
            key={text}
            x={left(share)}
            y={HEIGHT - BOTTOM + 18}
            className="parallel-tick"
            textAnchor="middle"
          >
            {text}
          </text>
        ))}
        <text x={left(0.5)} y={HEIGHT - 6} className="parallel-title" textAnchor="middle">
          {x.title}
        </text>
        <text
          transform={`translate(13 ${top(0.5)}) rotate(-90)`}
          className="parallel-title"
          textAnchor="middle"
        >
          {y.title}
        </text>
        {points.map((point) => (
          <circle
            key={point.i}
            cx={point.x}
            cy={point.y}
            r={point.i === at ? 6 : 4}
            className={`scatter-point ${point.i === at ? 'is-at' : ''}`}
            onPointerEnter={() => setAt(point.i)}
            onPointerLeave={() => setAt(null)}
            onClick={() => onOpen?.(point.i)}
          />
        ))}
        {points.length > NAMED_MAX
          ? null
          : points.map((point) => (
              <text
                key={point.i}
                x={point.x + (point.x > width * 0.7 ? -8 : 8)}
                y={point.y + 4}
                className="parallel-tick"
                textAnchor={point.x > width * 0.7 ? 'end' : 'start'}
              >
                {point.name}
              </text>
            ))}
      </svg>
    </div>
  )
}

/** Five even places where it counts, every word where it names. */
function ticksOf(axis: Axis): Axis['ticks'] {
  if (axis.kind === 'word' || axis.low === axis.high) return axis.ticks
  return [0, 0.25, 0.5, 0.75, 1].map((at) => ({
    at,
    text: tick(axis.low + at * (axis.high - axis.low)),
  }))
}
