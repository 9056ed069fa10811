import { useRef, useState } from 'react'
import type { DecisionRow } from '../../../src/server/contract/index.ts'
import { useAsk } from '../../client/queries.ts'
import { amount, count, none, timeOfDay } from '../../parts/figures.ts'
import { PageLink, Panel } from '../../parts/layout.tsx'
import { OutcomeMark } from '../../parts/outcome.tsx'
import { Empty, Failed, Loading } from '../../parts/states.tsx'
import { useTimeZone } from '../../shell/bank.ts'
import { objectAddress } from '../../../src/server/contract/objects.ts'

/** The newest decisions, each second; still while the pointer or the focus is on them. */
export function LiveDecisions({ perMinute }: { readonly perMinute: number | null }) {
  const [only, setOnly] = useState(false)
  const [held, setHeld] = useState(false)
  const zone = useTimeZone()
  const answer = useAsk(
    'decisions',
    { query: { limit: 18, ...(only ? { outcome: 'review,decline' } : {}) } },
    { every: held ? false : 1_000, keepPrevious: true },
  )
  const shown = useRef<readonly DecisionRow[]>([])
  const fresh = useRef(new Set<string>())
  const items = answer.data?.items
  if (items !== undefined && items !== shown.current) {
    const before = new Set(shown.current.map((row) => row.eventId))
    fresh.current = new Set(
      before.size === 0 ? [] : items.map((row) => row.eventId).filter((id) => !before.has(id)),
    )
    shown.current = items
  }
  return (
    <Panel
      title="Decisions now"
      flush
      className="live-decisions"
      aside={
        <>
          {held ? <b className="live-held">Paused under the pointer</b> : null}
          {!held && perMinute !== null ? `${count(perMinute)} a minute · ` : held ? ' · ' : ''}
          <label className="live-only">
            <input type="checkbox" checked={only} onChange={(event) => setOnly(event.target.checked)} />
            not allowed only
          </label>
          {' · '}
          <PageLink to="/decisions">All</PageLink>
        </>
      }
    >
      <div
        onPointerEnter={() => setHeld(true)}
        onPointerLeave={() => setHeld(false)}
        onFocus={() => setHeld(true)}
        onBlur={() => setHeld(false)}
      >
        {items === undefined ? (
          answer.isError ? (
            <Failed error={answer.error} />
          ) : (
            <Loading rows={12} />
          )
        ) : items.length === 0 ? (
          <Empty title="No decisions yet" command="npx assay decide examples/card-fraud">
            They appear here the moment a policy answers its first event.
          </Empty>
        ) : (
          <table className="live-table">
            <thead>
              <tr>
                <th scope="col">Time</th>
                <th scope="col" className="live-customer">
                  Customer
                </th>
                <th scope="col" className="live-terminal">
                  Terminal
                </th>
                <th scope="col" className="cell-right">
                  {items[0]?.amount?.currency ?? 'Amount'}
                </th>
                <th scope="col">Outcome</th>
                <th scope="col" className="live-reason">
                  Main reason
                </th>
              </tr>
            </thead>
            <tbody>
              {items.map((row) => (
                <LiveRow
                  key={row.eventId}
                  row={row}
                  zone={zone}
                  isFresh={fresh.current.has(row.eventId)}
                />
              ))}
            </tbody>
          </table>
        )}
      </div>
    </Panel>
  )
}

function LiveRow({
  row,
  zone,
  isFresh,
}: {
  readonly row: DecisionRow
  readonly zone: string
  readonly isFresh: boolean
}) {
  const to = objectAddress({ kind: 'decision', id: `${row.policy}/${row.eventId}` })
  return (
    <tr className={`live-${row.outcome} ${isFresh ? 'is-fresh' : ''}`}>
      <td className="num">
        <PageLink to={to} className="row-link" aria-label={`Decision ${row.eventId}`}>
          {timeOfDay(row.eventTime, zone)}
        </PageLink>
      </td>
      <td className="num live-customer">{row.customer ?? none}</td>
      <td className="num live-terminal">{row.terminal ?? none}</td>
      <td className="num cell-right">{row.amount === null ? none : amount(row.amount)}</td>
      <td>
        <OutcomeMark outcome={row.outcome} />
      </td>
      <td className="live-reason" title={row.mainReason ?? undefined}>
        {row.mainReason ?? ''}
      </td>
    </tr>
  )
}
