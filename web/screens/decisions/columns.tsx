/** The columns of decisions: in the list of all, and as they come. */
import type { DecisionRow } from '../../../src/server/contract/index.ts'
import type { View } from '../../client/view.ts'
import type { Column } from '../../parts/data-table.tsx'
import { amount, duration, none, score, shortDateTime, timeOfDay } from '../../parts/figures.ts'
import { PageLink } from '../../parts/layout.tsx'
import { LabelMark, OutcomeMark } from '../../parts/outcome.tsx'
import { decisionAddress } from './filters.ts'

export function decisionColumns({
  zone,
  view,
  currency,
}: {
  readonly zone: string
  readonly view: View
  readonly currency: string | undefined
}): readonly Column<DecisionRow>[] {
  return [
    {
      key: 'time',
      title: `Event time, ${zone}`,
      width: 'minmax(118px, 140px)',
      cell: (row) => (
        <PageLink to={decisionAddress(row, view)} className="num">
          {shortDateTime(row.eventTime, zone)}:{timeOfDay(row.eventTime, zone).slice(6)}
        </PageLink>
      ),
    },
    { key: 'event', title: 'Event', width: '82px', from: 'wide', cell: (row) => row.eventId },
    {
      key: 'customer',
      title: 'Customer',
      width: '70px',
      from: 'narrow',
      cell: (row) => row.customer ?? none,
    },
    {
      key: 'terminal',
      title: 'Terminal',
      width: '70px',
      from: 'narrow',
      cell: (row) => row.terminal ?? none,
    },
    {
      key: 'amount',
      title: currency ?? 'Amount',
      width: 'minmax(64px, 84px)',
      align: 'right',
      cell: (row) => (row.amount === null ? none : amount(row.amount)),
    },
    {
      key: 'score',
      title: 'Score',
      width: '52px',
      align: 'right',
      from: 'narrow',
      cell: (row) => score(row.score),
    },
    {
      key: 'outcome',
      title: 'Outcome',
      width: '88px',
      cell: (row) => <OutcomeMark outcome={row.outcome} />,
    },
    {
      key: 'label',
      title: 'Label',
      width: '112px',
      from: 'middle',
      cell: (row) => <LabelMark label={row.label} />,
    },
    {
      key: 'reason',
      title: 'Main reason',
      width: 'minmax(120px, 1fr)',
      from: 'middle',
      cell: (row) => (
        <span className="quiet" title={row.mainReason ?? undefined}>
          {row.rulesFired.length > 0 ? `Rule ${row.rulesFired.join(', ')} · ` : ''}
          {row.mainReason ?? ''}
        </span>
      ),
    },
    {
      key: 'latency',
      title: 'Took',
      width: '62px',
      align: 'right',
      from: 'wide',
      cell: (row) => duration(row.latencyUs),
    },
  ]
}
