import { useNavigate } from '@tanstack/react-router'
import { useMemo } from 'react'
import type { FeatureSummary } from '../../../src/server/contract/index.ts'
import { useAsk } from '../../client/queries.ts'
import { useView } from '../../client/view.ts'
import { DataTable, type Column } from '../../parts/data-table.tsx'
import { none, statistic, withUnit } from '../../parts/figures.ts'
import { SelectFilter, TextFilter } from '../../parts/filters.tsx'
import { Hash, ObjectLink, PageLink, Panel, ScreenHead } from '../../parts/layout.tsx'
import { Answered, Empty } from '../../parts/states.tsx'
import { VerdictSign } from '../../parts/verdict.tsx'

export default function FeaturesScreen() {
  const answer = useAsk('features', {}, { every: 10_000 })
  const { view } = useView()
  return (
    <Answered answer={answer}>
      {(data) => {
        const wanted = view.text?.toLowerCase() ?? ''
        const rows = data.items
          .filter((one) => view.set === undefined || one.set === view.set)
          .filter((one) => `${one.name} ${one.words}`.toLowerCase().includes(wanted))
        return (
          <>
            <ScreenHead
              title="Features"
              verdict={data.skew}
              note="Each is declared once; history, live values and replay run the same code."
            />
            {data.items.length === 0 ? (
              <Panel>
                <Empty title="No features yet" command="npx assay start --project FOLDER">
                  A project declares them; running it computes them as of each event.
                </Empty>
              </Panel>
            ) : (
              <>
                <div className="feature-sets">
                  {data.sets.map((set) => (
                    <Panel key={set.name}>
                      <b>{set.name}</b> <Hash hash={set.version} />
                      <p className="quiet">
                        {set.features} features from <ObjectLink target={set.source} />
                        {set.file === null ? (
                          ''
                        ) : (
                          <>
                            , declared in <code>{set.file}</code>
                          </>
                        )}
                      </p>
                    </Panel>
                  ))}
                </div>
                <div className="filters">
                  <SelectFilter
                    name="set"
                    title="All sets"
                    choices={data.sets.map((set) => ({ value: set.name, title: set.name }))}
                  />
                  <TextFilter name="text" title="Name or words" width={190} />
                  <span className="filters-count num">{rows.length} features</span>
                </div>
                <Panel flush>
                  <Table rows={rows} />
                </Panel>
              </>
            )}
          </>
        )
      }}
    </Answered>
  )
}

function Table({ rows }: { readonly rows: readonly FeatureSummary[] }) {
  const navigate = useNavigate()
  const strongest = Math.max(1e-9, ...rows.map((row) => row.importance ?? 0))
  const columns = useMemo(
    (): readonly Column<FeatureSummary>[] => [
      {
        key: 'name',
        title: 'Feature',
        width: 'minmax(150px, 1.1fr)',
        cell: (row) => (
          <PageLink to={`/features/${row.set}/${row.name}`} title={row.name}>
            {row.name}
          </PageLink>
        ),
      },
      {
        key: 'words',
        title: 'In words',
        width: 'minmax(160px, 1.6fr)',
        from: 'middle',
        cell: (row) => <span title={row.words}>{row.words}</span>,
      },
      {
        key: 'window',
        title: 'Window',
        width: '116px',
        from: 'wide',
        cell: (row) => row.window ?? <span className="quiet">the event</span>,
      },
      {
        key: 'training',
        title: 'Training mean',
        width: '98px',
        align: 'right',
        from: 'narrow',
        cell: (row) => withUnit(row.trainingMean, row.unit),
      },
      {
        key: 'live',
        title: 'Live mean',
        width: '90px',
        align: 'right',
        from: 'narrow',
        cell: (row) => withUnit(row.liveMean, row.unit),
      },
      {
        key: 'importance',
        title: 'Weight',
        width: '92px',
        from: 'wide',
        cell: (row) =>
          row.importance === null ? (
            none
          ) : (
            <span className="weight" title={`Mean |SHAP| ${statistic(row.importance)} log-odds`}>
              <i style={{ width: `${(row.importance / strongest) * 100}%` }} />
            </span>
          ),
      },
      {
        key: 'psi',
        title: 'PSI',
        width: '78px',
        align: 'right',
        cell: (row) => (
          <span className="psi" title={row.verdict.sentence}>
            {row.psi === null ? none : row.psi.toFixed(3)}{' '}
            <VerdictSign status={row.verdict.status} size={13} />
          </span>
        ),
      },
    ],
    [strongest],
  )
  return (
    <DataTable
      label="Features"
      rows={rows}
      columns={columns}
      rowKey={(row) => `${row.set}/${row.name}`}
      onOpen={(row) => void navigate({ to: `/features/${row.set}/${row.name}` } as never)}
    />
  )
}
