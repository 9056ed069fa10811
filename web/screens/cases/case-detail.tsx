import { Modal } from '@mantine/core'
import { useNavigate } from '@tanstack/react-router'
import { useEffect, useRef, useState } from 'react'
import type { Case, CaseVerdictValue, Decision } from '../../../src/server/contract/index.ts'
import { useAct, useAsk } from '../../client/queries.ts'
import { dateTime, fullDateTime, money, score } from '../../parts/figures.ts'
import { useKeys } from '../../parts/keys.ts'
import { Facts, PageLink, Panel } from '../../parts/layout.tsx'
import { notify, notifyFailed } from '../../parts/notify.tsx'
import { LabelMark, OutcomeMark } from '../../parts/outcome.tsx'
import { ReasonDialog } from '../../parts/reason-dialog.tsx'
import { Answered } from '../../parts/states.tsx'
import { useTimeZone } from '../../shell/bank.ts'
import { TimelineChart } from '../decisions/timeline.tsx'
import { Why } from '../decisions/why.tsx'
import { said, touched, type CaseActs } from './acts.ts'
import { Evidence } from './evidence.tsx'
import { Correction } from './correction.tsx'
import { Viewers } from './viewers.tsx'

/** One case beside the queue: enough to judge by, and what can be done with it. */
export function CaseDetail({
  caseId,
  known,
  acts,
  workers,
}: {
  readonly caseId: string
  readonly known: Case | undefined
  readonly acts: CaseActs
  readonly workers: readonly { readonly id: string; readonly name: string }[]
}) {
  const asked = useAsk('case', { params: { caseId } }, { every: 8_000, keepPrevious: true })
  // The list knows a verdict or a hand-over a moment earlier; the history comes with the case itself.
  const whole = asked.data?.id === (known?.id ?? asked.data?.id) ? asked.data : undefined
  const one = known === undefined ? whole : { ...known, history: whole?.history ?? known.history }
  if (one === undefined) return <Answered answer={asked}>{() => null}</Answered>
  return <Detail key={one.id} one={one} acts={acts} workers={workers} />
}

/** Asks what the next case will need, so that it is there at once and nothing jumps. */
export function Ahead({ one }: { readonly one: Case }) {
  const { policy, eventId } = one.decision
  useAsk('decision', { params: { policy, eventId } }, { staleTime: 30_000 })
  useAsk('case', { params: { caseId: one.id } }, { staleTime: 30_000 })
  useAsk('caseEvidence', { params: { caseId: one.id } }, { staleTime: 30_000 })
  return null
}

function Detail({
  one,
  acts,
  workers,
}: {
  readonly one: Case
  readonly acts: CaseActs
  readonly workers: readonly { readonly id: string; readonly name: string }[]
}) {
  const zone = useTimeZone()
  const [alertId, setAlertId] = useState<string>()
  const alert = one.alerts.find(({ id }) => id === alertId)
  const decision = alert?.decision ?? one.decision
  const params = { policy: decision.policy, eventId: decision.eventId }
  const full = useAsk('decision', { params }, { keepPrevious: true })
  const navigate = useNavigate()
  // Here, because the proposal is gone with its answer.
  const answering = useAct('answerProposal', touched)
  const address = `/decisions/${encodeURIComponent(decision.policy)}/${encodeURIComponent(decision.eventId)}`
  useKeys({ o: () => void navigate({ to: address } as never) })
  return (
    <div className="stack case-detail">
      <Panel>
        <div className="decision-title">
          <h2 className="case-title num">
            {one.priority.risk === null ? 'Case' : `${money(one.priority.risk)} at risk`}{' '}
            <span className="quiet">{one.priority.sentence}</span>
          </h2>
          <PageLink to={address}>
            Whole decision <kbd>O</kbd>
          </PageLink>
        </div>
        <Viewers caseId={one.id} />
        <Facts
          facts={[
            { name: one.entity.column || 'Event', value: one.entity.value || decision.eventId },
            { name: 'Alerts', value: `${one.openAlerts} open of ${one.alertCount}` },
            { name: 'Opened', value: dateTime(one.openedAt, zone) },
            {
              name: 'Due',
              value: (
                <>
                  {dateTime(one.dueAt, zone)}
                  {one.overdue ? <span className="overdue">overdue</span> : null}
                </>
              ),
            },
          ]}
        />
        <Assignment one={one} acts={acts} workers={workers} />
        {one.proposal === null ? (
          one.verdict === null ? (
            <Ask give={acts.give} fourEyes={one.fourEyes} />
          ) : (
            <Given one={one} undo={acts.undo} />
          )
        ) : (
          <Waiting one={one} act={answering} undo={acts.undo} />
        )}
        {one.alertCount === 1 ? null : (
          <Alerts one={one} chosen={decision.eventId} choose={setAlertId} />
        )}
        <p className="case-decision">
          <span className="num">{fullDateTime(decision.eventTime, zone)}</span>
          <b className="num">{money(decision.amount)}</b>
          <span className="num">score {score(decision.score)}</span>
          {decision.customer === null ? null : <span>customer {decision.customer}</span>}
          {decision.terminal === null ? null : <span>terminal {decision.terminal}</span>}
        </p>
        <History one={one} zone={zone} />
      </Panel>
      <Answered answer={full} rows={8}>
        {(data) => (
          <>
            <Fired decision={data} />
            <Why decision={data} foldsWaterfall />
          </>
        )}
      </Answered>
      <Evidence caseId={one.id}>
        {full.data?.timelines.map((timeline) => (
          <TimelineChart key={timeline.entity} timeline={timeline} policy={decision.policy} />
        ))}
      </Evidence>
    </div>
  )
}

