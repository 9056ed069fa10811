/** Who answers a policy's traffic: shares, health, comparison, and what people may change. */
import { useParams } from '@tanstack/react-router'
import type { Endpoint, ProposalView } from '../../../src/server/contract/index.ts'
import { useAct, useAsk } from '../../client/queries.ts'
import { dateTime, none, percent } from '../../parts/figures.ts'
import { ObjectLink, PageLink, Panel, ScreenHead } from '../../parts/layout.tsx'
import { notify } from '../../parts/notify.tsx'
import { SmallTable } from '../../parts/small-table.tsx'
import { Answered } from '../../parts/states.tsx'
import { VerdictLine } from '../../parts/verdict.tsx'
import { useTimeZone } from '../../shell/bank.ts'
import { RollBackButton, WhyNot, WithReasonButton } from '../models/acts.tsx'
import { ComparisonPanel } from './comparison.tsx'
import { ProposeButton } from './propose.tsx'

const touched = ['endpoint', 'endpoints', 'governance', 'overview', 'audit', 'model'] as const

export default function EndpointScreen() {
  const { policy = '' } = useParams({ strict: false }) as Record<string, string>
  const answer = useAsk('endpoint', { params: { policy } }, { every: 10_000 })
  return <Answered answer={answer}>{(data) => <EndpointBody endpoint={data} />}</Answered>
}

function EndpointBody({ endpoint }: { readonly endpoint: Endpoint }) {
  return (
    <>
      <ScreenHead
        above={<PageLink to="/endpoints">Endpoints</PageLink>}
        title={endpoint.policy.title}
        verdict={endpoint.verdict}
        note="Turning something on takes two people. Ending, suspending and rolling back take one, at once; another one looks at it afterwards."
        actions={<Acts endpoint={endpoint} />}
      />
      <div className="stack">
        {endpoint.open.length === 0 ? null : <Proposals endpoint={endpoint} />}
        <Traffic endpoint={endpoint} />
        {endpoint.traffic.map((challenger) => (
          <ComparisonPanel
            key={challenger.name}
            policy={endpoint.policy.id}
            challenger={challenger}
          />
        ))}
        <History endpoint={endpoint} />
      </div>
    </>
  )
}

function Acts({ endpoint }: { readonly endpoint: Endpoint }) {
  const { may, champion, policy } = endpoint
  const suspend = useAct('suspendModel', touched)
  const resume = useAct('proposeResume', touched)
  const params = { policy: policy.id }
  return (
    <>
      <ProposeButton endpoint={endpoint} />
      {endpoint.suspended === null ? (
        <WithReasonButton
          title="Suspend"
          dialog={`Suspend ${champion.title}`}
          question={`From the next decision on, ${champion.title} is not asked. ${
            endpoint.lastGood === null
              ? 'No last good version stands behind it: rules and typologies answer, then the declared outcome.'
              : `${endpoint.lastGood.title} answers in its place.`
          } To ask it again takes two people.`}
          permission={may.suspend}
          pending={suspend.isPending}
          error={suspend.error}
          act={(reason, done) =>
            suspend.mutate(
              { params, body: { reason } },
              {
                onSuccess: () => {
                  notify(`${champion.title} is suspended`)
                  done()
                },
              },
            )
          }
        />
      ) : (
        <WithReasonButton
          title="Propose to resume"
          question={`${champion.title} is asked again once another person confirms.`}
          permission={may.resume}
          pending={resume.isPending}
          error={resume.error}
          act={(reason, done) =>
            resume.mutate(
              { params, body: { reason } },
              {
                onSuccess: () => {
                  notify('Proposed')
                  done()
                },
              },
            )
          }
        />
      )}
      <RollBackButton
        model={champion.id.split('/')[0] ?? ''}
        permission={may.rollBack}
        to={endpoint.rollbackTo}
      />
      <WhyNot
        acts={[
          { title: 'Propose a challenger', permission: may.propose },
          { title: 'Roll back', permission: may.rollBack },
        ]}
      />
    </>
  )
}

function Proposals({ endpoint }: { readonly endpoint: Endpoint }) {
  return (
    <Panel title="Waits for a second person">
      <ul className="plain-list">
        {endpoint.open.map((proposal) => (
          <OpenProposal key={proposal.id} policy={endpoint.policy.id} proposal={proposal} />
        ))}
      </ul>
    </Panel>
  )
}

