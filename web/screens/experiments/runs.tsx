/** Experiments: every run in a table, found by the same language as over the API. */
import { useNavigate } from '@tanstack/react-router'
import { useCallback, useEffect, useState } from 'react'
import type { Experiment } from '../../../src/server/contract/index.ts'
import { ProblemError } from '../../client/api.ts'
import { useAct, useAsk } from '../../client/queries.ts'
import { useView } from '../../client/view.ts'
import { count, plural } from '../../parts/figures.ts'
import { ChoiceFilter, ExportLinks, SelectFilter } from '../../parts/filters.tsx'
import { useKeys } from '../../parts/keys.ts'
import { PageLink, Panel, ScreenHead } from '../../parts/layout.tsx'
import { notifyFailed, notifyUndo } from '../../parts/notify.tsx'
import { Empty, Failed, Loading } from '../../parts/states.tsx'
import { ColumnPicker } from './column-picker.tsx'
import { ExperimentsList, useExperiment } from './experiments-list.tsx'
import { FilterBox } from './filter-box.tsx'
import { askedIn, columnList, useRuns, type RunsAnswer } from './runs-query.ts'
import { RunsTable } from './runs-table.tsx'
import { SavedViews } from './saved-views.tsx'

const COMPARED_MAX = 100

export default function RunsScreen() {
  const { view } = useView()
  const asked = askedIn(view)
  const { answer, data } = useRuns(asked)
  const of = view.experiment === undefined ? {} : { experiment: view.experiment }
  const names = useAsk('runColumns', { query: of }, { staleTime: 30_000, keepPrevious: true })
  const experiment = useExperiment(view.experiment)
  const problem = answer.error instanceof ProblemError ? answer.error.problem : undefined
  const filterProblem = problem?.code === 'filter_invalid' ? problem : undefined
  const marks = useMarks()
  const [at, setAt] = useState(-1)
  useEffect(() => setAt(-1), [view])
  const rows = data?.rows ?? []
  const navigate = useNavigate()
  useKeys({
    j: () => setAt(Math.min(rows.length - 1, at + 1)),
    k: () => setAt(Math.max(0, at - 1)),
    x: () => {
      const row = rows[at]
      if (row !== undefined) marks.mark([row.id], !marks.marked.has(row.id))
    },
    Enter: () => {
      const row = rows[at]
      if (row !== undefined) void navigate({ to: `/experiments/${row.id}` } as never)
    },
    '/': () => document.getElementById('runs-filter')?.focus(),
  })
  const more = answer.hasNextPage && !answer.isFetchingNextPage
  const onEnd = more ? () => void answer.fetchNextPage() : undefined
  return (
    <>
      <Head experiment={experiment} />
      <div className="experiments-layout">
        <ExperimentsList />
        <div className="experiments-main">
          <FilterBox columns={names.data?.items ?? []} problem={filterProblem} />
          <Bar data={data} names={names.data?.items ?? []} asked={asked} />
          {marks.marked.size === 0 ? null : <Chosen marks={marks} rows={rows} />}
          <Panel flush>
            <Body
              data={filterProblem === undefined ? data : undefined}
              error={filterProblem === undefined ? answer.error : null}
              again={() => void answer.refetch()}
              isUnreadable={filterProblem !== undefined}
            >
              {(found) => (
                <RunsTable
                  data={found}
                  marked={marks.marked}
                  mark={marks.mark}
                  at={at}
                  onEnd={onEnd}
                />
              )}
            </Body>
          </Panel>
          <p className="visually-hidden" role="status">
            {answer.isFetchingNextPage ? 'More runs are being fetched' : ''}
          </p>
        </div>
      </div>
    </>
  )
}

function Head({ experiment }: { readonly experiment: Experiment | undefined }) {
  return (
    <ScreenHead
      {...(experiment === undefined
        ? { title: 'Experiments' }
        : {
            above: <PageLink to="/experiments">Experiments</PageLink>,
            title: experiment.name,
          })}
      note={
        experiment === undefined
          ? 'Every run with its parameters, metrics, data and files: of this project, of files that were learnt from, and of any MLflow client.'
          : experiment.deletedAt === null
            ? `${plural(experiment.runs, 'run')}; id ${experiment.id}`
            : 'It was deleted, and can be restored until it is purged.'
      }
      actions={
        <>
          <PageLink to="/experiments/connect" className="button-link">
            Connect a client
          </PageLink>
          <PageLink to="/experiments/learn" className="button-link">
            Learn from a file
          </PageLink>
        </>
      }
    />
  )
}

