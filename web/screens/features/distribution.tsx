import type { DistributionStats, Feature } from '../../../src/server/contract/index.ts'
import { ComparedBars } from '../../parts/charts.tsx'
import { count } from '../../parts/figures.ts'
import { Panel } from '../../parts/layout.tsx'
import { SmallTable } from '../../parts/small-table.tsx'
import { Empty } from '../../parts/states.tsx'
import { withoutUnit } from './units.ts'

/** The rows that the live model was tested on beside live values, over the same bins. */
export function Distribution({ feature }: { readonly feature: Feature }) {
  const { reference, live, distribution, unit } = feature
  if ((reference === null && live === null) || distribution === null) {
    return (
      <Panel title="Distribution">
        <Empty title="No distribution is kept">{feature.verdict.sentence}</Empty>
      </Panel>
    )
  }
  return (
    <Panel>
      <ComparedBars
        title="Test rows and live"
        names={['Test rows', 'Live']}
        distribution={distribution}
        xTitle={unit === null ? 'Value' : `Value, ${unit}`}
        write={(value) => withoutUnit(value, unit)}
        note={
          'Bins are the deciles of the test rows, so each holds about a tenth of them and bins ' +
          'differ in width. Where live bars stand higher, values have moved there.' +
          (distribution.live === null ? ' There are no live values yet.' : '')
        }
      />
    </Panel>
  )
}

/** The same in figures, saying of each that is not there why. */
export function Figures({ feature }: { readonly feature: Feature }) {
  if (feature.reference === null && feature.live === null) return null
  return (
    <Panel title="Figures" aside={feature.referencePeriod ?? undefined} className="feature-figures">
      <Stats feature={feature} />
    </Panel>
  )
}

function Stats({ feature }: { readonly feature: Feature }) {
  const { reference, live, unit } = feature
  const write = (value: number) => withoutUnit(value, unit)
  const cells = (of: (stats: DistributionStats) => string | null) =>
    [reference, live].map((stats, i) =>
      stats === null ? (
        <span key={i} className="quiet">
          no values
        </span>
      ) : (
        (of(stats) ?? (
          <span key={i} className="quiet" title={stats.notKept ?? undefined}>
            not kept
          </span>
        ))
      ),
    )
  const plain = (key: 'mean' | 'std' | 'min' | 'max' | 'p99') => (stats: DistributionStats) => {
    const value = stats[key]
    return value === null ? null : write(value)
  }
  const rows = [
    { title: 'Rows', cells: cells(({ n }) => count(n)) },
    { title: 'Missing', cells: cells(({ missing }) => count(missing)) },
    { title: 'Mean', cells: cells(plain('mean')) },
    { title: 'Standard deviation', cells: cells(plain('std')) },
    { title: 'Median', cells: cells((stats) => medianOf(stats, write)) },
    { title: '99th percentile', cells: cells(plain('p99')) },
    { title: 'Least', cells: cells(plain('min')) },
    { title: 'Greatest', cells: cells(plain('max')) },
  ]
  const notes = [...new Set([reference?.notKept, live?.notKept])].filter((note) => note != null)
  return (
    <>
      <SmallTable
        label="Figures of the test rows and of live values"
        head={[
          { title: unit === null || unit === '%' ? 'Figure' : `Figure, ${unit}` },
          { title: 'Test rows', right: true },
          { title: 'Live', right: true },
        ]}
        rows={rows.map((row) => ({ key: row.title, cells: [row.title, ...row.cells] }))}
      />
      {notes.map((note) => (
        <p key={note} className="chart-note">
          {note}
        </p>
      ))}
    </>
  )
}

function medianOf(
  { p50, p50Within }: DistributionStats,
  write: (value: number) => string,
): string | null {
  if (p50 !== null) return write(p50)
  if (p50Within === null) return null
  const [from, to] = p50Within
  return from === to ? write(from) : `${write(from)} to ${write(to)}`
}
