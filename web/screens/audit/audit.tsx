/** The tamper-evident log: every change with its actor and reason, and a proof that none was altered. */
import { Button, Modal } from '@mantine/core'
import { useEffect, useMemo, useRef } from 'react'
import type { AuditEntry, AuditPage } from '../../../src/server/contract/index.ts'
import { useAct, useAsk } from '../../client/queries.ts'
import { pick, useView } from '../../client/view.ts'
import { DataTable, type Column } from '../../parts/data-table.tsx'
import { count, dateTime, duration, fullDateTime } from '../../parts/figures.ts'
import { ExportLinks, SelectFilter, TextFilter } from '../../parts/filters.tsx'
import { Facts, Hash, ObjectLink, Panel, ScreenHead } from '../../parts/layout.tsx'
import { Answered, Command, Empty, Failed } from '../../parts/states.tsx'
import { VerdictLine } from '../../parts/verdict.tsx'
import { useTimeZone } from '../../shell/bank.ts'

export default function AuditScreen() {
  const { view, change } = useView()
  const query = {
    ...pick(view, ['actor', 'action', 'kind', 'object', 'text', 'last', 'from', 'to']),
    limit: 1000,
  }
  const answer = useAsk('audit', { query: query as never }, { every: 5_000, keepPrevious: true })
  return (
    <>
      <ScreenHead
        title="Audit log"
        note="Each entry is a leaf of a Merkle tree (RFC 6962): changing, dropping or reordering one changes the signed root. Decisions are in it by the hash of each sealed journal segment."
      />
      <Verify checkpoint={answer.data?.checkpoint ?? null} />
      <div className="filters">
        <SelectFilter
          name="actor"
          title="Anyone"
          choices={(answer.data?.actors ?? []).map((actor) => ({
            value: actor.id,
            title: actor.name,
          }))}
        />
        <SelectFilter
          name="action"
          title="Any action"
          choices={(answer.data?.actions ?? []).map((action) => ({ value: action, title: action }))}
        />
        <TextFilter name="object" title="Object" width={130} />
        <TextFilter name="text" title="Reason" width={150} />
        <span className="filters-count num">
          {count(answer.data?.total ?? 0)} entries{' '}
          <ExportLinks name="audit" query={query as never} />
        </span>
      </div>
      <Panel flush>
        <Answered answer={answer}>
          {(data) =>
            data.items.length === 0 ? (
              <Empty title="No entry matches" />
            ) : (
              <Entries
                rows={data.items}
                selected={view.entry}
                open={(entry) => change({ entry: String(entry.index) })}
              />
            )
          }
        </Answered>
      </Panel>
      <EntryDetail index={view.entry} onClose={() => change({ entry: undefined })} />
    </>
  )
}

function Verify({ checkpoint }: { readonly checkpoint: AuditPage['checkpoint'] }) {
  const zone = useTimeZone()
  const { view } = useView()
  const act = useAct('verifyAudit', ['audit'])
  const started = useRef(false)
  const { mutate } = act
  useEffect(() => {
    if (view.verify === undefined || started.current) return
    started.current = true
    mutate({})
  }, [view.verify, mutate])
  return (
    <Panel className="verify">
      <div className="verify-row">
        <div>
          {act.data === undefined ? (
            checkpoint === null ? (
              <span className="quiet">No checkpoint was signed yet.</span>
            ) : (
              <span>
                Last checkpoint: {count(checkpoint.size)} entries, root{' '}
                <Hash hash={checkpoint.root} />, signed {dateTime(checkpoint.at, zone)} by{' '}
                {checkpoint.keyId}
              </span>
            )
          ) : (
            <div role="status">
              <VerdictLine verdict={act.data.verdict} />
              <p className="quiet">
                {count(act.data.size)} entries and {count(act.data.segments)} segments in{' '}
                {duration(act.data.tookMs * 1000)}; root <Hash hash={act.data.root} />. The same
                without the page:{' '}
              </p>
              <Command text={act.data.command} />
            </div>
          )}
          {act.error === null ? null : <Failed error={act.error} />}
        </div>
        <Button size="xs" loading={act.isPending} onClick={() => mutate({})}>
          Verify the log
        </Button>
      </div>
    </Panel>
  )
}

function Entries({
  rows,
  selected,
  open,
}: {
  readonly rows: readonly AuditEntry[]
  readonly selected: string | undefined
  readonly open: (entry: AuditEntry) => void
}) {
  const zone = useTimeZone()
  const columns = useMemo(
    (): readonly Column<AuditEntry>[] => [
      {
        key: 'index',
        title: 'No.',
        width: '44px',
        align: 'right',
        cell: (row) => count(row.index),
      },
      {
        key: 'at',
        title: `Time, ${zone}`,
        width: '138px',
        from: 'narrow',
        cell: (row) => dateTime(row.at, zone),
      },
      {
        key: 'actor',
        title: 'Who',
        width: 'minmax(90px, 170px)',
        cell: (row) => <span title={row.actor.name}>{row.actor.name}</span>,
      },
      {
        key: 'action',
        title: 'Did',
        width: 'minmax(110px, 200px)',
        cell: (row) => <code>{row.action}</code>,
      },
      {
        key: 'object',
        title: 'To',
        width: 'minmax(100px, 180px)',
        from: 'narrow',
        cell: (row) => <ObjectLink target={row.object} />,
      },
      {
        key: 'reason',
        title: 'Why',
        width: 'minmax(120px, 1fr)',
        from: 'middle',
        cell: (row) => <span title={row.reason}>{row.reason}</span>,
      },
      {
        key: 'hash',
        title: 'Leaf',
        width: '112px',
        from: 'wide',
        cell: (row) => <Hash hash={row.leafHash} />,
      },
    ],
    [zone],
  )
  return (
    <DataTable
      label="Audit entries"
      rows={rows}
      columns={columns}
      rowKey={(row) => String(row.index)}
      selected={selected}
      onOpen={open}
    />
  )
}

function EntryDetail({
  index,
  onClose,
}: {
  readonly index: string | undefined
  readonly onClose: () => void
}) {
  const zone = useTimeZone()
  const answer = useAsk(
    'auditEntry',
    { params: { index: Number(index ?? 0) } },
    { enabled: index !== undefined },
  )
  return (
    <Modal opened={index !== undefined} onClose={onClose} title={`Entry ${index ?? ''}`} size={680}>
      <Answered answer={answer}>
        {({ entry, path, root, treeSize, verdict }) => (
          <>
            <p className="panel-verdict">
              <VerdictLine verdict={verdict} />
            </p>
            <Facts
              facts={[
                { name: 'Who', value: entry.actor.name },
                { name: 'Did', value: <code>{entry.action}</code> },
                { name: 'To', value: <ObjectLink target={entry.object} /> },
                { name: 'Why', value: entry.reason },
                { name: 'When', value: fullDateTime(entry.at, zone) },
                { name: 'Leaf', value: <code>{entry.leafHash}</code> },
                { name: `Root of ${count(treeSize)}`, value: <code>{root}</code> },
                {
                  name: 'Path',
                  value: path.map((hash) => (
                    <code key={hash} className="block">
                      {hash}
                    </code>
                  )),
                },
                {
                  name: 'Details',
                  value: <pre className="json">{JSON.stringify(entry.details, null, 2)}</pre>,
                },
              ]}
            />
          </>
        )}
      </Answered>
    </Modal>
  )
}
