/** On the screen of everything that is watched: whether others are told, and what waits for people. */
import { useAsk } from '../../client/queries.ts'
import { PageLink, Panel } from '../../parts/layout.tsx'
import { Answered } from '../../parts/states.tsx'
import { VerdictLine } from '../../parts/verdict.tsx'
import { count } from '../../parts/figures.ts'
import { ActionTable } from './action-table.tsx'

/** Both, where there is any. */
export function ToldPanels() {
  const told = useAsk('actions', {}, { every: 5_000, keepPrevious: true })
  const waiting = useAsk('setAside', {}, { every: 5_000, keepPrevious: true })
  const more = <PageLink to="/monitoring/actions">All of it</PageLink>
  return (
    <>
      <Answered answer={told}>
        {({ items }) =>
          items.length === 0 ? null : (
            <Panel title="Told of decisions" aside={more}>
              <ActionTable items={items} />
            </Panel>
          )
        }
      </Answered>
      <Answered answer={waiting}>
        {({ waiting: messages }) =>
          messages === 0 ? null : (
            <Panel title="Set aside" aside={more}>
              <VerdictLine
                verdict={{
                  status: 'warning',
                  sentence: `${count(messages)} ${messages === 1 ? 'message' : 'messages'} of streams could not be decided on and wait for people.`,
                }}
              />
            </Panel>
          )
        }
      </Answered>
    </>
  )
}
