import { Button } from '@mantine/core'
import { useState } from 'react'
import type { PipelineRunDetail, StepDetail } from '../../../src/server/contract/index.ts'
import { useAct, useAsk } from '../../client/queries.ts'
import { bytes, count, dateTime, duration, shortHash } from '../../parts/figures.ts'
import { Facts, ObjectLink, Panel } from '../../parts/layout.tsx'
import { notify } from '../../parts/notify.tsx'
import { SmallTable } from '../../parts/small-table.tsx'
import { Answered } from '../../parts/states.tsx'
import { useTimeZone } from '../../shell/bank.ts'
import { WithReasonButton } from '../models/acts.tsx'

/** Why a step ran or did not, what it read and made, its checks, attempts and log. */
export function StepPanel({
  run,
  step,
}: {
  readonly run: PipelineRunDetail
  readonly step: string
}) {
  const params = { pipelineRunId: run.id, step }
  const answer = useAsk('pipelineStep', { params }, { every: 2_000 })
  return (
    <Panel title={run.steps.find(({ name }) => name === step)?.title ?? step}>
      <Answered answer={answer}>{(detail) => <Detail detail={detail} runId={run.id} />}</Answered>
    </Panel>
  )
}

function Detail({ detail, runId }: { readonly detail: StepDetail; readonly runId: string }) {
  const { cache, approval, checks } = detail
  const params = Object.entries(detail.params)
  return (
    <div className="stack">
      {detail.problem === null ? null : <p role="alert">{detail.problem}</p>}
      {approval === null ? null : <Approval runId={runId} step={detail.name} approval={approval} />}
      <Facts
        facts={[
          cache === null
            ? null
            : {
                name: cache.hit ? 'Taken from the cache' : 'Run, because',
                value: (
                  <>
                    {cache.words.join(' ')}{' '}
                    {cache.madeBy === null ? null : <ObjectLink target={cache.madeBy} />}
                  </>
                ),
              },
          params.length === 0
            ? null
            : {
                name: 'Parameters',
                value: params.map(([name, value]) => `${name} = ${value}`).join(', '),
              },
        ]}
      />
      <Passed
        title="Read"
        sizes="From"
        rows={detail.reads.map((read) => ({ ...read, size: read.from }))}
      />
      <Passed
        title="Made"
        sizes="Size"
        rows={detail.makes.map((made) => ({
          ...made,
          size: made.rows === null ? bytes(made.bytes) : `${count(made.rows)} rows`,
        }))}
      />
      {checks.length === 0 ? null : (
        <SmallTable
          label="Checks"
          head={[{ title: 'Check of' }, { title: 'Verdict' }, { title: 'Found' }]}
          rows={checks.map(({ output, passed, said }, i) => ({
            key: String(i),
            cells: [
              output,
              <span key="verdict" className={`status-mark is-${passed ? 'done' : 'failed'}`}>
                {passed ? 'passed' : 'failed'}
              </span>,
              said,
            ],
          }))}
        />
      )}
      <Attempts detail={detail} runId={runId} />
    </div>
  )
}

interface PassedRow {
  readonly name: string
  readonly kind: string
  readonly digest: string
  readonly size: string
}

function Passed({
  title,
  sizes,
  rows,
}: {
  readonly title: string
  readonly sizes: string
  readonly rows: readonly PassedRow[]
}) {
  if (rows.length === 0) return null
  return (
    <SmallTable
      label={title}
      head={[{ title }, { title: 'Kind' }, { title: 'Digest' }, { title: sizes }]}
      rows={rows.map(({ name, kind, digest, size }) => ({
        key: name,
        cells: [
          <b key="name">{name}</b>,
          kind,
          <code key="digest" title={digest}>
            {shortHash(digest)}
          </code>,
          size,
        ],
      }))}
    />
  )
}

