/** Live against training: drift, outcome rates, latency, and what labels say so far. */
import type { DriftRow, Monitoring } from '../../../src/server/contract/index.ts'
import { useAsk } from '../../client/queries.ts'
import { pick, rangeKeys, useView } from '../../client/view.ts'
import { ComparedBars, LineChart } from '../../parts/charts.tsx'
import { FailingRules } from '../../parts/failing-rules.tsx'
import {
  count,
  duration,
  none,
  percent,
  percentRange,
  percentTick,
  shortDateTime,
  tick,
  withUnit,
} from '../../parts/figures.ts'
import { ObjectLink, Panel, ScreenHead } from '../../parts/layout.tsx'
import { SmallTable } from '../../parts/small-table.tsx'
import { Answered, Empty } from '../../parts/states.tsx'
import { VerdictLine, VerdictSign } from '../../parts/verdict.tsx'
import { useTimeZone } from '../../shell/bank.ts'
import { DiskPanel } from './disk.tsx'
import { ToldPanels } from './told.tsx'

export default function MonitoringScreen() {
  const { view } = useView()
  const answer = useAsk(
    'monitoring',
    { query: pick(view, rangeKeys) as never },
    { every: 4_000, keepPrevious: true },
  )
  return <Answered answer={answer}>{(data) => <MonitoringBody data={data} />}</Answered>
}

function MonitoringBody({ data }: { readonly data: Monitoring }) {
  return (
    <>
      <ScreenHead title="Monitoring" verdict={data.verdict} note={data.range.sentence} />
      {data.drift.length === 0 && data.rates.length === 0 ? (
        <Panel>
          <Empty title="Nothing to watch yet">Figures come with the first live decisions.</Empty>
        </Panel>
      ) : (
        <div className="stack">
          <Performance data={data} />
          <Rules data={data} />
          <Drift data={data} />
          <OverTime data={data} />
          <ToldPanels />
          <DiskPanel />
        </div>
      )}
    </>
  )
}

function Performance({ data }: { readonly data: Monitoring }) {
  const zone = useTimeZone()
  const points = data.performanceOverTime
  const x = points.map((point) => Date.parse(point.at) / 1000)
  return (
    <div className="columns">
      {data.performance.map((one) => (
        <Panel key={one.metric} title={one.title}>
          <p className="big-figure">{percent(one.live.value)}</p>
          <p className="quiet">
            {one.live.interval === null
              ? ''
              : `${percentRange(one.live.interval.low, one.live.interval.high)}, `}
            n {count(one.live.n)}
            {one.atTraining?.value == null
              ? ''
              : ` · in testing ${percent(one.atTraining.value)}, n ${count(one.atTraining.n)}`}
          </p>
          <p>
            <VerdictLine verdict={one.verdict} />
          </p>
          <p className="chart-note">{one.note}</p>
        </Panel>
      ))}
      {points.length < 2 ? null : (
        <Panel>
          <LineChart
            title="By day of the payment"
            note="A gap is a day whose labels have not come."
            x={x}
            time={zone}
            height={170}
            xTitle={`Event day, ${zone}`}
            yTitle="Share"
            yRange={[0, 1]}
            writeX={(seconds) => shortDateTime(new Date(seconds * 1000).toISOString(), zone)}
            writeY={percent}
            writeTick={percentTick}
            series={[
              { title: 'Precision', values: points.map((point) => point.precision.value) },
              { title: 'Recall', values: points.map((point) => point.recall.value) },
            ]}
          />
        </Panel>
      )}
    </div>
  )
}

/** Shown where there is something to do; a rule that can be calculated needs no word. */
function Rules({ data }: { readonly data: Monitoring }) {
  if (data.failingRules.length === 0) return null
  return (
    <Panel title={<VerdictLine verdict={data.rulesVerdict} />}>
      <FailingRules policy={data.policy} rules={data.failingRules} />
    </Panel>
  )
}

