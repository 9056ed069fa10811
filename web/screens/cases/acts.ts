import { useRef } from 'react'
import type { Case, CaseVerdictValue } from '../../../src/server/contract/index.ts'
import { useAct } from '../../client/queries.ts'
import { notify, notifyFailed, notifyUndo } from '../../parts/notify.tsx'

export const touched = [
  'cases',
  'case',
  'caseEvidence',
  'overview',
  'decision',
  'decisions',
] as const
export const said = { fraud: 'Fraud', genuine: 'Genuine', unsure: 'Can’t tell' } as const

export type CaseActs = ReturnType<typeof useCaseActs> & { readonly writeNote: () => void }

/** Giving verdicts and moving on, taking the last one back, and who works on what. */
export function useCaseActs({
  rows,
  current,
  select,
  marked,
  unmark,
}: {
  readonly rows: readonly Case[]
  readonly current: Case | undefined
  readonly select: (id: string | undefined) => void
  readonly marked: ReadonlySet<string>
  readonly unmark: () => void
}) {
  const giving = useAct('giveVerdict', touched)
  const undoing = useAct('undoVerdict', touched)
  const assigning = useAct('assignCase', touched)
  const bulkGiving = useAct('bulkVerdict', touched)
  const bulkUndoing = useAct('bulkUndo', touched)
  const bulkAssigning = useAct('bulkAssign', touched)
  const last = useRef<readonly string[]>([])
  const undo = () => {
    const ids = last.current.length > 0 ? last.current : current === undefined ? [] : [current.id]
    last.current = []
    const [only] = ids
    if (only === undefined) return
    const done = { onError: notifyFailed, onSuccess: () => notify('Taken back; it is open again') }
    if (ids.length === 1) undoing.mutate({ params: { caseId: only } }, done)
    else bulkUndoing.mutate({ body: { caseIds: [...ids] } }, done)
    select(only)
  }
  const give = (verdict: CaseVerdictValue) => {
    if (current === undefined || current.status === 'closed' || current.proposal !== null) return
    const index = rows.findIndex((row) => row.id === current.id)
    const next = rows[index + 1] ?? rows[index - 1]
    // A promise each: of verdicts given one right after the other every one is told and can be undone.
    giving.mutateAsync({ params: { caseId: current.id }, body: { verdict } }).then((closed) => {
      last.current = [closed.id]
      const what = `${said[verdict]}: ${closed.entity.value || closed.decision.eventId}`
      if (closed.proposal === null) notifyUndo(what, closed.verdict?.undoUntil ?? null, undo, 'U')
      else notify(`${what}, proposed; it waits for a second person`)
    }, notifyFailed)
    select(next?.id)
  }
  const assign = (to: string | null) => {
    if (current === undefined) return
    const name = to === null ? 'Given back' : to === 'me' ? 'Taken' : 'Handed over'
    assigning.mutate(
      { params: { caseId: current.id }, body: { to } },
      { onError: notifyFailed, onSuccess: () => notify(name) },
    )
  }
  const refusedOf = (refused: readonly { readonly caseId: string; readonly detail: string }[]) => {
    for (const each of refused.slice(0, 3)) notify(`${each.caseId}: ${each.detail}`)
  }
  const bulk = (verdict: CaseVerdictValue, reason: string, done: () => void) => {
    bulkGiving.mutate(
      { body: { caseIds: [...marked], verdict, reason } },
      {
        onError: notifyFailed,
        onSuccess: (answer) => {
          last.current = answer.done
          notifyUndo(answer.sentence, answer.undoUntil, undo, 'U')
          refusedOf(answer.refused)
          unmark()
          done()
        },
      },
    )
  }
  const bulkAssign = (to: string | null) => {
    bulkAssigning.mutate(
      { body: { caseIds: [...marked], to } },
      {
        onError: notifyFailed,
        onSuccess: (answer) => {
          notify(answer.sentence)
          refusedOf(answer.refused)
          unmark()
        },
      },
    )
  }
  return { give, undo, assign, bulk, bulkAssign, bulkPending: bulkGiving.isPending }
}
