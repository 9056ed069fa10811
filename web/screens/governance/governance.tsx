import type { Governance } from '../../../src/server/contract/index.ts'
import { useAsk } from '../../client/queries.ts'
import { dateTime, none } from '../../parts/figures.ts'
import { Hash, ObjectLink, Panel, ScreenHead } from '../../parts/layout.tsx'
import { SmallTable } from '../../parts/small-table.tsx'
import { Answered, Empty } from '../../parts/states.tsx'
import { VerdictLine, VerdictSign } from '../../parts/verdict.tsx'
import { useTimeZone } from '../../shell/bank.ts'
import { AfterReviews } from './after-reviews.tsx'

/** The inventory of models, the gates, and what waits for a person. */
export default function GovernanceScreen() {
  const answer = useAsk('governance', {}, { every: 5_000 })
  return <Answered answer={answer}>{(data) => <GovernanceBody data={data} />}</Answered>
}

function GovernanceBody({ data }: { readonly data: Governance }) {
  const zone = useTimeZone()
  return (
    <>
      <ScreenHead title="Governance" verdict={data.verdict} />
      <div className="stack">
        {data.waiting.length === 0 ? null : (
          <Panel title="Waits for an approval">
            <ol className="story">
              {data.waiting.map((one) => (
                <li key={one.version.id}>
                  <span className="quiet num">{dateTime(one.since, zone)}</span>
                  <span>
                    <ObjectLink target={one.version} /> {one.sentence}
                  </span>
                </li>
              ))}
            </ol>
            {data.waitingMore ? (
              <p className="quiet">Older candidates are on the pages of their models.</p>
            ) : null}
          </Panel>
        )}
        <AfterReviews items={data.afterReviews} />
        <Panel title="Inventory" flush>
          {data.inventory.length === 0 ? (
            <Empty title="No model is registered" />
          ) : (
            <SmallTable
              label="Inventory"
              head={[
                { title: 'Model' },
                { title: 'Tier' },
                { title: 'Live' },
                { title: 'Approvals' },
                { title: 'Card' },
                { title: 'Still lacks' },
                { title: 'Owner' },
                { title: 'Verdict' },
              ]}
              rows={data.inventory.map((row) => ({
                key: row.model.id,
                cells: [
                  <span key="model">
                    <ObjectLink target={row.model} />
                    <br />
                    <span className="quiet">{row.purpose}</span>
                  </span>,
                  row.tier === null ? (
                    <span key="tier" className="quiet">
                      not set
                    </span>
                  ) : (
                    <span key="tier" title={row.tierReason ?? ''}>
                      {row.tier}
                    </span>
                  ),
                  row.live === null ? none : <ObjectLink key="live" target={row.live} />,
                  row.approvals,
                  row.cardComplete ? 'complete' : 'incomplete',
                  row.missing.length === 0 ? 'nothing' : row.missing.join(', '),
                  row.owner,
                  <VerdictLine key="verdict" verdict={row.verdict} />,
                ],
              }))}
            />
          )}
        </Panel>
        {data.gates.map((gate) => (
          <Panel
            key={gate.name}
            title={`Gate: ${gate.name}`}
            aside={
              <>
                version <Hash hash={gate.version} />
              </>
            }
          >
            <div className="columns">
              <ul className="requirements">
                {gate.requirements.map((one) => (
                  <li key={one}>{one}</li>
                ))}
              </ul>
              <ol className="story">
                {gate.results.map((result) => (
                  <li key={result.version.id + result.at}>
                    <span className="quiet num">{dateTime(result.at, zone)}</span>
                    <span className="verdict-line">
                      <VerdictSign status={result.passed ? 'ok' : 'alert'} />
                      <span>
                        <ObjectLink target={result.version} /> {result.sentence}
                      </span>
                    </span>
                  </li>
                ))}
              </ol>
            </div>
          </Panel>
        ))}
      </div>
    </>
  )
}
