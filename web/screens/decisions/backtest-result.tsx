/** What a back-test found: what would change, rule by rule, day by day, event by event. */
import type {
  BacktestRate,
  BacktestResult,
  BacktestTally,
} from '../../../src/server/contract/index.ts'
import { BarChart } from '../../parts/charts.tsx'
import {
  count,
  dayMonth,
  money,
  none,
  percent,
  percentRange,
  plural,
  shortDateTime,
} from '../../parts/figures.ts'
import { Facts, Hash, PageLink, Panel } from '../../parts/layout.tsx'
import { LabelMark, OutcomeMark } from '../../parts/outcome.tsx'
import { SmallTable } from '../../parts/small-table.tsx'
import { VerdictSign } from '../../parts/verdict.tsx'
import { useTimeZone } from '../../shell/bank.ts'

const outcomes = ['allow', 'review', 'decline'] as const
const EVENTS_SHOWN = 50

type Props = { readonly found: BacktestResult; readonly policy: string }

export function BacktestFound({ found, policy }: Props) {
  return (
    <div className="stack">
      <Headline found={found} />
      <div className="backtest-pair">
        <Moves found={found} />
        <Load found={found} />
      </div>
      <Rules found={found} />
      <Changed found={found} policy={policy} />
    </div>
  )
}

function Headline({ found }: { readonly found: BacktestResult }) {
  const zone = useTimeZone()
  const { events, from, to, over, namespace, draft, before, seconds } = found
  const labelled = events.positives + events.negatives
  const day = (iso: string | null) => (iso === null ? none : dayMonth(iso, zone))
  return (
    <Panel
      title="What would change"
      aside={
        <>
          intervals with 95 % confidence · <Hash hash={found.hash} />
        </>
      }
    >
      <p className="backtest-headline">{found.sentence}</p>
      <div className="backtest-facts">
        <Facts
          facts={[
            {
              name: 'Events',
              value: `${count(events.n)}, ${day(from)} to ${day(to)}`,
            },
            namespace === null ? null : { name: 'In namespace', value: namespace },
            {
              name: 'With a label',
              value: `${count(labelled)}, ${count(events.positives)} positive`,
            },
            {
              name: 'Held against',
              value:
                over === 'records' ? 'what was decided then' : 'the live policy on the same values',
            },
            {
              name: 'Precision: positive among those stopped',
              value: fromTo(before.precision, draft.precision),
            },
            {
              name: 'Recall: positives that are stopped',
              value: fromTo(before.recall, draft.recall),
            },
            { name: 'Took', value: `${seconds.toFixed(1)} s` },
            found.unscored === 0 ? null : { name: 'Without a score', value: count(found.unscored) },
          ]}
        />
      </div>
    </Panel>
  )
}

function fromTo(before: BacktestRate, draft: BacktestRate) {
  return (
    <>
      {rate(before)} <span className="quiet">{rateNote(before)}</span>
      <br />
      <span aria-label="by the draft">→</span> <b>{rate(draft)}</b>{' '}
      <span className="quiet">{rateNote(draft)}</span>
    </>
  )
}

function rate({ value }: BacktestRate): string {
  return value === null ? none : percent(value)
}

/** The interval holds 95 % confidence, which the panel says once. */
function rateNote({ value, lower, upper, n }: BacktestRate): string {
  return value === null ? 'no label' : `${percentRange(lower, upper)}, n ${count(n)}`
}

/** The same in a narrow column. */
function rateLines({ value, lower, upper, n }: BacktestRate) {
  if (value === null) return 'no label'
  return (
    <>
      {percentRange(lower, upper)}
      <br />n {count(n)}
    </>
  )
}

/** Rows: what was answered. Columns: what the draft answers. */
function Moves({ found }: { readonly found: BacktestResult }) {
  return (
    <Panel title="From what was answered to the draft" flush>
      <SmallTable
        label="From what was answered to the draft"
        pinned
        head={[
          { title: 'Was' },
          ...outcomes.map((draft) => ({
            title: <OutcomeMark key={draft} outcome={draft} />,
            right: true,
          })),
        ]}
        rows={outcomes.map((before) => ({
          key: before,
          cells: [
            <OutcomeMark key="was" outcome={before} />,
            ...outcomes.map((draft) => (
              <Move
                key={draft}
                tally={found.moves[before][draft]}
                found={found}
                isSame={before === draft}
              />
            )),
          ],
        }))}
      />
    </Panel>
  )
}

function Move({
  tally,
  found,
  isSame,
}: {
  readonly tally: BacktestTally
  readonly found: BacktestResult
  readonly isSame: boolean
}) {
  if (tally.n === 0) return <span className="quiet">{none}</span>
  return (
    <span className={isSame ? 'quiet' : undefined}>
      <b className="num">{count(tally.n)}</b>
      <br />
      <span className="quiet num">{inMoney(tally.amountMinor, found)}</span>
      <br />
      <span className="quiet num">{count(tally.positives)} positive</span>
    </span>
  )
}

function inMoney(minor: number | null, { currency, exponent }: BacktestResult): string {
  if (currency === null || minor === null) return none
  return money({ minor, currency, exponent })
}

