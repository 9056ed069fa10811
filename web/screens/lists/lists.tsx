/** What is on the lists that rules ask: who put it there, why, and until when. */
import { Button, FileInput, NativeSelect, Textarea, TextInput } from '@mantine/core'
import { useRef, useState } from 'react'
import type { ListsAnswer } from '../../../src/server/contract/index.ts'
import { useAct, useAsk } from '../../client/queries.ts'
import { useView } from '../../client/view.ts'
import { count, dateTime, plural } from '../../parts/figures.ts'
import { useKeys } from '../../parts/keys.ts'
import { ExportLinks } from '../../parts/filters.tsx'
import { PageLink, Panel, ScreenHead } from '../../parts/layout.tsx'
import { notify } from '../../parts/notify.tsx'
import { ReasonDialog } from '../../parts/reason-dialog.tsx'
import { SmallTable } from '../../parts/small-table.tsx'
import { Answered, Empty } from '../../parts/states.tsx'
import { inZone } from '../../parts/zoned.ts'
import { useBank, useTimeZone } from '../../shell/bank.ts'

const touched = ['lists', 'listEntries'] as const
type List = ListsAnswer['lists'][number]

export default function ListsScreen() {
  const answer = useAsk('lists', {}, { every: 10_000 })
  const { view, change } = useView()
  const policy = useBank().project.policy
  const search = useRef<HTMLInputElement>(null)
  const [adding, setAdding] = useState(false)
  useKeys({ '/': () => search.current?.focus(), a: () => setAdding(true) })
  return (
    <Answered answer={answer}>
      {({ lists }) => {
        const list = lists.find(({ name }) => name === view.list) ?? lists[0]
        return (
          <>
            <ScreenHead
              title="Lists"
              note="What is put on a list counts from the next decision on, until its time by the bank's clock."
              actions={
                list === undefined ? null : (
                  <>
                    <Button size="xs" onClick={() => setAdding(true)}>
                      Add values&nbsp;<kbd>A</kbd>
                    </Button>
                    <Change list={list} opened={adding} close={() => setAdding(false)} />
                  </>
                )
              }
            />
            {list === undefined ? (
              <Panel>
                <Empty title="No live policy declares a list">
                  Add one{' '}
                  {policy === null ? (
                    'in the editor of a policy'
                  ) : (
                    <PageLink to={`/policies/${policy}/drafts/new`}>
                      in a draft of {policy}
                    </PageLink>
                  )}
                  , or as <code>list(…)</code> in the project.
                </Empty>
              </Panel>
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
                    ref={search}
                    label={
                      <>
                        Search <kbd>/</kbd>
                      </>
                    }
                    aria-label="Search"
                    placeholder="value or reason"
                    value={view.text ?? ''}
                    onChange={(event) => change({ text: event.currentTarget.value || undefined })}
                  />
                  <NativeSelect
                    size="xs"
                    label="Show"
                    value={view.state ?? 'all'}
                    data={[
                      { value: 'all', label: 'all' },
                      { value: 'valid', label: 'valid now' },
                      { value: 'expired', label: `expired (${count(list.expired)})` },
                    ]}
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
  const isAll = query.text === '' && state === 'all'
  const answer = useAsk(
    'listEntries',
    { params: { list: list.name }, query },
    { keepPrevious: true },
  )
  return (
    <Answered answer={answer}>
      {({ items, total }) => (
        <Panel
          title={list.name}
          flush
          aside={
            <span className="queue-aside num">
              {plural(total, 'value')} of {list.column}; asked by {list.policies.join(', ')}{' '}
              <ExportLinks name="listEntries" params={{ list: list.name }} query={query} />
            </span>
          }
        >
          {list.description === '' ? null : <p className="list-about">{list.description}</p>}
          {items.length === 0 ? (
            <Empty title={isAll ? 'Nothing is on it' : 'No value matches'}>
              {isAll
                ? 'Add values with A; rules find them from the next decision on.'
                : 'Search for another word, or show all.'}
            </Empty>
          ) : (
            <SmallTable
              label={`Entries of ${list.name}`}
              pinned
              head={[
                { title: 'Value' },
                { title: `Until, ${zone}` },
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
                  <Remove key="act" list={list} value={entry.value} />,
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

function Remove({ list, value }: { readonly list: List; readonly value: string }) {
  const [opened, setOpened] = useState(false)
  return (
    <>
      <Button
        size="compact-xs"
        variant="subtle"
        aria-label={`Take ${value} off ${list.name}`}
        onClick={() => setOpened(true)}
      >
        Remove
      </Button>
      <Change list={list} value={value} opened={opened} close={() => setOpened(false)} />
    </>
  )
}

/** Puts values on a list; with `value`, takes that one off it. */
function Change({
  list,
  value,
  opened,
  close,
}: {
  readonly list: List
  readonly value?: string
  readonly opened: boolean
  readonly close: () => void
}) {
  const zone = useTimeZone()
  const [text, setText] = useState('')
  const [until, setUntil] = useState('')
  const act = useAct('changeListEntries', touched)
  const adds = value === undefined
  const title = adds ? `Put on ${list.name}` : `Take ${value} off ${list.name}`
  return (
    <ReasonDialog
      opened={opened}
      title={title}
      submit={adds ? 'Add' : 'Remove'}
      isReady={!adds || text.trim() !== ''}
      focusesReason={!adds}
      pending={act.isPending}
      error={act.error}
      close={close}
      act={(reason) => {
        // The entry and its button are gone with the answer, which is told all the same.
        act
          .mutateAsync({
            params: { list: list.name },
            body: {
              change: adds ? 'add' : 'remove',
              reason,
              ...(adds ? { csv: text } : { values: [value] }),
              ...(until === '' ? {} : { until: inZone(until, zone) ?? null }),
            },
          })
          .then(
            ({ sentence }) => {
              close()
              setText('')
              setUntil('')
              notify(sentence)
            },
            // The dialog shows why.
            () => undefined,
          )
      }}
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
            description={`By the bank's clock, ${zone}; for good where it is empty.`}
            value={until}
            onChange={(event) => setUntil(event.currentTarget.value)}
          />
        </>
      ) : (
        <p>From the next decision on it is not found there.</p>
      )}
    </ReasonDialog>
  )
}
