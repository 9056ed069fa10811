/** What policies tell of their decisions, what could not be delivered, and messages set aside. */
import { Button, Modal } from '@mantine/core'
import { useState } from 'react'
import type { ActionState, DeadLetter } from '../../../src/server/contract/index.ts'
import { useAsk } from '../../client/queries.ts'
import { useView } from '../../client/view.ts'
import { count, shortDateTime } from '../../parts/figures.ts'
import { ExportLinks, SelectFilter, TextFilter } from '../../parts/filters.tsx'
import { PageLink, Panel, ScreenHead } from '../../parts/layout.tsx'
import { SmallTable } from '../../parts/small-table.tsx'
import { Answered, Empty } from '../../parts/states.tsx'
import { useTimeZone } from '../../shell/bank.ts'
import { ActionTable } from './action-table.tsx'
import { RedriveDialog } from './redrive.tsx'
import { SetAside } from './set-aside.tsx'

export default function ActionsScreen() {
  const told = useAsk('actions', {}, { every: 5_000, keepPrevious: true })
  return (
    <>
      <ScreenHead
        title="Actions"
        above={<PageLink to="/monitoring">Monitoring</PageLink>}
        note="What policies tell of their decisions, at least once and in their order. A receiver never delays a decision."
      />
      <div className="stack">
        <Answered answer={told}>
          {({ items }) => (
            <>
              <Panel title="Told of decisions">
                {items.length === 0 ? (
                  <Empty title="No policy tells anybody of its decisions">
                    Declare an action with the policy, in its editor or as <code>action(…)</code> in
                    the project: a webhook, a topic or a file.
                  </Empty>
                ) : (
                  <ActionTable items={items} />
                )}
              </Panel>
              {items.length === 0 ? null : <Letters actions={items} />}
            </>
          )}
        </Answered>
        <SetAside />
      </div>
    </>
  )
}

const nameOf = (each: { readonly policy: string; readonly action: string }) =>
  `${each.policy}/${each.action}`

function Letters({ actions }: { readonly actions: readonly ActionState[] }) {
  const { view } = useView()
  const chosen = actions.find((each) => nameOf(each) === view.action)
  const filters = {
    ...(chosen === undefined ? {} : { policy: chosen.policy, action: chosen.action }),
    ...(view.text === undefined ? {} : { text: view.text }),
  }
  const answer = useAsk(
    'deadLetters',
    { query: { ...filters, limit: 200 } },
    { every: 5_000, keepPrevious: true },
  )
  const isFiltered = Object.keys(filters).length > 0
  const total = answer.data?.total ?? 0
  const shown = answer.data?.items ?? []
  return (
    <Panel
      title="Could not be delivered"
      aside={
        <span className="num">
          {count(total)}{' '}
          <ExportLinks name="deadLetters" query={filters} of="Could not be delivered" />
        </span>
      }
    >
      <div className="filters">
        <SelectFilter
          name="action"
          title="Any action"
          choices={actions.map((each) => ({
            value: nameOf(each),
            title: `${each.policy} · ${each.action}`,
          }))}
        />
        <TextFilter name="text" title="Event or error" width={170} />
      </div>
      <Answered answer={answer}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty title={isFiltered ? 'None of them matches' : 'Everything was delivered'}>
              {isFiltered ? (
                <PageLink to="/monitoring/actions">Take the filters away</PageLink>
              ) : null}
            </Empty>
          ) : (
            <LetterTable letters={items} />
          )
        }
      </Answered>
      {total > shown.length ? (
        <p className="quiet">The oldest {count(shown.length)}; a file has them all.</p>
      ) : null}
    </Panel>
  )
}

function LetterTable({ letters }: { readonly letters: readonly DeadLetter[] }) {
  const zone = useTimeZone()
  const [read, setRead] = useState<DeadLetter>()
  const [again, setAgain] = useState<DeadLetter>()
  return (
    <>
      <SmallTable
        label="Decisions that could not be delivered"
        pinned
        head={[
          { title: 'Event' },
          { title: 'Action' },
          { title: 'Given up' },
          { title: 'Attempts', right: true },
          { title: 'Last error' },
          { title: <span className="visually-hidden">Acts</span> },
        ]}
        rows={letters.map((each) => ({
          key: `${nameOf(each)}/${each.sequence}`,
          cells: [
            <PageLink
              key="event"
              to={`/decisions/${encodeURIComponent(each.policy)}/${encodeURIComponent(each.eventId)}?namespace=live`}
            >
              {each.eventId}
            </PageLink>,
            each.action,
            shortDateTime(each.at, zone),
            count(each.attempts),
            each.redriving ? 'About to be delivered once more' : each.error,
            <span key="acts" className="told-dead">
              <Button
                size="compact-xs"
                variant="default"
                aria-label={`Read the message of ${each.eventId}`}
                onClick={() => setRead(each)}
              >
                Message
              </Button>
              <Button
                size="compact-xs"
                variant="default"
                disabled={each.redriving}
                aria-label={`Deliver ${each.eventId} once more`}
                onClick={() => setAgain(each)}
              >
                Deliver
              </Button>
            </span>,
          ],
        }))}
      />
      <Modal
        opened={read !== undefined}
        onClose={() => setRead(undefined)}
        title={`What ${read?.action ?? ''} would get of ${read?.eventId ?? ''}`}
        size={640}
      >
        <p>{read?.error}</p>
        <pre className="told-body" tabIndex={0}>
          {read === undefined || read.body === null
            ? 'Decisions are not answered at the moment, so it cannot be read.'
            : JSON.stringify(JSON.parse(read.body), null, 2)}
        </pre>
      </Modal>
      <RedriveDialog
        of={again}
        sequences={again === undefined ? [] : [again.sequence]}
        many={1}
        close={() => setAgain(undefined)}
      />
    </>
  )
}