/** What rules said; the reasons below are the model's. */
function Fired({ decision }: { readonly decision: Decision }) {
  const fired = decision.rules.filter((rule) => rule.fired)
  if (fired.length === 0) return null
  return (
    <Panel title="Rules that fired">
      <ul className="fired">
        {fired.map(({ name, reason, then }) => (
          <li key={name}>
            {then === null ? <span className="quiet">signal</span> : <OutcomeMark outcome={then} />}{' '}
            <b>{name}</b> {reason}
          </li>
        ))}
      </ul>
    </Panel>
  )
}

function Assignment({
  one,
  acts,
  workers,
}: {
  readonly one: Case
  readonly acts: CaseActs
  readonly workers: readonly { readonly id: string; readonly name: string }[]
}) {
  const to = useRef<HTMLSelectElement>(null)
  useKeys({ h: () => to.current?.focus() })
  if (one.status === 'closed') return null
  const others = workers.filter(({ id }) => id !== one.assignee?.id)
  return (
    <div className="assignment">
      <span>
        {one.assignee === null ? (
          <span className="quiet">Nobody has it</span>
        ) : one.assigneeIsYou ? (
          'You have it'
        ) : (
          `${one.assignee.name} has it`
        )}
      </span>
      {one.assigneeIsYou ? (
        <button type="button" className="button-link" onClick={() => acts.assign(null)}>
          Give back
        </button>
      ) : (
        <button type="button" className="button-link" onClick={() => acts.assign('me')}>
          Take <kbd>A</kbd>
        </button>
      )}
      <select
        ref={to}
        className="filter-input"
        aria-label="Hand over to"
        value=""
        onChange={(event) => acts.assign(event.target.value)}
      >
        <option value="" disabled>
          Hand over to… (H)
        </option>
        {others.map(({ id, name }) => (
          <option key={id} value={id}>
            {name}
          </option>
        ))}
      </select>
      <button type="button" className="button-link" onClick={acts.writeNote}>
        Note <kbd>N</kbd>
      </button>
    </div>
  )
}

function Ask({
  give,
  fourEyes,
}: {
  readonly give: (verdict: CaseVerdictValue) => void
  readonly fourEyes: boolean
}) {
  return (
    <>
      <div className="verdicts" role="group" aria-label="Verdict">
        <button type="button" className="verdict-fraud" onClick={() => give('fraud')}>
          Fraud <kbd>F</kbd>
        </button>
        <button type="button" className="verdict-genuine" onClick={() => give('genuine')}>
          Genuine <kbd>G</kbd>
        </button>
        <button type="button" onClick={() => give('unsure')}>
          Can’t tell <kbd>C</kbd>
        </button>
      </div>
      {fourEyes ? (
        <p className="quiet">A second person must say yes before a verdict holds.</p>
      ) : null}
    </>
  )
}

/** What one person proposed, for the yes or no of another. */
function Waiting({
  one,
  act,
  undo,
}: {
  readonly one: Case
  readonly act: ReturnType<typeof useAct<'answerProposal'>>
  readonly undo: () => void
}) {
  const zone = useTimeZone()
  const [refusing, setRefusing] = useState(false)
  const { proposal } = one
  const params = { caseId: one.id }
  const confirm = () =>
    act.mutate({ params, body: { answer: 'confirm' } }, { onError: notifyFailed })
  useKeys(proposal?.yours === false ? { y: confirm, t: () => setRefusing(true) } : {})
  if (proposal === null) return null
  return (
    <div className="given">
      <LabelMark label={proposal.verdict} />
      <span className="quiet">
        proposed by {proposal.yours ? 'you' : proposal.by.name}, {dateTime(proposal.at, zone)}
        {proposal.reason === null ? '' : `: ${proposal.reason}`}; waits for a second person
      </span>
      {proposal.yours ? (
        <button type="button" className="button-link" onClick={undo}>
          Take back <kbd>U</kbd>
        </button>
      ) : (
        <>
          <button type="button" className="button-link" onClick={confirm}>
            Yes, {said[proposal.verdict].toLowerCase()} <kbd>Y</kbd>
          </button>
          <button type="button" className="button-link" onClick={() => setRefusing(true)}>
            No, turn it down <kbd>T</kbd>
          </button>
        </>
      )}
      <ReasonDialog
        opened={refusing}
        title="Turn the verdict down"
        submit="Turn down"
        close={() => setRefusing(false)}
        pending={act.isPending}
        error={act.error}
        act={(reason) =>
          act.mutate(
            { params, body: { answer: 'turn-down', reason } },
            {
              onSuccess: () => {
                setRefusing(false)
                notify('Turned down; the case is open')
              },
            },
          )
        }
      >
        <p>The case stays as it was; both of you stand in its history.</p>
      </ReasonDialog>
    </div>
  )
}

