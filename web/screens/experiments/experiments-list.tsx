/** The experiments with the number of their runs: choose, rename, delete, restore. */
import { Menu, Modal } from '@mantine/core'
import { IconDots } from '@tabler/icons-react'
import { useState } from 'react'
import type { Experiment } from '../../../src/server/contract/index.ts'
import { useAct, useAsk } from '../../client/queries.ts'
import { useView, writeView } from '../../client/view.ts'
import { count } from '../../parts/figures.ts'
import { PageLink } from '../../parts/layout.tsx'
import { notify, notifyFailed, notifyUndo } from '../../parts/notify.tsx'
import { Answered } from '../../parts/states.tsx'

const changed = ['experiments', 'runs', 'runColumns'] as const

/** Whether a view is of this experiment: links may name it, or carry its id. */
export function isOf(experiment: Experiment, view: string | undefined): boolean {
  return view === experiment.id || view === experiment.name
}

export function ExperimentsList() {
  const { view, change } = useView()
  const [deleted, setDeleted] = useState(false)
  const [text, setText] = useState('')
  const answer = useAsk(
    'experiments',
    { query: deleted ? { deleted: 'with' } : {} },
    { every: 10_000, keepPrevious: true },
  )
  const choose = (id: string | undefined) => change(forExperiment(id), { push: true })
  return (
    <nav className="experiments-list" aria-label="Experiments">
      <select
        className="filter-input experiments-select"
        aria-label="Experiment"
        value={answer.data?.items.find((one) => isOf(one, view.experiment))?.id ?? ''}
        onChange={(event) => choose(event.target.value || undefined)}
      >
        <option value="">All experiments</option>
        {answer.data?.items.map((one) => (
          <option key={one.id} value={one.id}>
            {one.name} ({count(one.runs)})
          </option>
        ))}
      </select>
      <div className="experiments-lines">
        <Answered answer={answer} rows={3}>
          {({ items }) => {
            const found = items.filter(({ name }) =>
              name.toLowerCase().includes(text.trim().toLowerCase()),
            )
            return (
              <>
                {items.length > 8 ? (
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
                    <span className="quiet num">
                      {count(items.reduce((sum, one) => sum + one.runs, 0))}
                    </span>
                  </li>
                  {found.map((one) => (
                    <Line key={one.id} experiment={one} here={isOf(one, view.experiment)} />
                  ))}
                </ul>
                <button
                  type="button"
                  className="text-button"
                  aria-pressed={deleted}
                  onClick={() => setDeleted(!deleted)}
                >
                  {deleted ? 'Hide deleted' : 'Show deleted'}
                </button>
              </>
            )
          }}
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
