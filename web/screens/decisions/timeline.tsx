import { useState } from 'react'
import type { Timeline } from '../../../src/server/contract/index.ts'
import { amount, dateTime, dayMonth, money, none } from '../../parts/figures.ts'
import { Chart } from '../../parts/charts.tsx'
import { PageLink, Panel } from '../../parts/layout.tsx'
import { LabelMark, OutcomeMark } from '../../parts/outcome.tsx'
import { SmallTable } from '../../parts/small-table.tsx'
import { useTimeZone } from '../../shell/bank.ts'

const titles = { customer: 'Customer', terminal: 'Terminal' }

/** Payments of one customer or terminal up to this one: height is the amount, the mark the label. */
export function TimelineChart({
  timeline,
  policy,
}: {
  readonly timeline: Timeline
  readonly policy: string
}) {
  const zone = useTimeZone()
  const [at, setAt] = useState<number | null>(null)
  const { events } = timeline
  const first = Date.parse(events[0]?.at ?? '')
  const last = Date.parse(events.at(-1)?.at ?? '')
  const span = Math.max(1, last - first)
  const top = Math.max(1, ...events.map((event) => event.amount?.minor ?? 0))
  const one = at === null ? events.find((event) => event.isThisOne) : events[at]
  const biggest = events.find((event) => event.amount?.minor === top)?.amount
  return (
    <Panel>
      <Chart
        title={`${titles[timeline.entity]} ${timeline.id}: ${timeline.sentence}`}
        table={() => (
          <SmallTable
            label={`Payments of ${timeline.entity} ${timeline.id}`}
            head={[
              { title: `Time, ${zone}` },
              { title: 'Amount', right: true },
              { title: 'Outcome' },
              { title: 'Label' },
            ]}
            rows={events.map((event) => ({
              key: event.eventId,
              cells: [
                event.policy === null ? (
                  dateTime(event.at, zone)
                ) : (
                  <PageLink key="at" to={`/decisions/${policy}/${event.eventId}`}>
                    {dateTime(event.at, zone)}
                  </PageLink>
                ),
                money(event.amount),
                event.outcome === null ? (
                  none
                ) : (
                  <OutcomeMark key="outcome" outcome={event.outcome} />
                ),
                <LabelMark key="label" label={event.label} />,
              ],
            }))}
          />
        )}
      >
        {events.length === 0 ? (
          <p className="quiet">Never seen before this payment.</p>
        ) : (
          <>
            <div
              className="timeline"
              onPointerLeave={() => setAt(null)}
              role="img"
              aria-label={timeline.sentence}
            >
              <span className="timeline-top" aria-hidden>
                {biggest == null ? '' : money(biggest)}
              </span>
              {events.map((event, i) => (
                <span
                  key={event.eventId}
                  className={`timeline-event label-${event.label ?? 'none'} ${event.isThisOne ? 'is-this' : ''} ${i === at ? 'is-at' : ''}`}
                  style={{
                    left: `${events.length === 1 ? 99 : 1 + ((Date.parse(event.at) - first) / span) * 98}%`,
                    height: `${4 + ((event.amount?.minor ?? 0) / top) * 92}%`,
                  }}
                  onPointerEnter={() => setAt(i)}
                />
              ))}
            </div>
            <div className="bars-x">
              <span>{events[0] === undefined ? '' : dayMonth(events[0].at, zone)}</span>
              <span className="timeline-keys">
                <i className="label-fraud" /> fraud <i className="label-genuine" /> genuine{' '}
                <i className="label-none" /> not known yet <i className="is-this" /> this one
              </span>
              <span>{dayMonth(events.at(-1)?.at ?? '', zone)}</span>
            </div>
            <p className="chart-hover">
              {one === undefined
                ? ''
                : `${dateTime(one.at, zone)}: ${one.amount === null ? none : `${one.amount.currency} ${amount(one.amount)}`}${one.outcome === null ? '' : `, ${one.outcome}`}${one.label === null ? '' : `, ${one.label}`}${one.isThisOne ? ' (this one)' : ''}`}
            </p>
          </>
        )}
      </Chart>
    </Panel>
  )
}
