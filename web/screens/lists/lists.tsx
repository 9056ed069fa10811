/** What is on the lists that rules ask: who put it there, why, and until when. */
import { Button, FileInput, NativeSelect, Textarea, TextInput } from '@mantine/core'
import { useState } from 'react'
import type { ListsAnswer } from '../../../src/server/contract/index.ts'
import { useAct, useAsk } from '../../client/queries.ts'
import { useView } from '../../client/view.ts'
import { count, dateTime } from '../../parts/figures.ts'
import { Panel, ScreenHead } from '../../parts/layout.tsx'
import { notify } from '../../parts/notify.tsx'
import { ReasonDialog } from '../../parts/reason-dialog.tsx'
import { SmallTable } from '../../parts/small-table.tsx'
import { Answered, Empty } from '../../parts/states.tsx'
import { useTimeZone } from '../../shell/bank.ts'

const touched = ['lists', 'listEntries'] as const
type List = ListsAnswer['lists'][number]

export default function ListsScreen() {
  const answer = useAsk('lists', {}, { every: 10_000 })
  const { view, change } = useView()
  return (
    <Answered answer={answer}>
      {({ lists }) => {
        const list = lists.find(({ name }) => name === view.list) ?? lists[0]
        return (
          <>
            <ScreenHead
              title="Lists"
              note="What is put on a list counts from the next decision on, until its time by the bank's clock."
              actions={list === undefined ? null : <ChangeButton list={list} change="add" />}
            />
            {list === undefined ? (
              <Empty title="No live policy declares a list">
                Add one in the editor of a policy, or as <code>list(…)</code> in the project.
              </Empty>
            ) : (
              <div className="stack">
                <div className="list-line">
                  <NativeSelect
                    size="xs"
                    label="List"
                    value={list.name}
                    data={lists.map(({ name, entries }) => ({
                      value: name,
                      label: `${name} (${count(entries)})`,
                    }))}
                    onChange={(event) => change({ list: event.currentTarget.value })}
                  />
                  <TextInput
                    size="xs"
                    label="Search"
                    placeholder="value or reason"
                    value={view.text ?? ''}
                    onChange={(event) => change({ text: event.currentTarget.value || undefined })}
                  />
                  <NativeSelect
                    size="xs"
                    label="Show"
                    value={view.state ?? 'all'}
                    data={['all', 'valid', 'expired']}
                    onChange={(event) => change({ state: event.currentTarget.value })}
                  />
                </div>
                <Entries list={list} />
              </div>
            )}
          </>
        )
      }}
    </Answered>
  )
}

function Entries({ list }: { readonly list: List }) {
  const zone = useTimeZone()
  const { view } = useView()
  const state = view.state === 'valid' || view.state === 'expired' ? view.state : 'all'
  const query = { text: view.text ?? '', state, limit: 200 } as const
  const answer = useAsk(
    'listEntries',
    { params: { list: list.name }, query },
    { keepPrevious: true },
  )
  return (
    <Answered answer={answer}>
      {({ items, total }) => (
        <Panel title={list.name} flush aside={`${count(total)} of column ${list.column}`}>
          {items.length === 0 ? (
            <Empty title="Nothing is on it" />
          ) : (
            <SmallTable
              label={`Entries of ${list.name}`}
              pinned
              head={[
                { title: 'Value' },
                { title: 'Until' },
                { title: 'Reason' },
                { title: 'By' },
                { title: 'Since' },
                { title: <span className="visually-hidden">Acts</span> },
              ]}
              rows={items.map((entry) => ({
                key: entry.value,
                cells: [
                  <code key="value">{entry.value}</code>,
                  entry.until === null ? (
                    'for good'
                  ) : (
                    <span key="until" className={entry.expired ? 'quiet' : ''}>
                      {dateTime(entry.until, zone)}
                      {entry.expired ? ' (expired)' : ''}
                    </span>
                  ),
                  entry.reason,
                  entry.by.name,
                  dateTime(entry.at, zone),
                  <ChangeButton key="act" list={list} change="remove" value={entry.value} />,
                ],
              }))}
            />
          )}
          {total > items.length ? (
            <p className="quiet rule-add">The newest {count(items.length)}; search for others.</p>
          ) : null}
        </Panel>
      )}
    </Answered>
  )
}

function ChangeButton({
  list,
  change,
  value,
}: {
  readonly list: List
  readonly change: 'add' | 'remove'
  readonly value?: string
}) {
  const [opened, setOpened] = useState(false)
  const [text, setText] = useState('')
  const [until, setUntil] = useState('')
  const act = useAct('changeListEntries', touched)
  const adds = change === 'add'
  const title = adds ? `Put on ${list.name}` : `Take ${value ?? ''} off ${list.name}`
  return (
    <>
      <Button
        size={adds ? 'xs' : 'compact-xs'}
        variant={adds ? 'filled' : 'subtle'}
        aria-label={adds ? undefined : title}
        onClick={() => setOpened(true)}
      >
        {adds ? 'Add values' : 'Remove'}
      </Button>
      <ReasonDialog
        opened={opened}
        title={title}
        submit={adds ? 'Add' : 'Remove'}
        isReady={!adds || text.trim() !== ''}
        focusesReason={!adds}
        pending={act.isPending}
        error={act.error}
        close={() => setOpened(false)}
        act={(reason) =>
          act.mutate(
            {
              params: { list: list.name },
              body: {
                change,
                reason,
                ...(adds ? { csv: text } : { values: [value ?? ''] }),
                ...(until === '' ? {} : { until: new Date(until).toISOString() }),
              },
            },
            {
              onSuccess: ({ sentence }) => {
                setOpened(false)
                setText('')
                notify(sentence)
              },
            },
          )
        }
      >
        {adds ? (
          <>
            <Textarea
              label={`Values of ${list.column}`}
              description={`One a line, or CSV with a column ${list.column}; at most 10,000.`}
              data-autofocus
              autosize
              minRows={3}
              maxRows={10}
              value={text}
              onChange={(event) => setText(event.currentTarget.value)}
            />
            <FileInput
              label="Or a CSV file"
              accept=".csv,text/csv,text/plain"
              onChange={(file) => void file?.text().then(setText)}
            />
            <TextInput
              type="datetime-local"
              label="Until"
              description="By the bank's clock; for good where it is empty."
              value={until}
              onChange={(event) => setUntil(event.currentTarget.value)}
            />
          </>
        ) : (
          <p>From the next decision on it is not found there.</p>
        )}
      </ReasonDialog>
    </>
  )
}
