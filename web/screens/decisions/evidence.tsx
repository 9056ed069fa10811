import type { Decision } from '../../../src/server/contract/index.ts'
import { addressOf } from '../../client/api.ts'
import {
  Facts,
  Folded,
  Hash,
  LineageLink,
  ObjectLink,
  PageLink,
  Panel,
} from '../../parts/layout.tsx'
import { SmallTable } from '../../parts/small-table.tsx'

/** Folded until asked for: features with their source events, versions, the proof, the record. */
export function Evidence({ decision }: { readonly decision: Decision }) {
  const { features, versions, bodyHash, proof, record } = decision.evidence
  const params = { policy: decision.policy, eventId: decision.eventId }
  return (
    <Panel
      title="Evidence"
      flush
      className="evidence"
      aside={<LineageLink kind="decision" id={`${decision.policy}/${decision.eventId}`} />}
    >
      <Folded title={`Features: ${features.length} values as decided`}>
        <SmallTable
          label="Feature values"
          head={[
            { title: 'Feature' },
            { title: 'In words' },
            { title: 'Value', right: true },
            { title: 'From' },
          ]}
          rows={features.map((feature) => ({
            key: feature.name,
            cells: [
              <ObjectLink key="name" target={feature.target} />,
              feature.words,
              feature.valueText,
              feature.sourceEvents === null ? (
                <span key="from" className="quiet">
                  this event
                </span>
              ) : (
                <details key="from">
                  <summary>{feature.sourceEvents.sentence}</summary>
                  <span className="event-ids">
                    {feature.sourceEvents.ids.map((id) => (
                      <PageLink key={id} to={`/decisions/${decision.policy}/${id}`}>
                        {id}
                      </PageLink>
                    ))}
                  </span>
                </details>
              ),
            ],
          }))}
        />
      </Folded>
      <Folded title="Versions it was decided with">
        <Facts
          facts={versions.map((version) => ({
            name: version.title,
            value: (
              <>
                <ObjectLink target={version.target} /> <Hash hash={version.hash} />
              </>
            ),
          }))}
        />
      </Folded>
      <Folded title={`Audit proof: ${proof.sentence}`}>
        <Facts
          facts={[
            { name: 'Event’s hash', value: <code>{bodyHash}</code> },
            proof.segment === null
              ? null
              : { name: 'Segment', value: <code>{proof.segment}</code> },
            proof.segmentSha256 === null
              ? null
              : { name: 'SHA-256', value: <code>{proof.segmentSha256}</code> },
            proof.entryIndex === null
              ? null
              : {
                  name: 'Log entry',
                  value: (
                    <PageLink to={`/audit?entry=${proof.entryIndex}`}>{proof.entryIndex}</PageLink>
                  ),
                },
            proof.root === null
              ? null
              : {
                  name: `Root of ${proof.treeSize ?? ''} entries`,
                  value: <code>{proof.root}</code>,
                },
            proof.path.length === 0
              ? null
              : {
                  name: 'Merkle path',
                  value: proof.path.map((hash) => (
                    <code key={hash} className="block">
                      {hash}
                    </code>
                  )),
                },
          ]}
        />
      </Folded>
      <Folded title="Record as JSON">
        <a
          href={addressOf('decision', params, undefined)}
          download={`decision-${decision.eventId}.json`}
        >
          Download all of this screen as JSON
        </a>
        <pre className="json">{JSON.stringify(record, null, 2)}</pre>
      </Folded>
    </Panel>
  )
}
