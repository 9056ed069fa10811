import { useParams } from '@tanstack/react-router'
import type { Run } from '../../../src/server/contract/index.ts'
import { useState } from 'react'
import { useAct, useAsk } from '../../client/queries.ts'
import { Beeswarm } from '../../parts/beeswarm.tsx'
import { BarChart, binTitles, LineChart } from '../../parts/charts.tsx'
import { count, dateTime, duration, percent, percentTick, score } from '../../parts/figures.ts'
import {
  Facts,
  Folded,
  Hash,
  ObjectLink,
  PageLink,
  Panel,
  LineageLink,
  ScreenHead,
} from '../../parts/layout.tsx'
import { notify, notifyFailed, notifyUndo } from '../../parts/notify.tsx'
import { Answered } from '../../parts/states.tsx'
import { useTimeZone } from '../../shell/bank.ts'
import { PrecisionRecallChart, RocChart, type CurveWords } from './curves.tsx'
import { RunFilesPanel } from './run-files.tsx'
import { RunMetricsPanel } from './run-metrics.tsx'
import { RunNote, RunTags } from './run-tags.tsx'
import { Served } from './served.tsx'

export default function RunScreen() {
  const { runId = '' } = useParams({ strict: false }) as Record<string, string>
  const answer = useAsk('run', { params: { runId } })
  return <Answered answer={answer}>{(data) => <RunBody run={data} />}</Answered>
}

function RunBody({ run }: { readonly run: Run }) {
  const plots = hasPlots(run)
  return (
    <>
      <ScreenHead
        above={
          <>
            <PageLink to="/experiments">Experiments</PageLink> ·{' '}
            <PageLink to={`/experiments?experiment=${encodeURIComponent(run.experimentId)}`}>
              {run.experiment}
            </PageLink>
            {run.parent === null ? null : (
              <>
                {' · '}
                <PageLink to={`/experiments/${run.parent.id}`}>{run.parent.name}</PageLink>
              </>
            )}
            {' · '}
            <LineageLink kind="run" id={run.id} />
          </>
        }
        title={run.name}
        {...(run.split === '' ? {} : { note: run.split })}
        actions={<Acts run={run} />}
      />
      {run.problem === null ? null : (
        <p role="alert" className="status-alert">
          {run.problem}
        </p>
      )}
      <div className="stack">
        <RunMetricsPanel run={run} />
        {run.threshold === null ? null : <p className="chart-note">{run.threshold}</p>}
        <div className="run-facts">
          <MadeFrom run={run} />
          <Params params={run.params} />
          {run.models.length === 0 ? null : <RunModels models={run.models} />}
          <RunNote run={run} />
          <RunTags run={run} />
          {run.children.length === 0 ? null : <Children runs={run.children} />}
        </div>
        {plots ? <Plots run={run} /> : null}
        <RunFilesPanel runId={run.id} />
        {run.log.length === 0 ? null : (
          <Panel>
            <Folded title="Log">
              <pre className="json">{run.log.join('\n')}</pre>
            </Folded>
          </Panel>
        )}
      </div>
    </>
  )
}

function hasPlots({ roc, precisionRecall, importance, contributions, scores, calibration }: Run) {
  const plots = [roc, precisionRecall, contributions, scores, calibration]
  return importance.length > 0 || plots.some((plot) => plot !== null)
}

const changed = ['run', 'runs', 'experiments'] as const

function Acts({ run }: { readonly run: Run }) {
  const remove = useAct('deleteRuns', changed)
  const restore = useAct('restoreRuns', changed)
  const body = { ids: [run.id] }
  const bringBack = () =>
    restore.mutate(
      { body },
      { onSuccess: ({ sentence }) => notify(sentence), onError: notifyFailed },
    )
  return (
    <>
      <span className={`status-mark is-${run.status}`}>{run.status}</span>
      {run.deletedAt === null ? (
        <button
          type="button"
          className="button-link"
          disabled={remove.isPending}
          onClick={() =>
            remove.mutate(
              { body },
              {
                onSuccess: ({ sentence, undoUntil }) => notifyUndo(sentence, undoUntil, bringBack),
                onError: notifyFailed,
              },
            )
          }
        >
          Delete
        </button>
      ) : (
        <>
          <span className="status-mark is-failed">deleted</span>
          <button type="button" className="button-link" onClick={bringBack}>
            Restore
          </button>
        </>
      )}
    </>
  )
}

function MadeFrom({ run }: { readonly run: Run }) {
  const zone = useTimeZone()
  const { source } = run
  return (
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
          run.datasets.length === 0
            ? null
            : {
                name: 'Data',
                value: run.datasets.map((data) => (
                  <div key={`${data.name} ${data.digest} ${data.context ?? ''}`}>
                    {data.name} <code className="quiet">{data.digest}</code>
                    {data.context === null ? null : ` (${data.context})`}
                  </div>
                )),
              },
          run.modelInputs.length === 0
            ? null
            : {
                name: 'Models read',
                value: run.modelInputs.map((id) => (
                  <div key={id}>
                    <code>{id}</code>
                  </div>
                )),
              },
          source.name === null ? null : { name: 'Source', value: source.name },
          {
            name: 'Code',
            value: run.codeRevision === null ? 'not in git' : <Hash hash={run.codeRevision} />,
          },
          source.branch === null ? null : { name: 'Branch', value: source.branch },
          source.repository === null ? null : { name: 'Repository', value: source.repository },
          run.seed === null ? null : { name: 'Seed', value: run.seed },
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
  )
}

const PARAMS_SHOWN = 30

function Params({ params }: { readonly params: Run['params'] }) {
  const [text, setText] = useState('')
  const wanted = text.trim().toLowerCase()
  const found = params.filter(({ name, value }) =>
    `${name} ${value}`.toLowerCase().includes(wanted),
  )
  return (
    <Panel title="Parameters" aside={params.length === 0 ? null : count(params.length)}>
      {params.length > PARAMS_SHOWN ? (
        <input
          className="filter-input"
          aria-label="Find a parameter"
          placeholder="Find a parameter"
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
      ) : null}
      {params.length === 0 ? <p className="quiet">This run has no parameters.</p> : null}
      <div className="run-params">
        <Facts facts={found.map(({ name, value }) => ({ name, value }))} />
      </div>
    </Panel>
  )
}

/** Models of a run: whether each can be served, why, and what makes it so. */
function RunModels({ models }: { readonly models: Run['models'] }) {
  return (
    <Panel title="Models">
      <ul className="run-models">
        {models.map((model) => (
          <li key={model.id}>
            <p>
              <b>{model.name}</b> <span className="quiet">{model.flavors.join(', ')}</span>
            </p>
            <Served model={model} />
          </li>
        ))}
      </ul>
    </Panel>
  )
}

function Children({ runs }: { readonly runs: Run['children'] }) {
  return (
    <Panel title="Runs within this one" aside={count(runs.length)}>
      <ul className="run-children">
        {runs.map((run) => (
          <li key={run.id}>
            <PageLink to={`/experiments/${run.id}`}>{run.name}</PageLink>{' '}
            <span className={`status-mark is-${run.status}`}>{run.status}</span>
          </li>
        ))}
      </ul>
      {runs.length < 2 ? null : (
        <PageLink
          to={`/experiments/compare?ids=${runs
            .slice(0, 100)
            .map(({ id }) => id)
            .join(',')}`}
        >
          Compare them
        </PageLink>
      )}
    </Panel>
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
