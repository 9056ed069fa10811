/** What learning from a file found: the comparison first, then why, then how. */
import { useState, type ReactNode } from 'react'
import type {
  LearnContender,
  LearnFigure,
  LearnReport,
} from '../../../src/server/contract/index.ts'
import { Beeswarm } from '../../parts/beeswarm.tsx'
import { BarChart, LineChart } from '../../parts/charts.tsx'
import { count, none, percent, percentTick, score, statistic, tick } from '../../parts/figures.ts'
import { Facts, Panel } from '../../parts/layout.tsx'
import { SmallTable } from '../../parts/small-table.tsx'
import { VerdictSign } from '../../parts/verdict.tsx'
import { scaleOf, Whisker, type Scale } from '../../parts/whisker.tsx'
import { PrecisionRecallChart, RocChart } from '../experiments/curves.tsx'

export function Report({ report }: { readonly report: LearnReport }) {
  return (
    <>
      <Warnings report={report} />
      <Comparison report={report} />
      <div className="columns">
        {report.threshold === null ? null : <Threshold report={report} />}
        {report.unmetRule === null ? null : (
          <Panel title="Where to alert">
            <p>There is {report.unmetRule}.</p>
          </Panel>
        )}
        <Importance report={report} />
      </div>
      <Curves report={report} />
      {report.contributions === null ? null : (
        <Panel>
          <Beeswarm contributions={report.contributions} />
        </Panel>
      )}
      <Dependence report={report} />
      <Columns report={report} />
    </>
  )
}

const levels = { likely: 'alert', possible: 'warning', note: 'no-data' } as const

function Warnings({ report }: { readonly report: LearnReport }) {
  if (report.warnings.length === 0) {
    return (
      <p className="learn-clear">
        <VerdictSign status="ok" /> No sign of leakage: no column that is too good to be true, no
        group or time on both sides of a split.
      </p>
    )
  }
  return (
    <Panel title="Warnings" aside="What may make the figures look better than they will be">
      <ul className="learn-warnings">
        {report.warnings.map(({ words, level }) => (
          <li key={words}>
            <VerdictSign status={levels[level]} />
            <span>
              <b>{level === 'note' ? 'Note' : level === 'likely' ? 'Likely' : 'Possible'}</b>{' '}
              {words}
            </span>
          </li>
        ))}
      </ul>
    </Panel>
  )
}

function Comparison({ report }: { readonly report: LearnReport }) {
  const { contenders, measures } = report
  const [goal, ...others] = measures
  const able = contenders.filter(({ problem }) => problem === null)
  if (goal === undefined) return null
  const scale = scaleOf(figuresOf(able, goal.name))
  const behind = scaleOf(
    able.flatMap(({ toBest }) => (toBest === null ? [] : [toBest])),
    true,
  )
  const shown = others.slice(0, 3)
  return (
    <Panel
      title="Comparison"
      className="learn-comparison"
      flush
      aside={`95 % intervals on the same resamples; ${goal.higherIsBetter ? 'higher' : 'lower'} is better; beside the best, below 0 is worse`}
    >
      <SmallTable
        label="Comparison"
        head={[
          { title: 'Estimator' },
          { title: goal.title },
          { title: 'To the best, pair by pair' },
          ...shown.map(({ title }) => ({ title, right: true })),
          { title: 'Seconds', right: true },
        ]}
        rows={contenders.map((one, index) => ({
          key: one.name,
          cells: [
            index === 0 ? <b key="name">{one.title}</b> : one.title,
            one.problem === null ? (
              <Measured key="goal" figure={one.figures[goal.name]} scale={scale} />
            ) : (
              <span key="goal" className="quiet">
                {one.problem}
              </span>
            ),
            one.toBest === null ? (
              <span key="best" className="quiet">
                {index === 0 ? 'the best' : none}
              </span>
            ) : (
              <Measured key="best" figure={one.toBest} scale={behind} zero />
            ),
            ...shown.map(({ name }) => digits(one.figures[name]?.value)),
            one.seconds.toFixed(1),
          ],
        }))}
      />
    </Panel>
  )
}

