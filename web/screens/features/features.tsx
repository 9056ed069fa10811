/** The catalogue of features: filtered, sorted and exported as one; every view has an address. */
import { useNavigate } from '@tanstack/react-router'
import { useCallback } from 'react'
import type { Features, FeatureSummary } from '../../../src/server/contract/index.ts'
import { useAsk } from '../../client/queries.ts'
import { pick, useView } from '../../client/view.ts'
import { ExportLinks, SelectFilter, TextFilter } from '../../parts/filters.tsx'
import { useKeys } from '../../parts/keys.ts'
import { Hash, ObjectLink, ObjectLinks, PageLink, Panel, ScreenHead } from '../../parts/layout.tsx'
import { Answered, Empty } from '../../parts/states.tsx'
import { catalogueFilterKeys, catalogueQuery, featureAddress } from './catalogue.ts'
import { FeatureTable } from './feature-table.tsx'

export default function FeaturesScreen() {
  const { view } = useView()
  const query = catalogueQuery(view)
  const answer = useAsk('features', { query }, { every: 10_000, keepPrevious: true })
  return (
    <>
      {answer.data === undefined ? <ScreenHead title="Features" /> : null}
      <Answered answer={answer} rows={14}>
        {(data) => (
          <>
            <ScreenHead
              title="Features"
              verdict={data.skew}
              note="Each is declared once; history, live values and replay run the same code."
            />
            {data.total === 0 ? (
              <Panel>
                <Empty title="No features yet" command="npx assay start --project FOLDER">
                  A project declares them; running it computes them as of each event.
                </Empty>
              </Panel>
            ) : (
              <Catalogue data={data} />
            )}
          </>
        )}
      </Answered>
    </>
  )
}

function Catalogue({ data }: { readonly data: Features }) {
  const { view, change } = useView()
  const navigate = useNavigate()
  const rows = data.items
  const open = useCallback(
    (row: FeatureSummary) => {
      const [path = '', search = ''] = featureAddress(row, view).split('?')
      void navigate({ to: path, search: Object.fromEntries(new URLSearchParams(search)) } as never)
    },
    [navigate, view],
  )
  const step = (by: number) => {
    const at = rows.findIndex((row) => keyOf(row) === view.at)
    const next = rows[Math.min(rows.length - 1, Math.max(0, at + by))]
    if (next !== undefined) change({ at: keyOf(next) })
  }
  useKeys({
    j: () => step(1),
    k: () => step(-1),
    Enter: () => {
      const row = rows.find((one) => keyOf(one) === view.at)
      if (row !== undefined) open(row)
    },
  })
  return (
    <>
      <Sets sets={data.sets} />
      <Filters data={data} />
      <Panel flush>
        {rows.length === 0 ? (
          <Empty title="No feature matches">
            <ClearFilters>Take the filters away</ClearFilters>
          </Empty>
        ) : (
          <FeatureTable rows={rows} selected={view.at} open={open} />
        )}
      </Panel>
      <p className="keys-hint">
        <kbd>J</kbd> <kbd>K</kbd> move · <kbd>Enter</kbd> opens · <kbd>?</kbd> all keys
      </p>
    </>
  )
}

const keyOf = (row: FeatureSummary): string => `${row.set}/${row.name}`

function Sets({ sets }: { readonly sets: Features['sets'] }) {
  return (
    <div className="feature-sets">
      {sets.map((set) => (
        <Panel key={set.name}>
          <h2 className="feature-set-name">
            <PageLink to={`/features/${encodeURIComponent(set.name)}`}>{set.name}</PageLink>{' '}
            <Hash hash={set.version} />
          </h2>
          {set.description === '' ? null : <p>{set.description}</p>}
          <p className="quiet">
            {set.features} features from <ObjectLink target={set.source} />, owned by {set.owner}
            {set.file === null ? null : (
              <>
                , declared in <code>{set.file}</code>
              </>
            )}
          </p>
          <p className="quiet">
            {set.usedBy.length === 0 ? (
              'No model was trained on this version yet'
            ) : (
              <ObjectLinks label="Used by" targets={set.usedBy} more={set.usedByMore} />
            )}
          </p>
        </Panel>
      ))}
    </div>
  )
}

const filterTitles = {
  set: 'All sets',
  source: 'All sources',
  entity: 'All entities',
  unit: 'All units',
  usedBy: 'Used by any',
  status: 'Any verdict',
} as const

function Filters({ data }: { readonly data: Features }) {
  const { view } = useView()
  const shown = data.items.length
  const isFiltered = catalogueFilterKeys.some((key) => view[key] !== undefined)
  return (
    <div className="filters" role="search">
      <TextFilter name="text" title="Name, words or key" width={170} />
      {(Object.keys(filterTitles) as (keyof typeof filterTitles)[]).map((name) =>
        // A filter with one choice would filter nothing, so it is not offered.
        data.choices[name].length < 2 && view[name] === undefined ? null : (
          <SelectFilter
            key={name}
            name={name}
            title={filterTitles[name]}
            choices={data.choices[name].map(({ value, title, count }) => ({
              value,
              title: `${title} (${count})`,
            }))}
          />
        ),
      )}
      {isFiltered ? <ClearFilters>Clear</ClearFilters> : null}
      <span className="filters-count num" aria-live="polite">
        {shown === data.total ? `${shown} features` : `${shown} of ${data.total} features`}{' '}
        <ExportLinks name="features" query={catalogueQuery(view)} />
      </span>
    </div>
  )
}

function ClearFilters({ children }: { readonly children: string }) {
  const { view } = useView()
  const { sort, descending } = pick(view, ['sort', 'descending'])
  const order = sort === undefined ? '' : `?sort=${sort}&descending=${descending ?? 'no'}`
  return <PageLink to={`/features${order}`}>{children}</PageLink>
}
