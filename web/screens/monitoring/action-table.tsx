import { Button } from '@mantine/core'
import { useState } from 'react'
import type { ActionState } from '../../../src/server/contract/index.ts'
import { count, none, shortDateTime } from '../../parts/figures.ts'
import { PageLink } from '../../parts/layout.tsx'
import { SmallTable } from '../../parts/small-table.tsx'
import { VerdictLine } from '../../parts/verdict.tsx'
import { useTimeZone } from '../../shell/bank.ts'
import { RedriveDialog } from './redrive.tsx'

/** How far each action is, and how many decisions it gave up on. */
export function ActionTable({ items }: { readonly items: readonly ActionState[] }) {
  const zone = useTimeZone()
  const [chosen, choose] = useState<ActionState>()
  return (
    <>
      <SmallTable
        label="Actions of policies"
        pinned
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
            <PageLink key="policy" to={`/policies/${encodeURIComponent(each.policy)}`}>
              {each.policy} · {each.action}
            </PageLink>,
            each.to,
            each.on,
            count(each.delivered),
            <Behind key="behind" of={each} zone={zone} />,
            each.dead === 0 ? (
              '0'
            ) : (
              <span key="dead" className="told-dead">
                <PageLink to={`/monitoring/actions?action=${each.policy}/${each.action}`}>
                  {count(each.dead)}
                </PageLink>
                <Button
                  size="compact-xs"
                  variant="default"
                  aria-label={`Deliver all ${count(each.dead)} of ${each.action} once more`}
                  onClick={() => choose(each)}
                >
                  Deliver all
                </Button>
              </span>
            ),
            <div key="verdict" className="told-state">
              <VerdictLine verdict={each.verdict} />
              {each.nextAt === null ? null : (
                <span className="quiet">
                  {' '}
                  After {count(each.attempts)} {each.attempts === 1 ? 'attempt' : 'attempts'}, next{' '}
                  {shortDateTime(each.nextAt, zone)}.
                </span>
              )}
            </div>,
          ],
        }))}
      />
      <RedriveDialog
        of={chosen}
        sequences={undefined}
        many={chosen?.dead ?? 0}
        close={() => choose(undefined)}
      />
    </>
  )
}

/** Records of the journal that it has not looked at, and since when the oldest waits. */
function Behind({ of, zone }: { readonly of: ActionState; readonly zone: string }) {
  if (of.behind === null) return none
  return (
    <>
      {count(of.behind)}
      {of.behindSince === null ? null : (
        <span className="quiet"> since {shortDateTime(of.behindSince, zone)}</span>
      )}
    </>
  )
}