function Bar({
  data,
  names,
  asked,
}: {
  readonly data: RunsAnswer | undefined
  readonly names: Parameters<typeof ColumnPicker>[0]['all']
  readonly asked: ReturnType<typeof askedIn>
}) {
  const { view, change } = useView()
  const onlyDifferent = view.differences !== undefined
  // What the table shows is what the file holds, also where the server chose the columns.
  const exported =
    asked.columns === undefined && data !== undefined
      ? { ...asked, columns: columnList(data.columns) }
      : asked
  return (
    <div className="filters">
      <SelectFilter
        name="status"
        title="Any status"
        choices={['running', 'finished', 'failed', 'cancelled', 'scheduled'].map((value) => ({
          value,
          title: value,
        }))}
      />
      <ChoiceFilter
        name="deleted"
        title="Deleted runs"
        choices={[
          { value: undefined, title: 'Kept' },
          { value: 'only', title: 'Deleted' },
        ]}
      />
      <ColumnPicker all={names} shown={data?.columns ?? []} />
      <button
        type="button"
        className="filter-button"
        aria-pressed={onlyDifferent}
        onClick={() => change({ differences: onlyDifferent ? undefined : 'only' })}
      >
        Only differences
      </button>
      <SavedViews />
      <span className="filters-count num">
        {data === undefined ? '' : said(data)} <ExportLinks name="runs" query={exported as never} />
      </span>
    </div>
  )
}

/** A count where the server counted; else how many were fetched so far. */
function said({ rows, total }: RunsAnswer): string {
  if (total !== null) return plural(total, 'run')
  return `${count(rows.length)} shown`
}

interface Marks {
  readonly marked: ReadonlySet<string>
  readonly mark: (ids: readonly string[], on: boolean) => void
  readonly clear: () => void
}

/** Which runs are chosen. A choice is no part of the view: another filter keeps it. */
function useMarks(): Marks {
  const [marked, setMarked] = useState<ReadonlySet<string>>(new Set())
  const mark = useCallback((ids: readonly string[], on: boolean) => {
    setMarked((before) => {
      const after = new Set(before)
      for (const id of ids) {
        if (on) after.add(id)
        else after.delete(id)
      }
      return after
    })
  }, [])
  const clear = useCallback(() => setMarked(new Set()), [])
  return { marked, mark, clear }
}

const changed = ['runs', 'experiments', 'run'] as const

function Chosen({ marks, rows }: { readonly marks: Marks; readonly rows: RunsAnswer['rows'] }) {
  const remove = useAct('deleteRuns', changed)
  const restore = useAct('restoreRuns', changed)
  const { view } = useView()
  const ids = [...marks.marked]
  const isDeleted = view.deleted === 'only'
  const bringBack = (which: readonly string[]) =>
    restore.mutate({ body: { ids: [...which] } }, { onError: notifyFailed })
  const compared = ids.slice(0, COMPARED_MAX)
  const unseen = ids.filter((id) => !rows.some((row) => row.id === id)).length
  return (
    <div className="chosen" role="group" aria-label="Chosen runs">
      <b className="num">{plural(ids.length, 'run')} chosen</b>
      {unseen === 0 ? null : <span className="quiet">{count(unseen)} not in this view</span>}
      {ids.length < 2 ? (
        <span className="quiet">Choose another to compare</span>
      ) : (
        <PageLink
          to={`/experiments/compare?ids=${compared.join(',')}`}
          className="button-link"
          {...(ids.length > COMPARED_MAX
            ? { title: `The first ${COMPARED_MAX} of them; more are not told apart by eye` }
            : {})}
        >
          Compare {count(compared.length)}
        </PageLink>
      )}
      {isDeleted ? (
        <button
          type="button"
          className="button-link"
          onClick={() => {
            bringBack(ids)
            marks.clear()
          }}
        >
          Restore
        </button>
      ) : (
        <button
          type="button"
          className="button-link"
          disabled={remove.isPending || ids.length > 1000}
          onClick={() =>
            remove.mutate(
              { body: { ids } },
              {
                onSuccess: ({ sentence, done, undoUntil }) => {
                  marks.clear()
                  notifyUndo(sentence, undoUntil, () => bringBack(done))
                },
                onError: notifyFailed,
              },
            )
          }
        >
          Delete
        </button>
      )}
      <button type="button" className="text-button" onClick={marks.clear}>
        Choose none
      </button>
    </div>
  )
}

function Body({
  data,
  error,
  again,
  isUnreadable,
  children,
}: {
  readonly data: RunsAnswer | undefined
  readonly error: unknown
  readonly again: () => void
  readonly isUnreadable: boolean
  readonly children: (data: RunsAnswer) => React.ReactNode
}) {
  const { view, change } = useView()
  if (isUnreadable) {
    return (
      <Empty title="The filter cannot be read">
        Its place is marked above. A comparison looks like <code>metrics.auc &gt; 0.9</code>; join
        them with AND, OR and parentheses.
      </Empty>
    )
  }
  if (data === undefined)
    return error === null ? <Loading rows={8} /> : <Failed error={error} again={again} />
  if (data.rows.length > 0) return children(data)
  if (view.filter !== undefined || view.status !== undefined) {
    return (
      <Empty title="No run is like that">
        <button
          type="button"
          className="text-button"
          onClick={() => change({ filter: undefined, status: undefined })}
        >
          Show all runs
        </button>
      </Empty>
    )
  }
  if (view.deleted === 'only') return <Empty title="No deleted runs" />
  return (
    <Empty title="No runs yet" command="npx assay start --project FOLDER">
      Training a model records a run. From Python:{' '}
      <PageLink to="/experiments/connect">connect a client</PageLink>. Without a project:{' '}
      <PageLink to="/experiments/learn">learn from a file</PageLink>.
    </Empty>
  )
}
