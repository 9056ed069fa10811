/** A declined customer calls: find the payment, say why, and allow until a time, in two steps. */
import { Button, Textarea } from '@mantine/core'
import { useEffect, useRef, useState } from 'react'
import type { AllowPreview, DecisionRow } from '../../../src/server/contract/index.ts'
import { useAct, useAsk } from '../../client/queries.ts'
import { pick, useView } from '../../client/view.ts'
import { dateTime, money, none } from '../../parts/figures.ts'
import { ChoiceFilter, TextFilter } from '../../parts/filters.tsx'
import { useKeys } from '../../parts/keys.ts'
import { PageLink, Panel, ScreenHead } from '../../parts/layout.tsx'
import { notify } from '../../parts/notify.tsx'
import { OutcomeMark } from '../../parts/outcome.tsx'
import { Answered, Empty, Failed } from '../../parts/states.tsx'
import { inZone, zonedText } from '../../parts/zoned.ts'
import { useTimeZone, useBank } from '../../shell/bank.ts'

export default function CallsScreen() {
  const { view, change } = useView()
  const query = pick(view, ['value', 'amount', 'outcome', 'last', 'from', 'to'])
  const isAsked = ['value', 'amount', 'last', 'from'].some((name) => view[name] !== undefined)
  const answer = useAsk(
    'calls',
    { query: query as never },
    { enabled: isAsked, keepPrevious: true },
  )
  const rows = isAsked ? (answer.data?.items ?? []) : []
  const current = rows.find((row) => row.eventId === view.at) ?? rows[0]
  const step = (by: number) => {
    const index = rows.findIndex((row) => row.eventId === current?.eventId)
    const next = rows[Math.min(rows.length - 1, Math.max(0, index + by))]
    if (next !== undefined) change({ at: next.eventId })
  }
  useKeys({ j: () => step(1), k: () => step(-1), '/': toSearch })
  // Somebody is on the line: what they say is typed at once.
  const cameToAsk = useRef(!isAsked)
  useEffect(() => {
    if (cameToAsk.current) toSearch()
  }, [])
  return (
    <>
      <ScreenHead
        title="A customer calls"
        above={<PageLink to="/cases">Review queue</PageLink>}
        note={
          <>
            Find the payment by what the customer knows, read out why, and let the next one through
            until a time. <kbd>J</kbd> <kbd>K</kbd> go through what is found, <kbd>/</kbd> back to
            the search.
          </>
        }
      />
      <div className="filters">
        <TextFilter name="value" title="Card, customer or number" width={190} />
        <TextFilter name="amount" title="Amount" width={100} />
        <About />
        <ChoiceFilter
          name="last"
          title="When"
          choices={[
            { value: '24h', title: '24 hours' },
            { value: '7d', title: '7 days' },
            { value: undefined, title: 'Any time' },
          ]}
        />
        <ChoiceFilter
          name="outcome"
          title="Outcome"
          choices={[
            { value: undefined, title: 'Declined or held' },
            { value: 'all', title: 'All' },
          ]}
        />
      </div>
      {isAsked ? (
        <Answered answer={answer} rows={6}>
          {(data) =>
            data.items.length === 0 ? (
              <Panel>
                <Empty title="No payment matches">
                  {view.outcome === 'all'
                    ? 'Leave the amount or the time away.'
                    : 'Look among all payments, or leave the amount or the time away.'}
                </Empty>
              </Panel>
            ) : (
              <div className="cases">
                <Panel title={data.sentence}>
                  <Found
                    rows={data.items}
                    current={current}
                    choose={(row) => change({ at: row.eventId })}
                  />
                </Panel>
                {current === undefined ? null : (
                  <Called key={`${current.policy} ${current.eventId}`} row={current} />
                )}
              </div>
            )
          }
        </Answered>
      ) : (
        <Panel>
          <Empty title="What does the customer know?">
            The number of the card or of the customer, the amount of the payment, or about when it
            was.
          </Empty>
        </Panel>
      )}
    </>
  )
}

