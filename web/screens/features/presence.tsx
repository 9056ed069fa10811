/** How values came about: zero, missing, absent and stale are different, and counted apart. */
import { Button } from '@mantine/core'
import { useState } from 'react'
import type { Feature, FeaturePresence } from '../../../src/server/contract/index.ts'
import { useAsk } from '../../client/queries.ts'
import { Chart } from '../../parts/charts.tsx'
import { count, date, percent, percentRange } from '../../parts/figures.ts'
import { Panel } from '../../parts/layout.tsx'
import { SmallTable } from '../../parts/small-table.tsx'
import { Empty, Failed, Loading } from '../../parts/states.tsx'

type Kind = FeaturePresence['kinds'][number]

/** Counting goes through history, so it is done when it is asked for. */
export function Presence({ feature }: { readonly feature: Feature }) {
  const [isAsked, setAsked] = useState(false)
  const { set, name } = feature
  const answer = useAsk(
    'featurePresence',
    { params: { set, feature: name } },
    { enabled: isAsked, staleTime: Infinity },
  )
  const found = answer.data
  return (
    <Panel title="How values came about">
      {found !== undefined ? (
        <Counted found={found} />
      ) : answer.isError ? (
        <Failed error={answer.error} again={() => void answer.refetch()} />
      ) : isAsked ? (
        <>
          <p className="quiet">Going through history, which may take some seconds…</p>
          <Loading rows={4} />
        </>
      ) : (
        <>
          <p>
            A zero that was measured, a value that could not be calculated, a row that was not there
            and one that was too old are different, also where the declaration makes one number of
            them. They are counted from history, event by event.
          </p>
          <p className="presence-ask">
            <Button size="xs" variant="default" onClick={() => setAsked(true)}>
              Count the newest events
            </Button>
          </p>
        </>
      )}
    </Panel>
  )
}

function Counted({ found }: { readonly found: FeaturePresence }) {
  const { sentence, events, kinds, days } = found
  if (events === 0) return <Empty title="Nothing to count">{sentence}</Empty>
  return (
    <div aria-live="polite">
      <p className="quiet">{sentence}</p>
      <SmallTable
        label="How values came about"
        head={[
          { title: 'What it was' },
          { title: 'Events', right: true },
          { title: 'Share', right: true },
          { title: '95 % interval', right: true },
        ]}
        rows={kinds.map(({ kind, title, means, share }) => ({
          key: kind,
          cells: [
            <span key="kind" className="presence-kind">
              <i className={`presence-key presence-${kind}`} aria-hidden />
              <span>
                {title}
                <span className="quiet block">{means}</span>
              </span>
            </span>,
            count(share.count),
            percent(share.value),
            share.interval === null ? '' : percentRange(share.interval.low, share.interval.high),
          ],
        }))}
      />
      {days.length < 2 ? null : <ByDay kinds={kinds} days={days} />}
    </div>
  )
}

/** A column a day, from values at the bottom to what was not there; hatched kinds are no values. */
function ByDay({
  kinds,
  days,
}: {
  readonly kinds: readonly Kind[]
  readonly days: FeaturePresence['days']
}) {
  const [at, setAt] = useState<number | null>(null)
  const shown = at === null ? undefined : days[at]
  const title = 'Day by day'
  // Dates of a calendar, not instants: they are the same wherever they are read.
  const write = (day: string) => date(day, 'UTC')
  const totalOf = ({ counts }: FeaturePresence['days'][number]) =>
    kinds.reduce((sum, { kind }) => sum + counts[kind], 0)
  const shareOf = (day: FeaturePresence['days'][number], { kind }: Kind) =>
    day.counts[kind] / Math.max(1, totalOf(day))
  return (
    <Chart
      title={title}
      table={() => (
        <SmallTable
          label={title}
          head={[
            { title: 'Day' },
            { title: 'n', right: true },
            ...kinds.map((kind) => ({ title: kind.title, right: true })),
          ]}
          rows={days.map((day) => ({
            key: day.day,
            cells: [
              write(day.day),
              count(totalOf(day)),
              ...kinds.map((kind) => percent(shareOf(day, kind))),
            ],
          }))}
        />
      )}
    >
      <div
        className="presence-days"
        role="img"
        aria-label="Shares of each kind by day; the table has the figures"
        onPointerLeave={() => setAt(null)}
      >
        {days.map((day, i) => (
          <div
            key={day.day}
            className={i === at ? 'is-at' : undefined}
            onPointerEnter={() => setAt(i)}
          >
            {kinds.map((kind) => (
              <i
                key={kind.kind}
                className={`presence-${kind.kind}`}
                style={{ flexGrow: shareOf(day, kind) }}
              />
            ))}
          </div>
        ))}
      </div>
      <div className="bars-x" aria-hidden>
        <span>{write(days[0]?.day ?? '')}</span>
        <span>{write(days.at(-1)?.day ?? '')}</span>
      </div>
      <p className="chart-hover" aria-live="off">
        {shown === undefined
          ? `A column is a day, 0 to 100 % of its events`
          : `${write(shown.day)}, n ${count(totalOf(shown))}: ${kinds
              .map((kind) => `${kind.title.toLowerCase()} ${percent(shareOf(shown, kind))}`)
              .join(', ')}`}
      </p>
    </Chart>
  )
}
