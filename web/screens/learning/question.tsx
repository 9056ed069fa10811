/** What is to be learnt from a file: its columns, and a few questions with guesses. */
import { Button } from '@mantine/core'
import { useNavigate } from '@tanstack/react-router'
import { useState, type ReactNode } from 'react'
import type {
  LearningColumn,
  LearningFile,
  StartLearning,
} from '../../../src/server/contract/index.ts'
import { useAct } from '../../client/queries.ts'
import { useView } from '../../client/view.ts'
import { bytes, count, plural } from '../../parts/figures.ts'
import { PageLink, Panel } from '../../parts/layout.tsx'
import { SmallTable } from '../../parts/small-table.tsx'
import { Failed } from '../../parts/states.tsx'
import { DropZone } from './drop-zone.tsx'

/** In the address: a person said that there is none, whatever the guess. */
const NO_COLUMN = '!none'

type Kind = 'classes' | 'number'

export function Question({ file }: { readonly file: LearningFile }) {
  const { view, change } = useView()
  const navigate = useNavigate()
  const start = useAct('startLearning', ['learnings'])
  const [test, setTest] = useState<LearningFile | null>(null)
  const [register, setRegister] = useState('')

  const chosen = (name: 'target' | 'group' | 'time'): string | null => {
    const said = view[name] ?? file.guess[name]
    return said === NO_COLUMN || !file.columns.some((column) => column.name === said)
      ? null
      : (said ?? null)
  }
  const target = chosen('target')
  const column = file.columns.find(({ name }) => name === target)
  const group = chosen('group') === target ? null : chosen('group')
  const time = chosen('time') === target ? null : chosen('time')
  const dropped = new Set((view.out ?? '').split(',').filter(Boolean).map(decodeURIComponent))
  const drop = [...dropped].filter((name) => name !== target)
  const kind = kindOf(column, view.as)
  const positive =
    kind === 'classes' && column !== undefined ? positiveOf(column, view.positive) : null
  const goals = goalsFor(column, kind, positive)
  const goal = goals.find(({ value }) => value === view.goal)?.value ?? goals[0]?.value ?? ''

  const toggle = (name: string) => {
    const next = new Set(dropped)
    if (!next.delete(name)) next.add(name)
    change({ out: next.size === 0 ? undefined : [...next].map(encodeURIComponent).join(',') })
  }
  const begin = () => {
    if (target === null) return
    const body: StartLearning = {
      file: file.id,
      target,
      drop,
      goal,
      ...(test !== null && { test: test.id }),
      ...(positive !== null && { positive }),
      ...taskOf(column, kind, positive),
      ...(group !== null && { group }),
      ...(time !== null && { time }),
      ...(register.trim() !== '' && { register: register.trim() }),
    }
    start.mutate(
      { body },
      { onSuccess: ({ id }) => void navigate({ to: `/experiments/learn/${id}` } as never) },
    )
  }
  const columnChoices = (none: string) => [
    { value: NO_COLUMN, title: none },
    ...file.columns
      .filter(({ name }) => name !== target)
      .map(({ name }) => ({ value: name, title: name })),
  ]
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault()
        begin()
      }}
    >
      <Panel
        title={file.name}
        aside={
          <>
            {count(file.rows)} rows, {plural(file.columns.length, 'column')}, {bytes(file.bytes)} ·{' '}
            <PageLink to="/experiments/learn">Take another file</PageLink>
          </>
        }
      >
        <div className="ask">
          <Field title="What is to be told" note={targetNote(column, kind, file)}>
            <Choose
              value={target ?? NO_COLUMN}
              choices={[
                ...(target === null ? [{ value: NO_COLUMN, title: 'Choose a column' }] : []),
                ...file.columns.map(({ name }) => ({ value: name, title: name })),
              ]}
              onChange={(value) =>
                change({ target: value, positive: undefined, goal: undefined, as: undefined })
              }
            />
          </Field>
          {column === undefined || !mayBeBoth(column) ? null : (
            <Field title="It is" note="Classes are told apart; a number is estimated.">
              <Choose
                value={kind}
                choices={[
                  { value: 'number', title: 'a number' },
                  { value: 'classes', title: `${column.distinct} classes` },
                ]}
                onChange={(as) => change({ as, goal: undefined, positive: undefined })}
              />
            </Field>
          )}
          {kind !== 'classes' || column === undefined || column.values.length < 2 ? null : (
            <Field title="The case that matters" note={positiveNote(column, positive, file)}>
              <Choose
                value={positive ?? ALL_CLASSES}
                choices={[
                  ...(column.distinct > 2
                    ? [{ value: ALL_CLASSES, title: 'all of them alike' }]
                    : []),
                  ...column.values.map(({ value }) => ({ value, title: value })),
                ]}
                onChange={(value) => change({ positive: value, goal: undefined })}
              />
            </Field>
          )}
          <Field title="What the best is best at" note={goals.find((g) => g.value === goal)?.note}>
            <Choose value={goal} choices={goals} onChange={(value) => change({ goal: value })} />
          </Field>
          <Field
            title="Rows that belong together"
            note={
              group === null
                ? 'Of one customer, for example: such rows are never on both sides of a split.'
                : `Rows of one ${group} stay on one side of every split.`
            }
            guessed={group !== null && view.group === undefined}
          >
            <Choose
              value={group ?? NO_COLUMN}
              choices={columnChoices('each row for itself')}
              onChange={(value) => change({ group: value })}
            />
          </Field>
          <Field
            title="When a row was"
            note={
              time === null
                ? 'With a time, it learns from earlier rows and is judged on later ones.'
                : 'It learns from earlier rows and is judged on later ones, as it would be in use.'
            }
            guessed={time !== null && view.time === undefined}
          >
            <Choose
              value={time ?? NO_COLUMN}
              choices={columnChoices('does not matter')}
              onChange={(value) => change({ time: value })}
            />
          </Field>
        </div>
        <details className="ask-more">
          <summary>More: a file to judge on, a name to register</summary>
          <div className="ask">
            <Field
              title="Register as a version of"
              note="A model’s name; empty: kept as a run only."
            >
              <TextBox value={register} onChange={setRegister} />
            </Field>
            <div className="field">
              <span className="field-title">Judge on another file</span>
              {test === null ? (
                <DropZone small onTaken={setTest} />
              ) : (
                <p>
                  {test.name}, {count(test.rows)} rows{' '}
                  <button type="button" className="text-button" onClick={() => setTest(null)}>
                    Leave it out
                  </button>
                </p>
              )}
            </div>
          </div>
        </details>
        {start.error === null ? null : <Failed error={start.error} />}
        <p className="ask-begin">
          <Button type="submit" disabled={target === null} loading={start.isPending}>
            Learn
          </Button>
          <span className="quiet">
            {target === null
              ? 'Choose what is to be told.'
              : `From ${plural(learntFrom(file, [target, group, time], drop), 'column')}. It goes on when you leave this page.`}
          </span>
        </p>
      </Panel>
      <Panel
        title="Columns"
        flush
        aside="Leave out what would not be known yet when the model is asked"
      >
        <SmallTable
          label="Columns of the file"
          head={[
            { title: 'Learn from' },
            { title: 'Column' },
            { title: 'Type' },
            { title: 'Missing', right: true },
            { title: 'Different', right: true },
            { title: 'Values' },
          ]}
          rows={file.columns.map((one) => ({
            key: one.name,
            cells: [
              <UseColumn
                key="use"
                name={one.name}
                role={roleOf(one.name, { target, group, time })}
                checked={!dropped.has(one.name)}
                onToggle={() => toggle(one.name)}
              />,
              <b key="name" className={dropped.has(one.name) ? 'is-out' : ''}>
                {one.name}
              </b>,
              one.type,
              one.missing === 0 ? (
                <span key="missing" className="quiet">
                  none
                </span>
              ) : (
                count(one.missing)
              ),
              count(one.distinct),
              <span key="values" className="column-values">
                {one.summary === '' ? 'all different' : one.summary}
              </span>,
            ],
          }))}
        />
      </Panel>
    </form>
  )
}

