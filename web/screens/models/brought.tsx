/** A version that a client brought: what it is, whether it can be served, and what its run says. */
import type { Version } from '../../../src/server/contract/index.ts'
import { estimateText } from '../../parts/figures.ts'
import { Facts, ObjectLink, Panel } from '../../parts/layout.tsx'
import { Command } from '../../parts/states.tsx'
import { Served } from '../experiments/served.tsx'

type BroughtFacts = NonNullable<Version['brought']>

export function Brought({
  version,
  brought,
}: {
  readonly version: Version
  readonly brought: BroughtFacts
}) {
  const { model } = brought
  return (
    <Panel title="Brought by a client" className="brought">
      <p>{brought.sentence}</p>
      {model === null ? null : <Served model={model} />}
      {model?.servable === true ? (
        <>
          <p>Score a table with it:</p>
          <Command text={`npx assay models score ${version.model}@${version.version} rows.csv`} />
        </>
      ) : null}
      <p className="quiet">
        Traffic needs declared features, a gate and approvals: train such a model in a project.
      </p>
    </Panel>
  )
}

/** Of the run as it is now: a client may log on after it registered the model. */
export function OfItsRun({ brought }: { readonly brought: BroughtFacts }) {
  const { run, metrics, params } = brought
  if (run === null) return null
  const ofRun = (
    <>
      of the run <ObjectLink target={run} />
    </>
  )
  return (
    <>
      {metrics.length === 0 ? null : (
        <Panel title="Metrics" aside={ofRun}>
          <Facts
            facts={metrics.map(({ title, estimate }) => ({
              name: title,
              value: estimateText(estimate),
            }))}
          />
        </Panel>
      )}
      {params.length === 0 ? null : (
        <Panel title="Parameters" aside={ofRun}>
          <div className="run-params">
            <Facts facts={params} />
          </div>
        </Panel>
      )}
    </>
  )
}
