import { Button } from '@mantine/core'
import { useAct } from '../../client/queries.ts'
import { none, statistic } from '../../parts/figures.ts'
import { PageLink, Panel } from '../../parts/layout.tsx'
import { notifyFailed } from '../../parts/notify.tsx'
import { SmallTable } from '../../parts/small-table.tsx'
import { Command } from '../../parts/states.tsx'
import { VerdictLine } from '../../parts/verdict.tsx'

/** Recorded vectors worked out anew from the journal, and every value that differs. */
export function SetAudit({ set }: { readonly set: string }) {
  const audit = useAct('auditFeatures', [])
  const found = audit.data
  const begin = () => audit.mutate({ params: { set }, body: {} }, { onError: notifyFailed })
  return (
    <Panel title="Live equals history">
      <p>
        Works out anew what was recorded with each decision, and compares bit for bit. Decisions go
        on meanwhile.
      </p>
      <p className="set-audit">
        <Button size="xs" variant="default" loading={audit.isPending} onClick={begin}>
          Compare all that was recorded
        </Button>
      </p>
      <Command text="npx assay features audit" />
      {found === undefined ? null : (
        <div role="status" className="set-audit">
          <VerdictLine verdict={found.verdict} />
          {found.shown.length === 0 ? null : (
            <SmallTable
              label="Differences"
              head={[
                { title: 'Event' },
                { title: 'Feature' },
                { title: 'Recorded', right: true },
                { title: 'Anew', right: true },
              ]}
              rows={found.shown.map((one) => ({
                key: `${one.sequence} ${one.feature}`,
                cells: [
                  one.policy === null ? (
                    one.eventId
                  ) : (
                    <PageLink
                      key="event"
                      to={`/decisions/${one.policy}/${encodeURIComponent(one.eventId)}`}
                    >
                      {one.eventId}
                    </PageLink>
                  ),
                  one.feature,
                  one.recorded === null ? none : statistic(one.recorded),
                  one.recomputed === null ? none : statistic(one.recomputed),
                ],
              }))}
            />
          )}
        </div>
      )}
    </Panel>
  )
}
