/** Decisions as they happen, pushed; still while somebody looks at one. */
import { Button } from '@mantine/core'
import { IconPlayerPause, IconPlayerPlay } from '@tabler/icons-react'
import { useNavigate } from '@tanstack/react-router'
import { useEffect, useMemo, useRef, useState } from 'react'
import type { DecisionRow, LiveDecisions } from '../../../src/server/contract/index.ts'
import { useLiveDecisions, type Line } from '../../client/live.ts'
import { pick, useView, writeView } from '../../client/view.ts'
import { DataTable } from '../../parts/data-table.tsx'
import { count, percent, percentRange, timeOfDay } from '../../parts/figures.ts'
import { isTyping, useKeys } from '../../parts/keys.ts'
import { PageLink, Panel, ScreenHead } from '../../parts/layout.tsx'
import { NoPolicy, useDecides } from '../../parts/no-policy.tsx'
import { OutcomeMark } from '../../parts/outcome.tsx'
import { Empty, Failed, Loading } from '../../parts/states.tsx'
import { VerdictSign } from '../../parts/verdict.tsx'
import { useTimeZone } from '../../shell/bank.ts'
import { decisionColumns } from './columns.tsx'
import { DecisionFilters } from './filter-bar.tsx'
import { decisionAddress, liveFilterKeys } from './filters.ts'
import { noRows, release, take } from './live-rows.ts'

type Pace = LiveDecisions['pace']

export default function LiveScreen() {
  const { view, change } = useView()
  const navigate = useNavigate()
  const filters = pick(view, liveFilterKeys)
  const question = writeView(filters)
  const [rows, setRows] = useState({ question, ...noRows })
  const [pace, setPace] = useState<Pace>()
  const hold = useHold(rows.shown.some((row) => row.eventId === view.at))
  const isHeld = useRef(false)
  isHeld.current = hold.why !== null
  const { line, again } = useLiveDecisions(question, (answer) => {
    setPace(answer.pace)
    setRows((before) => ({
      question,
      ...take(before.question === question ? before : noRows, answer, isHeld.current),
    }))
  })
  useEffect(() => {
    if (hold.why === null) setRows((before) => ({ ...before, ...release(before) }))
  }, [hold.why])

  const open = (row: DecisionRow) => {
    const [path = '', search = ''] = decisionAddress(row, view).split('?')
    void navigate({ to: path, search: Object.fromEntries(new URLSearchParams(search)) } as never)
  }
  const goOn = () => {
    hold.goOn()
    change({ at: undefined })
  }
  useRowKeys(rows.shown, open, goOn)
  const isNew = rows.question !== question || rows.namespace === null
  return (
    <>
      <ScreenHead
        title="Live decisions"
        above={<PageLink to={`/decisions${question}`}>Decisions</PageLink>}
        note={<LineNote line={line} pace={pace} again={again} />}
        actions={<HoldButton why={hold.why} came={rows.came} pause={hold.pause} goOn={goOn} />}
      />
      <PaceStrip pace={pace} />
      <div className="filters">
        <DecisionFilters />
      </div>
      <Panel flush className="live-list">
        {isNew ? (
          line.state === 'broken' ? (
            <Failed error={line.error} again={again} />
          ) : (
            <Loading rows={14} />
          )
        ) : rows.shown.length === 0 ? (
          <NoneYet filtered={question !== ''} />
        ) : (
          <LiveTable rows={rows.shown} held={hold.on} open={open} />
        )}
      </Panel>
      <p className="keys-hint">
        <kbd>Space</kbd> pauses and goes on · <kbd>J</kbd> <kbd>K</kbd> choose · <kbd>Enter</kbd>{' '}
        opens · <kbd>Esc</kbd> goes on · the newest 500; all are among the{' '}
        <PageLink to={`/decisions${question}`}>decisions</PageLink>
      </p>
    </>
  )
}

const reasons = {
  asked: 'Paused',
  chosen: 'Paused at the chosen decision',
  below: 'Paused while you read on below',
  pointer: 'Paused under the pointer',
} as const
type Why = keyof typeof reasons

/** What holds the list: a person's wish, a chosen row, having scrolled, or the pointer. */
function useHold(isChosen: boolean) {
  const [asked, setAsked] = useState(false)
  const [pointer, setPointer] = useState(false)
  const [below, setBelow] = useState(false)
  const why: Why | null = asked
    ? 'asked'
    : isChosen
      ? 'chosen'
      : below
        ? 'below'
        : pointer
          ? 'pointer'
          : null
  const held = useRef(why)
  held.current = why
  const scroller = useRef<HTMLElement>(null)
  const goOn = () => {
    setAsked(false)
    setPointer(false)
    setBelow(false)
    scroller.current?.scrollTo({ top: 0 })
  }
  return {
    why,
    pause: () => setAsked(true),
    goOn,
    on: {
      onPointerMove: (event: React.PointerEvent) => {
        // A finger scrolls and taps; it does not rest on a row.
        if (event.pointerType === 'mouse') setPointer(true)
      },
      onPointerLeave: () => setPointer(false),
      onScrollCapture: (event: React.UIEvent) => {
        scroller.current = event.target as HTMLElement
        setBelow(scroller.current.scrollTop > 4)
      },
    },
  }
}

