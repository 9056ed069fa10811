import type { CaseVerdictValue } from '../../../src/server/contract/index.ts'
import { ReasonDialog } from '../../parts/reason-dialog.tsx'
import { plural } from '../../parts/figures.ts'
import { said, type useCaseActs } from './acts.ts'

const keys = { fraud: 'F', genuine: 'G', unsure: 'C' } as const

/**
 * What is done with all marked cases: one verdict with one reason, or one person who takes them. It
 * lies over the end of the page, so that marking moves nothing.
 */
export function Bulk({
  marked,
  acts,
  workers,
  verdict,
  setVerdict,
  unmark,
  markAll,
}: {
  readonly marked: number
  readonly acts: ReturnType<typeof useCaseActs>
  readonly workers: readonly { readonly id: string; readonly name: string }[]
  /** The verdict that is asked about, while it is. */
  readonly verdict: CaseVerdictValue | undefined
  readonly setVerdict: (verdict: CaseVerdictValue | undefined) => void
  readonly unmark: () => void
  readonly markAll: () => void
}) {
  const close = () => setVerdict(undefined)
  return (
    <div className="bulk" role="group" aria-label="Marked cases">
      <b role="status">{marked} marked</b>
      {(['fraud', 'genuine', 'unsure'] as const).map((value) => (
        <button key={value} type="button" className="button-link" onClick={() => setVerdict(value)}>
          {said[value]} <kbd>{keys[value]}</kbd>
        </button>
      ))}
      <select
        className="filter-input"
        aria-label="Give the marked to"
        value=""
        onChange={(event) =>
          acts.bulkAssign(event.target.value === 'nobody' ? null : event.target.value)
        }
      >
        <option value="" disabled>
          Give to…
        </option>
        <option value="me">me</option>
        {workers.map(({ id, name }) => (
          <option key={id} value={id}>
            {name}
          </option>
        ))}
        <option value="nobody">nobody</option>
      </select>
      <button type="button" className="button-link" onClick={markAll}>
        Mark all shown <kbd>Shift X</kbd>
      </button>
      <button type="button" className="button-link" onClick={unmark}>
        Take the marks away <kbd>Esc</kbd>
      </button>
      <ReasonDialog
        opened={verdict !== undefined}
        title={`${verdict === undefined ? '' : said[verdict]}: ${plural(marked, 'case')}`}
        submit={`Close ${plural(marked, 'case')}`}
        close={close}
        pending={acts.bulkPending}
        error={null}
        act={(reason) => verdict !== undefined && acts.bulk(verdict, reason, close)}
      >
        <p>
          Each case is checked; one that somebody changed in the meantime is left as it is. The
          verdicts can be taken back for ten seconds.
        </p>
      </ReasonDialog>
    </div>
  )
}