const ALL_CLASSES = '!all'

function UseColumn({
  name,
  role,
  checked,
  onToggle,
}: {
  readonly name: string
  readonly role: string | null
  readonly checked: boolean
  readonly onToggle: () => void
}) {
  if (role !== null) return <span className="status-mark is-running">{role}</span>
  return (
    <input
      type="checkbox"
      aria-label={`Learn from ${name}`}
      checked={checked}
      onChange={onToggle}
    />
  )
}

function roleOf(
  name: string,
  roles: {
    readonly target: string | null
    readonly group: string | null
    readonly time: string | null
  },
): string | null {
  if (name === roles.target) return 'told'
  if (name === roles.group) return 'together'
  return name === roles.time ? 'when' : null
}

function learntFrom(
  file: LearningFile,
  others: readonly (string | null)[],
  drop: readonly string[],
): number {
  return file.columns.filter(({ name }) => !others.includes(name) && !drop.includes(name)).length
}

/** Numbers of few different values may be classes; text always is. */
function mayBeBoth({ type, distinct, values }: LearningColumn): boolean {
  return type !== 'text' && type !== 'time' && distinct > 2 && values.length > 2
}

function kindOf(column: LearningColumn | undefined, said: string | undefined): Kind {
  if (column === undefined) return 'classes'
  if (mayBeBoth(column)) return said === 'classes' ? 'classes' : 'number'
  return column.type === 'text' || column.distinct <= 2 ? 'classes' : 'number'
}

