/** Approve, refuse, deploy, roll back: each asks for a reason, because the record keeps one. */
import { Button, Tooltip } from '@mantine/core'
import { useState, type ReactNode } from 'react'
import type { ObjectRef, Permission, Version } from '../../../src/server/contract/index.ts'
import { useAct } from '../../client/queries.ts'
import { notify } from '../../parts/notify.tsx'
import { ReasonDialog } from '../../parts/reason-dialog.tsx'

const touched = ['model', 'models', 'version', 'overview', 'governance', 'audit'] as const

/** A button that cannot be pressed says why, to the pointer and to the keyboard. */
export function ActButton({
  title,
  permission,
  open,
  look = 'default',
  size = 'xs',
  of,
}: {
  readonly title: string
  readonly permission: Permission
  readonly open: () => void
  readonly look?: 'default' | 'filled'
  readonly size?: 'xs' | 'compact-xs'
  /** What it acts on, where a table has many such buttons; read aloud only. */
  readonly of?: string | undefined
}) {
  const button = (
    <Button
      size={size}
      variant={look}
      data-disabled={permission.allowed ? undefined : true}
      aria-disabled={!permission.allowed}
      onClick={() => {
        if (permission.allowed) open()
      }}
    >
      {title}
      {of === undefined ? null : <span className="visually-hidden">&nbsp;{of}</span>}
    </Button>
  )
  if (permission.reason === null) return button
  return (
    <Tooltip
      label={permission.reason}
      multiline
      maw={300}
      events={{ hover: true, focus: true, touch: true }}
    >
      {button}
    </Tooltip>
  )
}

/** A button that opens a small dialog with one question: why. */
export function WithReasonButton({
  title,
  dialog = title,
  question,
  permission,
  pending,
  error,
  act,
  ...looks
}: {
  readonly title: string
  /** The title of the dialog, where it says more than the button. */
  readonly dialog?: string
  readonly question: ReactNode
  readonly permission: Permission
  readonly pending: boolean
  readonly error: Error | null
  readonly act: (reason: string, done: () => void) => void
  readonly look?: 'default' | 'filled'
  readonly size?: 'xs' | 'compact-xs'
  readonly of?: string
}) {
  const [opened, setOpened] = useState(false)
  const close = () => setOpened(false)
  return (
    <>
      <ActButton title={title} permission={permission} open={() => setOpened(true)} {...looks} />
      <ReasonDialog
        opened={opened}
        close={close}
        title={dialog}
        submit={title}
        pending={pending}
        error={error}
        act={(reason) => act(reason, close)}
      >
        {question}
      </ReasonDialog>
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
        dialog={`Approve v${version.version}`}
        question={`You approve v${version.version} as it is now: its bytes, its gate and its evidence together. Any change voids the approval.`}
        permission={version.may.approve}
        pending={act.isPending}
        error={act.error}
        act={give('approve')}
      />
      <WithReasonButton
        title="Refuse"
        dialog={`Refuse v${version.version}`}
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
      dialog={`Deploy v${version.version}`}
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
