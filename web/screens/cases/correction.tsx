import { Button, Modal, SegmentedControl, Textarea } from '@mantine/core'
import { useState } from 'react'
import type { Case, CaseVerdictValue } from '../../../src/server/contract/index.ts'
import { useAct } from '../../client/queries.ts'
import { notify } from '../../parts/notify.tsx'
import { Failed } from '../../parts/states.tsx'

/** Another verdict for alerts that are closed; where four eyes are declared it waits for a second person. */
export function Correction({
  one,
  opened,
  onClose,
}: {
  readonly one: Case
  readonly opened: boolean
  readonly onClose: () => void
}) {
  const act = useAct('correctVerdict', ['cases', 'case', 'decision', 'overview'])
  const [verdict, setVerdict] = useState<CaseVerdictValue>(
    one.verdict?.value === 'genuine' ? 'fraud' : 'genuine',
  )
  const [reason, setReason] = useState('')
  return (
    <Modal opened={opened} onClose={onClose} title="Correct a verdict">
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault()
          act.mutate(
            { params: { caseId: one.id }, body: { verdict, reason: reason.trim() } },
            {
              onSuccess: () => {
                notify('Corrected; the earlier verdict stays in the history')
                onClose()
              },
            },
          )
        }}
      >
        <SegmentedControl
          aria-label="Verdict"
          value={verdict}
          onChange={(value) => setVerdict(value)}
          data={[
            { value: 'fraud', label: 'Fraud' },
            { value: 'genuine', label: 'Genuine' },
            { value: 'unsure', label: 'Can’t tell' },
          ]}
        />
        <Textarea
          label="Reason"
          description="Kept in the audit log, with your name."
          data-autofocus
          value={reason}
          onChange={(event) => setReason(event.currentTarget.value)}
        />
        {act.error === null ? null : <Failed error={act.error} />}
        <Button type="submit" loading={act.isPending} disabled={reason.trim().length < 3}>
          Correct
        </Button>
      </form>
    </Modal>
  )
}
