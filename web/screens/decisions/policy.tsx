/** A decision policy: rules + model + thresholds, and a place to try it on one event. */
import { Button, Textarea } from '@mantine/core'
import { useParams } from '@tanstack/react-router'
import { useEffect, useRef, useState } from 'react'
import type { Policy, PolicyWork } from '../../../src/server/contract/index.ts'
import { ProblemError } from '../../client/api.ts'
import { useAct, useAsk } from '../../client/queries.ts'
import { useView } from '../../client/view.ts'
import { count, plural, dateTime, none, score } from '../../parts/figures.ts'
import {
  Facts,
  Hash,
  LongName,
  ObjectLink,
  PageLink,
  Panel,
  ScreenHead,
} from '../../parts/layout.tsx'
import { OutcomeMark } from '../../parts/outcome.tsx'
import { SmallTable } from '../../parts/small-table.tsx'
import { Answered, Empty, Failed } from '../../parts/states.tsx'
import { useTimeZone } from '../../shell/bank.ts'
import { PolicyWorkPanel, RuleAct, useRuleActs } from './policy-work.tsx'

export default function PolicyScreen() {
  const { policy = '' } = useParams({ strict: false }) as Record<string, string>
  const answer = useAsk('policy', { params: { policy } })
  return <Answered answer={answer}>{(data) => <PolicyBody policy={data} />}</Answered>
}

function PolicyBody({ policy }: { readonly policy: Policy }) {
  const zone = useTimeZone()
  const { review, decline, declared } = policy.thresholds
  const work = useAsk('policyWork', { params: { policy: policy.name } }).data
  return (
    <>
      <ScreenHead
        above="Decision policy"
        title={policy.name}
        note={
          <>
            Rules + model. Version <Hash hash={policy.version} />
            {policy.file === null ? (
              ''
            ) : (
              <>
                , declared in <code>{policy.file}</code>
              </>
            )}
            . <PageLink to={`/policies/${policy.name}/drafts/new`}>Edit it as a draft</PageLink>,
            which two others approve;{' '}
            <PageLink to={`/policies/${policy.name}/backtest`}>back-test it</PageLink> on the past.
            Values of its lists are on the page <PageLink to="/lists">Lists</PageLink>.
          </>
        }
      />
      <div className="columns-wide-first">
        <div className="stack">
          <Rules policy={policy} work={work} />
          <TryIt policy={policy} />
        </div>
        <div className="stack">
          <PolicyWorkPanel policy={policy.name} />
          <Panel title="Model and thresholds">
            <Facts
              facts={[
                { name: 'Source', value: <ObjectLink target={policy.source} /> },
                {
                  name: 'Model',
                  value: policy.model === null ? none : <ObjectLink target={policy.model} />,
                },
                { name: 'Review from', value: score(review) },
                { name: 'Decline from', value: score(decline) },
                { name: 'Declared as', value: declared },
                {
                  name: 'Capacity',
                  value:
                    policy.reviewCapacityPerDay === null
                      ? none
                      : `${policy.reviewCapacityPerDay} reviews a day`,
                },
              ]}
            />
          </Panel>
          <Panel title="Versions">
            <ol className="story">
              {policy.versions.map((version) => (
                <li key={version.version + version.liveSince}>
                  <span className="quiet num">{dateTime(version.liveSince, zone)}</span>
                  <span>
                    <Hash hash={version.version} /> {version.reason} · {version.by.name}
                  </span>
                </li>
              ))}
            </ol>
          </Panel>
        </div>
      </div>
    </>
  )
}

