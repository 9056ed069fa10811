import type { Decision, Explanation, Reason } from '../../../src/server/contract/index.ts'
import { useAsk } from '../../client/queries.ts'
import { score } from '../../parts/figures.ts'
import { ObjectLink, Panel } from '../../parts/layout.tsx'
import { Answered } from '../../parts/states.tsx'
import { Waterfall } from '../../parts/waterfall.tsx'

/** As many as a decision gives in its answer; the others are a click away. */
const shownAtFirst = 4

/** Why, in sentences that can be said aloud; a bar shows how hard each one pushed. */
export function Why({
  decision,
  foldsWaterfall = false,
}: {
  readonly decision: Decision
  /** Where people read many, the sentences come first and the figure is a click away. */
  readonly foldsWaterfall?: boolean
}) {
  const params = { policy: decision.policy, eventId: decision.eventId }
  const onDemand = useAsk(
    'decisionExplanation',
    { params },
    { enabled: decision.explanation === null && decision.score !== null, staleTime: Infinity },
  )
  return (
    <Panel
      title="Why"
      aside={decision.explanation === null ? 'Made on demand' : 'Recorded with the answer'}
    >
      {decision.explanation !== null ? (
        <Explained
          explanation={decision.explanation}
          score={decision.score}
          folds={foldsWaterfall}
        />
      ) : decision.score === null ? (
        <p>No model was asked: a rule decided.</p>
      ) : (
        <Answered answer={onDemand} rows={5}>
          {(explanation) => (
            <Explained explanation={explanation} score={decision.score} folds={foldsWaterfall} />
          )}
        </Answered>
      )}
    </Panel>
  )
}

function Explained({
  explanation,
  score: given,
  folds,
}: {
  readonly explanation: Explanation
  readonly score: number | null
  readonly folds: boolean
}) {
  const all = [...explanation.towards, ...explanation.against]
  const strongest = Math.max(1e-9, ...all.map((reason) => Math.abs(reason.contribution)))
  const waterfall = (
    <Waterfall
      title="From base to score"
      base={explanation.base}
      pushes={all.map(({ feature, valueText, contribution }) => ({
        name: feature,
        value: valueText,
        contribution,
      }))}
      others={explanation.others}
      margin={explanation.margin}
      note={`${explanation.method.replace(/\.$/, '')}. Base ${signed(explanation.base)}, the reasons above, all others ${signed(explanation.others)}: margin ${signed(explanation.margin)}${given === null ? '' : `, which is a score of ${score(given)}`}.`}
    />
  )
  return (
    <div className="why">
      <Reasons
        title="Towards fraud"
        kind="towards"
        reasons={explanation.towards}
        strongest={strongest}
      />
      <Reasons
        title="Towards genuine"
        kind="against"
        reasons={explanation.against}
        strongest={strongest}
      />
      {folds ? (
        <details>
          <summary>From base to score</summary>
          {waterfall}
        </details>
      ) : (
        waterfall
      )}
    </div>
  )
}

function Reasons({
  title,
  kind,
  reasons,
  strongest,
}: {
  readonly title: string
  readonly kind: 'towards' | 'against'
  readonly reasons: readonly Reason[]
  readonly strongest: number
}) {
  if (reasons.length === 0) return null
  const ordered = reasons.toSorted((a, b) => Math.abs(b.contribution) - Math.abs(a.contribution))
  const rest = ordered.slice(shownAtFirst)
  return (
    <>
      <h3>{title}</h3>
      <ul>
        {ordered.slice(0, shownAtFirst).map((reason) => (
          <ReasonRow key={reason.feature} reason={reason} kind={kind} strongest={strongest} />
        ))}
      </ul>
      {rest.length === 0 ? null : (
        <details>
          <summary>{rest.length} weaker</summary>
          <ul>
            {rest.map((reason) => (
              <ReasonRow key={reason.feature} reason={reason} kind={kind} strongest={strongest} />
            ))}
          </ul>
        </details>
      )}
    </>
  )
}

function ReasonRow({
  reason,
  kind,
  strongest,
}: {
  readonly reason: Reason
  readonly kind: 'towards' | 'against'
  readonly strongest: number
}) {
  return (
    <li className={`reason reason-${kind}`}>
      <span className="reason-bar" aria-hidden>
        <i style={{ width: `${(Math.abs(reason.contribution) / strongest) * 100}%` }} />
      </span>
      <span className="reason-text">
        {reason.sentence}
        {reason.target === null ? null : (
          <span className="reason-source">
            <ObjectLink target={reason.target} />
          </span>
        )}
      </span>
      <span className="num quiet">{signed(reason.contribution)}</span>
    </li>
  )
}

function signed(value: number): string {
  return `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(2)}`
}