function figuresOf(contenders: readonly LearnContender[], name: string): LearnFigure[] {
  return contenders.flatMap(({ figures }) => {
    const figure = figures[name]
    return figure === undefined ? [] : [figure]
  })
}

function Measured({
  figure,
  scale,
  zero = false,
}: {
  readonly figure: LearnFigure | undefined
  readonly scale: Scale
  readonly zero?: boolean
}) {
  if (figure === undefined) return none
  return (
    <span className="measured">
      <Whisker range={figure} scale={scale} zero={zero} />
      <span className="num">
        <b>{digits(figure.value)}</b>{' '}
        <span className="quiet">
          {digits(figure.lower)} to {digits(figure.upper)}
        </span>
      </span>
    </span>
  )
}

/** Shares with three places; anything larger with four digits. */
function digits(value: number | undefined): string {
  if (value === undefined) return none
  const size = Math.abs(value)
  if (size >= 1000) return statistic(value)
  return (size < 10 ? value.toFixed(3) : value.toPrecision(4)).replace('-', '−')
}

function Threshold({ report }: { readonly report: LearnReport }) {
  const { threshold } = report
  if (threshold === null) return null
  const { precision, recall } = threshold
  const positive = report.classes[1] ?? ''
  return (
    <Panel title="Where to alert" aside={threshold.rule}>
      <p className="big-figure num">from {digits(threshold.threshold)} on</p>
      <Facts
        facts={[
          {
            name: 'Alerts',
            value: `${count(threshold.alerts)} of ${count(threshold.rows)} rows`,
          },
          {
            name: 'Precision',
            value: `${percent(precision.value)} of alerts are ${positive} (${percent(precision.lower)} to ${percent(precision.upper)})`,
          },
          {
            name: 'Recall',
            value: `${percent(recall.value)} of ${positive} are found (${percent(recall.lower)} to ${percent(recall.upper)})`,
          },
        ]}
      />
      <p className="chart-note">Measured on rows that had no part in choosing it.</p>
    </Panel>
  )
}

function Importance({ report }: { readonly report: LearnReport }) {
  const shown = report.importance.slice(0, 12)
  const [goal] = report.measures
  const scale = scaleOf(
    shown.map(({ loss }) => loss),
    true,
  )
  return (
    <Panel title="What it goes by" aside="Loss when a column is shuffled, on unseen rows" flush>
      <SmallTable
        label="Importance of columns"
        head={[{ title: 'Column' }, { title: `Loss of ${goal?.title ?? ''}` }]}
        rows={shown.map(({ column, loss }) => ({
          key: column,
          cells: [column, <Measured key="loss" figure={loss} scale={scale} zero />],
        }))}
      />
    </Panel>
  )
}

function Curves({ report }: { readonly report: LearnReport }) {
  const { calibration, otherCurves, precisionRecall, roc } = report
  const [of, setOf] = useState(report.best)
  if (roc === null || precisionRecall === null || calibration === null) return null
  const title = report.contenders.find(({ name }) => name === report.best)?.title ?? report.best
  const all = [{ name: report.best, title, roc, precisionRecall, calibration }, ...otherCurves]
  const shown = all.find(({ name }) => name === of)?.calibration ?? calibration
  const bins = shown.toSorted((a, b) => a.predicted - b.predicted)
  const positive = report.classes[1] ?? 'positive'
  const words = {
    found: `${positive} found (recall)`,
    wrong: `Others alerted (false positive rate)`,
  }
  return (
    <div className="columns learn-small">
      <Panel>
        <PrecisionRecallChart
          curves={all.map((one) => ({ title: one.title, curve: one.precisionRecall }))}
          positiveShare={report.shares[1] ?? null}
          words={words}
        />
      </Panel>
      <Panel>
        <RocChart curves={all.map((one) => ({ title: one.title, curve: one.roc }))} words={words} />
      </Panel>
      <Panel>
        <LineChart
          key={of}
          title="Calibration"
          x={bins.map((bin) => bin.predicted)}
          xTitle="Mean probability of the bin"
          yTitle={`Share of ${positive}`}
          yRange={[0, 1.02]}
          height={260}
          writeX={score}
          writeY={percent}
          writeTick={percentTick}
          series={[
            { title: 'Observed', values: bins.map((bin) => bin.observed) },
            { title: 'As predicted', values: bins.map((bin) => bin.predicted), dashed: true },
          ]}
        />
        <label className="learn-of">
          Of{' '}
          <select className="filter-input" value={of} onChange={(e) => setOf(e.target.value)}>
            {all.map((one) => (
              <option key={one.name} value={one.name}>
                {one.title}
              </option>
            ))}
          </select>
        </label>
      </Panel>
    </div>
  )
}