/** 1 of 0 and 1, else the rarer of two; of several classes none, unless one is named. */
function positiveOf({ distinct, values }: LearningColumn, said: string | undefined): string | null {
  if (said === ALL_CLASSES) return null
  if (values.some(({ value }) => value === said)) return said ?? null
  if (distinct > 2) return null
  const names = values.map(({ value }) => value)
  if (names.includes('0') && names.includes('1')) return '1'
  return values.at(-1)?.value ?? null
}

function taskOf(
  column: LearningColumn | undefined,
  kind: Kind,
  positive: string | null,
): Pick<StartLearning, 'task'> {
  if (column === undefined || column.distinct <= 2) return {}
  if (kind === 'number') return { task: 'regression' }
  return { task: positive === null ? 'multiclass' : 'binary' }
}

interface Goal {
  readonly value: string
  readonly title: string
  readonly note: string
}

function goalsFor(
  column: LearningColumn | undefined,
  kind: Kind,
  positive: string | null,
): readonly Goal[] {
  if (kind === 'number') {
    return [
      { value: 'rmse', title: 'small errors, large ones worst', note: 'Root mean squared error.' },
      { value: 'mae', title: 'small errors, all alike', note: 'Mean absolute error.' },
      { value: 'r2', title: 'explaining the spread', note: 'R²: 1 is all of it, 0 none.' },
    ]
  }
  if (column !== undefined && column.distinct > 2 && positive === null) {
    return [
      {
        value: 'auc',
        title: 'ranking each class first',
        note: 'ROC AUC, each class against the others.',
      },
      { value: 'accuracy', title: 'naming the right class', note: 'Share of rows named rightly.' },
      {
        value: 'f1_macro',
        title: 'naming rare classes too',
        note: 'F1, each class weighing alike.',
      },
      { value: 'log_loss', title: 'honest probabilities', note: 'Log loss.' },
    ]
  }
  return [
    {
      value: 'auc',
      title: 'ranking likely cases first',
      note: 'ROC AUC: how often a case that matters is ranked before another one.',
    },
    {
      value: 'ap',
      title: 'finding rare cases among the first',
      note: 'Average precision: says more than ROC AUC where cases are rare.',
    },
    { value: 'log_loss', title: 'honest probabilities', note: 'Log loss.' },
    {
      value: 'recall@precision=0.9',
      title: 'few false alerts',
      note: 'As many found as possible while 9 of 10 alerts are right.',
    },
    {
      value: 'cost=1:10',
      title: 'low cost, a miss costs 10 false alerts',
      note: 'The threshold is the cheapest one.',
    },
    {
      value: 'cost=1:100',
      title: 'low cost, a miss costs 100 false alerts',
      note: 'The threshold is the cheapest one.',
    },
  ]
}

function targetNote(column: LearningColumn | undefined, kind: Kind, file: LearningFile): string {
  if (column === undefined) return 'The column that is to be known in advance.'
  if (column.type === 'time') return 'Times cannot be told; choose another column.'
  const missing =
    column.missing === 0 ? '' : ` ${count(column.missing)} rows have none and are left out.`
  const what =
    kind === 'number'
      ? `A number: ${column.summary}.`
      : column.distinct <= 2
        ? 'One of two.'
        : `One of ${count(column.distinct)} classes.`
  const guessed = column.name === file.guess.target ? ' A guess from its name and place.' : ''
  return what + missing + guessed
}

function positiveNote(
  { values, missing }: LearningColumn,
  positive: string | null,
  file: LearningFile,
): string {
  const found = values.find(({ value }) => value === positive)
  if (found === undefined) return 'All classes count.'
  const share = (100 * found.count) / Math.max(1, file.rows - missing)
  return `${count(found.count)} rows, ${Number(share.toPrecision(3))} % of them all.`
}

/** A question with its answer and what the answer means. */
function Field({
  title,
  note,
  guessed = false,
  children,
}: {
  readonly title: string
  readonly note?: ReactNode
  readonly guessed?: boolean
  readonly children: ReactNode
}) {
  return (
    <label className="field">
      <span className="field-title">
        {title}
        {guessed ? <span className="status-mark">guess</span> : null}
      </span>
      {children}
      {note === undefined ? null : <span className="field-note">{note}</span>}
    </label>
  )
}

function Choose({
  value,
  choices,
  onChange,
}: {
  readonly value: string
  readonly choices: readonly { readonly value: string; readonly title: string }[]
  readonly onChange: (value: string) => void
}) {
  return (
    <select
      className="filter-input"
      value={value}
      onChange={(event) => onChange(event.target.value)}
    >
      {choices.map((choice) => (
        <option key={choice.value} value={choice.value}>
          {choice.title}
        </option>
      ))}
    </select>
  )
}

function TextBox({
  value,
  onChange,
}: {
  readonly value: string
  readonly onChange: (value: string) => void
}) {
  return (
    <input
      className="filter-input"
      value={value}
      maxLength={100}
      onChange={(event) => onChange(event.target.value)}
    />
  )
}
