/** A dialog that says what an act leads to and asks why, because the record keeps a reason. */
import { Button, Modal, Textarea } from '@mantine/core'
import { useState, type ReactNode } from 'react'
import { Failed } from './states.tsx'

interface ReasonProps {
  readonly title: string
  /** What the button of the dialog says. */
  readonly submit: string
  readonly close: () => void
  readonly pending: boolean
  readonly error: Error | null
  readonly act: (reason: string) => void
  /** Whether the fields above the reason are filled in. */
  readonly isReady?: boolean
  /** The first field, where that is not the reason, has `data-autofocus`. */
  readonly focusesReason?: boolean
  readonly children: ReactNode
}

export function ReasonDialog({
  opened,
  ...rest
}: ReasonProps & {
  readonly opened: boolean
}) {
  return (
    <Modal opened={opened} onClose={rest.close} title={rest.title}>
      <ReasonForm {...rest} />
    </Modal>
  )
}

/** Within the dialog, so that a reason is forgotten with it. */
function ReasonForm({
  submit,
  pending,
  error,
  act,
  isReady = true,
  focusesReason = true,
  children,
}: ReasonProps) {
  const [reason, setReason] = useState('')
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault()
        act(reason.trim())
      }}
    >
      {children}
      <Textarea
        label="Reason"
        description="Kept in the audit log, with your name."
        data-autofocus={focusesReason || undefined}
        autosize
        minRows={2}
        value={reason}
        onChange={(event) => setReason(event.currentTarget.value)}
      />
      {error === null ? null : <Failed error={error} />}
      <Button type="submit" loading={pending} disabled={!isReady || reason.trim().length < 3}>
        {submit}
      </Button>
    </form>
  )
}