function Dependence({ report }: { readonly report: LearnReport }) {
  if (report.dependence.length === 0) return null
  const isShare = report.task !== 'regression'
  const write = (value: number | null) => (isShare ? percent(value) : statistic(value))
  const yTitle = isShare
    ? `Mean probability of ${report.classes.at(-1) ?? ''}`
    : `Mean ${report.target}`
  return (
    <div className="columns learn-small">
      {report.dependence.map(({ column, numeric, points }): ReactNode => (
        <Panel key={column}>
          {numeric ? (
            <LineChart
              title={column}
              x={points.map(({ at }) => Number(at))}
              xTitle={column}
              yTitle={yTitle}
              writeX={statistic}
              writeY={write}
              writeTick={isShare ? percentTick : tick}
              height={190}
              series={[{ title: yTitle, values: points.map(({ prediction }) => prediction) }]}
              {...(isShare ? {} : { yRange: rangeOf(points.map((point) => point.prediction)) })}
              note="Others as they are; from the 1st to the 99th of 100 values."
            />
          ) : (
            <BarChart
              title={column}
              xTitle={column}
              yTitle={yTitle}
              write={write}
              bars={points.map(({ at, prediction }) => ({ title: at, value: prediction }))}
              note="Others as they are; the most frequent categories."
            />
          )}
        </Panel>
      ))}
    </div>
  )
}

/** An estimate may lie anywhere, below zero too. */
function rangeOf(values: readonly number[]): [number, number] {
  const { low, high } = scaleOf(values.map((value) => ({ value, lower: value, upper: value })))
  return [low, high]
}

function Columns({ report }: { readonly report: LearnReport }) {
  const out = new Map(report.leftOut.map(({ column, why }) => [column, why]))
  return (
    <Panel title="Columns" flush aside={fileWords(report)}>
      <SmallTable
        label="Columns"
        head={[
          { title: 'Column' },
          { title: 'Learnt from' },
          { title: 'Missing', right: true },
          { title: 'Different', right: true },
          { title: 'Values' },
        ]}
        rows={report.columns.map((one) => ({
          key: one.name,
          cells: [
            one.name,
            out.has(one.name) ? (
              <span key="out" className="quiet">
                no: {out.get(one.name)}
              </span>
            ) : (
              one.kind
            ),
            one.missing === 0 ? (
              <span key="missing" className="quiet">
                none
              </span>
            ) : (
              count(one.missing)
            ),
            count(one.distinct),
            <span key="values" className="column-values">
              {one.summary === '' ? 'all different' : one.summary}
            </span>,
          ],
        }))}
      />
    </Panel>
  )
}

function fileWords({ file, test, seed }: LearnReport): string {
  const without = file.unlabelled === 0 ? '' : `, ${count(file.unlabelled)} more without a label`
  const judged = test === null ? '' : `; judged on ${test.name}, ${count(test.rows)} rows`
  return `${file.name}: ${count(file.rows)} rows${without}${judged}; seed ${seed}`
}
