import { IconArrowDown, IconArrowUp } from '@tabler/icons-react'
import { useMemo } from 'react'
import type { FeaturesQuery, FeatureSummary } from '../../../src/server/contract/index.ts'
import { useView } from '../../client/view.ts'
import { DataTable, type Column } from '../../parts/data-table.tsx'
import { none, statistic, withUnit } from '../../parts/figures.ts'
import { PageLink } from '../../parts/layout.tsx'
import { VerdictSign } from '../../parts/verdict.tsx'
import { featureAddress } from './catalogue.ts'

type Sort = NonNullable<FeaturesQuery['sort']>

/** The catalogue's table; headers sort it, and the order stands in the address. */
export function FeatureTable({
  rows,
  selected,
  open,
}: {
  readonly rows: readonly FeatureSummary[]
  readonly selected: string | undefined
  readonly open: (row: FeatureSummary) => void
}) {
  const { view } = useView()
  const strongest = Math.max(1e-9, ...rows.map((row) => row.importance ?? 0))
  const columns = useMemo((): readonly Column<FeatureSummary>[] => {
    const sorted = (sort: Sort) =>
      view.sort === sort
        ? { sorted: view.descending === 'yes' ? ('descending' as const) : ('ascending' as const) }
        : {}
    return [
      {
        key: 'name',
        title: <SortBy sort="name" title="Feature" />,
        ...sorted('name'),
        width: 'minmax(150px, 2fr)',
        cell: (row) => (
          <>
            <PageLink to={featureAddress(row, view)} title={row.name} className="feature-name">
              {row.name}
            </PageLink>
            <span className="feature-words" title={row.words}>
              {row.words}
            </span>
          </>
        ),
      },
      {
        key: 'entity',
        title: <SortBy sort="entity" title="Entity" />,
        ...sorted('entity'),
        width: 'minmax(84px, 0.5fr)',
        from: 'middle',
        cell: (row) => row.entity ?? <span className="quiet">the event</span>,
      },
      {
        key: 'window',
        title: <SortBy sort="window" title="Window" />,
        ...sorted('window'),
        width: '144px',
        from: 'wide',
        cell: (row) => row.window ?? <span className="quiet">none</span>,
      },
      {
        key: 'reference',
        title: <span title="Over the rows that the live model was tested on">Mean in testing</span>,
        width: '104px',
        align: 'right',
        from: 'narrow',
        cell: (row) => withUnit(row.referenceMean, row.unit),
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
        title: <SortBy sort="importance" title="Weight" first="yes" />,
        ...sorted('importance'),
        width: '84px',
        from: 'wide',
        cell: (row) => <Weight value={row.importance} strongest={strongest} />,
      },
      {
        key: 'psi',
        title: <SortBy sort="psi" title="PSI" first="yes" />,
        ...sorted('psi'),
        width: '84px',
        align: 'right',
        cell: (row) => (
          <span className="psi" title={row.verdict.sentence}>
            {row.psi === null ? none : row.psi.toFixed(3)}{' '}
            <VerdictSign status={row.verdict.status} size={13} />
          </span>
        ),
      },
    ]
  }, [strongest, view])
  return (
    <DataTable
      label="Features"
      rows={rows}
      columns={columns}
      rowKey={(row) => `${row.set}/${row.name}`}
      onOpen={open}
      selected={selected}
      rowHeight={50}
    />
  )
}

function Weight({
  value,
  strongest,
}: {
  readonly value: number | null
  readonly strongest: number
}) {
  if (value === null)
    return (
      <span className="quiet" title="Not in the live model’s report">
        none
      </span>
    )
  const words = `Mean |SHAP| ${statistic(value)} in the model’s margin`
  return (
    <span className="weight" title={words} role="img" aria-label={words}>
      <i style={{ width: `${(value / strongest) * 100}%` }} />
    </span>
  )
}

/** A header that sorts: once in its first direction, again the other way, then as declared. */
function SortBy({
  sort,
  title,
  first = 'no',
}: {
  readonly sort: Sort
  readonly title: string
  readonly first?: 'yes' | 'no'
}) {
  const { view, change } = useView()
  const isSorted = view.sort === sort
  const now = view.descending ?? 'no'
  const other = first === 'no' ? 'yes' : 'no'
  const press = () => {
    if (!isSorted) change({ sort, descending: first })
    else if (now === first) change({ sort, descending: other })
    else change({ sort: undefined, descending: undefined })
  }
  return (
    <button type="button" className="sort-by" onClick={press}>
      {title}
      {isSorted ? (
        now === 'yes' ? (
          <IconArrowDown size={12} aria-hidden />
        ) : (
          <IconArrowUp size={12} aria-hidden />
        )
      ) : null}
    </button>
  )
}
