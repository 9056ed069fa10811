import { useParams } from '@tanstack/react-router'
import type { Model } from '../../../src/server/contract/index.ts'
import { useAsk } from '../../client/queries.ts'
import { dateTime, none, score } from '../../parts/figures.ts'
import { Hash, ObjectLink, PageLink, Panel, ScreenHead } from '../../parts/layout.tsx'
import { SmallTable } from '../../parts/small-table.tsx'
import { Answered } from '../../parts/states.tsx'
import { VerdictLine } from '../../parts/verdict.tsx'
import { useTimeZone } from '../../shell/bank.ts'
import { RollBackButton } from './acts.tsx'
import { Aliases } from './aliases.tsx'
import { ModelHistory } from './history.tsx'

export default function ModelScreen() {
  const { model = '' } = useParams({ strict: false }) as Record<string, string>
  const answer = useAsk('model', { params: { model } }, { every: 5_000 })
  return <Answered answer={answer}>{(data) => <ModelBody model={data} />}</Answered>
}

function ModelBody({ model }: { readonly model: Model }) {
  const zone = useTimeZone()
  // The first three fit beside the verdict; a version's own page has all of them.
  const metrics = (model.items[0]?.metrics ?? []).slice(0, 3)
  const runs = model.items
    .flatMap((version) => (version.run === null ? [] : [version.run.id]))
    .slice(0, 10)
  return (
    <>
      <ScreenHead
        above={<PageLink to="/models">Models</PageLink>}
        title={model.title}
        verdict={model.verdict}
        note={`${model.purpose}${model.owner === '' ? '' : ` Owner: ${model.owner}.`}`}
        actions={
          <>
            {model.items.length < 2 ? null : (
              <PageLink to={`/models/${model.name}/difference`} className="button-link">
                What changed
              </PageLink>
            )}
            {runs.length < 2 ? null : (
              <PageLink to={`/experiments/compare?ids=${runs.join(',')}`} className="button-link">
                Compare runs
              </PageLink>
            )}
            <RollBackButton model={model.name} permission={model.rollback} to={model.rollbackTo} />
          </>
        }
      />
      <div className="stack">
        <Panel title="Versions" flush>
          <SmallTable
            label="Versions"
            head={[
              { title: 'Version' },
              { title: 'Status' },
              { title: 'Aliases' },
              { title: 'Learner' },
              { title: 'Run' },
              ...metrics.map((metric) => ({ title: metric.title, right: true })),
              { title: 'Verdict' },
              { title: `Registered, ${zone}` },
            ]}
            rows={model.items.map((version) => ({
              key: String(version.version),
              cells: [
                <span key="version">
                  <PageLink to={`/models/${model.name}/${version.version}`}>
                    v{version.version}
                  </PageLink>{' '}
                  <Hash hash={version.hash} />
                </span>,
                <span key="status" className={`status-mark is-${version.status}`}>
                  {version.status}
                </span>,
                version.aliases.length === 0
                  ? none
                  : version.aliases.map((alias) => `@${alias}`).join(', '),
                <span key="learner">
                  {version.learner}
                  <br />
                  <span className="quiet">
                    {version.origin === 'built' ? 'trained here' : 'brought'}
                  </span>
                </span>,
                version.run === null ? none : <ObjectLink key="run" target={version.run} />,
                ...metrics.map((metric) => {
                  const found = version.metrics.find((one) => one.name === metric.name)?.estimate
                  return found === undefined ? (
                    none
                  ) : (
                    <span key={metric.name}>
                      {score(found.value)}
                      <br />
                      <span className="quiet">
                        {found.interval === null
                          ? ''
                          : `${score(found.interval.low)}–${score(found.interval.high)}`}
                      </span>
                    </span>
                  )
                }),
                <VerdictLine key="verdict" verdict={version.verdict} />,
                dateTime(version.createdAt, zone),
              ],
            }))}
          />
        </Panel>
        <div className="columns">
          <Panel title="Deployments">
            <ol className="story">
              {model.deployments.map((entry) => (
                <li key={entry.at}>
                  <span className="quiet num">{dateTime(entry.at, zone)}</span>
                  <span>
                    {entry.action === 'deploy' ? 'Deployed' : 'Rolled back to'}{' '}
                    <ObjectLink target={entry.to} /> · {entry.by.name}: {entry.reason}
                  </span>
                </li>
              ))}
              {model.deployments.length === 0 ? <li>Never live yet.</li> : null}
            </ol>
          </Panel>
          <Panel title="Used by">
            {model.policies.length === 0 ? <p className="quiet">No policy asks it.</p> : null}
            {model.policies.map((policy) => (
              <p key={policy.id}>
                Policy <ObjectLink target={policy} />
              </p>
            ))}
          </Panel>
        </div>
        <div className="columns">
          <ModelHistory model={model} />
          <Aliases model={model} />
        </div>
      </div>
    </>
  )
}
