/** One file being learnt from, and what came of it. */
import { useParams } from '@tanstack/react-router'
import type { Learning } from '../../../src/server/contract/index.ts'
import { useAct, useAsk } from '../../client/queries.ts'
import { dateTime, duration, plural } from '../../parts/figures.ts'
import { ObjectLink, PageLink, Panel, ScreenHead } from '../../parts/layout.tsx'
import { notify, notifyFailed } from '../../parts/notify.tsx'
import { Answered } from '../../parts/states.tsx'
import { useTimeZone } from '../../shell/bank.ts'
import { Steps } from '../pipelines/steps.tsx'
import { Report } from './report.tsx'

export default function LearningScreen() {
  const { learningId = '' } = useParams({ strict: false }) as Record<string, string>
  const known = useAsk('learning', { params: { learningId } }, { staleTime: 500 })
  const isGoing = known.data?.state === 'running' || known.data?.state === 'waiting'
  const answer = useAsk(
    'learning',
    { params: { learningId } },
    { staleTime: 500, every: isGoing ? 1_000 : false },
  )
  return <Answered answer={answer}>{(data) => <Body learning={data} />}</Answered>
}

function Body({ learning }: { readonly learning: Learning }) {
  const { html, report, run, state, verdict, version } = learning
  return (
    <>
      <ScreenHead
        above={<PageLink to="/experiments/learn">Learn from a file</PageLink>}
        title={learning.title}
        {...(verdict === null ? {} : { verdict })}
        note={report?.judged ?? stateNote(learning)}
        actions={
          <>
            {version === null ? null : (
              <PageLink className="button-link" to={`/models/${version.id}`}>
                {version.title}
              </PageLink>
            )}
            {run === null ? null : (
              <PageLink className="button-link" to={`/experiments/${run.id}`}>
                The run
              </PageLink>
            )}
            {html === null ? null : (
              <a className="button-link" href={html} download>
                Download the report
              </a>
            )}
            {state === 'running' || state === 'waiting' ? <Cancel learning={learning} /> : null}
          </>
        }
      />
      <div className="stack">
        {report === null ? <Progress learning={learning} /> : <Report report={report} />}
        {report === null ? null : <Progress learning={learning} />}
      </div>
    </>
  )
}

function stateNote({ before, state }: Learning): string {
  switch (state) {
    case 'waiting':
      return `It begins when ${plural(before, 'other file')} before it ${before === 1 ? 'is' : 'are'} done.`
    case 'running':
      return 'It goes on when you leave this page, and is found again under “Learn from a file”.'
    case 'failed':
      return 'It was not learnt; nothing of it was kept.'
    case 'done':
      return 'Its report is not here any more.'
  }
}

function Progress({ learning }: { readonly learning: Learning }) {
  const zone = useTimeZone()
  const { pipeline, run } = learning
  const took = pipeline.durationMs === null ? '' : `, ${duration(pipeline.durationMs * 1000)}`
  return (
    <Panel
      title={learning.report === null ? 'Progress' : 'How it went'}
      aside={`${dateTime(pipeline.startedAt, zone)} by ${pipeline.by.name}${took}`}
    >
      {pipeline.problem === null ? null : (
        <p role="alert" className="status-alert">
          {pipeline.problem}
        </p>
      )}
      <div aria-live="polite">
        <Steps
          steps={pipeline.steps}
          figure={(step) =>
            step.name === 'keep' && run !== null ? (
              <ObjectLink target={run}>{run.id}</ObjectLink>
            ) : (
              (step.figure ?? '')
            )
          }
        />
      </div>
    </Panel>
  )
}

function Cancel({ learning }: { readonly learning: Learning }) {
  const cancel = useAct('cancelLearning', ['learning', 'learnings'])
  return (
    <button
      type="button"
      className="button-link"
      disabled={cancel.isPending}
      onClick={() =>
        cancel.mutate(
          { params: { learningId: learning.id } },
          { onSuccess: ({ sentence }) => notify(sentence), onError: notifyFailed },
        )
      }
    >
      Stop
    </button>
  )
}
