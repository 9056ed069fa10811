import { Button, SegmentedControl } from '@mantine/core'
import { useState } from 'react'
import type { Backfills as BackfillList } from '../../../src/server/contract/index.ts'
import { useAct, useAsk } from '../../client/queries.ts'
import { count, dateTime, shortHash } from '../../parts/figures.ts'
import { ObjectLink, Panel } from '../../parts/layout.tsx'
import { notify } from '../../parts/notify.tsx'
import { SmallTable } from '../../parts/small-table.tsx'
import { Answered } from '../../parts/states.tsx'
import { useTimeZone } from '../../shell/bank.ts'
import { WithReasonButton } from '../models/acts.tsx'
import { CountBar } from './count-bar.tsx'

const states = ['all', 'failed', 'running', 'done', 'cancelled'] as const
type Chosen = (typeof states)[number]

/** Partitions that were run, page by page, with how many are in which state. */
export function PartitionsPanel({ pipeline }: { readonly pipeline: string }) {
  const zone = useTimeZone()
  const [state, setState] = useState<Chosen>('all')
  /** Keys after which each page seen so far begins. */
  const [pages, setPages] = useState<readonly (string | undefined)[]>([undefined])
  const after = pages.at(-1)
  const query = {
    limit: 50,
    ...(state !== 'all' && { state }),
    ...(after !== undefined && { after }),
  }
  const answer = useAsk(
    'pipelinePartitions',
    { params: { pipeline }, query },
    { every: 3_000, keepPrevious: true },
  )
  const total = Object.values(answer.data?.counts ?? {}).reduce((sum, n) => sum + n, 0)
  if (answer.data !== undefined && total === 0) return null
  return (
    <Panel title="Partitions" aside={<CountBar counts={answer.data?.counts ?? {}} />}>
      <SegmentedControl
        size="xs"
        aria-label="State of the partitions"
        data={[...states]}
        value={state}
        onChange={(chosen) => {
          setState(chosen)
          setPages([undefined])
        }}
      />
      <Answered answer={answer}>
        {({ items, next }) => (
          <>
            <SmallTable
              label="Partitions"
              head={[{ title: 'Partition' }, { title: 'State' }, { title: 'Run' }]}
              rows={items.map(({ key, state: of, run, at }) => ({
                key,
                cells: [
                  key,
                  <span key="state" className={`status-mark is-${of}`}>
                    {of}
                  </span>,
                  <ObjectLink key="run" target={run}>
                    {dateTime(at, zone)}
                  </ObjectLink>,
                ],
              }))}
            />
            <div className="row-of-acts">
              <Button
                size="xs"
                variant="default"
                disabled={pages.length === 1}
                onClick={() => setPages(pages.slice(0, -1))}
              >
                Earlier
              </Button>
              <Button
                size="xs"
                variant="default"
                disabled={next === null}
                onClick={() => next !== null && setPages([...pages, next])}
              >
                Later
              </Button>
            </div>
          </>
        )}
      </Answered>
    </Panel>
  )
}

/** Ranges of partitions that were asked for; one that runs can be ended. */
export function BackfillsPanel({ pipeline }: { readonly pipeline: string }) {
  const zone = useTimeZone()
  const answer = useAsk('backfills', { params: { pipeline }, query: {} }, { every: 3_000 })
  if (answer.data === undefined || answer.data.items.length === 0) return null
  return (
    <Panel title="Backfills" aside="ranges of partitions that were asked for" flush>
      <SmallTable
        label="Backfills"
        head={[
          { title: 'Range' },
          { title: 'State' },
          { title: 'Partitions ended', right: true },
          { title: '' },
          { title: 'Begun' },
        ]}
        rows={answer.data.items.map((backfill) => ({
          key: backfill.id,
          cells: [
            <span key="range" title={backfill.id}>
              <span style={{ whiteSpace: 'nowrap' }}>{backfill.from}</span> to{' '}
              <span style={{ whiteSpace: 'nowrap' }}>{backfill.to}</span>
            </span>,
            <span key="state" className={`status-mark is-${backfill.state}`}>
              {backfill.state}
            </span>,
            endedInWords(backfill),
            backfill.state === 'running' ? (
              <CancelBackfill key="cancel" pipeline={pipeline} backfill={backfill} />
            ) : null,
            <>
              {dateTime(backfill.startedAt, zone)} by {backfill.by.name}
              {backfill.problem === null ? null : (
                <span className="quiet"> {backfill.problem}</span>
              )}
            </>,
          ],
        }))}
      />
    </Panel>
  )
}

type Backfill = BackfillList['items'][number]

function endedInWords({ state, progress, failed }: Backfill): string {
  // Before its first partition has ended it is not known how many there are.
  const ended =
    progress.total === 0 && state === 'running'
      ? '–'
      : `${count(progress.done)} of ${count(progress.total)}`
  return failed === null || failed === 0 ? ended : `${ended}, ${count(failed)} failed`
}

function CancelBackfill({
  pipeline,
  backfill: { id, from, to, cancel },
}: {
  readonly pipeline: string
  readonly backfill: Backfill
}) {
  const act = useAct('cancelBackfill', ['backfills', 'pipelinePartitions', 'pipelines', 'audit'])
  return (
    <WithReasonButton
      title="Cancel"
      question={`End the backfill of ${from} to ${to}? Partitions that are done stay done.`}
      permission={cancel}
      pending={act.isPending}
      error={act.error}
      act={(reason, done) =>
        act.mutate(
          { params: { pipeline, backfill: id }, body: { reason } },
          {
            onSuccess: ({ sentence }) => {
              notify(sentence)
              done()
            },
          },
        )
      }
    />
  )
}

/** Named results that other pipelines may read, newest first. */
export function Made({ pipeline }: { readonly pipeline: string }) {
  const zone = useTimeZone()
  const answer = useAsk('pipelineProducts', { params: { pipeline } }, { every: 10_000 })
  if (answer.data?.items.length === 0) return null
  return (
    <Panel title="What it made" aside="named results that other pipelines read">
      <Answered answer={answer}>
        {({ items }) => (
          <SmallTable
            label="Products"
            head={[
              { title: 'Output' },
              { title: 'Version', right: true },
              { title: 'Partition' },
              { title: 'Rows', right: true },
              { title: 'Digest' },
              { title: 'Made' },
            ]}
            rows={items.map((item) => ({
              key: `${item.output}/${item.partition ?? ''}/${item.version}`,
              cells: [
                <b key="output">{item.output}</b>,
                item.version,
                item.partition ?? (
                  <span key="partition" className="quiet">
                    whole
                  </span>
                ),
                item.rows === null ? (
                  <span key="rows" className="quiet">
                    –
                  </span>
                ) : (
                  count(item.rows)
                ),
                <code key="digest" title={item.digest}>
                  {shortHash(item.digest)}
                </code>,
                <ObjectLink key="run" target={item.run}>
                  {dateTime(item.at, zone)}
                </ObjectLink>,
              ],
            }))}
          />
        )}
      </Answered>
    </Panel>
  )
}
