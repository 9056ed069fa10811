import { Select } from '@mantine/core'
import { useNavigate } from '@tanstack/react-router'
import type { PipelineRun } from '../../../src/server/contract/index.ts'
import { useAsk } from '../../client/queries.ts'
import { useView } from '../../client/view.ts'
import { DataTable, type Column } from '../../parts/data-table.tsx'
import { dateTime, duration } from '../../parts/figures.ts'
import { PageLink, Panel, ScreenHead } from '../../parts/layout.tsx'
import { Answered, Empty } from '../../parts/states.tsx'
import { useTimeZone } from '../../shell/bank.ts'
import { CountBar } from './count-bar.tsx'
import { DeclaredPanel, RunDeclared } from './declared.tsx'
import { BackfillsPanel, Made, PartitionsPanel } from './partitions.tsx'

/** Runs of all pipelines, the newest first; of one pipeline also its partitions and what it made. */
export default function PipelinesScreen() {
  const { view, change } = useView()
  const chosen = typeof view['pipeline'] === 'string' ? view['pipeline'] : undefined
  const answer = useAsk(
    'pipelines',
    { query: { limit: 500, ...(chosen !== undefined && { pipeline: chosen }) } },
    { every: 2_000, keepPrevious: true },
  )
  const all = useAsk('pipelines', { query: { limit: 500 } }, { staleTime: 30_000 })
  const names = [...new Set(all.data?.items.map(({ pipeline }) => pipeline))].toSorted()
  const declared = answer.data?.items.some((run) => run.declared && run.pipeline === chosen)
  return (
    <>
      <ScreenHead
        title="Pipelines"
        note="A step runs where something that it depends on has changed; else its result is taken from the run that made it."
        actions={
          <>
            {chosen === undefined ? null : <RunDeclared name={chosen} />}
            <Select
              aria-label="Pipeline"
              placeholder="All pipelines"
              size="xs"
              clearable
              clearButtonProps={{ 'aria-label': 'Show all pipelines' }}
              data={names}
              value={chosen ?? null}
              onChange={(pipeline) => change({ pipeline: pipeline ?? undefined })}
            />
          </>
        }
      />
      <Answered answer={answer}>
        {({ items }) =>
          items.length === 0 ? (
            <div className="stack">
              {chosen === undefined ? <DeclaredPanel /> : null}
              <Panel>
                {chosen === undefined ? (
                  <Empty title="No pipeline has run" command="npx assay pipelines list">
                    The standard flow runs when the server starts. Declare pipelines of your own in{' '}
                    <code>project.ts</code>, and run one by its name.
                  </Empty>
                ) : (
                  <Empty
                    title={`${chosen} has not run`}
                    command={`npx assay pipelines run ${chosen}`}
                  >
                    <PageLink to="/pipelines">All pipelines</PageLink>
                  </Empty>
                )}
              </Panel>
            </div>
          ) : (
            <div className="stack">
              {chosen === undefined ? <DeclaredPanel /> : null}
              <Panel title="Runs" flush>
                <Runs items={items} />
              </Panel>
              {chosen === undefined || declared !== true ? null : (
                <>
                  <BackfillsPanel pipeline={chosen} />
                  <PartitionsPanel pipeline={chosen} />
                  <Made pipeline={chosen} />
                </>
              )}
            </div>
          )
        }
      </Answered>
    </>
  )
}

function Runs({ items }: { readonly items: readonly PipelineRun[] }) {
  const zone = useTimeZone()
  const navigate = useNavigate()
  const columns: readonly Column<PipelineRun>[] = [
    {
      key: 'pipeline',
      title: 'Pipeline',
      width: 'minmax(96px, 1.2fr)',
      cell: ({ id, pipeline }) => <PageLink to={`/pipelines/${id}`}>{pipeline}</PageLink>,
    },
    {
      key: 'about',
      title: 'Partition, or what about',
      width: 'minmax(110px, 1.4fr)',
      from: 'middle',
      cell: ({ about }) => about ?? <span className="quiet">–</span>,
    },
    {
      key: 'state',
      title: 'State',
      width: '86px',
      cell: ({ state }) => <span className={`status-mark is-${state}`}>{state}</span>,
    },
    {
      key: 'steps',
      title: 'Steps',
      width: 'minmax(120px, 1fr)',
      from: 'narrow',
      cell: ({ counts }) => <CountBar counts={counts} />,
    },
    {
      key: 'why',
      title: 'Why it began',
      width: 'minmax(120px, 1.6fr)',
      from: 'wide',
      cell: ({ why, by }) => why ?? `started by ${by.name}`,
    },
    {
      key: 'started',
      title: 'Started',
      width: '134px',
      cell: ({ startedAt }) => dateTime(startedAt, zone),
    },
    {
      key: 'duration',
      title: 'Took',
      width: '84px',
      align: 'right',
      from: 'narrow',
      cell: ({ durationMs }) => duration(durationMs === null ? null : durationMs * 1000),
    },
  ]
  return (
    <DataTable
      label="Pipeline runs"
      rows={items}
      columns={columns}
      rowKey={({ id }) => id}
      onOpen={({ id }) => void navigate({ to: `/pipelines/${id}` })}
      height="min(60vh, 620px)"
    />
  )
}
