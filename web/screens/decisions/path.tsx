import { IconCircleCheckFilled, IconCircleDashed } from '@tabler/icons-react'
import type { Decision } from '../../../src/server/contract/index.ts'
import { dateTime, duration } from '../../parts/figures.ts'
import { Panel } from '../../parts/layout.tsx'
import { LabelMark, OutcomeMark } from '../../parts/outcome.tsx'
import { useTimeZone } from '../../shell/bank.ts'

/** The way of the event through contract, features, rules, model and thresholds. */
export function Path({ decision }: { readonly decision: Decision }) {
  return (
    <Panel title="Path" aside={`computed in ${duration(decision.latencyUs)}`}>
      <ol className="path">
        {decision.path.map((step) => (
          <li key={step.step}>
            <b>{step.step}</b>
            <span>{step.sentence}</span>
            <span className="quiet num">{step.tookUs === null ? '' : duration(step.tookUs)}</span>
          </li>
        ))}
      </ol>
    </Panel>
  )
}

export function Rules({ decision }: { readonly decision: Decision }) {
  const fired = decision.rules.filter((rule) => rule.fired).length
  return (
    <Panel title="Rules" aside={`${fired} of ${decision.rules.length} fired`}>
      {decision.rules.length === 0 ? <p className="quiet">The policy has no rules.</p> : null}
      <ul className="rules">
        {decision.rules.map((rule) => (
          <li key={rule.name} className={rule.fired ? 'is-fired' : ''}>
            <span className="rule-head">
              {rule.fired ? (
                <IconCircleCheckFilled size={15} aria-hidden />
              ) : (
                <IconCircleDashed size={15} aria-hidden />
              )}
              <b>{rule.name}</b>
              <span className="quiet">
                {rule.fired
                  ? 'fired'
                  : rule.failed === null
                    ? 'did not fire'
                    : `could not be calculated: ${rule.failed}`}
              </span>
              {rule.then === null ? (
                <span className="quiet">signal</span>
              ) : (
                <OutcomeMark outcome={rule.then} />
              )}
            </span>
            <span>{rule.reason}</span>
            <code>{rule.expression}</code>
          </li>
        ))}
      </ul>
    </Panel>
  )
}

/** What became of it; corrections are added, nothing is overwritten. */
export function Story({ decision }: { readonly decision: Decision }) {
  const zone = useTimeZone()
  return (
    <Panel title="What became of it">
      <ol className="story">
        {decision.story.map((entry) => (
          <li key={`${entry.kind}/${entry.at}`}>
            <span className="quiet num">{dateTime(entry.at, zone)}</span>
            <span>
              {entry.sentence}
              {entry.by === null ? '' : ` · ${entry.by.name}`}{' '}
              {entry.label === null ? null : <LabelMark label={entry.label} />}
            </span>
          </li>
        ))}
        {decision.label === null ? (
          <li>
            <span className="quiet num">next</span>
            <span className="quiet">
              {decision.outcome === 'decline'
                ? 'A declined payment gets no natural label; a case may give one.'
                : 'Its label has not come yet.'}
            </span>
          </li>
        ) : null}
      </ol>
    </Panel>
  )
}
