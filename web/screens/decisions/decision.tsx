/** One decision on one screen: what, why, what led to it, what became of it, and the proof. */
import { useNavigate, useParams } from '@tanstack/react-router'
import { IconChevronDown, IconChevronUp } from '@tabler/icons-react'
import { useEffect } from 'react'
import type { Decision } from '../../../src/server/contract/index.ts'
import { useAct, useAsk } from '../../client/queries.ts'
import { useView, writeView } from '../../client/view.ts'
import { dateTime, fullDateTime, money, none, score } from '../../parts/figures.ts'
import { useKeys } from '../../parts/keys.ts'
import { Facts, PageLink, Panel } from '../../parts/layout.tsx'
import { notifyFailed } from '../../parts/notify.tsx'
import { LabelMark, OutcomeMark } from '../../parts/outcome.tsx'
import { Answered } from '../../parts/states.tsx'
import { VerdictLine } from '../../parts/verdict.tsx'
import { useTimeZone } from '../../shell/bank.ts'
import { Evidence } from './evidence.tsx'
import { decisionAddress, decisionFilters } from './filters.ts'
import { Path, Rules, Story } from './path.tsx'
import { TimelineChart } from './timeline.tsx'
import { Why } from './why.tsx'

export default function DecisionScreen() {
  const { policy = '', eventId = '' } = useParams({ strict: false }) as Record<string, string>
  const { view } = useView()
  const filters = decisionFilters(view)
  const answer = useAsk('decision', { params: { policy, eventId }, query: filters })
  return (
    <Answered answer={answer} rows={12}>
      {(decision) => <DecisionBody key={`${policy}/${eventId}`} decision={decision} />}
    </Answered>
  )
}

function DecisionBody({ decision }: { readonly decision: Decision }) {
  const { view } = useView()
  const navigate = useNavigate()
  const recompute = useAct('recomputeDecision', [])
  const params = { policy: decision.policy, eventId: decision.eventId }
  const { newer, older } = decision.neighbours
  const go = (to: typeof newer) => {
    if (to === null) return
    const [path = '', search = ''] = decisionAddress(to, view).split('?')
    void navigate({ to: path, search: Object.fromEntries(new URLSearchParams(search)) } as never)
  }
  const again = () => recompute.mutate({ params }, { onError: notifyFailed })
  const toCase = () => {
    if (decision.caseId !== null) {
      void navigate({ to: '/cases', search: { at: decision.caseId } } as never)
    }
  }
  useKeys({ j: () => go(older), k: () => go(newer), r: again, c: toCase })
  // In braces: newer browsers answer scrollTo with a promise, and an effect must return nothing.
  useEffect(() => {
    window.scrollTo(0, 0)
  }, [])
  return (
    <>
      <div className="decision-above">
        <PageLink to={`/decisions${writeView(decisionFilters(view))}`}>Decisions</PageLink>
        <span className="quiet">{decision.eventId}</span>
        <span className="decision-steps">
          <button
            type="button"
            className="plain-icon"
            disabled={newer === null}
            aria-label="Newer decision (K)"
            onClick={() => go(newer)}
          >
            <IconChevronUp size={16} />
          </button>
          <button
            type="button"
            className="plain-icon"
            disabled={older === null}
            aria-label="Older decision (J)"
            onClick={() => go(older)}
          >
            <IconChevronDown size={16} />
          </button>
        </span>
      </div>
      <Head decision={decision} onRecompute={again} />
      {recompute.data === undefined ? null : (
        <p className="recomputed" role="status">
          <VerdictLine verdict={recompute.data.verdict} />
          {recompute.data.differences.map((one) => (
            <code key={one.name}>
              {one.name}: recorded {one.recorded}, recomputed {one.recomputed}
            </code>
          ))}
        </p>
      )}
      <div className="columns-wide-first">
        <div className="stack">
          <Why decision={decision} />
          {decision.timelines.map((timeline) => (
            <TimelineChart key={timeline.entity} timeline={timeline} policy={decision.policy} />
          ))}
        </div>
        <div className="stack">
          <Story decision={decision} />
          <Path decision={decision} />
          <Rules decision={decision} />
        </div>
      </div>
      <Evidence decision={decision} />
    </>
  )
}

function Head({
  decision,
  onRecompute,
}: {
  readonly decision: Decision
  readonly onRecompute: () => void
}) {
  const zone = useTimeZone()
  return (
    <Panel className="decision-head">
      <div className="decision-title">
        <OutcomeMark outcome={decision.outcome} />
        <h1 className="num">{money(decision.amount)}</h1>
        <span className="decision-acts">
          {decision.caseId === null ? null : (
            <PageLink to={`/cases?at=${decision.caseId}`} className="button-link">
              Open the case <kbd>C</kbd>
            </PageLink>
          )}
          {decision.outcome === 'allow' ? null : (
            <PageLink
              to={`/calls?value=${encodeURIComponent(decision.eventId)}`}
              className="button-link"
            >
              The customer calls
            </PageLink>
          )}
          <button type="button" className="button-link" onClick={onRecompute}>
            Recompute <kbd>R</kbd>
          </button>
          <button type="button" className="button-link" onClick={() => window.print()}>
            PDF
          </button>
        </span>
      </div>
      <p className="decision-sentence">{decision.sentence}</p>
      <div className="decision-facts">
        <Facts
          facts={[
            {
              name: 'Customer',
              value:
                decision.customer === null ? (
                  none
                ) : (
                  <PageLink to={`/decisions?customer=${decision.customer}`}>
                    {decision.customer}
                  </PageLink>
                ),
            },
            {
              name: 'Terminal',
              value:
                decision.terminal === null ? (
                  none
                ) : (
                  <PageLink to={`/decisions?terminal=${decision.terminal}`}>
                    {decision.terminal}
                  </PageLink>
                ),
            },
          ]}
        />
        <Facts
          facts={[
            { name: 'Event time', value: fullDateTime(decision.eventTime, zone) },
            {
              name: 'Label',
              value: (
                <>
                  <LabelMark label={decision.label} />{' '}
                  <span className="quiet">
                    {decision.labelArrivedAt === null
                      ? ''
                      : `came ${dateTime(decision.labelArrivedAt, zone)}`}
                  </span>
                </>
              ),
            },
          ]}
        />
        <ScoreBar decision={decision} />
      </div>
    </Panel>
  )
}

/** The score on its way from 0 to 1, with the two thresholds marked. */
function ScoreBar({ decision }: { readonly decision: Decision }) {
  const { review, decline } = decision.thresholds
  const value = decision.score
  if (value === null) return <p className="quiet">Decided by rules alone; no score.</p>
  return (
    <div className="score">
      <div className="score-figure">
        <span className="quiet">Score</span> <b className="num">{score(value)}</b>
        <span className="quiet num">
          review from {score(review)}, decline from {score(decline)}
        </span>
      </div>
      <div className="score-bar" aria-hidden>
        <span className="score-fill" style={{ width: `${value * 100}%` }} />
        {review === null ? null : (
          <i style={{ left: `${review * 100}%` }} className="score-review" />
        )}
        {decline === null ? null : (
          <i style={{ left: `${decline * 100}%` }} className="score-decline" />
        )}
      </div>
    </div>
  )
}