const ABOUT_MS = 3_600_000

/** About when the customer paid: an hour to either side. */
function About() {
  const { view, change } = useView()
  const zone = useTimeZone()
  const from = Date.parse(view.from ?? '')
  // The page's own range may be any other.
  const isAbout = Date.parse(view.to ?? '') - from === 2 * ABOUT_MS
  const at = isAbout ? zonedText(new Date(from + ABOUT_MS).toISOString(), zone) : ''
  return (
    <input
      type="datetime-local"
      className="filter-input"
      aria-label={`About when, give or take an hour, ${zone}`}
      title={`About when, give or take an hour, ${zone}`}
      defaultValue={at}
      onChange={(event) => {
        const middle = inZone(event.target.value, zone)
        const aside = (by: number) =>
          middle === undefined
            ? undefined
            : new Date(Date.parse(middle) + by * ABOUT_MS).toISOString()
        change({ from: aside(-1), to: aside(1), ...(middle !== undefined && { last: undefined }) })
      }}
    />
  )
}

function toSearch(): void {
  document.querySelector<HTMLInputElement>('.filters input')?.focus()
}

function Found({
  rows,
  current,
  choose,
}: {
  readonly rows: readonly DecisionRow[]
  readonly current: DecisionRow | undefined
  readonly choose: (row: DecisionRow) => void
}) {
  const zone = useTimeZone()
  return (
    <ul className="case-alerts" aria-label="Payments">
      {rows.map((row) => (
        <li
          key={`${row.policy} ${row.eventId}`}
          className={row === current ? 'is-chosen' : undefined}
        >
          <button
            type="button"
            className="alert-row num"
            aria-pressed={row === current}
            onClick={() => choose(row)}
          >
            <span>{dateTime(row.eventTime, zone)}</span>
            <span>{money(row.amount)}</span>
            <OutcomeMark outcome={row.outcome} />
          </button>
        </li>
      ))}
    </ul>
  )
}

const said = { decline: 'declined', review: 'held for a look', allow: 'allowed' } as const

function Called({ row }: { readonly row: DecisionRow }) {
  const params = { policy: row.policy, eventId: row.eventId }
  const answer = useAsk('allowLists', { params })
  const zone = useTimeZone()
  return (
    <div className="stack case-detail">
      <Panel
        title="Say"
        aside={
          <PageLink to={`/decisions/${row.policy}/${encodeURIComponent(row.eventId)}`}>
            Whole decision
          </PageLink>
        }
      >
        <Answered answer={answer} rows={3}>
          {(data) => (
            <>
              <p className="say">
                {`The payment of ${row.amount === null ? none : money(row.amount)} on ${dateTime(row.eventTime, zone)} was ${said[row.outcome]}`}
                {data.say.length === 0 ? '.' : ' because:'}
              </p>
              <ul className="say">
                {data.say.map((sentence) => (
                  <li key={sentence}>{sentence}.</li>
                ))}
              </ul>
            </>
          )}
        </Answered>
      </Panel>
      <Panel title="Allow until…">
        <Answered answer={answer} rows={3}>
          {(data) =>
            data.lists.length === 0 ? (
              <p className="quiet">
                The policy “{row.policy}” declares no list that lets payments through. A rule such
                as <code>listed("travelling")</code> with the outcome allow makes one:{' '}
                <PageLink to={`/policies/${row.policy}/drafts/new`}>draft it</PageLink>.
              </p>
            ) : (
              <Allow row={row} lists={data.lists} />
            )
          }
        </Answered>
      </Panel>
    </div>
  )
}

const hours = {
  '2': '2 hours',
  '24': '24 hours',
  '72': '3 days',
  '168': '7 days',
  '720': '30 days',
}

