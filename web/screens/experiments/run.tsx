import { useParams } from '@tanstack/react-router'
import type { Run } from '../../../src/server/contract/index.ts'
import { useAsk } from '../../client/queries.ts'
import { Beeswarm } from '../../parts/beeswarm.tsx'
import { BarChart, binTitles, LineChart } from '../../parts/charts.tsx'
import {
  bytes,
  count,
  dateTime,
  duration,
  estimateText,
  percent,
  percentTick,
  score,
} from '../../parts/figures.ts'
import {
  Facts,
  Folded,
  Hash,
  ObjectLink,
  PageLink,
  Panel,
  ScreenHead,
} from '../../parts/layout.tsx'
import { SmallTable } from '../../parts/small-table.tsx'
import { Answered } from '../../parts/states.tsx'
import { useTimeZone } from '../../shell/bank.ts'
import { PrecisionRecallChart, RocChart, type CurveWords } from './curves.tsx'

export default function RunScreen() {
  const { runId = '' } = useParams({ strict: false }) as Record<string, string>
  const answer = useAsk('run', { params: { runId } })
  return <Answered answer={answer}>{(data) => <RunBody run={data} />}</Answered>
}

function RunBody({ run }: { readonly run: Run }) {
  const zone = useTimeZone()
  return (
    <>
      <ScreenHead
        above={<PageLink to="/experiments">Experiments</PageLink>}
        title={run.name}
        note={run.split}
        actions={<span className={`status-mark is-${run.status}`}>{run.status}</span>}
      />
      {run.problem === null ? null : (
        <p role="alert" className="status-alert">
          {run.problem}
        </p>
      )}
      <div className="stack">
        <div className="columns">
          <Panel title="Metrics" aside="95 % intervals, on test rows only">
            <Facts
              facts={run.metrics.map((metric) => ({
                name: metric.title,
                value: estimateText(metric.estimate),
              }))}
            />
            {run.threshold === null ? null : <p className="chart-note">{run.threshold}</p>}
          </Panel>
          <Panel title="Parameters">
            <Facts facts={run.params.map((param) => ({ name: param.name, value: param.value }))} />
          </Panel>
          <Panel title="Made from">
            <Facts
              facts={[
                { name: 'Run', value: <code>{run.id}</code> },
                run.inputs.length === 0
                  ? null
                  : {
                      name: 'Inputs',
                      value: run.inputs.map((target) => (
                        <div key={target.id}>
                          <ObjectLink target={target} />
                        </div>
                      )),
                    },
                {
                  name: 'Code',
                  value:
                    run.codeRevision === null ? 'not in git' : <Hash hash={run.codeRevision} />,
                },
                { name: 'Seed', value: run.seed },
                { name: 'Started', value: `${dateTime(run.startedAt, zone)} by ${run.by.name}` },
                {
                  name: 'Took',
                  value: duration(run.durationMs === null ? null : run.durationMs * 1000),
                },
                {
                  name: 'Version',
                  value:
                    run.registeredAs === null ? (
                      'not registered'
                    ) : (
                      <ObjectLink target={run.registeredAs} />
                    ),
                },
              ]}
            />
          </Panel>
        </div>
        <Plots run={run} />
        <Panel title="Artifacts" flush>
          <SmallTable
            label="Artifacts"
            head={[{ title: 'Name' }, { title: 'SHA-256' }, { title: 'Size', right: true }]}
            rows={run.artifacts.map((artifact) => ({
              key: artifact.name,
              cells: [
                <a key="name" href={artifact.href} download>
                  {artifact.name}
                </a>,
                <Hash key="hash" hash={artifact.sha256} />,
                bytes(artifact.bytes),
              ],
            }))}
          />
          {run.log.length === 0 ? null : (
            <Folded title="Log">
              <pre className="json">{run.log.join('\n')}</pre>
            </Folded>
          )}
        </Panel>
      </div>
    </>
  )
}

/** A run that learnt from a person's file is about anything, not about payments. */
const ofAnything: CurveWords = {
  found: 'Found (recall)',
  wrong: 'Others alerted (false positive rate)',
}

function Plots({ run }: { readonly run: Run }) {
  const { calibration, scores } = run
  const isOfFile = run.artifacts.some(({ name }) => name === 'learn-report.json')
  const words = isOfFile ? { words: ofAnything } : {}
  return (
    <div className="columns">
      {run.precisionRecall === null ? null : (
        <Panel>
          <PrecisionRecallChart
            curves={[{ title: run.name, curve: run.precisionRecall }]}
            positiveShare={run.positiveShare}
            {...words}
          />
        </Panel>
      )}
      {run.roc === null ? null : (
        <Panel>
          <RocChart curves={[{ title: run.name, curve: run.roc }]} {...words} />
        </Panel>
      )}
      {run.importance.length === 0 ? null : <Importance run={run} />}
      {run.contributions === null ? null : (
        <Panel>
          <Beeswarm contributions={run.contributions} />
        </Panel>
      )}
      {scores === null ? null : (
        <Panel>
          <BarChart
            title="Scores of frauds"
            xTitle="Score"
            yTitle="Frauds"
            write={(value) => count(value)}
            height={110}
            bars={binTitles(scores.positive.edges).map((title, i) => ({
              title,
              value: scores.positive.counts[i] ?? 0,
            }))}
          />
          <BarChart
            title="Scores of genuine payments"
            xTitle="Score"
            yTitle="Genuine payments"
            write={(value) => count(value)}
            height={110}
            bars={binTitles(scores.negative.edges).map((title, i) => ({
              title,
              value: scores.negative.counts[i] ?? 0,
            }))}
          />
        </Panel>
      )}
      {calibration === null ? null : (
        <Panel>
          <LineChart
            title="Calibration"
            x={calibration.map((bin) => bin.predicted)}
            xTitle="Mean score of the bin"
            yTitle={isOfFile ? 'Share observed' : 'Share of frauds'}
            writeX={score}
            writeY={percent}
            writeTick={percentTick}
            series={[
              { title: 'Observed', values: calibration.map((bin) => bin.observed) },
              {
                title: 'As predicted',
                values: calibration.map((bin) => bin.predicted),
                dashed: true,
              },
            ]}
          />
        </Panel>
      )}
    </div>
  )
}

function Importance({ run }: { readonly run: Run }) {
  const strongest = Math.max(1e-9, ...run.importance.map((one) => one.value))
  return (
    <Panel title="Importance" aside={run.importanceIs}>
      <ul className="importance">
        {run.importance.slice(0, 15).map((one) => (
          <li key={one.feature}>
            <span className="importance-name">
              {one.target === null ? one.feature : <ObjectLink target={one.target} />}
            </span>
            <span className="weight" aria-hidden>
              <i style={{ width: `${(Math.max(0, one.value) / strongest) * 100}%` }} />
            </span>
            <span className="num">{one.value.toFixed(3)}</span>
          </li>
        ))}
      </ul>
    </Panel>
  )
}
