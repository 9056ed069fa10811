import { Button, SegmentedControl } from '@mantine/core'
import { useState } from 'react'
import { useAsk } from '../../client/queries.ts'
import { count, dateTime, shortHash } from '../../parts/figures.ts'
import { ObjectLink, Panel } from '../../parts/layout.tsx'
import { SmallTable } from '../../parts/small-table.tsx'
import { Answered } from '../../parts/states.tsx'
import { useTimeZone } from '../../shell/bank.ts'
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
