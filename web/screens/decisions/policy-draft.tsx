/** The policy editor: a draft, what it changes, what it would have answered, and who approves it. */
import { Button, Modal } from '@mantine/core'
import { useBlocker, useNavigate, useParams } from '@tanstack/react-router'
import { useEffect, useRef, useState } from 'react'
import type {
  Draft,
  PolicyParts,
  PolicyWork,
  RuleTest,
} from '../../../src/server/contract/index.ts'
import { useAct, useAsk } from '../../client/queries.ts'
import { dateTime, plural } from '../../parts/figures.ts'
import { Hash, PageLink, Panel, ScreenHead } from '../../parts/layout.tsx'
import { notify } from '../../parts/notify.tsx'
import { ReasonDialog } from '../../parts/reason-dialog.tsx'
import { Answered } from '../../parts/states.tsx'
import { useTimeZone } from '../../shell/bank.ts'
import { BacktestPanel } from './backtest.tsx'
import { PolicyActions } from './policy-actions.tsx'
import { PolicyPartsPanel } from './policy-parts.tsx'
import { RuleTable } from './policy-rules.tsx'
import { Names, Tests } from './policy-tests.tsx'
import { Trial } from './policy-trial.tsx'

const touched = ['draft', 'policyWork', 'policy'] as const
const openStates: readonly string[] = ['draft', 'shadow', 'proposed']
const stateTitles: Readonly<Record<Draft['state'], string>> = {
  draft: 'Draft',
  shadow: 'Draft in shadow',
  proposed: 'Proposed draft',
  approved: 'Approved draft',
  live: 'Draft that is live',
  superseded: 'Superseded draft',
  refused: 'Refused draft',
  withdrawn: 'Withdrawn draft',
}

export default function PolicyDraftScreen() {
  const { policy = '', draft = 'new' } = useParams({ strict: false }) as Record<string, string>
  const work = useAsk('policyWork', { params: { policy } })
  const kept = useAsk('draft', { params: { policy, draft } }, { enabled: draft !== 'new' })
  return (
    <Answered answer={work}>
      {(known) =>
        draft === 'new' ? (
          <Editor key="new" work={known} draft={undefined} />
        ) : (
          <Answered answer={kept}>
            {(found) => <Editor key={`${found.id}/${found.version}`} work={known} draft={found} />}
          </Answered>
        )
      }
    </Answered>
  )
}

interface Content {
  readonly parts: PolicyParts
  readonly tests: RuleTest[]
}

function Editor({ work, draft }: { readonly work: PolicyWork; readonly draft: Draft | undefined }) {
  const { policy } = work
  const [content, setContent] = useState<Content>(() => ({
    parts: draft?.parts ?? work.parts,
    tests: draft?.tests ?? [],
  }))
  const isFixed = draft !== undefined && !openStates.includes(draft.state)
  const check = useAct('checkDraft', [])
  const { mutate } = check
  useEffect(() => {
    const timer = setTimeout(() => mutate({ params: { policy }, body: content }), 250)
    return () => clearTimeout(timer)
  }, [content, mutate, policy])
  const mistakes = check.data?.mistakes ?? []
  const isChanged =
    draft === undefined ||
    JSON.stringify(content) !== JSON.stringify({ parts: draft.parts, tests: draft.tests })
  const isUnsaved =
    draft === undefined
      ? content.tests.length > 0 || JSON.stringify(content.parts) !== JSON.stringify(work.parts)
      : isChanged
  const set = (part: Partial<PolicyParts>) =>
    setContent(({ parts, tests }) => ({ parts: { ...parts, ...part }, tests }))
  return (
    <>
      <ScreenHead
        above={<PageLink to={`/policies/${policy}`}>Decision policy {policy}</PageLink>}
        title={draft === undefined ? 'New draft' : stateTitles[draft.state]}
        note={
          draft === undefined ? (
            <>
              Over what is live, <Hash hash={work.version} />. Nothing changes before two people who
              did not write it approve it.
            </>
          ) : (
            <>
              {draft.sentence} (version <Hash hash={draft.version} />)
            </>
          )
        }
        actions={
          <Acts
            draft={draft}
            content={content}
            policy={policy}
            isChanged={isChanged}
            isUnsaved={isUnsaved}
            canSave={mistakes.length === 0 && !isFixed}
          />
        }
      />
      <div className="stack">
        <Panel title="Rules" flush aside={plural(content.parts.rules.length, 'rule')}>
          <RuleTable
            rules={content.parts.rules}
            mistakes={mistakes}
            isFixed={isFixed}
            change={(rules) => set({ rules })}
          />
          {mistakes
            .filter(({ rule }) => rule === null)
            .map(({ sentence }) => (
              <p key={sentence} className="rule-mistake" role="alert">
                {sentence}
              </p>
            ))}
          {isFixed ? null : (
            <Names columns={work.columns} features={work.features} lists={content.parts.lists} />
          )}
        </Panel>
        <div className="columns-wide-first">
          <div className="stack">
            <Differences differences={check.data?.differences ?? draft?.differences ?? []} />
            <Trial policy={policy} parts={content.parts} canTry={mistakes.length === 0} />
            {draft === undefined ? null : (
              <BacktestPanel title="Back-test" policy={policy} draft={draft.id} />
            )}
            <Tests
              tests={content.tests}
              results={check.data?.results ?? draft?.results ?? []}
              columns={work.columns}
              isFixed={isFixed}
              change={(tests) => setContent(({ parts }) => ({ parts, tests }))}
            />
          </div>
          <div className="stack">
            {draft === undefined ? null : <Approval draft={draft} isChanged={isChanged} />}
            <PolicyPartsPanel
              parts={content.parts}
              live={work.parts}
              columns={work.columns}
              isFixed={isFixed}
              change={set}
            />
            <PolicyActions parts={content.parts} isFixed={isFixed} change={set} />
            {draft === undefined ? null : <History draft={draft} />}
          </div>
        </div>
      </div>
    </>
  )
}