function useRowKeys(
  shown: readonly DecisionRow[],
  open: (row: DecisionRow) => void,
  goOn: () => void,
) {
  const { view, change } = useView()
  const at = shown.findIndex((row) => row.eventId === view.at)
  const choose = (index: number) => {
    const row = shown[Math.min(shown.length - 1, Math.max(0, index))]
    if (row !== undefined) change({ at: row.eventId })
  }
  useKeys({
    j: () => choose(at + 1),
    k: () => choose(at - 1),
    Enter: () => {
      if (at >= 0) open(shown[at])
    },
    Escape: goOn,
  })
}

function HoldButton({
  why,
  came,
  pause,
  goOn,
}: {
  readonly why: Why | null
  readonly came: number
  readonly pause: () => void
  readonly goOn: () => void
}) {
  const toggle = useRef(() => {})
  toggle.current = why === null ? pause : goOn
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      // On a button Space presses that button.
      const on = (event.target as HTMLElement | null)?.closest?.('button, a')
      if (event.key !== ' ' || isTyping(event) || (on !== null && on !== undefined)) return
      event.preventDefault()
      toggle.current()
    }
    window.addEventListener('keydown', press)
    return () => window.removeEventListener('keydown', press)
  }, [])
  return (
    <>
      <span className={`live-held live-hold num ${why === null ? 'is-none' : ''}`}>
        <span role="status">{why === null ? '' : reasons[why]}</span>
        {why === null ? '' : ` · ${count(came)} ${came === 1 ? 'waits' : 'wait'}`}
      </span>
      <Button
        size="xs"
        variant="default"
        className="live-button"
        leftSection={why === null ? <IconPlayerPause size={14} /> : <IconPlayerPlay size={14} />}
        onClick={() => toggle.current()}
      >
        {why === null ? 'Pause' : 'Go on'}
      </Button>
    </>
  )
}

/** Whether what is seen is now, in words; and how fast it goes. */
function LineNote({
  line,
  pace,
  again,
}: {
  readonly line: Line
  readonly pace: Pace | undefined
  readonly again: () => void
}) {
  const zone = useTimeZone()
  if (line.state === 'opening') return <span role="status">Opening…</span>
  if (line.state === 'broken') {
    return (
      <span role="alert" className="live-broken">
        {line.ends
          ? 'Assay does not tell of decisions.'
          : `The line broke at ${timeOfDay(line.since.toISOString(), zone)}; it goes on by itself, and nothing is left out.`}{' '}
        <button type="button" className="button-link" onClick={again}>
          Try now
        </button>
      </span>
    )
  }
  const rate = pace?.perSecond ?? 0
  return (
    <span className="num">
      <span className="live-dot" aria-hidden /> Live
      {pace === undefined || pace.since === null
        ? ' · nothing in the last five minutes'
        : ` · ${rate < 10 ? rate.toFixed(1) : count(Math.round(rate))} a second · n ${count(pace.n)} since ${timeOfDay(pace.since, zone)}`}
    </span>
  )
}

/** The outcomes of the last minutes against what is normal for them. */
function PaceStrip({ pace }: { readonly pace: Pace | undefined }) {
  return (
    <section className="live-pace" aria-label="Outcomes of the last five minutes against normal">
      {(pace?.outcomes ?? []).map(({ outcome, rate, normal, verdict }) => (
        <p key={outcome} title={verdict.sentence}>
          <OutcomeMark outcome={outcome} />
          <b className="num">{percent(rate.value)}</b>
          <span className="quiet num">
            {normal === null ? 'no normal yet' : `normal ${percentRange(normal.low, normal.high)}`}
          </span>
          <VerdictSign status={verdict.status} />
        </p>
      ))}
    </section>
  )
}

function NoneYet({ filtered }: { readonly filtered: boolean }) {
  const decides = useDecides()
  if (filtered) {
    return (
      <Empty title="None of the latest decisions matches">
        The next one that does appears here. <PageLink to="/decisions/live">All decisions</PageLink>
      </Empty>
    )
  }
  if (!decides) return <NoPolicy />
  return (
    <Empty title="No decisions yet" command="npx assay decide payment.json">
      They appear here the moment a policy answers its first event.
    </Empty>
  )
}

function LiveTable({
  rows,
  held,
  open,
}: {
  readonly rows: readonly DecisionRow[]
  readonly held: ReturnType<typeof useHold>['on']
  readonly open: (row: DecisionRow) => void
}) {
  const zone = useTimeZone()
  const { view } = useView()
  const currency = rows[0]?.amount?.currency
  const columns = useMemo(
    () => decisionColumns({ zone, view, currency }).filter(({ key }) => key !== 'label'),
    [zone, view, currency],
  )
  return (
    <div {...held}>
      <DataTable
        label="Live decisions"
        rows={rows}
        columns={columns}
        rowKey={(row) => row.eventId}
        rowHeight={28}
        selected={view.at}
        onOpen={open}
      />
    </div>
  )
}
