/** "Are we safe now?" One sentence, four figures, what happens this second, and what lets it. */
import { useCallback, useEffect, useRef, useState } from 'react'
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

/** Figures are asked for again when decisions came, though no more often than this. */
const AFTER_DECISIONS_MS = 2_000
/** Labels and people change them too, of which the line says nothing. */
const OPEN_LINE_MS = 10_000

export default function OverviewScreen() {
  const { view } = useView()
  const [isOpen, setOpen] = useState(false)
  const answer = useAsk(
    'overview',
    { query: pick(view, rangeKeys) as never },
    { every: isOpen ? OPEN_LINE_MS : AFTER_DECISIONS_MS, keepPrevious: true },
  )
  const askSoon = useSoon(answer.refetch)
  const hear = useCallback(
    (what: 'open' | 'broken' | 'decisions') => {
      if (what === 'decisions') askSoon()
      else setOpen(what === 'open')
    },
    [askSoon],
  )
  return (
    <div className="overview">
      <Answered answer={answer} rows={9}>
        {(overview) => <OverviewBody overview={overview} hear={hear} />}
      </Answered>
    </div>
  )
}

/** Acts a moment later, once for all wishes until then. */
function useSoon(act: () => unknown): () => void {
  const latest = useRef(act)
  latest.current = act
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  useEffect(() => () => clearTimeout(timer.current), [])
  return useCallback(() => {
    timer.current ??= setTimeout(() => {
      timer.current = undefined
      latest.current()
    }, AFTER_DECISIONS_MS)
  }, [])
}

function OverviewBody({
  overview,
  hear,
}: {
  readonly overview: Overview
  readonly hear: Parameters<typeof LiveDecisions>[0]['hear']
}) {
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
          <LiveDecisions perMinute={overview.decisionsPerMinute} hear={hear} />
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
