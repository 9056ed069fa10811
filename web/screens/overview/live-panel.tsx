import type { LiveNow, Overview } from '../../../src/server/contract/index.ts'
import { count, dateTime, duration, percent, percentRange, score } from '../../parts/figures.ts'
import { Facts, Hash, ObjectLink, PageLink, Panel } from '../../parts/layout.tsx'
import { OutcomeMark } from '../../parts/outcome.tsx'
import { Empty } from '../../parts/states.tsx'
import { VerdictSign } from '../../parts/verdict.tsx'
import { RollBackButton, WhyNot } from '../models/acts.tsx'
import { useTimeZone } from '../../shell/bank.ts'

/** What is live, who approved it, and the way back. */
export function LivePanel({ live }: { readonly live: LiveNow | null }) {
  const zone = useTimeZone()
  if (live === null) {
    return (
      <Panel title="What is live">
        <Empty title="Nothing answers yet" command="npx assay start --project FOLDER">
          The first version goes live when its gate and two approvers let it.
        </Empty>
      </Panel>
    )
  }
  const { review, decline } = live.thresholds
  return (
    <Panel title="What is live">
      <Facts
        facts={[
          {
            name: 'Model',
            value: (
              <>
                <ObjectLink target={live.model} /> <Hash hash={live.modelHash} />
                <br />
                <span className="quiet">{live.learner}</span>
              </>
            ),
          },
          {
            name: 'Policy',
            value: (
              <>
                <ObjectLink target={live.policy} /> <Hash hash={live.policyVersion} />
                <br />
                <span className="quiet">
                  review from {score(review)}, decline from {score(decline)}
                </span>
              </>
            ),
          },
          {
            name: 'Approved by',
            value: live.approvedBy.map((identity) => <div key={identity.id}>{identity.name}</div>),
          },
          { name: 'Since', value: dateTime(live.liveSince, zone) },
        ]}
      />
      <div className="panel-foot">
        <RollBackButton
          model={live.model.id.split('/')[0] ?? ''}
          permission={live.rollback}
          to={live.rollbackTo}
        />
        <WhyNot acts={[{ title: 'Roll back', permission: live.rollback }]} />
      </div>
    </Panel>
  )
}

/** Outcome rates and latency, each against what is normal. */
export function NormalPanel({ overview }: { readonly overview: Overview }) {
  const { latency, outcomes } = overview
  return (
    <Panel title="Against normal">
      {outcomes.length === 0 ? <p className="quiet">Nothing was measured yet.</p> : null}
      <ul className="normals">
        {outcomes.map(({ outcome, rate, normal, verdict }) => (
          <li key={outcome} title={verdict.sentence}>
            <OutcomeMark outcome={outcome} />
            <b className="num">{percent(rate.value)}</b>
            <span className="quiet num">
              {normal === null ? 'no normal yet' : percentRange(normal.low, normal.high)}
            </span>
            <VerdictSign status={verdict.status} />
          </li>
        ))}
        {latency.n === 0 ? null : (
          <li title={latency.verdict.sentence}>
            <span>Durable answer, p99</span>
            <b className="num">{duration(latency.p99Us)}</b>
            <span className="quiet num">
              {latency.normalP99Us === null ? '' : `up to ${duration(latency.normalP99Us)}`}
            </span>
            <VerdictSign status={latency.verdict.status} />
          </li>
        )}
      </ul>
      {latency.n === 0 ? null : (
        <p className="chart-note">
          From a request’s first byte to the answer on disk, n&nbsp;{count(latency.n)}; half within{' '}
          {duration(latency.p50Us)}. Computing alone is timed on{' '}
          <PageLink to="/monitoring">Monitoring</PageLink>.
        </p>
      )}
    </Panel>
  )
}
