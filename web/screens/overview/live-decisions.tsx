/** What the bank answers this second, and what it last held back and why. */
import { useEffect, useRef, useState, type ReactNode } from 'react'
import type { DecisionRow } from '../../../src/server/contract/index.ts'
import { objectAddress } from '../../../src/server/contract/objects.ts'
import { useLiveDecisions } from '../../client/live.ts'
import { useAsk } from '../../client/queries.ts'
import { amount, count, none, score, timeOfDay } from '../../parts/figures.ts'
import { PageLink, Panel } from '../../parts/layout.tsx'
import { OutcomeMark } from '../../parts/outcome.tsx'
import { Empty, Failed, Loading } from '../../parts/states.tsx'
import { useTimeZone } from '../../shell/bank.ts'
import { follow, followedLimits, lastHeldBack, nothingFollowed } from './followed.ts'

const ASK_EVERY_MS = 1_000
const heldBackQuery = { limit: followedLimits.heldBack, outcome: 'review,decline' } as const

/** Pushed by the server; where the line is broken they are asked for each second until it is mended. */
export function LiveDecisions({
  perMinute,
  hear,
}: {
  readonly perMinute: number | null
  /** Told whether the line is open, and each time that decisions came over it. */
  readonly hear: (what: 'open' | 'broken' | 'decisions') => void
}) {
  const [followed, setFollowed] = useState(nothingFollowed)
  const { line, again } = useLiveDecisions('', (answer) => {
    setFollowed((before) => follow(before, answer))
    if (answer.items.length > 0) hear('decisions')
  })
  const isBroken = line.state === 'broken'
  useEffect(() => hear(line.state === 'open' ? 'open' : 'broken'), [hear, line.state])
  const asked = useAsk(
    'decisions',
    { query: { limit: followedLimits.newest } },
    { every: ASK_EVERY_MS, enabled: isBroken, keepPrevious: true },
  )
  const older = useAsk(
    'decisions',
    { query: heldBackQuery },
    { every: isBroken && ASK_EVERY_MS, keepPrevious: true },
  )
  const { refetch } = older
  useEffect(() => {
    if (followed.gaps > 1) void refetch()
  }, [followed.gaps, refetch])
  const isKnown = followed.namespace !== null
  const error = isBroken ? line.error : older.error
  return (
    <div className="stack">
      <Stream
        title="Decisions now"
        limit={followedLimits.newest}
        rows={(isBroken ? asked.data?.items : undefined) ?? (isKnown ? followed.newest : undefined)}
        error={error}
        again={again}
        rate={perMinute === null ? null : `${count(perMinute)} a minute`}
        to="/decisions"
        empty={
          <Empty title="No decisions yet" command="npx assay decide payment.json">
            They appear here the moment a policy answers its first event.
          </Empty>
        }
      />
      <Stream
        title="Last held back"
        limit={followedLimits.heldBack}
        rows={older.data && lastHeldBack(followed, older.data.items)}
        error={error}
        again={again}
        rate={null}
        to="/decisions?outcome=review,decline"
        empty={<Empty title="Nothing was held back yet" />}
      />
    </div>
  )
}

/** The newest decisions; still while the pointer or the focus is on them. */
function Stream({
  title,
  limit,
  rows,
  error,
  again,
  rate,
  to,
  empty,
}: {
  readonly title: string
  readonly limit: number
  /** Undefined while they are not known. */
  readonly rows: readonly DecisionRow[] | undefined
  readonly error: unknown
  readonly again: () => void
  readonly rate: string | null
  readonly to: string
  readonly empty: ReactNode
}) {
  const [held, setHeld] = useState(false)
  const shown = useHeld(rows, held)
  const fresh = useFresh(shown)
  return (
    <Panel
      title={title}
      flush
      className="live-decisions"
      aside={
        <>
          {held ? <b className="live-held">Paused under the pointer</b> : rate}{' '}
          <PageLink to={to.replace('/decisions', '/decisions/live')}>Live</PageLink>{' '}
          <PageLink to={to}>All</PageLink>
        </>
      }
    >
      <div
        onPointerEnter={() => setHeld(true)}
        onPointerLeave={() => setHeld(false)}
        onFocus={() => setHeld(true)}
        onBlur={() => setHeld(false)}
      >
        {shown === undefined ? (
          error === null ? (
            <Loading rows={limit} />
          ) : (
            <Failed error={error} again={again} />
          )
        ) : shown.length === 0 ? (
          empty
        ) : (
          <Rows items={shown} fresh={fresh} />
        )}
      </div>
    </Panel>
  )
}

/** What was there when it began to be held; what was not known then may come. */
function useHeld<Value>(value: Value, held: boolean): Value {
  const kept = useRef(value)
  if (!held || kept.current === undefined) kept.current = value
  return kept.current
}

/** Ids that were not there in the answer before; none in the first one. */
function useFresh(items: readonly DecisionRow[] | undefined): ReadonlySet<string> {
  const seen = useRef<readonly DecisionRow[]>([])
  const fresh = useRef<ReadonlySet<string>>(new Set())
  if (items !== undefined && items !== seen.current) {
    const before = new Set(seen.current.map((row) => row.eventId))
    const ids = items.map((row) => row.eventId)
    const arrived = ids.filter((id) => !before.has(id))
    // Where most rows are new a mark on each says nothing.
    fresh.current = new Set(before.size === 0 || arrived.length > 4 ? [] : arrived)
    seen.current = items
  }
  return fresh.current
}

function Rows({
  items,
  fresh,
}: {
  readonly items: readonly DecisionRow[]
  readonly fresh: ReadonlySet<string>
}) {
  const zone = useTimeZone()
  return (
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
          <th scope="col" className="live-score">
            Score
          </th>
          <th scope="col" className="live-reason">
            Main reason
          </th>
        </tr>
      </thead>
      <tbody>
        {items.map((row) => (
          <Row key={row.eventId} row={row} zone={zone} isFresh={fresh.has(row.eventId)} />
        ))}
      </tbody>
    </table>
  )
}

function Row({
  row,
  zone,
  isFresh,
}: {
  readonly row: DecisionRow
  readonly zone: string
  readonly isFresh: boolean
}) {
  const to = objectAddress({ kind: 'decision', id: `${row.policy}/${row.eventId}` })
  const time = timeOfDay(row.eventTime, zone)
  return (
    <tr className={`live-${row.outcome} ${isFresh ? 'is-fresh' : ''}`}>
      <td className="num">
        <PageLink to={to} className="row-link" aria-label={`${time}, decision ${row.eventId}`}>
          {time}
        </PageLink>
      </td>
      <td className="num live-customer">{row.customer ?? none}</td>
      <td className="num live-terminal">{row.terminal ?? none}</td>
      <td className="num cell-right">{row.amount === null ? none : amount(row.amount)}</td>
      <td>
        <OutcomeMark outcome={row.outcome} />
      </td>
      <td className="num live-score">
        {row.score === null ? (
          'rule'
        ) : (
          <span className="mini-score">
            <span className="mini-bar" aria-hidden>
              <i style={{ width: `${row.score * 100}%` }} />
            </span>
            {score(row.score)}
          </span>
        )}
      </td>
      <td className="live-reason" title={row.mainReason ?? undefined}>
        {row.mainReason ?? ''}
      </td>
    </tr>
  )
}
