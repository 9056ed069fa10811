import type { ReactNode } from 'react'
import type { RunCell, RunColumn } from '../../../src/server/contract/index.ts'
import { dateTime, duration, none, statistic } from '../../parts/figures.ts'

/** A value of the table of runs, written as its column is read. */
export function runCell(column: RunColumn, value: RunCell | undefined, zone: string): ReactNode {
  if (value === null || value === undefined) return <span className="quiet">{none}</span>
  if (column.kind === 'attribute') return attribute(column.name, value, zone)
  if (typeof value === 'number') return <span title={String(value)}>{metric(value)}</span>
  return <span title={value}>{value}</span>
}

/** Five significant digits, so that close runs can be told apart; the title has all of them. */
function metric(value: number): string {
  const size = Math.abs(value)
  if (Number.isInteger(value) || size >= 1000 || size < 0.001) return statistic(value)
  return String(Number(value.toPrecision(5))).replace(/^-/, '−')
}

function attribute(name: string, value: string | number, zone: string): ReactNode {
  if (name === 'status') return <span className={`status-mark is-${value}`}>{value}</span>
  if (name.endsWith('_time') && typeof value === 'string') return dateTime(value, zone)
  if (name === 'duration' && typeof value === 'number') return duration(value * 1000)
  return <span title={String(value)}>{value}</span>
}
