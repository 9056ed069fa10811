/** "Are we safe now?" One sentence, four figures, what happens this second, and what lets it. */
import type { Overview } from '../../../src/server/contract/index.ts'
import { useAsk } from '../../client/queries.ts'
import { pick, rangeKeys, useView } from '../../client/view.ts'
import { ObjectLink } from '../../parts/layout.tsx'
import { PartLinks, useDecides } from '../../parts/no-policy.tsx'
import { Answered } from '../../parts/states.tsx'
import { VerdictLine, VerdictSign } from '../../parts/verdict.tsx'
import { LiveDecisions } from './live-decisions.tsx'
import { LivePanel, NormalPanel } from './live-panel.tsx'
import { ProgressPanel } from './progress-panel.tsx'
import { Strip } from './strip.tsx'
import { Tiles } from './tiles.tsx'
import { TryCard } from './try-card.tsx'

export default function OverviewScreen() {
  const { view } = useView()
  const answer = useAsk(
    'overview',
    { query: pick(view, rangeKeys) as never },
    { every: 2_000, keepPrevious: true },
  )
  return (
    <div className="overview">
      <Answered answer={answer} rows={9}>
        {(overview) => <OverviewBody overview={overview} />}
      </Answered>
    </div>
  )
}

function OverviewBody({ overview }: { readonly overview: Overview }) {
  const decides = useDecides()
  return (
    <>
      <header className="overview-head">
        <h1>
          <VerdictSign status={overview.verdict.status} size={24} />
          <span>{overview.verdict.sentence}</span>
        </h1>
        <p className="quiet">{decides ? overview.range.sentence : <PartLinks />}</p>
      </header>
      {overview.alerts.length === 0 ? null : (
        <ul className="alerts">
          {overview.alerts.map((alert) => (
            <li key={`${alert.target.kind}/${alert.target.id}`}>
              <VerdictLine verdict={alert.verdict} />{' '}
              <ObjectLink target={alert.target}>Look</ObjectLink>
            </li>
          ))}
        </ul>
      )}
      <ProgressPanel />
      {decides ? <Tiles tiles={overview.tiles} /> : null}
      <TryCard />
      {decides ? (
        <div className="overview-columns">
          <LiveDecisions perMinute={overview.decisionsPerMinute} />
          <div className="stack">
            <LivePanel live={overview.live} />
            <NormalPanel overview={overview} />
          </div>
        </div>
      ) : null}
      <Strip stages={overview.strip} />
    </>
  )
}
