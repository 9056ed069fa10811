/** What policies tell of their decisions, and messages of streams that wait for people. */
import { Button, Textarea, TextInput } from '@mantine/core'
import { useState } from 'react'
import type { ActionState, SetAsideMessage } from '../../../src/server/contract/index.ts'
import { useAct, useAsk } from '../../client/queries.ts'
import { count, none, shortDateTime } from '../../parts/figures.ts'
import { Panel } from '../../parts/layout.tsx'
import { notify } from '../../parts/notify.tsx'
import { ReasonDialog } from '../../parts/reason-dialog.tsx'
import { SmallTable } from '../../parts/small-table.tsx'
import { Answered } from '../../parts/states.tsx'
import { VerdictLine } from '../../parts/verdict.tsx'
import { useBank, useTimeZone } from '../../shell/bank.ts'

/** Both, where there is any. */
export function ToldPanels() {
  const told = useAsk('actions', {}, { every: 5_000, keepPrevious: true })
  const waiting = useAsk('setAside', {}, { every: 5_000, keepPrevious: true })
  return (
    <>
      <Answered answer={told}>
        {({ items }) => (items.length === 0 ? null : <Told items={items} />)}
      </Answered>
      <Answered answer={waiting}>
        {(page) =>
          page.items.length === 0 ? null : <SetAside items={page.items} waiting={page.waiting} />
        }
      </Answered>
    </>
  )
}

function Told({ items }: { readonly items: readonly ActionState[] }) {
  const zone = useTimeZone()
  const [chosen, choose] = useState<ActionState>()
  const redrive = useAct('redriveAction', ['actions'])
  const letters = items.flatMap((each) => each.letters.map((letter) => ({ ...each, ...letter })))
  return (
    <Panel title="Told of decisions">
      <div className="stack">
        <SmallTable
          label="Actions of policies"
          head={[
            { title: 'Action' },
            { title: 'To' },
            { title: 'On' },
            { title: 'Delivered', right: true },
            { title: 'Behind', right: true },
            { title: 'Given up', right: true },
            { title: 'State' },
          ]}
          rows={items.map((each) => ({
            key: `${each.policy}/${each.action}`,
            cells: [
              `${each.policy} · ${each.action}`,
              each.to,
              each.on,
              count(each.delivered),
              each.behind === null ? none : count(each.behind),
              each.dead === 0 ? (
                '0'
              ) : (
                <Button
                  key="redrive"
                  size="compact-xs"
                  variant="default"
                  onClick={() => choose(each)}
                >
                  {count(each.dead)}: deliver once more
                </Button>
              ),
              <div key="verdict" style={{ minWidth: '14rem' }}>
                <VerdictLine verdict={each.verdict} />
              </div>,
            ],
          }))}
        />
        {letters.length === 0 ? null : (
          <SmallTable
            label="Decisions that could not be delivered"
            head={[
              { title: 'Event' },
              { title: 'Action' },
              { title: 'Given up' },
              { title: 'Why' },
            ]}
            rows={letters.map((each) => ({
              key: `${each.policy}/${each.action}/${each.sequence}`,
              cells: [
                each.eventId,
                each.action,
                shortDateTime(each.at, zone),
                each.redriving ? 'About to be delivered once more' : each.error,
              ],
            }))}
          />
        )}
      </div>
      <ReasonDialog
        opened={chosen !== undefined}
        title="Deliver once more"
        submit="Deliver"
        close={() => choose(undefined)}
        pending={redrive.isPending}
        error={redrive.error}
        act={(reason) => {
          if (chosen === undefined) return
          const { policy, action } = chosen
          redrive.mutate(
            { params: { policy, action }, body: { reason } },
            {
              onSuccess: ({ letters: asked }) => {
                notify(`${count(asked)} will be delivered once more.`)
                choose(undefined)
              },
            },
          )
        }}
      >
        <p>
          Each decision gets one more attempt, with the key and the text of before: a receiver that
          has it already knows it by the key.
        </p>
      </ReasonDialog>
    </Panel>
  )
}

function SetAside({
  items,
  waiting,
}: {
  readonly items: readonly SetAsideMessage[]
  readonly waiting: number
}) {
  const zone = useTimeZone()
  const [chosen, choose] = useState<SetAsideMessage>()
  return (
    <Panel title="Set aside" aside={`of streams; ${count(waiting)} waiting for people`}>
      <SmallTable
        label="Messages on which nothing could be decided"
        head={[
          { title: 'Came' },
          { title: 'Topic' },
          { title: 'Offset', right: true },
          { title: 'Why' },
          { title: '' },
        ]}
        rows={items.map((each) => ({
          key: String(each.sequence),
          cells: [
            shortDateTime(each.at, zone),
            `${each.topic} / ${each.partition}`,
            count(each.offset),
            each.detail,
            <Button
              key="mend"
              size="compact-xs"
              variant="default"
              aria-label={`Mend the message at ${each.offset}`}
              onClick={() => choose(each)}
            >
              Mend
            </Button>,
          ],
        }))}
      />
      {chosen === undefined ? null : (
        <Mend key={chosen.sequence} message={chosen} close={() => choose(undefined)} />
      )}
    </Panel>
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
  const [policy, setPolicy] = useState(project?.policy ?? '')
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
      act={(reason) =>
        resend.mutate(
          {
            params: { sequence: message.sequence },
            body: { policy, reason, ...(body !== message.body && { body }) },
          },
          {
            onSuccess: () => {
              notify('It was decided on.')
              close()
            },
          },
        )
      }
    >
      <p>{message.detail}</p>
      <TextInput
        label="Policy"
        value={policy}
        onChange={(event) => setPolicy(event.currentTarget.value)}
      />
      <Textarea
        label="Message"
        autosize
        minRows={4}
        maxRows={16}
        styles={{ input: { fontFamily: 'var(--mono, monospace)' } }}
        value={body}
        onChange={(event) => setBody(event.currentTarget.value)}
      />
    </ReasonDialog>
  )
}
