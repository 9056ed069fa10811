import { useAct } from '../../client/queries.ts'
import { count, plural } from '../../parts/figures.ts'
import { notify } from '../../parts/notify.tsx'
import { ReasonDialog } from '../../parts/reason-dialog.tsx'

/** Asks why, then has one dead letter or all of an action delivered once more. */
export function RedriveDialog({
  of,
  sequences,
  many,
  close,
}: {
  readonly of: { readonly policy: string; readonly action: string } | undefined
  /** All of the action, where they are not named. */
  readonly sequences: readonly number[] | undefined
  readonly many: number
  readonly close: () => void
}) {
  const redrive = useAct('redriveAction', ['actions', 'deadLetters'])
  return (
    <ReasonDialog
      opened={of !== undefined}
      title="Deliver once more"
      submit="Deliver"
      close={close}
      pending={redrive.isPending}
      error={redrive.error}
      act={(reason) => {
        if (of === undefined) return
        const { policy, action } = of
        const some = sequences === undefined ? {} : { sequences: [...sequences] }
        // What was delivered meanwhile takes its table along, and this dialog with it.
        redrive
          .mutateAsync({ params: { policy, action }, body: { reason, ...some } })
          .then(({ letters }) => {
            notify(`${count(letters)} will be delivered once more.`)
            close()
          })
          .catch(() => {}) // The dialog shows why.
      }}
    >
      <p>
        {plural(many, 'decision')} of {of?.action ?? ''} {many === 1 ? 'gets' : 'get'} one more
        attempt, with the key and the text of before: a receiver that has one already knows it by
        the key.
      </p>
    </ReasonDialog>
  )
}