function Rules({
  policy,
  work,
}: {
  readonly policy: Policy
  readonly work: PolicyWork | undefined
}) {
  const acts = useRuleActs()
  const paused = new Set(work?.paused.map(({ rule }) => rule))
  const { length } = policy.rules
  return (
    <Panel
      title="Rules"
      flush
      className="policy-rules"
      aside={`${plural(length, 'rule')}, each asked of every event`}
    >
      {length === 0 ? (
        <Empty title="It has no rule">The model’s score alone decides.</Empty>
      ) : (
        <SmallTable
          label="Rules"
          pinned
          head={[
            { title: 'Rule' },
            { title: 'When' },
            { title: 'Then' },
            { title: 'Fired in 24 h', right: true },
            { title: <span className="visually-hidden">Acts</span> },
          ]}
          rows={policy.rules.map((rule) => ({
            key: rule.name,
            cells: [
              <span key="name">
                <PageLink to={`/decisions?rule=${rule.name}`}>{rule.name}</PageLink>
                <br />
                <span className="quiet">{rule.reason}</span>
                <Limits rule={work?.parts.rules.find(({ name }) => name === rule.name)} />
              </span>,
              <code key="when" className="rule-code">
                <LongName name={rule.expression} />
              </code>,
              rule.then === null ? (
                <span key="then" className="quiet" title="It asks for nothing itself">
                  signal
                </span>
              ) : (
                <OutcomeMark key="then" outcome={rule.then} />
              ),
              count(rule.firedLast24h),
              paused.has(rule.name) ? (
                <span key="act" className="waits">
                  paused
                </span>
              ) : (
                <RuleAct
                  key="act"
                  acts={acts}
                  policy={policy.name}
                  rule={rule.name}
                  act="pauseRule"
                />
              ),
            ],
          }))}
        />
      )}
    </Panel>
  )
}

/** What else is declared of a rule, where it is not the usual. */
function Limits({ rule }: { readonly rule: PolicyWork['parts']['rules'][number] | undefined }) {
  if (rule === undefined) return null
  const { priority = 0, capPerHour, mode } = rule
  const told = [
    ...(mode === 'shadow' ? ['in shadow: recorded alone'] : []),
    ...(priority === 0 ? [] : [`priority ${priority}`]),
    ...(capPerHour === undefined ? [] : [`pauses itself above ${count(capPerHour)} an hour`]),
  ]
  if (told.length === 0) return null
  return (
    <>
      <br />
      <span className="quiet">{told.join(', ')}</span>
    </>
  )
}

/** One real decision: it is recorded, and the same event id gets the same answer again. */
function TryIt({ policy }: { readonly policy: Policy }) {
  const { view } = useView()
  const [text, setText] = useState(() => JSON.stringify(policy.example, null, 2))
  const [notJson, setNotJson] = useState<string | null>(null)
  const act = useAct('decide', ['decisions', 'overview'])
  const place = useRef<HTMLDivElement>(null)
  useEffect(() => {
    if (view.decide !== undefined) place.current?.scrollIntoView({ block: 'center' })
  }, [view.decide])
  const send = () => {
    try {
      const body = JSON.parse(text) as Record<string, unknown>
      setNotJson(null)
      act.mutate({ params: { policy: policy.name }, body })
    } catch (error) {
      setNotJson(error instanceof Error ? error.message : 'This is not JSON')
    }
  }
  const answer = act.data
  return (
    <Panel title="Make a decision" aside="Recorded like any other">
      <div className="stack" ref={place}>
        <Textarea
          aria-label="Event as JSON"
          autosize
          minRows={7}
          spellCheck={false}
          styles={{ input: { fontFamily: 'var(--mono)', fontSize: 12.5 } }}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
          error={notJson}
        />
        <div>
          <Button size="xs" onClick={send} loading={act.isPending}>
            Decide
          </Button>
        </div>
        {act.error instanceof ProblemError ? <Failed error={act.error} /> : null}
        {answer === undefined ? null : (
          <div className="answer" role="status">
            <p>
              <OutcomeMark outcome={answer.outcome} /> score {score(answer.score)}{' '}
              <PageLink to={`/decisions/${answer.policy}/${answer.eventId}`}>Open it</PageLink>
            </p>
            <ul>
              {answer.reasons.map((reason) => (
                <li key={reason.sentence}>{reason.sentence}</li>
              ))}
            </ul>
          </div>
        )}
      </div>
    </Panel>
  )
}
