import { objectAddress } from '../../../src/server/contract/objects.ts'
import type { Feature } from '../../../src/server/contract/index.ts'
import { PageLink, Panel } from '../../parts/layout.tsx'

type Step = Feature['lineage']['sources'][number]

/** Sources → this feature → models → policies, each a link, with what of it is meant. */
export function LineagePanel({ feature }: { readonly feature: Feature }) {
  const { sources, models, modelsMore, policies } = feature.lineage
  return (
    <Panel title="Lineage">
      <ol className="lineage-steps">
        <Steps title="Calculated from" steps={sources} none="" />
        <li>
          <h3>This feature</h3>
          <ul>
            <li>
              <b className="long-name">{feature.name}</b>
            </li>
          </ul>
        </li>
        <Steps
          title="Models trained on it"
          steps={models}
          more={modelsMore}
          none="None yet: it joins a model when its set is named in one and a run has trained it."
        />
        <Steps
          title="Policies that decide on it"
          steps={policies}
          none="None: no decision policy names its set."
        />
      </ol>
    </Panel>
  )
}

function Steps({
  title,
  steps,
  more = false,
  none,
}: {
  readonly title: string
  readonly steps: readonly Step[]
  readonly more?: boolean
  readonly none: string
}) {
  return (
    <li>
      <h3>{title}</h3>
      {steps.length === 0 ? (
        <p className="quiet">{none}</p>
      ) : (
        <ul>
          {steps.map(({ target, detail }) => (
            <li key={`${target.kind}/${target.id}`}>
              <PageLink to={objectAddress(target)}>{target.title}</PageLink>{' '}
              <span className="quiet">{detail}</span>
            </li>
          ))}
          {more ? <li className="quiet">and more</li> : null}
        </ul>
      )}
    </li>
  )
}
