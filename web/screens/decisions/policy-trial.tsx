/** What a draft would have answered on the last decisions, before anything is saved. */
import { Button } from '@mantine/core'
import type { PolicyParts, Trial as Tried } from '../../../src/server/contract/index.ts'
import { useAct } from '../../client/queries.ts'
import { count } from '../../parts/figures.ts'
import { Panel } from '../../parts/layout.tsx'
import { SmallTable } from '../../parts/small-table.tsx'
import { Failed } from '../../parts/states.tsx'

export function Trial({
  policy,
  parts,
  canTry,
}: {
  readonly policy: string
  readonly parts: PolicyParts
  readonly canTry: boolean
}) {
  const act = useAct('tryDraft', [])
  return (
    <Panel
      title="On the last 1,000 decisions"
      aside={
        <Button
          size="compact-xs"
          variant="default"
          disabled={!canTry}
          loading={act.isPending}
          onClick={() => act.mutate({ params: { policy }, body: { parts } })}
        >
          Try it
        </Button>
      }
    >
      {act.error === null ? null : <Failed error={act.error} />}
      {act.data === undefined ? (
        <p className="quiet">What it would have answered, on the values of then.</p>
      ) : (
        <Answers trial={act.data} />
      )}
    </Panel>
  )
}

function Answers({ trial }: { readonly trial: Tried }) {
  return (
    <div className="stack" role="status">
      <p>{trial.sentence}</p>
      <SmallTable
        label="Outcomes"
        head={[
          { title: `Of ${count(trial.events)} decisions` },
          { title: 'Allow', right: true },
          { title: 'Review', right: true },
          { title: 'Decline', right: true },
        ]}
        rows={(['before', 'draft'] as const).map((side) => ({
          key: side,
          cells: [
            side === 'before' ? 'As decided' : 'By the draft',
            count(trial[side].allow),
            count(trial[side].review),
            count(trial[side].decline),
          ],
        }))}
      />
      <SmallTable
        label="Rules in the trial"
        head={[
          { title: 'Rule' },
          { title: 'Fired', right: true },
          { title: 'Fraud of those with a label', right: true },
          { title: 'Stricter by it alone', right: true },
        ]}
        rows={trial.rules.map((rule) => ({
          key: rule.name,
          cells: [
            rule.name,
            count(rule.fired),
            rule.labelled === 0
              ? 'no label yet'
              : `${count(rule.positives)} of ${count(rule.labelled)}`,
            count(rule.alone),
          ],
        }))}
      />
    </div>
  )
}
