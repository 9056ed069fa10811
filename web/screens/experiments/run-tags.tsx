/** What people wrote to a run: its note and its tags. */
import { IconPencil, IconTrash } from '@tabler/icons-react'
import { useState, type ReactNode } from 'react'
import type { Run } from '../../../src/server/contract/index.ts'
import { useAct } from '../../client/queries.ts'
import { Panel } from '../../parts/layout.tsx'
import { notify, notifyFailed, notifyUndo } from '../../parts/notify.tsx'

const changed = ['run', 'runs', 'runColumns'] as const
const noteTag = 'mlflow.note.content'
/** Tags that say what other parts of the screen show in words. */
const shownElsewhere = /^mlflow\.(note\.content|source\.|log-model\.history|parentRunId|runName)/

export function RunNote({ run }: { readonly run: Run }) {
  const [editing, setEditing] = useState(false)
  const set = useAct('setRunTag', changed)
  const params = { runId: run.id }
  return (
    <Panel
      title="Note"
      aside={
        editing ? null : (
          <button type="button" className="text-button" onClick={() => setEditing(true)}>
            {run.note === null ? 'Write one' : 'Edit'}
          </button>
        )
      }
    >
      {editing ? (
        <form
          className="small-form"
          onSubmit={(event) => {
            event.preventDefault()
            const given = new FormData(event.currentTarget).get('note')
            const value = typeof given === 'string' ? given : ''
            set.mutate(
              { params, body: { key: noteTag, value } },
              { onSuccess: () => setEditing(false), onError: notifyFailed },
            )
          }}
        >
          <textarea
            name="note"
            aria-label="Note"
            className="filter-input run-note-text"
            rows={6}
            maxLength={8000}
            defaultValue={run.note ?? ''}
            // The button that was pressed is gone; the writing begins here.
            ref={(element) => element?.focus()}
          />
          <span className="small-form-acts">
            <button type="submit" className="button-link" disabled={set.isPending}>
              Save
            </button>
            <button type="button" className="text-button" onClick={() => setEditing(false)}>
              Leave as it was
            </button>
          </span>
        </form>
      ) : run.note === null || run.note.trim() === '' ? (
        <p className="quiet">Nobody wrote about this run yet.</p>
      ) : (
        <div className="run-note">{noteParts(run.note)}</div>
      )}
    </Panel>
  )
}

/**
 * The little of Markdown that notes use: paragraphs, lists, **bold**, `code`. All else stays the
 * text that it is; nothing becomes a link or an element of its own.
 */
export function noteParts(note: string): ReactNode[] {
  return note
    .replaceAll('\r\n', '\n')
    .split(/\n{2,}/)
    .filter((part) => part.trim() !== '')
    .map((part, i) => {
      const lines = part.split('\n')
      if (lines.every((line) => /^\s*[-*] /.test(line))) {
        return (
          <ul key={i}>
            {lines.map((line, j) => (
              <li key={j}>{inline(line.replace(/^\s*[-*] /, ''))}</li>
            ))}
          </ul>
        )
      }
      const heading = /^#{1,6} (.*)$/.exec(part)
      if (heading !== null) return <h3 key={i}>{inline(heading[1] ?? '')}</h3>
      return <p key={i}>{inline(part)}</p>
    })
}

function inline(text: string): ReactNode[] {
  return text.split(/(\*\*[^*]+\*\*|`[^`]+`)/).map((part, i) => {
    if (/^\*\*.+\*\*$/.test(part)) return <b key={i}>{part.slice(2, -2)}</b>
    if (/^`.+`$/.test(part)) return <code key={i}>{part.slice(1, -1)}</code>
    return part
  })
}

export function RunTags({ run }: { readonly run: Run }) {
  const tags = run.tags.filter(({ key }) => !shownElsewhere.test(key))
  const [adding, setAdding] = useState(false)
  return (
    <Panel
      title="Tags"
      aside={
        <button type="button" className="text-button" onClick={() => setAdding(!adding)}>
          {adding ? 'Close' : 'Add'}
        </button>
      }
    >
      {tags.length === 0 && !adding ? <p className="quiet">No tags.</p> : null}
      <ul className="tags">
        {tags.map((tag) => (
          <TagLine key={tag.key} run={run} tag={tag} />
        ))}
      </ul>
      {adding ? <TagForm run={run} onDone={() => setAdding(false)} /> : null}
    </Panel>
  )
}

function TagLine({ run, tag }: { readonly run: Run; readonly tag: Run['tags'][number] }) {
  const [editing, setEditing] = useState(false)
  const remove = useAct('deleteRunTag', changed)
  const set = useAct('setRunTag', changed)
  if (editing) {
    return (
      <li>
        <TagForm run={run} tag={tag} onDone={() => setEditing(false)} />
      </li>
    )
  }
  const takeAway = () =>
    remove.mutate(
      { params: { runId: run.id, key: tag.key } },
      {
        onSuccess: ({ sentence }) =>
          notifyUndo(sentence, new Date(Date.now() + 10_000).toISOString(), () =>
            set.mutate({ params: { runId: run.id }, body: tag }, { onError: notifyFailed }),
          ),
        onError: notifyFailed,
      },
    )
  return (
    <li className="tag-line">
      <span className="tag-key">{tag.key}</span>
      <span className="tag-value">{tag.value}</span>
      <button type="button" aria-label={`Edit ${tag.key}`} onClick={() => setEditing(true)}>
        <IconPencil size={14} />
      </button>
      <button type="button" aria-label={`Remove ${tag.key}`} onClick={takeAway}>
        <IconTrash size={14} />
      </button>
    </li>
  )
}

function TagForm({
  run,
  tag,
  onDone,
}: {
  readonly run: Run
  readonly tag?: Run['tags'][number]
  readonly onDone: () => void
}) {
  const set = useAct('setRunTag', changed)
  return (
    <form
      className="tag-form"
      onSubmit={(event) => {
        event.preventDefault()
        const data = new FormData(event.currentTarget)
        const text = (name: string) => {
          const given = data.get(name)
          return typeof given === 'string' ? given.trim() : ''
        }
        const key = tag?.key ?? text('key')
        if (key === '') return
        set.mutate(
          { params: { runId: run.id }, body: { key, value: text('value') } },
          {
            onSuccess: ({ sentence }) => {
              notify(sentence)
              onDone()
            },
            onError: notifyFailed,
          },
        )
      }}
    >
      {tag === undefined ? (
        <input
          className="filter-input"
          name="key"
          aria-label="Key"
          placeholder="Key"
          maxLength={250}
        />
      ) : (
        <span className="tag-key">{tag.key}</span>
      )}
      <input
        className="filter-input"
        name="value"
        aria-label="Value"
        placeholder="Value"
        maxLength={8000}
        defaultValue={tag?.value}
      />
      <button type="submit" className="button-link" disabled={set.isPending}>
        Save
      </button>
    </form>
  )
}
