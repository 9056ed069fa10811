import type { Feature } from '../../../src/server/contract/index.ts'
import { count, fullDateTime, percent, percentRange } from '../../parts/figures.ts'
import { Facts, Panel } from '../../parts/layout.tsx'

type Share = Feature['freshness']['missing']

/** How new what stands behind the values is, and how many values there were none of. */
export function FreshnessPanel({
  feature,
  zone,
}: {
  readonly feature: Feature
  readonly zone: string
}) {
  const { sentence, newestEventAt, missing, missingMeans, staleMeans } = feature.freshness
  return (
    <Panel title="Freshness">
      <p className="panel-verdict">{sentence}</p>
      <Facts
        facts={[
          newestEventAt === null
            ? null
            : {
                name: 'Newest event',
                value: <span className="num">{fullDateTime(newestEventAt, zone)}</span>,
              },
          {
            name: 'Missing',
            value: (
              <Counted
                share={missing}
                otherwise="Not counted: the feature is not watched, or nothing was decided yet."
                means={missingMeans}
              />
            ),
          },
          {
            name: 'Stale',
            value: <span className="quiet">{staleMeans}</span>,
          },
        ]}
      />
    </Panel>
  )
}

function Counted({
  share,
  otherwise,
  means,
}: {
  readonly share: Share
  readonly otherwise: string
  readonly means: string
}) {
  return (
    <>
      {share?.value == null ? (
        otherwise
      ) : (
        <span className="num">
          {percent(share.value)}{' '}
          {share.interval === null ? null : (
            <span className="quiet">
              ({percentRange(share.interval.low, share.interval.high)}, n {count(share.n)})
            </span>
          )}
        </span>
      )}
      <span className="quiet block">{means}</span>
    </>
  )
}
