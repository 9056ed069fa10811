/** Runs in rows: a wide table, or on a narrow page a list. */
import { useMediaQuery } from '@mantine/hooks'
import { useNavigate } from '@tanstack/react-router'
import { useMemo } from 'react'
import type { RunColumn, RunRow } from '../../../src/server/contract/index.ts'
import { useView } from '../../client/view.ts'
import { DataTable, type Column } from '../../parts/data-table.tsx'
import { shortDateTime } from '../../parts/figures.ts'
import { PageLink } from '../../parts/layout.tsx'
import { WideTable, type WideColumn } from '../../parts/wide-table.tsx'
import { useTimeZone } from '../../shell/bank.ts'
import { runCell } from './run-cell.tsx'
import { differingColumns, nextOrder, orderOf, type RunsAnswer } from './runs-query.ts'

const byName: RunColumn = {
  key: 'attributes.run_name',
  kind: 'attribute',
  name: 'run_name',
  title: 'Run',
  sortable: true,
}

export interface RunsTableProps {
  readonly data: RunsAnswer
  readonly marked: ReadonlySet<string>
  readonly mark: (ids: readonly string[], on: boolean) => void
  /** Where the keyboard is. */
  readonly at: number
  readonly onEnd: (() => void) | undefined
}

export function RunsTable(props: RunsTableProps) {
  const isNarrow = useMediaQuery('(max-width: 560px)', false, { getInitialValueInEffect: false })
  const { view } = useView()
  const { columns, rows } = props.data
  const onlyDifferent = view.differences !== undefined
  const shown = useMemo(() => {
    const withoutName = columns.filter(({ key }) => key !== 'attributes.run_name')
    const chosen = onlyDifferent ? new Set(differingColumns(columns, rows)) : undefined
    return withoutName.filter((column) => chosen === undefined || chosen.has(column))
  }, [columns, rows, onlyDifferent])
  return isNarrow ? <RunsList {...props} shown={shown} /> : <RunsGrid {...props} shown={shown} />
}

type Shown = RunsTableProps & { readonly shown: readonly RunColumn[] }

function RunsGrid({ data, marked, mark, at, onEnd, shown }: Shown) {
  const zone = useTimeZone()
  const navigate = useNavigate()
  const { view, change } = useView()
  const order = useMemo(() => orderOf(view.order), [view.order])
  const { rows, columns: answered } = data
  const columns = useMemo(
    () =>
      shown.map((column): WideColumn<RunRow> => {
        const place = answered.indexOf(column)
        const isNumber = rows.every(({ values }) => isNumeric(values[place]))
        const isHere = order?.key === column.key
        return {
          key: column.key,
          title: column.kind === 'attribute' ? column.title : column.key,
          head: <ColumnHead column={column} zone={zone} />,
          width: widthOf(column),
          ...(isNumber || column.name === 'duration' ? { align: 'right' as const } : {}),
          ...(column.sortable ? { onSort: () => change({ order: nextOrder(column, order) }) } : {}),
          ...(isHere ? { sorted: order.descending ? 'descending' : 'ascending' } : {}),
          cell: (row) => runCell(column, row.values[place], zone),
        }
      }),
    [shown, answered, rows, order, zone, change],
  )
  const allMarked = rows.length > 0 && rows.every(({ id }) => marked.has(id))
  const pinned = useMemo(
    (): WideColumn<RunRow>[] => [
      {
        key: 'mark',
        title: 'Choose',
        head: (
          <input
            type="checkbox"
            aria-label="Choose all that are shown"
            checked={allMarked}
            onChange={() =>
              mark(
                rows.map(({ id }) => id),
                !allMarked,
              )
            }
          />
        ),
        width: 40,
        cell: (row) => (
          <input
            type="checkbox"
            aria-label={`Choose ${row.name}`}
            checked={marked.has(row.id)}
            onChange={() => mark([row.id], !marked.has(row.id))}
          />
        ),
      },
      {
        key: 'name',
        title: 'Run',
        width: 220,
        onSort: () => change({ order: nextOrder(byName, order) }),
        ...(order?.key === byName.key
          ? { sorted: order.descending ? ('descending' as const) : ('ascending' as const) }
          : {}),
        cell: (row) => <RunName row={row} />,
      },
    ],
    [marked, mark, rows, allMarked, order, change],
  )
  return (
    <WideTable
      label="Runs"
      rows={rows}
      pinned={pinned}
      columns={columns}
      rowKey={(row) => row.id}
      rowClass={(row) =>
        `${marked.has(row.id) ? 'is-selected' : ''} ${row.deletedAt === null ? '' : 'is-deleted'}`
      }
      at={at}
      onOpen={(row) => void navigate({ to: `/experiments/${row.id}` } as never)}
      onEnd={onEnd}
      total={data.total}
    />
  )
}

function RunName({ row }: { readonly row: RunRow }) {
  return (
    <PageLink to={`/experiments/${row.id}`} title={row.name}>
      {row.name}
    </PageLink>
  )
}

function ColumnHead({ column, zone }: { readonly column: RunColumn; readonly zone: string }) {
  if (column.kind === 'attribute') {
    return column.name.endsWith('_time') ? `${column.title}, ${zone}` : column.title
  }
  return (
    <>
      <span className={`column-kind is-${column.kind}`} aria-hidden>
        {column.kind.charAt(0)}
      </span>
      {column.title}
    </>
  )
}

const attributeWidths: Readonly<Record<string, number>> = {
  status: 100,
  start_time: 150,
  end_time: 150,
  duration: 90,
  user_id: 150,
  run_id: 260,
}

function widthOf({ kind, name, title }: RunColumn): number {
  if (kind === 'attribute') return attributeWidths[name] ?? 130
  return Math.min(220, Math.max(104, title.length * 7.4 + 52))
}

const isNumeric = (value: unknown): boolean =>
  value === null ||
  typeof value === 'number' ||
  value === 'NaN' ||
  (typeof value === 'string' && value.trim() !== '' && Number.isFinite(Number(value)))

const LINE_VALUES = 2

/** Two lines a run: its name and how it went, then the first values that the table would show. */
function RunsList({ data, marked, mark, onEnd, shown }: Shown) {
  const zone = useTimeZone()
  const navigate = useNavigate()
  const values = shown.filter(({ kind }) => kind === 'metric' || kind === 'param')
  const columns: readonly Column<RunRow>[] = [
    {
      key: 'mark',
      title: <span className="visually-hidden">Choose</span>,
      width: '22px',
      cell: (row) => (
        <input
          type="checkbox"
          aria-label={`Choose ${row.name}`}
          checked={marked.has(row.id)}
          onChange={() => mark([row.id], !marked.has(row.id))}
        />
      ),
    },
    {
      key: 'run',
      title: 'Run',
      width: 'minmax(0, 1fr)',
      cell: (row) => (
        <span className="run-line">
          <span className="run-line-head">
            <RunName row={row} />
            <span className={`status-mark is-${row.status}`}>{row.status}</span>
          </span>
          <span className="run-line-values quiet">
            {shortDateTime(row.startedAt, zone)}
            {values.slice(0, LINE_VALUES).map((column) => (
              <span key={column.key}>
                {column.title}{' '}
                <b>{runCell(column, row.values[data.columns.indexOf(column)], zone)}</b>
              </span>
            ))}
          </span>
        </span>
      ),
    },
  ]
  return (
    <DataTable
      label="Runs"
      rows={data.rows}
      columns={columns}
      rowKey={(row) => row.id}
      rowHeight={66}
      onOpen={(row) => void navigate({ to: `/experiments/${row.id}` } as never)}
      onEnd={onEnd}
    />
  )
}
