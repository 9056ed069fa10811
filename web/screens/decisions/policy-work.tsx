/** What people do about a policy: rules that are paused, drafts, and what waits for a second person. */
import { Button } from '@mantine/core'
import { useState } from 'react'
import type { PolicyWork } from '../../../src/server/contract/index.ts'
import { useAct, useAsk } from '../../client/queries.ts'
import { FailingRules } from '../../parts/failing-rules.tsx'
import { dateTime } from '../../parts/figures.ts'
import { Hash, PageLink, Panel } from '../../parts/layout.tsx'
import { notify } from '../../parts/notify.tsx'
import { ReasonDialog } from '../../parts/reason-dialog.tsx'
import { useTimeZone } from '../../shell/bank.ts'

/**
 * An act may take the button away that began it. The answer is told by whoever asked for the act, so
 * the acts are the parent's, which stays.
 */
export function useRuleActs() {
  const touched = ['policyWork', 'policy', 'overview', 'governance'] as const
  return {
    pauseRule: useAct('pauseRule', touched),
    resumeRule: useAct('resumeRule', touched),
    answerChange: useAct('answerChange', touched),
  }
}
type RuleActs = ReturnType<typeof useRuleActs>

export function PolicyWorkPanel({ policy }: { readonly policy: string }) {
  const answer = useAsk('policyWork', { params: { policy } }, { every: 10_000 })
  const work = answer.data
  return (
    <Panel
      title="Changes"
      aside={<PageLink to={`/policies/${policy}/drafts/new`}>Edit the policy</PageLink>}
    >
      {work === undefined ? (
        <p className="quiet">What is live can be changed once it decides.</p>
      ) : (
        <div className="stack">
          {work.declared.length === 0 ? null : <Declared work={work} />}
          <FailingRules policy={policy} rules={work.failing} />
          <Paused work={work} />
          <Drafts work={work} />
        </div>
      )}
    </Panel>
  )
}

function Declared({ work }: { readonly work: PolicyWork }) {
  return (
    <div role="note">
      <p>
        What is live was approved as a draft; the project declares something else. Its next model
        keeps the approved policy.
      </p>
      <ul className="quiet">
        {work.declared.map((sentence) => (
          <li key={sentence}>{sentence}</li>
        ))}
      </ul>
    </div>
  )
}

function Paused({ work }: { readonly work: PolicyWork }) {
  const zone = useTimeZone()
  const acts = useRuleActs()
  if (work.paused.length === 0) return <p className="quiet">No rule is paused.</p>
  return (
    <ul className="story">
      {work.paused.map((paused) => {
        const asked = work.waiting.find(({ id }) => id === paused.resume)
        return (
          <li key={paused.rule}>
            <span className="quiet num">{dateTime(paused.at, zone)}</span>
            <span>
              <b>{paused.rule}</b>{' '}
              {paused.byItself ? 'paused itself' : `was paused by ${paused.by.name}`}:{' '}
              {paused.reason}{' '}
              {asked === undefined ? (
                <RuleAct acts={acts} policy={work.policy} rule={paused.rule} act="resumeRule" />
              ) : asked.yours ? (
                <span className="quiet">
                  You proposed that it goes on; another person confirms.
                </span>
              ) : (
                <Confirm
                  acts={acts}
                  id={asked.id}
                  rule={paused.rule}
                  by={asked.by.name}
                  why={asked.reason}
                />
              )}
            </span>
          </li>
        )
      })}
    </ul>
  )
}

export function RuleAct({
  acts,
  policy,
  rule,
  act,
}: {
  readonly acts: RuleActs
  readonly policy: string
  readonly rule: string
  readonly act: 'pauseRule' | 'resumeRule'
}) {
  const [opened, setOpened] = useState(false)
  const change = acts[act]
  const pauses = act === 'pauseRule'
  return (
    <>
      <Button
        size="compact-xs"
        variant="default"
        aria-label={pauses ? `Pause ${rule}` : `Propose that ${rule} goes on`}
        onClick={() => setOpened(true)}
      >
        {pauses ? 'Pause' : 'Let it go on'}
      </Button>
      <ReasonDialog
        opened={opened}
        title={pauses ? `Pause ${rule}` : `Let ${rule} go on`}
        submit={pauses ? 'Pause at once' : 'Propose'}
        pending={change.isPending}
        error={change.error}
        close={() => setOpened(false)}
        act={(reason) =>
          change.mutate(
            { params: { policy, rule }, body: { reason } },
            {
              onSuccess: ({ sentence }) => {
                setOpened(false)
                notify(sentence)
              },
            },
          )
        }
      >
        <p>
          {pauses
            ? 'From the next decision on it asks for nothing; it is still recorded. Another person reviews that afterwards.'
            : 'Another person has to confirm it.'}
        </p>
      </ReasonDialog>
    </>
  )
}

function Confirm({
  acts: { answerChange: answer },
  id,
  rule,
  by,
  why,
}: {
  readonly acts: RuleActs
  readonly id: string
  readonly rule: string
  readonly by: string
  readonly why: string
}) {
  const [opened, setOpened] = useState(false)
  return (
    <>
      <span className="quiet">{by} proposed that it goes on.</span>{' '}
      <Button
        size="compact-xs"
        onClick={() => setOpened(true)}
        aria-label={`Confirm that ${rule} goes on`}
      >
        Confirm
      </Button>
      <ReasonDialog
        opened={opened}
        title={`Let ${rule} go on`}
        submit="Confirm"
        pending={answer.isPending}
        error={answer.error}
        close={() => setOpened(false)}
        act={(reason) =>
          answer.mutate(
            { params: { change: id }, body: { action: 'confirm', reason } },
            {
              onSuccess: ({ sentence }) => {
                setOpened(false)
                notify(sentence)
              },
            },
          )
        }
      >
        <p>
          {by} proposed it: {why}
        </p>
      </ReasonDialog>
    </>
  )
}

function Drafts({ work }: { readonly work: PolicyWork }) {
  const zone = useTimeZone()
  if (work.drafts.length === 0) {
    return <p className="quiet">There is no draft: what is live was declared by the project.</p>
  }
  return (
    <ol className="story">
      {work.drafts.map((draft) => (
        <li key={draft.id}>
          <span className="quiet num">{dateTime(draft.updatedAt, zone)}</span>
          <span>
            <PageLink to={`/policies/${draft.policy}/drafts/${draft.id}`}>
              {draft.state} <Hash hash={draft.version} />
            </PageLink>{' '}
            by {draft.by.name}. {draft.sentence}
          </span>
        </li>
      ))}
    </ol>
  )
}