function OpenProposal({
  policy,
  proposal,
}: {
  readonly policy: string
  readonly proposal: ProposalView
}) {
  const zone = useTimeZone()
  const confirm = useAct('confirmProposal', touched)
  const withdraw = useAct('withdrawProposal', touched)
  const params = { policy, proposal: proposal.id }
  return (
    <li>
      <p>
        <b>{proposal.sentence}</b>
        <br />
        <span className="quiet">
          {proposal.by.name}, {dateTime(proposal.at, zone)}: {proposal.reason}
        </span>
      </p>
      {proposal.challenger === null || proposal.challenger.steps.length === 0 ? null : (
        <p className="quiet">
          Steps:{' '}
          {proposal.challenger.steps
            .map(
              ({ share, holdMinutes, minDecisions }) =>
                `${percent(share)} for ${holdMinutes} min and ${minDecisions} decisions`,
            )
            .join(', then ')}
        </p>
      )}
      <div className="row-of-acts">
        <WithReasonButton
          title="Confirm"
          look="filled"
          dialog={proposal.sentence}
          question="You agree, and it takes effect with the next decision. What you see here is what is turned on."
          permission={proposal.confirm}
          pending={confirm.isPending}
          error={confirm.error}
          act={(reason, done) =>
            confirm.mutate(
              { params, body: { reason } },
              {
                onSuccess: () => {
                  notify('Confirmed and on')
                  done()
                },
              },
            )
          }
        />
        <WithReasonButton
          title="Withdraw"
          question="It is taken off the list; nothing changes."
          permission={proposal.withdraw}
          pending={withdraw.isPending}
          error={withdraw.error}
          act={(reason, done) => withdraw.mutate({ params, body: { reason } }, { onSuccess: done })}
        />
      </div>
      <WhyNot acts={[{ title: 'Confirm', permission: proposal.confirm }]} />
    </li>
  )
}

function Traffic({ endpoint }: { readonly endpoint: Endpoint }) {
  const zone = useTimeZone()
  const end = useAct('endChallenger', touched)
  const { champion, suspended, sticky, lastGood } = endpoint
  return (
    <Panel
      title="Traffic"
      flush
      aside={
        sticky === null
          ? 'One version answers everything'
          : `A value of ${sticky} always meets the same one`
      }
    >
      <SmallTable
        label="Traffic"
        pinned
        head={[
          { title: 'Who' },
          { title: 'Version' },
          { title: 'Share', right: true },
          { title: 'Of which' },
          { title: 'Since' },
          { title: 'Health' },
          { title: '' },
        ]}
        rows={[
          {
            key: 'champion',
            cells: [
              'champion',
              <ObjectLink key="version" target={champion} />,
              percent(endpoint.championShare),
              'all that no challenger takes',
              dateTime(
                endpoint.history.find(({ action }) => action === 'deploy' || action === 'rollback')
                  ?.at,
                zone,
              ),
              suspended === null ? (
                'asked'
              ) : (
                <VerdictLine
                  key="health"
                  verdict={{
                    status: 'alert',
                    sentence: `Suspended by ${suspended.by.name} on ${dateTime(suspended.at, zone)}: ${suspended.reason}`,
                  }}
                />
              ),
              '',
            ],
          },
          ...endpoint.traffic.map((each) => ({
            key: each.name,
            cells: [
              each.name,
              <ObjectLink key="version" target={each.version} />,
              percent(each.share),
              <span key="which">
                {each.mode === 'live' ? 'live' : 'in shadow, decides nothing'}
                {each.step === null ? null : (
                  <>
                    <br />
                    <span className="quiet">
                      step {each.step} of {each.steps.length}, since{' '}
                      {dateTime(each.stepSince, zone)}
                    </span>
                  </>
                )}
                {each.when === null ? null : (
                  <>
                    <br />
                    <code>{each.when}</code>
                  </>
                )}
              </span>,
              dateTime(each.since, zone),
              <VerdictLine key="health" verdict={each.health} />,
              <WithReasonButton
                key="end"
                title="End"
                size="compact-xs"
                of={each.name}
                dialog={`End ${each.name}`}
                question="From the next decision on, the champion answers its share."
                permission={endpoint.may.end}
                pending={end.isPending}
                error={end.error}
                act={(reason, done) =>
                  end.mutate(
                    { params: { policy: endpoint.policy.id, name: each.name }, body: { reason } },
                    {
                      onSuccess: () => {
                        notify(`${each.name} was ended`)
                        done()
                      },
                    },
                  )
                }
              />,
            ],
          })),
          {
            key: 'last-good',
            cells: [
              'last good',
              lastGood === null ? none : <ObjectLink key="version" target={lastGood} />,
              none,
              lastGood === null
                ? 'no champion before this one'
                : 'where the champion does not answer',
              '',
              '',
              '',
            ],
          },
        ]}
      />
    </Panel>
  )
}

function History({ endpoint }: { readonly endpoint: Endpoint }) {
  const zone = useTimeZone()
  return (
    <div className="columns">
      <Panel title="History" aside={`Newest first, ${zone}`}>
        <ol className="story">
          {endpoint.history.map((entry) => (
            <li key={entry.at + entry.action}>
              <span className="quiet num">{dateTime(entry.at, zone)}</span>
              <span>
                {entry.sentence} · {entry.by.name}: {entry.reason}
              </span>
            </li>
          ))}
        </ol>
      </Panel>
      <Panel title="Proposals that are closed">
        {endpoint.closed.length === 0 ? <p className="quiet">None yet.</p> : null}
        <ol className="story">
          {endpoint.closed.map(({ id, at, sentence, by, state, closed }) => (
            <li key={id}>
              <span className="quiet num">{dateTime(closed?.at ?? at, zone)}</span>
              <span>
                {sentence} · proposed by {by.name}, {state} by {closed?.by.name ?? none}:{' '}
                {closed?.reason}
              </span>
            </li>
          ))}
        </ol>
      </Panel>
    </div>
  )
}
