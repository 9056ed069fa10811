/** Approve, refuse, deploy, roll back: each asks for a reason, because the record keeps one. */
import { Button, Modal, Textarea, Tooltip } from '@mantine/core'
import { useState, type ReactNode } from 'react'
import type { ObjectRef, Permission, Version } from '../../../src/server/contract/index.ts'
import { useAct } from '../../client/queries.ts'
import { notify } from '../../parts/notify.tsx'
import { Failed } from '../../parts/states.tsx'

const touched = ['model', 'models', 'version', 'overview', 'governance', 'audit'] as const

/** A button that opens a small dialog with one question: why. */
export function WithReasonButton({
  title,
  question,
  permission,
  pending,
  error,
  act,
  look = 'default',
}: {
  readonly title: string
  readonly question: ReactNode
  readonly permission: Permission
  readonly pending: boolean
  readonly error: Error | null
  readonly act: (reason: string, done: () => void) => void
  readonly look?: 'default' | 'filled'
}) {
  const [opened, setOpened] = useState(false)
  const [reason, setReason] = useState('')
  const button = (
    <Button
      size="xs"
      variant={look}
      data-disabled={permission.allowed ? undefined : true}
      aria-disabled={!permission.allowed}
      onClick={() => {
        if (permission.allowed) setOpened(true)
      }}
    >
      {title}
    </Button>
  )
  return (
    <>
      {permission.reason === null ? (
        button
      ) : (
        <Tooltip
          label={permission.reason}
          multiline
          maw={300}
          events={{ hover: true, focus: true, touch: true }}
        >
          {button}
        </Tooltip>
      )}
      <Modal opened={opened} onClose={() => setOpened(false)} title={title}>
        <form
          className="stack"
          onSubmit={(event) => {
            event.preventDefault()
            act(reason.trim(), () => {
              setOpened(false)
              setReason('')
            })
          }}
        >
          <div>{question}</div>
          <Textarea
            label="Reason"
            description="Kept in the audit log, with your name."
            data-autofocus
            autosize
            minRows={2}
            value={reason}
            onChange={(event) => setReason(event.currentTarget.value)}
          />
          {error === null ? null : <Failed error={error} />}
          <Button type="submit" loading={pending} disabled={reason.trim().length < 3}>
            {title}
          </Button>
        </form>
      </Modal>
    </>
  )
}

/** Why what cannot be done now cannot: in words beside the buttons, not on the pointer alone. */
export function WhyNot({
  acts,
  said = '',
}: {
  readonly acts: readonly { readonly title: string; readonly permission: Permission }[]
  /** What stands beside them already and need not be said again. */
  readonly said?: string
}) {
  const reasons = Map.groupBy(
    acts.filter(({ permission }) => !permission.allowed && permission.reason !== null),
    ({ permission: { reason } }) => reason?.replace(said, '').trim() || (reason ?? ''),
  )
  if (reasons.size === 0) return null
  return (
    <ul className="why-not">
      {[...reasons].map(([reason, same]) => (
        <li key={reason}>
          <b>{same.map(({ title }) => title).join(', ')}</b>: {reason}
        </li>
      ))}
    </ul>
  )
}

export function ApprovalButtons({ version }: { readonly version: Version }) {
  const act = useAct('giveApproval', touched)
  const params = { model: version.model, version: version.version }
  const give = (decision: 'approve' | 'refuse') => (reason: string, done: () => void) =>
    act.mutate(
      { params, body: { decision, reason, binds: version.approvals.binds } },
      {
        onSuccess: () => {
          notify(decision === 'approve' ? 'Approved' : 'Refused')
          done()
        },
      },
    )
  return (
    <>
      <WithReasonButton
        title="Approve"
        look="filled"
        question={`You approve v${version.version} as it is now: its bytes, its gate and its evidence together. Any change voids the approval.`}
        permission={version.may.approve}
        pending={act.isPending}
        error={act.error}
        act={give('approve')}
      />
      <WithReasonButton
        title="Refuse"
        question={`v${version.version} will not go live.`}
        permission={version.may.refuse}
        pending={act.isPending}
        error={act.error}
        act={give('refuse')}
      />
    </>
  )
}

export function DeployButton({ version }: { readonly version: Version }) {
  const act = useAct('deploy', touched)
  return (
    <WithReasonButton
      title="Deploy"
      question={`From the next decision on, v${version.version} answers. You can roll back at any time.`}
      permission={version.may.deploy}
      pending={act.isPending}
      error={act.error}
      act={(reason, done) =>
        act.mutate(
          { params: { model: version.model, version: version.version }, body: { reason } },
          {
            onSuccess: () => {
              notify(`v${version.version} is live`)
              done()
            },
          },
        )
      }
    />
  )
}

export function RollBackButton({
  model,
  permission,
  to,
}: {
  readonly model: string
  readonly permission: Permission
  readonly to: ObjectRef | null
}) {
  const act = useAct('rollBack', touched)
  const number = Number(to?.id.split('/')[1] ?? 0)
  return (
    <WithReasonButton
      title={to === null ? 'Roll back' : `Roll back to v${number}`}
      question={
        to === null
          ? ''
          : `From the next decision on, ${to.title} answers again. It was approved before.`
      }
      permission={permission}
      pending={act.isPending}
      error={act.error}
      act={(reason, done) =>
        act.mutate(
          { params: { model }, body: { to: number, reason } },
          {
            onSuccess: () => {
              notify(`${to?.title ?? 'The version before'} is live again`)
              done()
            },
          },
        )
      }
    />
  )
}
