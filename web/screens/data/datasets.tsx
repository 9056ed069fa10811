import { useAsk } from '../../client/queries.ts'
import { count, date } from '../../parts/figures.ts'
import { Hash, PageLink, Panel, ScreenHead } from '../../parts/layout.tsx'
import { SmallTable } from '../../parts/small-table.tsx'
import { Answered, Empty } from '../../parts/states.tsx'
import { VerdictLine } from '../../parts/verdict.tsx'
import { useTimeZone } from '../../shell/bank.ts'

export default function DatasetsScreen() {
  const zone = useTimeZone()
  const answer = useAsk('datasets', {}, { every: 5_000 })
  return (
    <>
      <ScreenHead
        title="Data"
        note="Each data set has a declared contract. Rows that fail it are kept apart in quarantine; accepted rows become an immutable snapshot, named by its content."
        actions={
          <PageLink to="/data/quarantine" className="button-link">
            Quarantine
          </PageLink>
        }
      />
      <Panel flush>
        <Answered answer={answer}>
          {({ items }) =>
            items.length === 0 ? (
              <Empty title="No data yet" command="npx assay ingest FILE">
                A project’s pipeline fills this when the server starts.
              </Empty>
            ) : (
              <SmallTable
                label="Data sets"
                head={[
                  { title: 'Data set' },
                  { title: 'Holds' },
                  { title: 'Rows', right: true },
                  { title: 'Quarantined', right: true },
                  { title: `Event time, ${zone}` },
                  { title: 'Snapshot' },
                  { title: 'Verdict' },
                ]}
                rows={items.map((set) => ({
                  key: set.name,
                  cells: [
                    <span key="name">
                      <PageLink to={`/data/${set.name}`}>{set.name}</PageLink>
                      <br />
                      <span className="quiet">{set.description}</span>
                    </span>,
                    set.kind,
                    count(set.rows),
                    <PageLink key="quarantine" to={`/data/quarantine?dataset=${set.name}`}>
                      {count(set.quarantined)}
                    </PageLink>,
                    set.latest?.from == null || set.latest.to === null
                      ? '–'
                      : `${date(set.latest.from, zone)} to ${date(set.latest.to, zone)}`,
                    set.latest === null ? '–' : <Hash key="hash" hash={set.latest.hash} />,
                    <VerdictLine key="verdict" verdict={set.verdict} />,
                  ],
                }))}
              />
            )
          }
        </Answered>
      </Panel>
    </>
  )
}
