import type { ExplainedFeature } from '../../../src/server/contract/index.ts'
import { count, dateTime, plural, shortDateTime, timeOfDay, withUnit } from '../../parts/figures.ts'
import { Folded, ObjectLink } from '../../parts/layout.tsx'
import { OutcomeMark } from '../../parts/outcome.tsx'
import { SmallTable } from '../../parts/small-table.tsx'
import { withoutUnit } from './units.ts'

type Window = ExplainedFeature['windows'][number]

/** One window behind a value: its bounds, and its events, newest first, each with its decision. */
export function WindowEvents({
  window,
  own,
  zone,
}: {
  readonly window: Window
  /** The feature's own source, whose events are decided on. */
  readonly own: string
  readonly zone: string
}) {
  const { words, value, from, to, events } = window
  const shown =
    events.length < window.count
      ? `the newest ${count(events.length)} of ${count(window.count)} events`
      : plural(window.count, 'event')
  const isGraph = events.some(({ edge }) => edge !== null)
  const unitOfColumn = window.valueUnit === null ? '' : `, ${window.valueUnit}`
  return (
    <section className="window-events">
      <h3>
        {words}:{' '}
        <span className="num">{value === null ? 'missing' : withUnit(value, window.unit)}</span>
      </h3>
      <p className="quiet">
        {from === null ? 'All that came,' : `After ${dateTime(from, zone)},`} up to{' '}
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
              { title: isGraph ? 'From → to' : 'Decision' },
              ...(window.valueColumn === null
                ? []
                : [{ title: window.valueColumn + unitOfColumn, right: true }]),
              { title: window.counting },
            ]}
            rows={events.map((event, i) => ({
              key: `${event.at} ${event.id ?? i}`,
              cells: [
                <span key="at" className="num">
                  {shortDateTime(event.at, zone)}:{timeOfDay(event.at, zone).slice(6)}
                </span>,
                event.edge === null ? (
                  <DecisionOf key="decision" event={event} own={own} />
                ) : (
                  `${event.edge.from} → ${event.edge.to}`
                ),
                ...(window.valueColumn === null
                  ? []
                  : [withoutUnit(event.value, window.valueUnit)]),
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

function DecisionOf({
  event,
  own,
}: {
  readonly event: Window['events'][number]
  readonly own: string
}) {
  if (event.decision === null) {
    const [what, why] =
      event.source === own
        ? ['history', 'From before live traffic: no decision was made on it here']
        : [`of ${event.source}`, 'Only events of the feature’s own source are decided on']
    return (
      <span className="quiet" title={why}>
        {event.id === null ? '' : `${event.id}, `}
        {what}
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
