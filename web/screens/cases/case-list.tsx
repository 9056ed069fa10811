import { useEffect, useMemo, useRef } from 'react'
import type { Case } from '../../../src/server/contract/index.ts'
import { DataTable, type Column } from '../../parts/data-table.tsx'
import { amount, none, shortDateTime } from '../../parts/figures.ts'
import { LabelMark } from '../../parts/outcome.tsx'
import { useTimeZone } from '../../shell/bank.ts'

export function CaseList({
  rows,
  selected,
  select,
  marked,
  mark,
}: {
  readonly rows: readonly Case[]
  readonly selected: string | undefined
  readonly select: (row: Case) => void
  readonly marked: ReadonlySet<string>
  readonly mark: (id: string) => void
}) {
  const zone = useTimeZone()
  const latest = useRef(mark)
  useEffect(() => {
    latest.current = mark
  })
  const currency = rows[0]?.priority.risk?.currency
  const columns = useMemo(
    (): readonly Column<Case>[] => [
      {
        key: 'mark',
        title: <span className="visually-hidden">Mark</span>,
        width: '18px',
        cell: (row) => (
          <input
            type="checkbox"
            aria-label={`Mark ${row.entity.value || row.decision.eventId}`}
            checked={marked.has(row.id)}
            onChange={() => latest.current(row.id)}
          />
        ),
      },
      {
        key: 'risk',
        title: <span title="Amount × score of the open alerts">{currency ?? ''} at risk</span>,
        width: '84px',
        align: 'right',
        cell: (row) => (
          <span title={row.priority.sentence}>
            {row.priority.risk === null ? none : amount(row.priority.risk)}
          </span>
        ),
      },
      {
        key: 'entity',
        title: rows[0]?.entity.column === '' ? 'Event' : 'Of',
        width: 'minmax(60px, 1fr)',
        cell: (row) => (
          <>
            {row.entity.value || row.decision.eventId}
            {row.alertCount > 1 ? (
              <span className="tag" title={`${row.alertCount} alerts`}>
                ×{row.alertCount}
              </span>
            ) : null}
          </>
        ),
      },
      {
        key: 'due',
        title: `Due, ${zone}`,
        width: '88px',
        cell: (row) =>
          row.overdue ? (
            <span className="overdue" title={shortDateTime(row.dueAt, zone)}>
              overdue
            </span>
          ) : (
            shortDateTime(row.dueAt, zone)
          ),
      },
      {
        key: 'state',
        title: 'State',
        width: 'minmax(64px, 92px)',
        cell: (row) => <State row={row} />,
      },
    ],
    [currency, marked, rows, zone],
  )
  return (
    <DataTable
      label="Cases"
      rows={rows}
      columns={columns}
      rowKey={(row) => row.id}
      selected={selected}
      onSelect={select}
      rowHeight={30}
    />
  )
}

const queueKeys = [
  ['J K', 'next, previous'],
  ['X', 'mark'],
  ['U', 'undo'],
  ['O', 'whole decision'],
  ['R', 'show what came in'],
  ['/', 'search'],
  ['?', 'all keys'],
] as const

/** The keys that no button of the case itself names. */
export function QueueKeys() {
  return (
    <p className="queue-keys">
      {queueKeys.map(([keys, what]) => (
        <span key={what}>
          {keys.split(' ').map((key) => (
            <kbd key={key}>{key}</kbd>
          ))}{' '}
          {what}
        </span>
      ))}
    </p>
  )
}

/** The verdict, or what stands between the case and one: a second person, somebody who has it. */
function State({ row }: { readonly row: Case }) {
  if (row.proposal !== null) return <span className="waits">waits for yes</span>
  if (row.verdict !== null) return <LabelMark label={row.verdict.value} />
  const looking = row.viewers.find((viewer) => !viewer.you)
  if (looking !== undefined) {
    return (
      <span className="quiet" title={`${looking.identity.name} has it open`}>
        ◉ {looking.identity.name}
      </span>
    )
  }
  if (row.assignee === null) return <span className="quiet">open</span>
  return <span>{row.assigneeIsYou ? 'you' : row.assignee.name}</span>
}
