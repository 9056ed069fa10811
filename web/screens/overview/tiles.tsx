import type { ReactNode } from 'react'
import type { Overview, Verdict } from '../../../src/server/contract/index.ts'
import { Spark } from '../../parts/charts.tsx'
import { amount, count, none, percent, percentRange } from '../../parts/figures.ts'
import { PageLink } from '../../parts/layout.tsx'
import { VerdictSign } from '../../parts/verdict.tsx'

export function Tiles({ tiles }: { readonly tiles: Overview['tiles'] }) {
  const { fraudStopped, fraudMissed, genuineDeclined, reviewQueue } = tiles
  const capacity = reviewQueue.capacityPerDay
  return (
    <div className="tiles">
      <Tile
        title="Fraud stopped"
        to="/decisions?outcome=decline,review&label=fraud"
        verdict={fraudStopped.verdict}
        figure={<Sum of={fraudStopped} />}
        note={fraudStopped.note}
      >
        <Spark values={fraudStopped.trend.map((point) => point.value)} />
      </Tile>
      <Tile
        title="Fraud missed"
        to="/decisions?outcome=allow&label=fraud"
        verdict={fraudMissed.verdict}
        figure={<Sum of={fraudMissed} />}
        note={fraudMissed.note}
      >
        <Spark values={fraudMissed.trend.map((point) => point.value)} />
      </Tile>
      <Tile
        title="Genuine customers declined"
        to="/decisions?outcome=decline&label=genuine"
        verdict={genuineDeclined.verdict}
        figure={
          <>
            {percent(genuineDeclined.rate.value)} <small>n {count(genuineDeclined.rate.n)}</small>
          </>
        }
        note={
          genuineDeclined.rate.interval === null
            ? genuineDeclined.note
            : `${percentRange(
                genuineDeclined.rate.interval.low,
                genuineDeclined.rate.interval.high,
              )}; ${genuineDeclined.note}`
        }
      >
        <Spark values={genuineDeclined.trend.map((point) => point.value)} />
      </Tile>
      <Tile
        title="Review queue"
        to="/cases"
        verdict={reviewQueue.verdict}
        figure={
          <>
            {count(reviewQueue.open)} {capacity === null ? null : <small>open</small>}
          </>
        }
        note={reviewQueue.note}
      >
        {capacity === null ? null : (
          <Capacity open={reviewQueue.open} done={reviewQueue.decidedToday} capacity={capacity} />
        )}
      </Tile>
    </div>
  )
}

/** Before anything was measured a sum is not zero but unknown. */
function Sum({ of }: { readonly of: Overview['tiles']['fraudStopped'] }) {
  if (of.verdict.status === 'no-data' && of.count === 0) return none
  return (
    <>
      <small>{of.amount.currency}</small> {amount(of.amount)}
    </>
  )
}

function Tile({
  title,
  to,
  verdict,
  figure,
  note,
  children,
}: {
  readonly title: string
  readonly to: string
  readonly verdict: Verdict
  readonly figure: ReactNode
  readonly note: string
  readonly children?: ReactNode
}) {
  return (
    <PageLink to={to} className="tile" title={verdict.sentence}>
      <span className="tile-title">
        {title}
        <VerdictSign status={verdict.status} />
      </span>
      <span className="tile-figure">{figure}</span>
      <span className="tile-note">{note}</span>
      <span className="tile-picture">{children}</span>
    </PageLink>
  )
}

/** How much of the day's capacity is used and waits. */
function Capacity({
  open,
  done,
  capacity,
}: {
  readonly open: number
  readonly done: number
  readonly capacity: number
}) {
  const share = (part: number) =>
    `${Math.min(100, (part / Math.max(capacity, open + done, 1)) * 100)}%`
  return (
    <span className="capacity">
      <span className="capacity-done" style={{ width: share(done) }} />
      <span className="capacity-open" style={{ width: share(open) }} />
      <span className="visually-hidden">
        {done} decided today, {open} open
      </span>
    </span>
  )
}
