/**
 * How features push, row by row: each dot is one row's exact contribution, coloured by what the row
 * has in that feature. Behind it a table of the same by low, middle and high values.
 */
import { useEffect, useMemo, useRef, useState } from 'react'
import type { Contributions } from '../../src/server/contract/index.ts'
import { Chart } from './charts.tsx'
import { none, statistic } from './figures.ts'
import { SmallTable } from './small-table.tsx'

type Column = Contributions['columns'][number]

const HEIGHT = 36
const RADIUS = 2.6

export function Beeswarm({ contributions }: { readonly contributions: Contributions }) {
  const { columns, output, unit } = contributions
  const rows = columns[0]?.contributions.length ?? 0
  const title = 'What pushes, row by row'
  const what = unit === 'value' ? 'the estimate' : output === 'score' ? 'the score' : `“${output}”`
  return (
    <Chart
      title={title}
      note={`Exact Shapley values of ${rows} rows, in ${unit === 'value' ? 'units of what is estimated' : unit}: to the right they push ${what} up, to the left down.`}
      table={() => <BeeswarmTable title={title} columns={columns} />}
    >
      <Swarms columns={columns} />
    </Chart>
  )
}

function Swarms({ columns }: { readonly columns: readonly Column[] }) {
  const [at, setAt] = useState<{ column: Column; row: number } | null>(null)
  const [width, place] = useWidth()
  const reach = useMemo(
    () => Math.max(1e-9, ...columns.flatMap((one) => one.contributions.map(Math.abs))) * 1.05,
    [columns],
  )
  return (
    <div className="beeswarm" onPointerLeave={() => setAt(null)}>
      <p className="chart-hover">
        {at === null ? (
          <>
            <span>
              <i className="swarm-key" aria-hidden /> low to high value
            </span>
            <span>
              <i className="swarm-key is-category" aria-hidden /> category or missing
            </span>
          </>
        ) : (
          <span>
            <b>{at.column.column}</b> = {valueText(at.column.values[at.row] ?? null)}:{' '}
            <b>{pushText(at.column.contributions[at.row] ?? 0)}</b>
          </span>
        )}
      </p>
      <ul>
        {columns.map((column, index) => (
          <li key={column.column}>
            <span className="swarm-name" title={column.column}>
              {column.column}
            </span>
            <div className="swarm-plot" ref={index === 0 ? place : undefined}>
              {width === 0 ? null : (
                <Swarm column={column} width={width} reach={reach} onAt={setAt} />
              )}
            </div>
          </li>
        ))}
      </ul>
      <div className="swarm-axis num" aria-hidden>
        <span>{pushText(-reach)}</span>
        <span>0</span>
        <span>{pushText(reach)}</span>
      </div>
    </div>
  )
}

function Swarm({
  column,
  width,
  reach,
  onAt,
}: {
  readonly column: Column
  readonly width: number
  readonly reach: number
  readonly onAt: (at: { column: Column; row: number }) => void
}) {
  const dots = useMemo(() => placed(column, width, reach), [column, width, reach])
  return (
    <svg width={width} height={HEIGHT} role="img" aria-label={spokenOf(column)}>
      <line className="swarm-zero" x1={width / 2} x2={width / 2} y1="0" y2={HEIGHT} />
      {dots.map(({ row, x, y, share }) => (
        <circle
          key={row}
          cx={x}
          cy={y}
          r={RADIUS}
          {...(share === null
            ? { className: 'swarm-other' }
            : {
                style: {
                  fill: `color-mix(in oklab, var(--series-2) ${Math.round(share * 100)}%, var(--series-1))`,
                },
              })}
          onPointerEnter={() => onAt({ column, row })}
        />
      ))}
    </svg>
  )
}

/** Dots that would cover each other stand above and below, as far as there is room. */
function placed({ contributions, values }: Column, width: number, reach: number) {
  const shares = ranks(values)
  const taken = new Map<number, number>()
  const steps = [0, 1, -1, 2, -2, 3, -3, 4, -4]
  return contributions.map((push, row) => {
    const x = ((push / reach + 1) / 2) * (width - 2 * RADIUS) + RADIUS
    const bin = Math.round(x / (RADIUS * 1.5))
    const many = taken.get(bin) ?? 0
    taken.set(bin, many + 1)
    const step = steps[many % steps.length] ?? 0
    return { row, x, y: HEIGHT / 2 + step * 3.6, share: shares[row] ?? null }
  })
}

/** Where each number stands among the numbers, from 0 to 1; null for what is none. */
function ranks(values: Column['values']): (number | null)[] {
  const numbers = values.filter((value): value is number => typeof value === 'number')
  const sorted = [...new Set(numbers)].toSorted((a, b) => a - b)
  const place = new Map(sorted.map((value, index) => [value, index]))
  return values.map((value) =>
    typeof value === 'number' ? (place.get(value) ?? 0) / Math.max(1, sorted.length - 1) : null,
  )
}

function BeeswarmTable({
  title,
  columns,
}: {
  readonly title: string
  readonly columns: readonly Column[]
}) {
  return (
    <SmallTable
      label={title}
      head={[
        { title: 'Feature' },
        { title: 'Mean size', right: true },
        { title: 'Strongest down', right: true },
        { title: 'Strongest up', right: true },
        { title: 'Mean at low values', right: true },
        { title: 'Mean at high values', right: true },
      ]}
      rows={columns.map((column) => {
        const [low, high] = halves(column)
        return {
          key: column.column,
          cells: [
            column.column,
            column.mean.toFixed(3),
            pushText(Math.min(...column.contributions)),
            pushText(Math.max(...column.contributions)),
            low === null ? none : pushText(low),
            high === null ? none : pushText(high),
          ],
        }
      })}
    />
  )
}

/** Mean contributions of the lower and the upper half of the numbers. */
function halves(column: Column): [number | null, number | null] {
  const shares = ranks(column.values)
  const mean = (of: (share: number) => boolean) => {
    const found = column.contributions.filter((_, row) => {
      const share = shares[row]
      return share != null && of(share)
    })
    return found.length === 0 ? null : found.reduce((sum, one) => sum + one, 0) / found.length
  }
  return [mean((share) => share < 0.5), mean((share) => share >= 0.5)]
}

function spokenOf(column: Column): string {
  return `${column.column}: contributions from ${pushText(Math.min(...column.contributions))} to ${pushText(Math.max(...column.contributions))}`
}

function valueText(value: number | string | null): string {
  if (value === null) return 'missing'
  return typeof value === 'number' ? statistic(value) : value
}

function pushText(value: number): string {
  const size = Math.abs(value)
  const text = size >= 100 ? statistic(Math.round(size)) : size.toFixed(2)
  return `${value < 0 ? '−' : '+'}${text}`
}

/** How wide the place is; 0 before it is known. */
function useWidth() {
  const place = useRef<HTMLDivElement>(null)
  const [width, setWidth] = useState(0)
  useEffect(() => {
    const element = place.current
    if (element === null) return
    const observer = new ResizeObserver(() => setWidth(Math.floor(element.clientWidth)))
    observer.observe(element)
    return () => observer.disconnect()
  }, [])
  return [width, place] as const
}