function Load({ found }: { readonly found: BacktestResult }) {
  const zone = useTimeZone()
  const { capacity, days, draft, before } = found
  const above = draft.reviewsPerDay.daysAboveCapacity
  const note =
    capacity === null
      ? 'The policy says nothing of how many reviews can be worked in a day.'
      : `${count(capacity)} reviews can be worked in a day; the draft brings more on ${count(above)} of ${count(days.length)} days, before it was ${count(before.reviewsPerDay.daysAboveCapacity)}.`
  return (
    <Panel>
      <BarChart
        title="Reviews a day"
        bars={days.map((one) => ({
          title: dayMonth(one.at, zone),
          value: one.before.review,
          second: one.draft.review,
        }))}
        xTitle="Day"
        yTitle="Reviews"
        names={['Before', 'Draft']}
        write={(value) => (value === null ? none : count(value))}
        note={note}
      />
    </Panel>
  )
}

function Rules({ found }: { readonly found: BacktestResult }) {
  return (
    <Panel
      title="Rules of the draft"
      flush
      className="backtest-rules"
      aside={`${plural(found.rules.length, 'rule')}; intervals with 95 % confidence`}
    >
      <SmallTable
        label="Rules in the back-test"
        pinned
        head={[
          { title: 'Rule' },
          { title: 'Fired', right: true },
          { title: 'Caught', right: true },
          { title: 'False', right: true },
          { title: 'Money caught', right: true },
          { title: 'Precision', right: true },
          { title: 'It alone adds', right: true },
        ]}
        rows={found.rules.map((rule) => ({
          key: rule.name,
          cells: [
            <RuleFound key="name" rule={rule} />,
            count(rule.fired.n),
            count(rule.fired.positives),
            count(rule.fired.negatives),
            inMoney(rule.fired.positiveAmountMinor, found),
            <span key="precision">
              {rate(rule.precision)}
              <br />
              <span className="quiet">{rateLines(rule.precision)}</span>
            </span>,
            <span key="adds">
              {count(rule.adds.n)}
              {rule.adds.n === 0 ? null : (
                <>
                  <br />
                  <span className="quiet">
                    {count(rule.adds.positives)} caught
                    <br />
                    {count(rule.adds.negatives)} false
                  </span>
                </>
              )}
            </span>,
          ],
        }))}
      />
    </Panel>
  )
}

/** A rule, what it asks for, and what else is to be known of it; in one column, so that figures fit. */
function RuleFound({ rule }: { readonly rule: BacktestResult['rules'][number] }) {
  return (
    <div className="backtest-rule">
      <PageLink to={`/decisions?rule=${rule.name}`}>{rule.name}</PageLink>
      <span>
        {rule.then === null ? (
          <span className="quiet">signal</span>
        ) : (
          <OutcomeMark outcome={rule.then} />
        )}
        {rule.mode === 'shadow' ? <span className="quiet"> in shadow</span> : null}
      </span>
      {overlapText(rule)}
      {rule.hoursOverCap === 0 ? null : (
        <span className="quiet">{count(rule.hoursOverCap)} hours over its cap</span>
      )}
      {rule.failed === 0 ? null : (
        <span className="verdict-line">
          <VerdictSign status="warning" /> could not be calculated on {count(rule.failed)}
          {rule.failedFirst === undefined
            ? null
            : `, first on ${rule.failedFirst.eventId}: ${rule.failedFirst.why}`}
        </span>
      )}
    </div>
  )
}

function overlapText({ overlap, fired }: BacktestResult['rules'][number]) {
  const [first] = Object.entries(overlap).toSorted((a, b) => b[1] - a[1])
  if (first === undefined) return null
  return (
    <span className="quiet">
      most often with {first[0]}, {count(first[1])} of {count(fired.n)} times
    </span>
  )
}

function Changed({ found, policy }: Props) {
  const zone = useTimeZone()
  const shown = found.changed.slice(0, EVENTS_SHOWN)
  const inNamespace = found.namespace === null ? '' : `?namespace=${found.namespace}`
  if (shown.length === 0) return null
  const total = outcomes
    .flatMap((was) => outcomes.map((now) => (was === now ? 0 : found.moves[was][now].n)))
    .reduce((sum, n) => sum + n, 0)
  return (
    <Panel
      title="Events answered otherwise"
      flush
      aside={
        shown.length < total
          ? `The first ${count(shown.length)} of ${count(total)}`
          : plural(total, 'event')
      }
    >
      <SmallTable
        label="Events answered otherwise"
        pinned
        head={[
          { title: 'Event' },
          { title: 'At' },
          { title: 'Amount', right: true },
          { title: 'Was' },
          { title: 'Draft' },
          { title: 'Label' },
          { title: 'Rules of the draft' },
        ]}
        rows={shown.map((event) => ({
          key: event.eventId,
          cells: [
            found.over === 'records' ? (
              <PageLink
                key="event"
                to={`/decisions/${policy}/${encodeURIComponent(event.eventId)}${inNamespace}`}
              >
                {event.eventId}
              </PageLink>
            ) : (
              event.eventId
            ),
            <span key="at" className="num">
              {shortDateTime(event.eventTime, zone)}
            </span>,
            inMoney(event.amountMinor, found),
            <OutcomeMark key="was" outcome={event.before} />,
            <OutcomeMark key="draft" outcome={event.draft} />,
            event.positive === null ? (
              none
            ) : (
              <LabelMark key="label" label={event.positive ? 'fraud' : 'genuine'} />
            ),
            event.rules.join(', ') || none,
          ],
        }))}
      />
    </Panel>
  )
}
