/** Live values over event time: where they lie, their mean, how many are missing, how far they moved. */
import { useState } from 'react'
import type { Feature } from '../../../src/server/contract/index.ts'
import { binTitles, Chart, LineChart } from '../../parts/charts.tsx'
import { count, none, percent, shortDateTime, tick, withUnit } from '../../parts/figures.ts'
import { Panel } from '../../parts/layout.tsx'
import { SmallTable } from '../../parts/small-table.tsx'
import { Empty } from '../../parts/states.tsx'
import { withoutUnit } from './units.ts'

interface Props {
  readonly feature: Feature
  readonly zone: string
}

export function OverTime({ feature, zone }: Props) {
  const { overTime, psiThreshold, unit, bucket } = feature
  if (feature.live === null) return null
  if (overTime.length < 2) {
    return (
      <Panel title="Over time">
        <Empty title="Too short a time">
          Two points are needed, each of {bucket}; there {overTime.length === 1 ? 'is' : 'are'}{' '}
          {overTime.length}.
        </Empty>
      </Panel>
    )
  }
  const x = overTime.map((point) => Date.parse(point.at) / 1000)
  const axis = {
    x,
    time: zone,
    xTitle: `Event time, ${zone}, a point for ${bucket}`,
    writeX: (seconds: number) => shortDateTime(new Date(seconds * 1000).toISOString(), zone),
  }
  const missing = overTime.map(({ n, missing: lacking }) => (n === 0 ? null : lacking / n))
  return (
    <>
      <Panel>
        <Spread feature={feature} zone={zone} />
      </Panel>
      <Panel>
        <LineChart
          {...axis}
          title="Mean over time"
          yTitle={unit ?? 'Mean'}
          writeY={(value) => withUnit(value, unit)}
          {...(unit === '%' ? {} : { writeTick: tick })}
          series={[
            { title: 'Live mean', values: overTime.map((point) => point.mean) },
            ...(feature.referenceMean === null
              ? []
              : [
                  {
                    title: 'Mean of the test rows',
                    values: overTime.map(() => feature.referenceMean),
                    dashed: true,
                  },
                ]),
          ]}
        />
      </Panel>
      {feature.live.missing === 0 ? null : (
        <Panel>
          <LineChart
            {...axis}
            title="Missing over time"
            yTitle="Share missing"
            writeY={percent}
            series={[{ title: 'Missing, of live values', values: missing }]}
          />
        </Panel>
      )}
      <Panel>
        {overTime.every(({ psi }) => psi === null) ? (
          <Empty title="No PSI over time yet">
            No point of {bucket} holds enough live values to be compared.
          </Empty>
        ) : (
          <LineChart
            {...axis}
            title="PSI over time"
            yTitle="PSI"
            writeY={(value) => (value === null ? none : value.toFixed(3))}
            writeTick={tick}
            series={[
              { title: 'PSI against the test rows', values: overTime.map((point) => point.psi) },
              ...(psiThreshold === null
                ? []
                : [{ title: 'Alert', values: overTime.map(() => psiThreshold), dashed: true }]),
            ]}
          />
        )}
      </Panel>
    </>
  )
}

/** Time across, bins upwards, the stronger the more values: a distribution beside its neighbours. */
function Spread({ feature, zone }: Props) {
  const [at, setAt] = useState<{ readonly point: number; readonly bin: number } | null>(null)
  const { overTime, distribution, unit } = feature
  if (distribution === null) return null
  const titles = binTitles(distribution.edges, (value) => withoutUnit(value, unit))
  const top = Math.max(1e-9, ...overTime.flatMap(({ shares }) => shares ?? []))
  const writeTime = (iso: string) => shortDateTime(iso, zone)
  const point = at === null ? undefined : overTime[at.point]
  const share = at === null ? undefined : point?.shares?.[at.bin]
  const lowest = titles.length - 1
  return (
    <Chart
      title={
        unit === null || unit === '%' ? 'Distribution over time' : `Distribution over time, ${unit}`
      }
      note="Rows are the bins of the test rows, the lowest values at the bottom; the stronger the colour, the more of that time’s live values. Hatched: no values."
      table={() => (
        <SmallTable
          label="Distribution over time"
          head={[
            { title: `Event time, ${zone}` },
            { title: 'n', right: true },
            ...titles.map((title) => ({ title, right: true })),
          ]}
          rows={overTime.map(({ at: when, n, shares }) => ({
            key: when,
            cells: [writeTime(when), count(n), ...titles.map((_, bin) => percent(shares?.[bin]))],
          }))}
        />
      )}
    >
      <div className="spread" onPointerLeave={() => setAt(null)}>
        <div className="spread-scale" aria-hidden>
          <span>{titles[lowest]}</span>
          <span>{titles[0]}</span>
        </div>
        <div
          className="spread-plot"
          role="img"
          aria-label="Shares of live values in each bin over time; the table has the figures"
        >
          {overTime.map(({ at: when, shares }, i) => (
            <div key={when} className={`spread-time ${shares === null ? 'is-empty' : ''}`}>
              {titles.map((title, bin) => (
                <i
                  key={title}
                  className={at?.point === i && at.bin === bin ? 'is-at' : undefined}
                  style={{ opacity: shares === null ? 0 : (shares[bin] ?? 0) / top }}
                  onPointerEnter={() => setAt({ point: i, bin })}
                />
              ))}
            </div>
          ))}
        </div>
        <div className="bars-x" aria-hidden>
          <span>{writeTime(overTime[0]?.at ?? '')}</span>
          <span>{writeTime(overTime.at(-1)?.at ?? '')}</span>
        </div>
      </div>
      <p className="chart-hover" aria-live="off">
        {point === undefined || at === null
          ? `Share of live values, at most ${percent(top)} in one field`
          : share === undefined
            ? `${writeTime(point.at)}: no values`
            : `${writeTime(point.at)}: ${percent(share)} of ${count(point.n - point.missing)} values from ${titles[at.bin] ?? ''}${unit === null || unit === '%' ? '' : ` ${unit}`}`}
      </p>
    </Chart>
  )
}
