import { useParams } from '@tanstack/react-router'
import type { Model } from '../../../src/server/contract/index.ts'
import { useAsk } from '../../client/queries.ts'
import { dateTime, figureOf, none, score } from '../../parts/figures.ts'
import { Hash, ObjectLink, PageLink, Panel, ScreenHead } from '../../parts/layout.tsx'
import { SmallTable } from '../../parts/small-table.tsx'
import { Answered } from '../../parts/states.tsx'
import { VerdictLine } from '../../parts/verdict.tsx'
import { useTimeZone } from '../../shell/bank.ts'
import { RollBackButton, WhyNot } from './acts.tsx'
import { Aliases } from './aliases.tsx'
import { ModelHistory } from './history.tsx'
import {
  DeleteModelButton,
  RenameButton,
  RestoreModelButton,
  RestoreVersionButton,
} from './removal.tsx'

export default function ModelScreen() {
  const { model = '' } = useParams({ strict: false }) as Record<string, string>
  const answer = useAsk('model', { params: { model } }, { every: 5_000 })
  return (
    <Answered answer={answer}>
      {(data) =>
        data.deletedAt === null ? <ModelBody model={data} /> : <DeletedModel model={data} />
      }
    </Answered>
  )
}

/** Nothing of it is shown but what brings it back; its record is in the audit log. */
function DeletedModel({ model }: { readonly model: Model }) {
  return (
    <>
      <ScreenHead
        above={<PageLink to="/models">Models</PageLink>}
        title={
          <>
            {model.title} <span className="status-mark is-failed">deleted</span>
          </>
        }
        note="It was deleted, and can be restored until it is purged."
        actions={
          <>
            <RestoreModelButton name={model.name} permission={model.may.restore} />
            <WhyNot acts={[{ title: 'Restore', permission: model.may.restore }]} />
          </>
        }
      />
      <div className="columns">
        <ModelHistory model={model} />
        <DeletedVersions model={model} />
      </div>
    </>
  )
}

function DeletedVersions({ model }: { readonly model: Model }) {
  const zone = useTimeZone()
  if (model.deleted.length === 0) return null
  return (
    <Panel title="Deleted versions" aside="Kept until they are purged">
      <ul className="plain-list">
        {model.deleted.map(({ version, learner, deletedAt, restore }) => (
          <li key={version} className="deleted-line">
            <span>
              <PageLink to={`/models/${model.name}/${version}`}>v{version}</PageLink> {learner}{' '}
              <span className="quiet">deleted {dateTime(deletedAt, zone)}</span>
            </span>
            <RestoreVersionButton model={model.name} version={version} permission={restore} />
          </li>
        ))}
      </ul>
    </Panel>
  )
}

const did = {
  deploy: 'Deployed',
  rollback: 'Rolled back to',
  challenge: 'A challenger began beside',
  advance: 'A canary’s next step beside',
  end: 'A challenger was ended beside',
  withdraw: 'A challenger was withdrawn by itself beside',
  shadow: 'Rules of a draft run in shadow beside',
  unshadow: 'No draft runs in shadow any more beside',
} as const

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
            {model.deployments.length === 0 ? null : (
              <RollBackButton
                model={model.name}
                permission={model.rollback}
                to={model.rollbackTo}
              />
            )}
            <RenameButton model={model} />
            <DeleteModelButton model={model} />
            <WhyNot
              acts={[
                { title: 'Rename', permission: model.may.rename },
                { title: 'Delete', permission: model.may.remove },
              ]}
            />
          </>
        }
      />
      <div className="stack">
        <Panel title="Versions" flush>
          <SmallTable
            label="Versions"
            pinned
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
                      {figureOf(found)}
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
                    {did[entry.action]} <ObjectLink target={entry.to} /> · {entry.by.name}:{' '}
                    {entry.reason}
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
                Policy <ObjectLink target={policy} /> ·{' '}
                <PageLink to={`/endpoints/${policy.id}`}>traffic and challengers</PageLink>
              </p>
            ))}
          </Panel>
        </div>
        <div className="columns">
          <ModelHistory model={model} />
          <div className="stack">
            <Aliases model={model} />
            <DeletedVersions model={model} />
          </div>
        </div>
      </div>
    </>
  )
}