function Acts({
  draft,
  content,
  policy,
  isChanged,
  isUnsaved,
  canSave,
}: {
  readonly draft: Draft | undefined
  readonly content: Content
  readonly policy: string
  readonly isChanged: boolean
  readonly isUnsaved: boolean
  readonly canSave: boolean
}) {
  const navigate = useNavigate()
  const create = useAct('newDraft', touched)
  const save = useAct('saveDraft', touched)
  const act = useAct('actOnDraft', touched)
  const [asks, setAsks] = useState<'save' | 'shadow' | 'propose' | 'withdraw' | null>(null)
  // Of the draft that is edited: a later answer of the server is not what this person read.
  const [read, setRead] = useState(draft?.binds)
  const isSaved = useRef(false)
  const leaving = useBlocker({
    shouldBlockFn: ({ current, next }) =>
      isUnsaved && !isSaved.current && current.pathname !== next.pathname,
    enableBeforeUnload: () => isUnsaved && !isSaved.current,
    withResolver: true,
  })
  useSaveKey(isChanged && canSave && asks === null, () => setAsks('save'))
  const done = (kept: Draft) => {
    isSaved.current = true
    setRead(kept.binds)
    setAsks(null)
    notify(kept.sentence)
    void navigate({ to: `/policies/${policy}/drafts/${kept.id}` }).then(toScreen)
  }
  const submit = (reason: string) => {
    if (asks === null) return
    if (asks !== 'save') {
      if (draft === undefined) return
      const params = { policy, draft: draft.id }
      act.mutate({ params, body: { action: asks, reason } }, { onSuccess: done })
    } else if (draft === undefined) {
      create.mutate({ params: { policy }, body: { ...content, reason } }, { onSuccess: done })
    } else {
      const params = { policy, draft: draft.id }
      save.mutate({ params, body: { ...content, binds: read, reason } }, { onSuccess: done })
    }
  }
  const state = draft?.state ?? 'new'
  const failed = [create, save, act].find(({ error }) => error !== null)
  return (
    <>
      <Button
        size="xs"
        disabled={!isChanged || !canSave}
        title="Ctrl S"
        onClick={() => setAsks('save')}
      >
        Save draft
      </Button>
      <Button
        size="xs"
        variant="default"
        disabled={isChanged || state !== 'draft'}
        onClick={() => setAsks('shadow')}
      >
        Run in shadow
      </Button>
      <Button
        size="xs"
        variant="default"
        disabled={isChanged || !['draft', 'shadow'].includes(state)}
        onClick={() => setAsks('propose')}
      >
        Propose
      </Button>
      {openStates.includes(state) ? (
        <Button size="xs" variant="subtle" onClick={() => setAsks('withdraw')}>
          Withdraw
        </Button>
      ) : null}
      <ReasonDialog
        opened={asks !== null}
        title={asks === null ? '' : titles[asks]}
        submit={asks === null ? '' : titles[asks]}
        pending={create.isPending || save.isPending || act.isPending}
        error={failed?.error ?? null}
        close={() => setAsks(null)}
        act={submit}
      >
        <p>{asks === null ? '' : says[asks]}</p>
      </ReasonDialog>
      <Modal
        opened={leaving.status === 'blocked'}
        onClose={() => leaving.reset?.()}
        title="Leave without saving?"
      >
        <div className="stack">
          <p>What you changed in this draft is not saved, and is lost when you leave.</p>
          <div className="screen-actions">
            <Button data-autofocus onClick={() => leaving.reset?.()}>
              Stay
            </Button>
            <Button variant="default" onClick={() => leaving.proceed?.()}>
              Leave
            </Button>
          </div>
        </div>
      </Modal>
    </>
  )
}

