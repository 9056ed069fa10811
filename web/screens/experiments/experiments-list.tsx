/** The experiments with the number of their runs: choose, rename, delete, restore. */
import { Menu, Modal } from '@mantine/core'
import { IconDots } from '@tabler/icons-react'
import { useDebouncedValue } from '@mantine/hooks'
import { useState } from 'react'
import type { Experiment } from '../../../src/server/contract/index.ts'
import { useAct, useAsk } from '../../client/queries.ts'
import { useView, writeView } from '../../client/view.ts'
import { count } from '../../parts/figures.ts'
import { PageLink } from '../../parts/layout.tsx'
import { notify, notifyFailed, notifyUndo } from '../../parts/notify.tsx'
import { Answered } from '../../parts/states.tsx'

const changed = ['experiments', 'runs', 'runColumns'] as const

/** As many are listed; others are found by their names. */
const LISTED = 200

/** The experiment that a view is of: links may name it, or carry its id. */
export function useExperiment(view: string | undefined): Experiment | undefined {
  const query = { named: view ?? '', deleted: 'with' } as const
  const { data } = useAsk('experiments', { query }, { enabled: view !== undefined })
  return view === undefined ? undefined : data?.items[0]
}

export function ExperimentsList() {
  const { view, change } = useView()
  const [deleted, setDeleted] = useState(false)
  const [text, setText] = useState('')
  const [wanted] = useDebouncedValue(text.trim(), 150)
  const chosen = useExperiment(view.experiment)
  const answer = useAsk(
    'experiments',
    {
      query: {
        limit: LISTED,
        ...(deleted && { deleted: 'with' }),
        ...(wanted !== '' && { text: wanted }),
      },
    },
    { every: 10_000, keepPrevious: true },
  )
  const listed = answer.data?.items ?? []
  const isListed = listed.some(({ id }) => id === chosen?.id)
  const choose = (id: string | undefined) => change(forExperiment(id), { push: true })
  return (
    <nav className="experiments-list" aria-label="Experiments">
      <select
        className="filter-input experiments-select"
        aria-label="Experiment"
        value={chosen?.id ?? ''}
        onChange={(event) => choose(event.target.value || undefined)}
      >
        <option value="">All experiments</option>
        {[...(chosen === undefined || isListed ? [] : [chosen]), ...listed].map((one) => (
          <option key={one.id} value={one.id}>
            {one.name} ({count(one.runs)})
          </option>
        ))}
      </select>
      <div className="experiments-lines">
        <Answered answer={answer} rows={3}>
          {({ items, next, runs }) => (
            <>
              {items.length > 8 || text !== '' ? (
                <input
                  className="filter-input"
                  aria-label="Find an experiment"
                  placeholder="Find an experiment"
                  value={text}
                  onChange={(event) => setText(event.target.value)}
                />
              ) : null}
              <ul>
                <li className={view.experiment === undefined ? 'is-here' : ''}>
                  <PageLink to={addressOfExperiment(undefined)}>All experiments</PageLink>
                  <span className="quiet num">{count(runs)}</span>
                </li>
                {items.map((one) => (
                  <Line key={one.id} experiment={one} here={one.id === chosen?.id} />
                ))}
              </ul>
              {next === null ? null : (
                <p className="quiet">
                  The newest {count(items.length)} of more; find others by their names.
                </p>
              )}
              <button
                type="button"
                className="text-button"
                aria-pressed={deleted}
                onClick={() => setDeleted(!deleted)}
              >
                {deleted ? 'Hide deleted' : 'Show deleted'}
              </button>
            </>
          )}
        </Answered>
      </div>
    </nav>
  )
}

/** Filter, columns and order speak of one experiment's names; another starts afresh. */
function forExperiment(id: string | undefined) {
  return {
    experiment: id,
    filter: undefined,
    columns: undefined,
    order: undefined,
    differences: undefined,
  }
}

export function addressOfExperiment(id: string | undefined): string {
  return `/experiments${writeView({ experiment: id })}`
}

function Line({ experiment, here }: { readonly experiment: Experiment; readonly here: boolean }) {
  const [renaming, setRenaming] = useState(false)
  const remove = useAct('deleteExperiment', changed)
  const restore = useAct('restoreExperiment', changed)
  const isGone = experiment.deletedAt !== null
  const params = { experimentId: experiment.id }
  const bringBack = () =>
    restore.mutate(
      { params },
      { onSuccess: ({ sentence }) => notify(sentence), onError: notifyFailed },
    )
  const takeAway = () =>
    remove.mutate(
      { params },
      {
        onSuccess: ({ sentence }) =>
          notifyUndo(sentence, new Date(Date.now() + 10_000).toISOString(), bringBack),
        onError: notifyFailed,
      },
    )
  return (
    <li className={`${here ? 'is-here' : ''} ${isGone ? 'is-deleted' : ''}`}>
      <PageLink to={addressOfExperiment(experiment.id)} title={experiment.name}>
        {experiment.name}
      </PageLink>
      <span className="quiet num">{isGone ? 'deleted' : count(experiment.runs)}</span>
      <Menu position="bottom-end" width={170}>
        <Menu.Target>
          <button
            type="button"
            className="experiments-more"
            aria-label={`More about ${experiment.name}`}
          >
            <IconDots size={15} aria-hidden />
          </button>
        </Menu.Target>
        <Menu.Dropdown>
          {isGone ? (
            <Menu.Item onClick={bringBack}>Restore</Menu.Item>
          ) : (
            <>
              <Menu.Item onClick={() => setRenaming(true)}>Rename…</Menu.Item>
              <Menu.Item onClick={takeAway}>Delete with its runs</Menu.Item>
            </>
          )}
        </Menu.Dropdown>
      </Menu>
      <Modal
        opened={renaming}
        onClose={() => setRenaming(false)}
        title="Rename the experiment"
        size={420}
      >
        {renaming ? <RenameForm experiment={experiment} onDone={() => setRenaming(false)} /> : null}
      </Modal>
    </li>
  )
}

function RenameForm({
  experiment,
  onDone,
}: {
  readonly experiment: Experiment
  readonly onDone: () => void
}) {
  const rename = useAct('renameExperiment', changed)
  return (
    <form
      className="small-form"
      onSubmit={(event) => {
        event.preventDefault()
        const given = new FormData(event.currentTarget).get('name')
        const name = typeof given === 'string' ? given.trim() : ''
        if (name === '' || name === experiment.name) return
        rename.mutate(
          { params: { experimentId: experiment.id }, body: { name } },
          {
            onSuccess: () => {
              const until = new Date(Date.now() + 10_000).toISOString()
              notifyUndo(`Renamed to ${name}.`, until, () => {
                rename.mutate(
                  { params: { experimentId: experiment.id }, body: { name: experiment.name } },
                  { onError: notifyFailed },
                )
              })
              onDone()
            },
            onError: notifyFailed,
          },
        )
      }}
    >
      <label>
        Name
        <input
          className="filter-input"
          name="name"
          defaultValue={experiment.name}
          maxLength={500}
          required
          data-autofocus
        />
      </label>
      <p className="quiet">Programs that log to it by its old name will make a new experiment.</p>
      <button type="submit" className="button-link" disabled={rename.isPending}>
        Rename
      </button>
    </form>
  )
}
