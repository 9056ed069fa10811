import { Button, Modal, SegmentedControl, Textarea } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import type { Case, CaseVerdictValue } from '../../../src/server/contract/index.ts'
import { call } from '../../client/api.ts'
import { useAct, useAsk } from '../../client/queries.ts'
import { dateTime, fullDateTime, money, none, score } from '../../parts/figures.ts'
import { Facts, PageLink, Panel } from '../../parts/layout.tsx'
import { notify } from '../../parts/notify.tsx'
import { LabelMark } from '../../parts/outcome.tsx'
import { Answered, Failed } from '../../parts/states.tsx'
import { useTimeZone } from '../../shell/bank.ts'
import { TimelineChart } from '../decisions/timeline.tsx'
import { Why } from '../decisions/why.tsx'

/** One case beside the queue: enough to judge by, and the three verdicts. */
export function CaseDetail({
  caseId,
  known,
  give,
  undo,
}: {
  readonly caseId: string
  readonly known: Case | undefined
  readonly give: (verdict: CaseVerdictValue) => void
  readonly undo: () => void
}) {
  const asked = useAsk('case', { params: { caseId } }, { enabled: known === undefined })
  const one = known ?? asked.data
  if (one === undefined) return <Answered answer={asked}>{() => null}</Answered>
  return <Detail one={one} give={give} undo={undo} />
}

function Detail({
  one,
  give,
  undo,
}: {
  readonly one: Case
  readonly give: (verdict: CaseVerdictValue) => void
  readonly undo: () => void
}) {
  const zone = useTimeZone()
  const { decision } = one
  const params = { policy: decision.policy, eventId: decision.eventId }
  const full = useAsk('decision', { params })
  return (
    <div className="stack case-detail">
      <Panel>
        <div className="decision-title">
          <h2 className="case-title num">
            {money(decision.amount)} <span className="quiet">score {score(decision.score)}</span>
          </h2>
          <PageLink to={`/decisions/${decision.policy}/${decision.eventId}`}>
            Whole decision
          </PageLink>
        </div>
        <Viewers caseId={one.id} />
        <Facts
          facts={[
            { name: 'Customer', value: decision.customer ?? none },
            { name: 'Terminal', value: decision.terminal ?? none },
            { name: 'Time', value: fullDateTime(decision.eventTime, zone) },
            { name: 'Opened', value: dateTime(one.openedAt, zone) },
          ]}
        />
        {one.verdict === null ? <Ask give={give} /> : <Given one={one} undo={undo} />}
        {one.history.length === 0 ? null : (
          <ol className="story case-history">
            {one.history.map((entry) => (
              <li key={entry.at + entry.sentence}>
                <span className="quiet num">{dateTime(entry.at, zone)}</span>
                <span>
                  {entry.sentence}
                  {entry.by === null ? '' : ` · ${entry.by.name}`}
                </span>
              </li>
            ))}
          </ol>
        )}
      </Panel>
      <Answered answer={full} rows={8}>
        {(data) => (
          <>
            <Why decision={data} />
            {data.timelines.map((timeline) => (
              <TimelineChart key={timeline.entity} timeline={timeline} policy={data.policy} />
            ))}
          </>
        )}
      </Answered>
    </div>
  )
}

function Ask({ give }: { readonly give: (verdict: CaseVerdictValue) => void }) {
  return (
    <div className="verdicts" role="group" aria-label="Verdict">
      <button type="button" className="verdict-fraud" onClick={() => give('fraud')}>
        Fraud <kbd>F</kbd>
      </button>
      <button type="button" className="verdict-genuine" onClick={() => give('genuine')}>
        Genuine <kbd>G</kbd>
      </button>
      <button type="button" onClick={() => give('unsure')}>
        Can’t tell <kbd>U</kbd>
      </button>
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
          Undo <kbd>Z</kbd>
        </button>
      ) : (
        <button type="button" className="button-link" onClick={() => setCorrecting(true)}>
          Correct
        </button>
      )}
      <Correction one={one} opened={correcting} onClose={() => setCorrecting(false)} />
    </div>
  )
}

function Correction({
  one,
  opened,
  onClose,
}: {
  readonly one: Case
  readonly opened: boolean
  readonly onClose: () => void
}) {
  const act = useAct('correctVerdict', ['cases', 'case', 'decision', 'overview'])
  const [verdict, setVerdict] = useState<CaseVerdictValue>('genuine')
  const [reason, setReason] = useState('')
  return (
    <Modal opened={opened} onClose={onClose} title="Correct a verdict">
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault()
          act.mutate(
            { params: { caseId: one.id }, body: { verdict, reason: reason.trim() } },
            {
              onSuccess: () => {
                notify('Corrected; the earlier verdict stays in the history')
                onClose()
              },
            },
          )
        }}
      >
        <SegmentedControl
          value={verdict}
          onChange={(value) => setVerdict(value)}
          data={[
            { value: 'fraud', label: 'Fraud' },
            { value: 'genuine', label: 'Genuine' },
            { value: 'unsure', label: 'Can’t tell' },
          ]}
        />
        <Textarea
          label="Reason"
          data-autofocus
          value={reason}
          onChange={(event) => setReason(event.currentTarget.value)}
        />
        {act.error === null ? null : <Failed error={act.error} />}
        <Button type="submit" loading={act.isPending} disabled={reason.trim().length < 3}>
          Correct
        </Button>
      </form>
    </Modal>
  )
}

/** Says that this person has the case open, and who else has. */
function Viewers({ caseId }: { readonly caseId: string }) {
  const answer = useQuery({
    queryKey: ['viewCase', caseId],
    queryFn: ({ signal }) => call('viewCase', { params: { caseId }, signal }),
    refetchInterval: 15_000,
  })
  useEffect(
    () => () => {
      void call('leaveCase', { params: { caseId } }).catch(() => undefined)
    },
    [caseId],
  )
  const others = answer.data?.viewers.filter((viewer) => !viewer.you) ?? []
  if (others.length === 0) return null
  return (
    <p className="viewers" role="status">
      {others.map((viewer) => viewer.identity.name).join(', ')} also{' '}
      {others.length === 1 ? 'has' : 'have'} it open
    </p>
  )
}
