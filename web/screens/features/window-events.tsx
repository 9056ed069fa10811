import type { ExplainedFeature } from '../../../src/server/contract/index.ts'
import { count, dateTime, none, shortDateTime, statistic, timeOfDay } from '../../parts/figures.ts'
import { Folded, ObjectLink } from '../../parts/layout.tsx'
import { OutcomeMark } from '../../parts/outcome.tsx'
import { SmallTable } from '../../parts/small-table.tsx'

type Window = ExplainedFeature['windows'][number]

/** One window behind a value: its bounds, and its events, newest first, each with its decision. */
export function WindowEvents({ window, zone }: { readonly window: Window; readonly zone: string }) {
  const { words, value, from, to, events } = window
  const shown =
    events.length < window.count
      ? `the newest ${count(events.length)} of ${count(window.count)} events`
      : `${count(window.count)} ${window.count === 1 ? 'event' : 'events'}`
  return (
    <section className="window-events">
      <h3>
        {words}: <span className="num">{value === null ? 'missing' : statistic(value)}</span>
      </h3>
      <p className="quiet">
        {from === null ? 'All that came' : `After ${dateTime(from, zone)},`} up to{' '}
        {dateTime(to, zone)}, {zone}
      </p>
      {events.length === 0 ? (
        <p>No event of this entity lies in the window.</p>
      ) : (
        <Folded title={`Show ${shown}`} startOpen={events.length <= 12}>
          <SmallTable
            label={`Events: ${words}`}
            head={[
              { title: `Event time, ${zone}` },
              { title: 'Decision' },
              ...(window.valueColumn === null ? [] : [{ title: window.valueColumn, right: true }]),
              { title: window.counting },
            ]}
            rows={events.map((event, i) => ({
              key: `${event.at} ${event.id ?? i}`,
              cells: [
                <span key="at" className="num">
                  {shortDateTime(event.at, zone)}:{timeOfDay(event.at, zone).slice(6)}
                </span>,
                <DecisionOf key="decision" event={event} />,
                ...(window.valueColumn === null
                  ? []
                  : [event.value === null ? none : statistic(event.value)]),
                event.counts ? (
                  'yes'
                ) : (
                  <span key="counts" className="quiet">
                    no
                  </span>
                ),
              ],
            }))}
          />
        </Folded>
      )}
    </section>
  )
}

function DecisionOf({ event }: { readonly event: Window['events'][number] }) {
  if (event.decision === null) {
    return (
      <span className="quiet" title="From before live traffic: no decision was made on it here">
        {event.id === null ? '' : `${event.id}, `}history
      </span>
    )
  }
  return (
    <>
      <ObjectLink target={event.decision} />{' '}
      {event.outcome === null ? null : <OutcomeMark outcome={event.outcome} />}
    </>
  )
}
