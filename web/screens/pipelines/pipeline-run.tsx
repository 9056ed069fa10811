import { useParams } from '@tanstack/react-router'
import type { PipelineRunDetail } from '../../../src/server/contract/index.ts'
import { useAct, useAsk } from '../../client/queries.ts'
import { useView } from '../../client/view.ts'
import { dateTime, duration } from '../../parts/figures.ts'
import { Graph } from '../../parts/graph.tsx'
import { Facts, ObjectLink, PageLink, Panel, ScreenHead } from '../../parts/layout.tsx'
import { notify } from '../../parts/notify.tsx'
import { Answered } from '../../parts/states.tsx'
import { useTimeZone } from '../../shell/bank.ts'
import { WithReasonButton } from '../models/acts.tsx'
import { CountBar } from './count-bar.tsx'
import { StepPanel } from './step-panel.tsx'
import { Steps } from './steps.tsx'

/** A graph of this many steps can be read; of more the table is shown first. */
const DRAWN_STEPS_MAX = 300

/** One run while it goes on and afterwards: its graph, and the step that is looked at. */
export default function PipelineRunScreen() {
  const { pipelineRunId } = useParams({ strict: false }) as { pipelineRunId: string }
  const answer = useAsk('pipeline', { params: { pipelineRunId } }, { every: 1_500 })
  return (
    <Answered answer={answer}>
      {(run) => (
        <>
          <Head run={run} />
          <div className="stack">
            <RunFacts run={run} />
            {run.problem === null ? null : (
              <Panel>
                <p role="alert">{run.problem}</p>
              </Panel>
            )}
            {run.changes.length === 0 ? null : <Changes changes={run.changes} />}
            <Flow run={run} />
          </div>
        </>
      )}
    </Answered>
  )
}

function Head({ run }: { readonly run: PipelineRunDetail }) {
  const act = useAct('cancelPipeline', ['pipeline', 'pipelines', 'audit'])
  return (
    <ScreenHead
      above={<PageLink to="/pipelines">Pipelines</PageLink>}
      title={
        <>
          {run.pipeline}
          {run.about === null ? '' : `, ${run.about}`}{' '}
          <span className={`status-mark is-${run.state}`}>{run.state}</span>
        </>
      }
      note={run.why ?? `Started by ${run.by.name}.`}
      actions={
        run.declared && (run.state === 'running' || run.state === 'waiting') ? (
          <WithReasonButton
            title="Cancel"
            dialog={`Cancel the run of ${run.pipeline}`}
            question="Steps that run are stopped; what others made stays."
            permission={run.cancel}
            pending={act.isPending}
            error={act.error}
            act={(reason, done) =>
              act.mutate(
                { params: { pipelineRunId: run.id }, body: { reason } },
                {
                  onSuccess: ({ sentence }) => {
                    notify(sentence)
                    done()
                  },
                },
              )
            }
          />
        ) : undefined
      }
    />
  )
}

/** What was different when the run went on: part of it came from other code than the rest. */
function Changes({ changes }: { readonly changes: PipelineRunDetail['changes'] }) {
  const zone = useTimeZone()
  return (
    <Panel title="Changed since it began">
      {changes.map(({ at, sentence }) => (
        <p key={at}>
          <span className="quiet">{dateTime(at, zone)}</span> {sentence}
        </p>
      ))}
    </Panel>
  )
}

function RunFacts({ run }: { readonly run: PipelineRunDetail }) {
  const zone = useTimeZone()
  const params = Object.entries(run.params)
  return (
    <Facts
      facts={[
        { name: 'Started', value: `${dateTime(run.startedAt, zone)} by ${run.by.name}` },
        {
          name: 'Took',
          value: duration(run.durationMs === null ? null : run.durationMs * 1000),
        },
        { name: 'Steps', value: <CountBar counts={run.counts} /> },
        params.length === 0
          ? null
          : {
              name: 'Parameters',
              value: params.map(([name, value]) => `${name} = ${value}`).join(', '),
            },
        { name: 'Run', value: <code>{run.id}</code> },
      ]}
    />
  )
}

function Flow({ run }: { readonly run: PipelineRunDetail }) {
  const { view, change } = useView()
  const chosen = typeof view['step'] === 'string' ? view['step'] : undefined
  const drawn = run.steps.length <= DRAWN_STEPS_MAX
  const choose = (step: string) => change({ step: step === chosen ? undefined : step })
  const held = run.steps.filter(({ name, state }) => state === 'held' && name !== chosen)
  return (
    <>
      {held.length === 0 || !run.declared ? null : (
        <Panel title="Waits for an answer" className="is-asked">
          <ul>
            {held.map(({ name, title, figure }) => (
              <li key={name}>
                <button type="button" className="text-button" onClick={() => choose(name)}>
                  {title}
                </button>{' '}
                <span className="quiet">{figure}</span>
              </li>
            ))}
          </ul>
        </Panel>
      )}
      {drawn ? (
        <Graph
          label={`Steps of ${run.pipeline}`}
          nodes={run.steps.map(({ name, title, state, figure, durationMs }) => ({
            id: name,
            title,
            kind: durationMs === null ? 'step' : duration(durationMs * 1000),
            state,
            figure,
          }))}
          edges={run.steps.flatMap(({ name, before }) =>
            before.map((from) => ({ from, to: name })),
          )}
          selected={chosen}
          onSelect={choose}
        />
      ) : null}
      {chosen === undefined || !run.declared ? null : <StepPanel run={run} step={chosen} />}
      <Panel title="Steps">
        <Steps
          steps={run.steps}
          selected={chosen}
          {...(run.declared ? { onSelect: choose } : {})}
          figure={(step) => (
            <>
              {step.figure ?? ''}
              {step.outputs.map((target) => (
                <span key={target.id}>
                  {' '}
                  <ObjectLink target={target} />
                </span>
              ))}
            </>
          )}
        />
      </Panel>
    </>
  )
}
