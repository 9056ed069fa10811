/** Messages of streams on which nothing could be decided: read, mended, and decided on after all. */
import { Button, NativeSelect, Textarea } from '@mantine/core'
import { useState } from 'react'
import type { SetAsideMessage } from '../../../src/server/contract/index.ts'
import { useAct, useAsk } from '../../client/queries.ts'
import { useView } from '../../client/view.ts'
import { count, shortDateTime } from '../../parts/figures.ts'
import { ChoiceFilter, ExportLinks } from '../../parts/filters.tsx'
import { PageLink, Panel } from '../../parts/layout.tsx'
import { notify } from '../../parts/notify.tsx'
import { ReasonDialog } from '../../parts/reason-dialog.tsx'
import { SmallTable } from '../../parts/small-table.tsx'
import { Answered, Empty } from '../../parts/states.tsx'
import { useBank, useTimeZone } from '../../shell/bank.ts'

export function SetAside() {
  const { view, change } = useView()
  const all = view.messages === 'all'
  const { before } = view
  const isFirst = before === undefined || before === ''
  const query = all ? { all } : {}
  const answer = useAsk(
    'setAside',
    { query: { ...query, ...(!isFirst && { cursor: before }) } },
    { every: 5_000, keepPrevious: true },
  )
  return (
    <Panel
      title="Set aside"
      aside={
        <span className="num">
          of streams; {count(answer.data?.waiting ?? 0)} waiting for people{' '}
          <ExportLinks name="setAside" query={query} of="Set aside" />
        </span>
      }
    >
      <div className="filters">
        <ChoiceFilter
          name="messages"
          title="Which messages"
          choices={[
            { value: undefined, title: 'Waiting' },
            { value: 'all', title: 'All' },
          ]}
        />
      </div>
      <Answered answer={answer}>
        {({ items, next }) => (
          <>
            {items.length === 0 ? (
              <Empty title={isFirst ? 'Nothing was set aside' : 'There are no older ones'} />
            ) : (
              <Messages items={items} />
            )}
            {next === null && isFirst ? null : (
              <p className="told-pages">
                {isFirst ? null : (
                  <PageLink to={`/monitoring/actions${all ? '?messages=all' : ''}`}>
                    Newest
                  </PageLink>
                )}
                {next === null ? null : (
                  <button
                    type="button"
                    className="button-link"
                    onClick={() => change({ before: next }, { push: true })}
                  >
                    Older
                  </button>
                )}
              </p>
            )}
          </>
        )}
      </Answered>
    </Panel>
  )
}

function Messages({ items }: { readonly items: readonly SetAsideMessage[] }) {
  const zone = useTimeZone()
  const [chosen, choose] = useState<SetAsideMessage>()
  return (
    <>
      <SmallTable
        label="Messages on which nothing could be decided"
        head={[
          { title: 'Came' },
          { title: 'Topic' },
          { title: 'Offset', right: true },
          { title: 'Why' },
          { title: <span className="visually-hidden">Acts</span> },
        ]}
        rows={items.map((each) => ({
          key: String(each.sequence),
          cells: [
            shortDateTime(each.at, zone),
            `${each.topic} / ${each.partition}`,
            count(each.offset),
            each.detail,
            each.sentAt === null ? (
              <Button
                key="mend"
                size="compact-xs"
                variant="default"
                aria-label={`Mend the message at ${each.offset}`}
                onClick={() => choose(each)}
              >
                Mend
              </Button>
            ) : (
              `Decided on, ${shortDateTime(each.sentAt, zone)}, by ${each.sentBy?.name ?? 'nobody known'}`
            ),
          ],
        }))}
      />
      {chosen === undefined ? null : (
        <Mend key={chosen.sequence} message={chosen} close={() => choose(undefined)} />
      )}
    </>
  )
}

function Mend({
  message,
  close,
}: {
  readonly message: SetAsideMessage
  readonly close: () => void
}) {
  const { project } = useBank()
  const endpoints = useAsk('endpoints', {}, { staleTime: 60_000 })
  const policies = (endpoints.data?.items ?? []).map(({ policy }) => policy.id)
  const [chosen, setPolicy] = useState<string>()
  const policy = chosen ?? project.policy ?? policies[0] ?? ''
  const [body, setBody] = useState(message.body)
  const resend = useAct('resendMessage', ['setAside', 'decisions'])
  return (
    <ReasonDialog
      opened
      title="Decide on it after all"
      submit="Decide"
      close={close}
      pending={resend.isPending}
      error={resend.error}
      isReady={policy !== ''}
      focusesReason={false}
      act={
        (reason) =>
          // With the last message its table goes, and this dialog with it.
          void resend
            .mutateAsync({
              params: { sequence: message.sequence },
              body: { policy, reason, ...(body !== message.body && { body }) },
            })
            .then(() => {
              notify('It was decided on.')
              close()
            })
            .catch(() => {}) // The dialog shows why.
      }
    >
      <p>{message.detail}</p>
      <NativeSelect
        label="Policy"
        value={policy}
        data={[...new Set([...(policy === '' ? [] : [policy]), ...policies])]}
        onChange={(event) => setPolicy(event.currentTarget.value)}
      />
      <Textarea
        label="Message"
        data-autofocus
        autosize
        minRows={4}
        maxRows={16}
        styles={{ input: { fontFamily: 'var(--mono)' } }}
        value={body}
        onChange={(event) => setBody(event.currentTarget.value)}
      />
    </ReasonDialog>
  )
}
