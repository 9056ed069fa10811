import type { ReactNode } from 'react'
import type { CaseEvidence } from '../../../src/server/contract/index.ts'
import { useAsk } from '../../client/queries.ts'
import { count, dateTime, money, score } from '../../parts/figures.ts'
import { Folded, PageLink, Panel } from '../../parts/layout.tsx'
import { LabelMark, OutcomeMark } from '../../parts/outcome.tsx'
import { SmallTable } from '../../parts/small-table.tsx'
import { Answered } from '../../parts/states.tsx'
import { useTimeZone } from '../../shell/bank.ts'

/** What else a case can be judged by: neighbours, earlier cases, what the entity did lately. */
export function Evidence({
  caseId,
  children,
}: {
  readonly caseId: string
  /** Stands between what others did and the details. */
  readonly children: ReactNode
}) {
  const answer = useAsk('caseEvidence', { params: { caseId } }, { keepPrevious: true })
  return (
    <Answered answer={answer} rows={5}>
      {(data) => (
        <>
          <Neighbours data={data} />
          <Past data={data} />
          {children}
          <Features data={data} />
          <Recent data={data} />
        </>
      )}
    </Answered>
  )
}

function Neighbours({ data: { neighbours } }: { readonly data: CaseEvidence }) {
  return (
    <Panel title="Neighbours">
      <p>{neighbours.sentence}</p>
      {neighbours.entities.length === 0 ? null : (
        <SmallTable
          label="Neighbours"
          head={[
            { title: neighbours.entities[0]?.column ?? '' },
            { title: neighbours.graph === null ? 'In common' : 'Linked by' },
            { title: 'Decisions in 30 days', right: true },
            { title: 'Declined', right: true },
            { title: 'Confirmed fraud', right: true },
          ]}
          rows={neighbours.entities.map((one) => ({
            key: one.value,
            cells: [
              <Neighbour key="to" one={one} />,
              one.shared.join(', '),
              count(one.decisions),
              count(one.declined),
              one.fraud === 0 ? (
                <span key="fraud" className="quiet">
                  0
                </span>
              ) : (
                <b key="fraud">{count(one.fraud)}</b>
              ),
            ],
          }))}
        />
      )}
    </Panel>
  )
}

/** Decisions are filtered by the bank's customer and terminal; of other keys there is no list. */
function Neighbour({ one }: { readonly one: CaseEvidence['neighbours']['entities'][number] }) {
  const filter = /customer/.test(one.column)
    ? 'customer'
    : /terminal/.test(one.column)
      ? 'terminal'
      : null
  if (filter === null) return <>{one.value}</>
  return (
    <PageLink to={`/decisions?${filter}=${encodeURIComponent(one.value)}`}>{one.value}</PageLink>
  )
}

function Past({ data: { past } }: { readonly data: CaseEvidence }) {
  const zone = useTimeZone()
  return (
    <Panel title="Earlier cases">
      {past.length === 0 ? (
        <p className="quiet">This is its first case.</p>
      ) : (
        <ul className="past-cases">
          {past.map((one) => (
            <li key={one.id}>
              <PageLink to={`/cases/${encodeURIComponent(one.id)}`}>
                {dateTime(one.openedAt, zone)}
              </PageLink>{' '}
              <span>{one.sentence}</span>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  )
}

function Features({ data: { decisions } }: { readonly data: CaseEvidence }) {
  const [newest] = decisions
  if (newest === undefined) return null
  return (
    <Folded title={`Features of the newest alert (${newest.features.length})`}>
      <SmallTable
        label="Features"
        head={[{ title: 'Feature' }, { title: 'Value', right: true }]}
        rows={newest.features.map(({ name, words, valueText }) => ({
          key: name,
          cells: [
            <span key="words" title={name}>
              {words}
            </span>,
            valueText,
          ],
        }))}
      />
    </Folded>
  )
}

function Recent({ data: { recent } }: { readonly data: CaseEvidence }) {
  const zone = useTimeZone()
  if (recent.length === 0) return null
  return (
    <Folded title={`Recent decisions (${recent.length})`}>
      <SmallTable
        label="Recent decisions"
        head={[
          { title: zone },
          { title: 'Amount', right: true },
          { title: 'Score', right: true },
          { title: 'Outcome' },
          { title: 'Label' },
        ]}
        rows={recent.map((row) => ({
          key: `${row.policy} ${row.eventId}`,
          cells: [
            <PageLink key="to" to={`/decisions/${row.policy}/${encodeURIComponent(row.eventId)}`}>
              {dateTime(row.eventTime, zone)}
            </PageLink>,
            money(row.amount),
            score(row.score),
            <OutcomeMark key="outcome" outcome={row.outcome} />,
            row.label === null ? '' : <LabelMark key="label" label={row.label} />,
          ],
        }))}
      />
    </Folded>
  )
}