function Given({ one, undo }: { readonly one: Case; readonly undo: () => void }) {
  const zone = useTimeZone()
  const [correcting, setCorrecting] = useState(false)
  const [, again] = useState(0)
  const verdict = one.verdict
  const until = verdict?.undoUntil == null ? 0 : Date.parse(verdict.undoUntil)
  const left = until - Date.now()
  useEffect(() => {
    if (left <= 0) return
    const timer = setTimeout(() => again((n) => n + 1), left + 50)
    return () => clearTimeout(timer)
  }, [left])
  const mayCorrect = verdict !== null && left <= 0
  useKeys(mayCorrect ? { c: () => setCorrecting(true) } : {})
  if (verdict === null) return null
  return (
    <div className="given">
      <LabelMark label={verdict.value} />
      <span className="quiet">
        {verdict.corrected ? 'corrected' : 'said'} by {verdict.by.name},{' '}
        {dateTime(verdict.at, zone)}
        {verdict.reason === null ? '' : `: ${verdict.reason}`}
      </span>
      {left > 0 ? (
        <button type="button" className="button-link" onClick={undo}>
          Undo <kbd>U</kbd>
        </button>
      ) : (
        <button type="button" className="button-link" onClick={() => setCorrecting(true)}>
          Correct <kbd>C</kbd>
        </button>
      )}
      <Correction one={one} opened={correcting} onClose={() => setCorrecting(false)} />
    </div>
  )
}

/** The alerts of the case; each can be looked at and judged alone. */
function Alerts({
  one,
  chosen,
  choose,
}: {
  readonly one: Case
  readonly chosen: string
  readonly choose: (id: string) => void
}) {
  const zone = useTimeZone()
  const act = useAct('giveVerdict', touched)
  const judge = (id: string, verdict: CaseVerdictValue) =>
    act.mutate(
      { params: { caseId: one.id }, body: { verdict, alerts: [id] } },
      { onError: notifyFailed },
    )
  const more = one.alertCount - one.alerts.length
  return (
    <ul className="case-alerts" aria-label="Alerts">
      {one.alerts.map(({ id, decision, verdict }) => (
        <li key={id} className={decision.eventId === chosen ? 'is-chosen' : undefined}>
          <button type="button" className="alert-row num" onClick={() => choose(id)}>
            <span>{dateTime(decision.eventTime, zone)}</span>
            <span>{money(decision.amount)}</span>
            <span className="quiet">{score(decision.score)}</span>
          </button>
          {verdict !== null ? (
            <LabelMark label={verdict.value} />
          ) : one.proposal !== null ? (
            <span className="quiet">waits</span>
          ) : (
            <span className="alert-verdicts">
              {(['fraud', 'genuine'] as const).map((value) => (
                <button
                  key={value}
                  type="button"
                  className="button-link"
                  aria-label={`${said[value]}: ${decision.eventId} alone`}
                  onClick={() => judge(id, value)}
                >
                  {said[value]}
                </button>
              ))}
            </span>
          )}
        </li>
      ))}
      {more > 0 ? <li className="quiet">and {more} older</li> : null}
    </ul>
  )
}

function History({ one, zone }: { readonly one: Case; readonly zone: string }) {
  if (one.history.length === 0) return null
  return (
    <ol className="story case-history">
      {one.history.map((entry, i) => (
        <li key={i}>
          <span className="quiet num">{dateTime(entry.at, zone)}</span>
          <span>
            {entry.sentence}
            {entry.by === null ? '' : ` · ${entry.by.name}`}
          </span>
        </li>
      ))}
    </ol>
  )
}

/** A note, which stays in the history of the case. */
export function NoteDialog({
  caseId,
  close,
}: {
  readonly caseId: string | undefined
  readonly close: () => void
}) {
  const act = useAct('noteCase', touched)
  const [text, setText] = useState('')
  const submit = () => {
    if (caseId === undefined || text.trim() === '') return
    act.mutate(
      { params: { caseId }, body: { text: text.trim() } },
      {
        onError: notifyFailed,
        onSuccess: () => {
          setText('')
          close()
        },
      },
    )
  }
  return (
    <Modal opened={caseId !== undefined} onClose={close} title="Note">
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault()
          submit()
        }}
      >
        <textarea
          className="note"
          aria-label="Note"
          data-autofocus
          rows={4}
          maxLength={2000}
          value={text}
          onChange={(event) => setText(event.target.value)}
          onKeyDown={(event) => {
            if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) submit()
          }}
        />
        <button type="submit" className="button-link" disabled={text.trim() === ''}>
          Keep it <kbd>Ctrl Enter</kbd>
        </button>
      </form>
    </Modal>
  )
}
