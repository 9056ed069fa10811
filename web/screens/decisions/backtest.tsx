/** A draft of a policy on a period of the past: choose the period, watch it run, read what would change. */
import { Button, SegmentedControl, TextInput } from '@mantine/core'
import { useParams } from '@tanstack/react-router'
import { useState } from 'react'
import type { Backtest } from '../../../src/server/contract/index.ts'
import { useAct, useAsk } from '../../client/queries.ts'
import { useView } from '../../client/view.ts'
import { count, date, dateTime, percent, shortHash } from '../../parts/figures.ts'
import { PageLink, Panel, ScreenHead } from '../../parts/layout.tsx'
import { notifyFailed } from '../../parts/notify.tsx'
import { SmallTable } from '../../parts/small-table.tsx'
import { Answered, Empty } from '../../parts/states.tsx'
import { useTimeZone } from '../../shell/bank.ts'
import { inZone } from '../../parts/zoned.ts'
import { BacktestFound } from './backtest-result.tsx'

const LOOK_EVERY_MS = 1000

export default function BacktestScreen() {
  const { policy = '' } = useParams({ strict: false }) as Record<string, string>
  const { view } = useView()
  return (
    <>
      <ScreenHead
        above={<PageLink to={`/policies/${policy}`}>{policy}</PageLink>}
        title="Back-test"
        note="What the policy would have answered on events of the past, beside what was answered. Nothing that decides is changed by it."
      />
      <BacktestPanel policy={policy} draft={view.draft} />
    </>
  )
}

/** `draft` is the id of a draft; without one the live policy is tested. */
export function BacktestPanel({
  title = 'Period',
  policy,
  draft,
}: {
  readonly title?: string
  readonly policy: string
  readonly draft?: string | undefined
}) {
  const [open, setOpen] = useState<string | null>(null)
  const answer = useAsk('backtests', { params: { policy } }, { every: LOOK_EVERY_MS })
  const { view, change } = useView()
  const chosen = open ?? view.backtest ?? null
  const choose = (hash: string) => {
    setOpen(hash)
    change({ backtest: hash })
  }
  return (
    <div className="stack">
      <Panel title={title}>
        <Ask policy={policy} draft={draft} />
      </Panel>
      <Answered answer={answer}>
        {({ items }) =>
          items.length === 0 ? (
            <Panel>
              <Empty
                title="Nothing was back-tested yet"
                command="npx assay backtest --from 2018-08-01 --to 2018-08-31"
              >
                A month of events takes seconds; the result is kept and can be approved upon. In the
                terminal:
              </Empty>
            </Panel>
          ) : (
            <>
              <Panel title="Back-tests" flush aside={`${items.length} kept or on their way`}>
                <Listed items={items} policy={policy} chosen={chosen} onChoose={choose} />
              </Panel>
              <Result policy={policy} hash={chosen ?? newest(items)} />
            </>
          )
        }
      </Answered>
    </div>
  )
}

function newest(items: readonly Backtest[]): string | null {
  return items.find(({ hash }) => hash !== null)?.hash ?? null
}

const DAY_MS = 86_400_000

/** First and last day as they are typed; empty means without an end. */
function Ask({ policy, draft }: { readonly policy: string; readonly draft?: string | undefined }) {
  const [from, setFrom] = useState('')
  const [to, setTo] = useState('')
  const zone = useTimeZone()
  const [over, setOver] = useState<'either' | 'records' | 'history'>('either')
  const start = useAct('startBacktest', ['backtests'])
  const body = {
    ...(draft !== undefined && { draft }),
    ...(from !== '' && { from: inZone(from, zone) }),
    ...(to !== '' && { to: inZone(dayAfter(to), zone) }),
    ...(over !== 'either' && { over }),
  }
  return (
    <form
      className="backtest-ask"
      onSubmit={(event) => {
        event.preventDefault()
        start.mutate({ params: { policy }, body }, { onError: notifyFailed })
      }}
    >
      <TextInput
        type="date"
        label={`First day, ${zone}`}
        value={from}
        onChange={(event) => setFrom(event.target.value)}
      />
      <TextInput
        type="date"
        label={`Last day, ${zone}`}
        value={to}
        onChange={(event) => setTo(event.target.value)}
      />
      <div>
        <p className="backtest-label">{onWhat[over]}</p>
        <SegmentedControl
          aria-label="Which events"
          value={over}
          onChange={(value) => setOver(value)}
          data={[
            { value: 'either', label: 'Whichever reaches' },
            { value: 'records', label: 'Decisions' },
            { value: 'history', label: 'All events' },
          ]}
        />
      </div>
      <Button type="submit" loading={start.isPending}>
        Run the back-test
      </Button>
    </form>
  )
}

