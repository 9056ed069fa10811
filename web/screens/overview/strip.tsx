import type { StripStage } from '../../../src/server/contract/index.ts'
import { objectAddress } from '../../../src/server/contract/objects.ts'
import { PageLink } from '../../parts/layout.tsx'
import { VerdictSign } from '../../parts/verdict.tsx'

const titles = { data: 'Data', features: 'Features', model: 'Model', gate: 'Gate', live: 'Live' }

/** The way of a fact through the bank, a figure at each station. */
export function Strip({ stages }: { readonly stages: readonly StripStage[] }) {
  return (
    <ol className="strip" aria-label="From data to live">
      {stages.map((stage) => (
        <li key={stage.stage}>
          <PageLink to={objectAddress(stage.target)} title={stage.verdict.sentence}>
            <span className="strip-title">
              {titles[stage.stage]} <VerdictSign status={stage.verdict.status} size={13} />
            </span>
            <b>{stage.figure}</b>
            <span className="quiet">{stage.unit}</span>
          </PageLink>
        </li>
      ))}
    </ol>
  )
}
