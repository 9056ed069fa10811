import type { FailingRule } from '../../src/server/contract/index.ts'
import { count, dateTime } from './figures.ts'
import { PageLink } from './layout.tsx'
import { useTimeZone } from '../shell/bank.ts'
import { VerdictSign } from './verdict.tsx'

/** Rules that could not be calculated: how often, since when, why, and the last event. */
export function FailingRules({
  policy,
  rules,
}: {
  readonly policy: string
  readonly rules: readonly FailingRule[]
}) {
  const zone = useTimeZone()
  if (rules.length === 0) return null
  return (
    <ul className="story" aria-label="Rules that could not be calculated">
      {rules.map(({ rule, n, since, last, eventId, why }) => (
        <li key={rule}>
          <span className="quiet num">{dateTime(last, zone)}</span>
          <span className="verdict-line">
            <VerdictSign status="alert" />
            <span>
              <b>{rule}</b> could not be calculated on {count(n)} {n === 1 ? 'event' : 'events'}{' '}
              since {dateTime(since, zone)}, and did not fire on them.{' '}
              {why === null ? null : <code className="rule-code">{why}</code>} Last on{' '}
              <PageLink
                to={`/decisions/${encodeURIComponent(policy)}/${encodeURIComponent(eventId)}`}
              >
                {eventId}
              </PageLink>
              .
            </span>
          </span>
        </li>
      ))}
    </ul>
  )
}