/** What each choice stands for: what the events are, and where their values come from. */
const onWhat = {
  either: 'Decisions; all events where the period begins before them',
  records: 'Decisions, on the values they were made with',
  history: 'All events known, on features as they were then',
} as const

function dayAfter(day: string): string {
  return new Date(Date.parse(day) + DAY_MS).toISOString().slice(0, 10)
}

function Listed({
  items,
  policy,
  chosen,
  onChoose,
}: {
  readonly items: readonly Backtest[]
  readonly policy: string
  readonly chosen: string | null
  readonly onChoose: (hash: string) => void
}) {
  const zone = useTimeZone()
  return (
    <SmallTable
      label="Back-tests"
      head={[
        { title: 'Tested' },
        { title: 'Period' },
        { title: 'What came of it' },
        { title: 'By' },
      ]}
      rows={items.slice(0, 12).map((item) => ({
        key: item.id,
        cells: [
          item.hash === null ? (
            item.title
          ) : (
            <button
              key="title"
              type="button"
              className="text-button backtest-pick"
              aria-current={item.hash === chosen ? 'true' : undefined}
              onClick={() => onChoose(item.hash!)}
            >
              {item.title}
              {item.version === null ? '' : ` (${shortHash(item.version)})`}
            </button>
          ),
          <span key="period" className="backtest-period">
            {periodText(item, zone)}
          </span>,
          item.state === 'running' || item.state === 'waiting' ? (
            <Going key="state" item={item} policy={policy} />
          ) : (
            (item.sentence ?? item.problem ?? item.state)
          ),
          <span key="by" className="quiet">
            {item.by.name}, {dateTime(item.at, zone)}
          </span>,
        ],
      }))}
    />
  )
}

function periodText({ from, to }: Pick<Backtest, 'from' | 'to'>, zone: string): string {
  if (from === null && to === null) return 'all that is known'
  // The end is the first instant after the last day.
  const last = to === null ? 'now' : date(new Date(Date.parse(to) - 1).toISOString(), zone)
  return `${from === null ? 'the beginning' : date(from, zone)} to ${last}`
}

const stages = { reading: 'Reading events', features: 'Working features out', deciding: 'Deciding' }

function Going({ item, policy }: { readonly item: Backtest; readonly policy: string }) {
  const cancel = useAct('cancelBacktest', ['backtests'])
  const { progress } = item
  const share = progress === null || progress.total === 0 ? 0 : progress.done / progress.total
  const left = progress?.secondsLeft ?? null
  return (
    <span className="backtest-going" role="status">
      {progress === null ? (
        <span>{item.state === 'waiting' ? 'Waits for its turn' : 'Begins'}</span>
      ) : (
        <>
          <progress
            {...(progress.stage === 'deciding' && { value: share })}
            max={1}
            aria-label={stages[progress.stage]}
          />
          <span className="num">
            {stages[progress.stage]}
            {progress.stage === 'deciding'
              ? ` ${percent(share)} of ${count(progress.total)}${left === null ? '' : `, ${Math.ceil(left)} s left`}`
              : ' …'}
          </span>
        </>
      )}
      <button
        type="button"
        className="text-button"
        onClick={() =>
          cancel.mutate({ params: { policy, backtest: item.id } }, { onError: notifyFailed })
        }
      >
        Stop
      </button>
    </span>
  )
}

function Result({ policy, hash }: { readonly policy: string; readonly hash: string | null }) {
  const params = { policy, hash: hash ?? '' }
  const answer = useAsk(
    'backtestResult',
    { params },
    { enabled: hash !== null, staleTime: Infinity },
  )
  if (hash === null) return null
  return (
    <Answered answer={answer} rows={8}>
      {(found) => <BacktestFound found={found} policy={policy} />}
    </Answered>
  )
}