function Drift({ data }: { readonly data: Monitoring }) {
  const { view, change } = useView()
  const chosen = data.drift.find((row) => row.name === view.drift) ?? data.drift[0]
  return (
    <div className="columns-wide-first">
      <Panel title="Drift" flush aside={data.driftNote}>
        <SmallTable
          label="Drift"
          head={[
            { title: 'What' },
            { title: 'PSI', right: true },
            { title: 'Threshold', right: true },
            { title: 'Training mean', right: true },
            { title: 'Live mean', right: true },
            { title: 'n live', right: true },
            { title: '' },
          ]}
          rows={data.drift.map((row) => ({
            key: row.name,
            cells: [
              <span key="name" className="verdict-line" title={row.verdict.sentence}>
                <VerdictSign status={row.verdict.status} />
                <span className="long-name">
                  {row.target === null ? <b>{row.name}</b> : <ObjectLink target={row.target} />}
                </span>
              </span>,
              row.psi === null ? none : row.psi.toFixed(3),
              row.threshold.toFixed(2),
              withUnit(row.trainingMean, row.unit),
              withUnit(row.liveMean, row.unit),
              count(row.nLive),
              <button
                key="show"
                type="button"
                className="text-button"
                aria-pressed={row.name === chosen?.name}
                onClick={() => change({ drift: row.name })}
              >
                Show<span className="visually-hidden"> {row.name}</span>
              </button>,
            ],
          }))}
        />
      </Panel>
      {chosen === undefined ? null : <DriftDetail row={chosen} />}
    </div>
  )
}

function DriftDetail({ row }: { readonly row: DriftRow }) {
  const zone = useTimeZone()
  return (
    <Panel title={<span className="long-name">{row.name}</span>}>
      <p className="panel-verdict">
        <VerdictLine verdict={row.verdict} />
      </p>
      {row.distribution === null ? null : (
        <ComparedBars
          title="Training and live"
          distribution={row.distribution}
          xTitle={row.unit ?? 'Value'}
          note={`n ${count(row.nTraining)} test rows, ${count(row.nLive)} live`}
        />
      )}
      {row.overTime.length < 2 ? null : (
        <LineChart
          title="PSI over time"
          x={row.overTime.map((point) => Date.parse(point.at) / 1000)}
          time={zone}
          height={150}
          xTitle={`Event time, ${zone}`}
          yTitle="PSI"
          writeX={(seconds) => shortDateTime(new Date(seconds * 1000).toISOString(), zone)}
          writeY={(value) => (value === null ? none : value.toFixed(3))}
          writeTick={tick}
          series={[
            { title: 'PSI', values: row.overTime.map((point) => point.psi) },
            { title: 'Threshold', values: row.overTime.map(() => row.threshold), dashed: true },
          ]}
        />
      )}
    </Panel>
  )
}

function OverTime({ data }: { readonly data: Monitoring }) {
  const zone = useTimeZone()
  const writeX = (seconds: number) => shortDateTime(new Date(seconds * 1000).toISOString(), zone)
  const common = { time: zone, xTitle: `Event time, ${zone}`, writeX } as const
  return (
    <div className="columns">
      {data.rates.length < 2 ? null : (
        <Panel title={<VerdictLine verdict={data.ratesVerdict} />}>
          <LineChart
            {...common}
            title={`Reviews and declines, every ${data.bucket}`}
            x={data.rates.map((point) => Date.parse(point.at) / 1000)}
            yTitle="Share of decisions"
            writeY={percent}
            writeTick={percentTick}
            series={[
              { title: 'Review', values: data.rates.map((point) => point.review) },
              { title: 'Decline', values: data.rates.map((point) => point.decline) },
            ]}
          />
        </Panel>
      )}
      {data.latency.length < 2 ? null : (
        <Panel title={<VerdictLine verdict={data.latencyVerdict} />}>
          <LineChart
            {...common}
            title={`Latency of computing, every ${data.bucket}`}
            x={data.latency.map((point) => Date.parse(point.at) / 1000)}
            yTitle="Computing time"
            writeY={duration}
            series={[
              { title: 'p50', values: data.latency.map((point) => point.p50Us) },
              { title: 'p99', values: data.latency.map((point) => point.p99Us) },
            ]}
          />
        </Panel>
      )}
    </div>
  )
}