/** The button that was pressed is gone; whoever uses the keyboard goes on from the draft. */
function toScreen(): void {
  document.getElementById('screen')?.focus({ preventScroll: true })
}

function useSaveKey(canSave: boolean, save: () => void) {
  const latest = useRef(save)
  latest.current = save
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== 's') return
      event.preventDefault()
      if (canSave) latest.current()
    }
    window.addEventListener('keydown', press)
    return () => window.removeEventListener('keydown', press)
  }, [canSave])
}

const titles = {
  save: 'Save draft',
  shadow: 'Run in shadow',
  propose: 'Propose',
  withdraw: 'Withdraw',
} as const
const says = {
  save: 'Nothing that is answered changes. Approvals of an earlier version are void.',
  shadow: 'New and changed rules are recorded beside the live ones, and answer nothing.',
  propose:
    'It is tried on the last decisions; two approvers who did not write it decide on just this version.',
  withdraw: 'The draft ends, and what runs in shadow for it.',
} as const

function Differences({ differences }: { readonly differences: readonly string[] }) {
  return (
    <Panel title="What would change">
      {differences.length === 0 ? (
        <p className="quiet">Nothing yet: it is what is live.</p>
      ) : (
        <ul className="draft-changes">
          {differences.map((sentence) => (
            <li key={sentence}>{sentence}</li>
          ))}
        </ul>
      )}
    </Panel>
  )
}

function Approval({ draft, isChanged }: { readonly draft: Draft; readonly isChanged: boolean }) {
  const zone = useTimeZone()
  const answer = useAct('answerDraft', touched)
  const [asks, setAsks] = useState<'approve' | 'refuse' | null>(null)
  const { policy, id, binds } = draft
  return (
    <Panel title="Approval" aside={`${draft.verdicts.length} of ${draft.needed}`}>
      <div className="stack">
        {draft.evidence === null ? (
          <p className="quiet">It is tried on the last decisions when it is proposed.</p>
        ) : (
          <p>
            {draft.evidence.sentence} <Hash hash={draft.evidence.hash} />
          </p>
        )}
        {draft.verdicts.map((given) => (
          <p key={given.by.id}>
            {given.by.name} {given.verdict === 'approve' ? 'approved' : 'refused'}: {given.reason}{' '}
            <span className="quiet num">{dateTime(given.at, zone)}</span>
          </p>
        ))}
        {draft.obstacle === null && !isChanged ? (
          <div className="screen-actions">
            <Button size="xs" onClick={() => setAsks('approve')}>
              Approve
            </Button>
            <Button size="xs" variant="default" onClick={() => setAsks('refuse')}>
              Refuse
            </Button>
          </div>
        ) : (
          <p className="quiet">{draft.obstacle ?? 'Save or drop your changes first.'}</p>
        )}
      </div>
      <ReasonDialog
        opened={asks !== null}
        title={asks === 'refuse' ? 'Refuse the draft' : 'Approve the draft'}
        submit={asks === 'refuse' ? 'Refuse' : 'Approve'}
        pending={answer.isPending}
        error={answer.error}
        close={() => setAsks(null)}
        act={(reason) => {
          if (asks === null) return
          answer.mutate(
            { params: { policy, draft: id }, body: { verdict: asks, reason, binds } },
            {
              onSuccess: ({ sentence }) => {
                setAsks(null)
                notify(sentence)
                toScreen()
              },
            },
          )
        }}
      >
        <p>It counts for just this version, its tests and its evidence.</p>
      </ReasonDialog>
    </Panel>
  )
}

function History({ draft }: { readonly draft: Draft }) {
  const zone = useTimeZone()
  return (
    <Panel title="History">
      <ol className="story">
        {draft.history.toReversed().map((step) => (
          <li key={step.at + step.act}>
            <span className="quiet num">{dateTime(step.at, zone)}</span>
            <span>
              {step.by.name} {step.act} <Hash hash={step.version} /> {step.reason}
            </span>
          </li>
        ))}
      </ol>
    </Panel>
  )
}
