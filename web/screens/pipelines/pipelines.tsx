import { useParams } from '@tanstack/react-router'
import type { PipelineRun } from '../../../src/server/contract/index.ts'
import { useAsk } from '../../client/queries.ts'
import { dateTime, duration } from '../../parts/figures.ts'
import { ObjectLink, PageLink, Panel, ScreenHead } from '../../parts/layout.tsx'
import { Answered, Empty } from '../../parts/states.tsx'
import { useTimeZone } from '../../shell/bank.ts'
import { Steps } from './steps.tsx'

/** Runs of the project's pipeline: each step with its figure and how long it took. */
export default function PipelinesScreen() {
  const { pipelineRunId } = useParams({ strict: false }) as Record<string, string | undefined>
  return pipelineRunId === undefined ? <All /> : <One id={pipelineRunId} />
}

function All() {
  const answer = useAsk('pipelines', {}, { every: 3_000 })
  return (
    <>
      <ScreenHead
        title="Pipelines"
        note="From data to a live version. A step whose inputs did not change is taken from the cache."
      />
      <Answered answer={answer}>
        {({ items }) =>
          items.length === 0 ? (
            <Panel>
              <Empty title="No pipeline has run" />
            </Panel>
          ) : (
            <div className="stack">
              {items.map((run) => (
                <RunPanel key={run.id} run={run} />
              ))}
            </div>
          )
        }
      </Answered>
    </>
  )
}

function One({ id }: { readonly id: string }) {
  const answer = useAsk('pipeline', { params: { pipelineRunId: id } }, { every: 3_000 })
  return (
    <>
      <ScreenHead above={<PageLink to="/pipelines">Pipelines</PageLink>} title={id} />
      <Answered answer={answer}>{(run) => <RunPanel run={run} />}</Answered>
    </>
  )
}

function RunPanel({ run }: { readonly run: PipelineRun }) {
  const zone = useTimeZone()
  return (
    <Panel
      title={
        <>
          <PageLink to={`/pipelines/${run.id}`}>{run.pipeline}</PageLink>{' '}
          <span className={`status-mark is-${run.state}`}>{run.state}</span>
        </>
      }
      aside={`${dateTime(run.startedAt, zone)} by ${run.by.name}, ${duration(run.durationMs === null ? null : run.durationMs * 1000)}`}
    >
      {run.problem === null ? null : <p role="alert">{run.problem}</p>}
      <Steps
        steps={run.steps}
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
  )
}