/** First what it would mean, then the yes; nothing changes before that. */
function Allow({
  row,
  lists,
}: {
  readonly row: DecisionRow
  readonly lists: readonly {
    readonly list: string
    readonly description: string
    readonly column: string
    readonly value: string | null
    readonly listedUntil: string | null
  }[]
}) {
  const zone = useTimeZone()
  const now = useBank().clock.now
  const [list, setList] = useState(lists[0]?.list ?? '')
  const [length, setLength] = useState('24')
  const [seen, setSeen] = useState<AllowPreview>()
  const preview = useAct('previewAllow', [])
  const params = { policy: row.policy, eventId: row.eventId }
  const chosen = lists.find((one) => one.list === list)
  const opener = useRef<HTMLButtonElement>(null)
  const [returned, setReturned] = useState(false)
  // Whoever comes back from the second step is where they left the first.
  useEffect(() => {
    if (returned) opener.current?.focus()
  }, [returned])
  const back = () => {
    setSeen(undefined)
    setReturned(true)
  }
  const look = () => {
    setReturned(false)
    const until = new Date(Date.parse(now) + Number(length) * 3_600_000).toISOString()
    preview.mutate({ params, body: { list, until } }, { onSuccess: setSeen })
  }
  if (seen !== undefined) return <Confirm row={row} seen={seen} back={back} />
  return (
    <div className="stack">
      <div className="filters">
        <select
          className="filter-input"
          aria-label="List"
          value={list}
          onChange={(event) => setList(event.target.value)}
        >
          {lists.map((one) => (
            <option key={one.list} value={one.list}>
              {one.list}
            </option>
          ))}
        </select>
        <select
          className="filter-input"
          aria-label="For how long"
          value={length}
          onChange={(event) => setLength(event.target.value)}
        >
          {Object.entries(hours).map(([value, title]) => (
            <option key={value} value={value}>
              {title}
            </option>
          ))}
        </select>
        <Button
          ref={opener}
          size="xs"
          onClick={look}
          loading={preview.isPending}
          disabled={!chosen?.value}
        >
          Show what it means
        </Button>
      </div>
      {chosen === undefined ? null : (
        <p className="quiet">
          {chosen.description}
          {chosen.description === '' ? '' : '. '}
          {chosen.value === null
            ? `The payment has no ${chosen.column}.`
            : `Its ${chosen.column} is ${chosen.value}${chosen.listedUntil === null ? '' : `, listed until ${dateTime(chosen.listedUntil, zone)}`}.`}
        </p>
      )}
      {preview.error === null ? null : <Failed error={preview.error} />}
    </div>
  )
}

function Confirm({
  row,
  seen,
  back,
}: {
  readonly row: DecisionRow
  readonly seen: AllowPreview
  readonly back: () => void
}) {
  const zone = useTimeZone()
  const [reason, setReason] = useState('')
  const field = useRef<HTMLTextAreaElement>(null)
  useEffect(() => field.current?.focus(), [])
  const act = useAct('confirmAllow', ['allowLists', 'decision'])
  const { list, until, token } = seen
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault()
        act.mutate(
          {
            params: { policy: row.policy, eventId: row.eventId },
            body: { list, until, token, reason: reason.trim() },
          },
          {
            onSuccess: (done) => {
              notify(
                `${seen.column} ${seen.value} is on “${list}” until ${dateTime(done.until, zone)} (${zone}).`,
              )
              back()
            },
          },
        )
      }}
    >
      <p>
        <b>
          {seen.column} {seen.value}
        </b>{' '}
        on “{list}” until <b>{dateTime(until, zone)}</b> ({zone}):
      </p>
      <ul className="effects">
        {seen.effects.map((effect) => (
          <li key={effect}>{effect}</li>
        ))}
      </ul>
      <Textarea
        ref={field}
        label="Reason"
        description="Kept with the entry and in the audit log, with your name."
        autosize
        minRows={2}
        value={reason}
        onChange={(event) => setReason(event.currentTarget.value)}
      />
      {act.error === null ? null : <Failed error={act.error} />}
      <div className="confirm-row">
        <Button type="submit" loading={act.isPending} disabled={reason.trim().length < 3}>
          Allow until {dateTime(until, zone)}
        </Button>
        <Button variant="default" onClick={back}>
          Back
        </Button>
      </div>
    </form>
  )
}