function Attempts({ detail, runId }: { readonly detail: StepDetail; readonly runId: string }) {
  const zone = useTimeZone()
  const [shown, setShown] = useState<number | undefined>()
  const { attempts } = detail
  if (attempts.length === 0) return null
  const attempt = shown ?? attempts.at(-1)?.number ?? 1
  return (
    <>
      <SmallTable
        label="Attempts"
        head={[
          { title: 'Attempt', right: true },
          { title: 'End' },
          { title: 'Began' },
          { title: 'Took', right: true },
          { title: 'What went wrong' },
          { title: '' },
        ]}
        rows={attempts.map(({ number, state, startedAt, durationMs, problem }) => ({
          key: String(number),
          cells: [
            number,
            <span key="state" className={`status-mark is-${state}`}>
              {state}
            </span>,
            dateTime(startedAt, zone),
            duration(durationMs === null ? null : durationMs * 1000),
            problem ?? '',
            <Button
              key="log"
              size="compact-xs"
              variant={number === attempt ? 'filled' : 'default'}
              onClick={() => setShown(number)}
            >
              Log
            </Button>,
          ],
        }))}
      />
      <Log runId={runId} step={detail.name} attempt={attempt} />
    </>
  )
}

/** The server gives so many bytes of a log's end. */
const LOG_END = 64 * 1024

/** The end of what an attempt wrote; it grows while the step runs. */
function Log({
  runId,
  step,
  attempt,
}: {
  readonly runId: string
  readonly step: string
  readonly attempt: number
}) {
  const answer = useAsk(
    'pipelineStepLog',
    { params: { pipelineRunId: runId, step }, query: { attempt } },
    { every: 2_000, keepPrevious: true },
  )
  return (
    <Answered answer={answer}>
      {({ text, bytes: all }) => (
        <figure className="step-log">
          <pre tabIndex={0} aria-label={`Log of attempt ${attempt}`}>
            {text === '' ? 'It wrote nothing.' : text}
          </pre>
          {all > LOG_END ? (
            <figcaption>
              The end of {bytes(all)};{' '}
              <code>
                npx assay pipelines logs {runId} {step}
              </code>{' '}
              prints all.
            </figcaption>
          ) : null}
        </figure>
      )}
    </Answered>
  )
}

type GivenAnswer = NonNullable<StepDetail['approval']>['answers'][number]

function isApproval({ verdict }: GivenAnswer): boolean {
  return verdict === 'approve'
}

function Approval({
  runId,
  step,
  approval,
}: {
  readonly runId: string
  readonly step: string
  readonly approval: NonNullable<StepDetail['approval']>
}) {
  const zone = useTimeZone()
  const act = useAct('answerPipelineStep', ['pipelineStep', 'pipeline', 'pipelines', 'audit'])
  const give = (verdict: 'approve' | 'refuse') => (reason: string, done: () => void) =>
    act.mutate(
      { params: { pipelineRunId: runId, step }, body: { verdict, reason } },
      {
        onSuccess: ({ sentence }) => {
          notify(sentence)
          done()
        },
      },
    )
  const left = approval.required - approval.answers.filter(isApproval).length
  const asked = { permission: approval.answer, pending: act.isPending, error: act.error }
  return (
    <section className="step-approval">
      <p>
        <b>{approval.question}</b>{' '}
        <span className="quiet">
          {approval.answers.length} of {approval.required} answers
        </span>
      </p>
      <ul>
        {approval.answers.map(({ by, verdict, reason, at }) => (
          <li key={by.id}>
            {by.name}: <b>{verdict}</b>, “{reason}”, {dateTime(at, zone)}
          </li>
        ))}
      </ul>
      <div className="row-of-acts">
        <WithReasonButton
          title="Approve"
          look="filled"
          question={
            <>
              <p>
                <b>{approval.question}</b>
              </p>
              <p className="quiet">
                Your answer is for exactly what is shown here.{' '}
                {left > 1
                  ? `After it ${left - 1} more ${left === 2 ? 'is' : 'are'} needed.`
                  : 'With it the run goes on.'}
              </p>
            </>
          }
          act={give('approve')}
          {...asked}
        />
        <WithReasonButton
          title="Refuse"
          question={
            <>
              <p>
                <b>{approval.question}</b>
              </p>
              <p className="quiet">
                One refusal fails the step, and what comes after it does not run.
              </p>
            </>
          }
          act={give('refuse')}
          {...asked}
        />
        {approval.answer.reason === null ? null : (
          <span className="quiet">{approval.answer.reason}</span>
        )}
      </div>
    </section>
  )
}
