/** Rows that failed their contract, why, and a way to mend and submit them again. */
import { Button, Modal, TextInput } from '@mantine/core'
import { useMemo, useState } from 'react'
import type { Quarantine, QuarantinedRow } from '../../../src/server/contract/index.ts'
import { useAct, useAsk } from '../../client/queries.ts'
import { pick, useView } from '../../client/view.ts'
import { DataTable, type Column } from '../../parts/data-table.tsx'
import { count, none } from '../../parts/figures.ts'
import { ChoiceFilter, ExportLinks, TextFilter } from '../../parts/filters.tsx'
import { PageLink, Panel, ScreenHead } from '../../parts/layout.tsx'
import { notify } from '../../parts/notify.tsx'
import { Answered, Empty, Failed } from '../../parts/states.tsx'

export default function QuarantineScreen() {
  const { view, change } = useView()
  const query = { ...pick(view, ['dataset', 'column', 'rule', 'status', 'text']), limit: 1000 }
  const answer = useAsk('quarantine', { query: query as never }, { keepPrevious: true })
  const rows = answer.data?.items ?? []
  const open = rows.find((row) => row.id === view.row)
  return (
    <>
      <ScreenHead
        above={<PageLink to="/data">Data</PageLink>}
        title="Quarantine"
        note="A row stands here with its number, column, rule and value. Nothing was dropped: mend it and submit it again, and the same checks run."
      />
      <div className="filters">
        <ChoiceFilter
          name="status"
          title="Status"
          choices={[
            { value: undefined, title: 'Open' },
            { value: 'resubmitted', title: 'Submitted again' },
            { value: 'all', title: 'All' },
          ]}
        />
        <TextFilter name="dataset" title="Data set" width={120} />
        <TextFilter name="column" title="Column" width={120} />
        <TextFilter name="rule" title="Rule" width={90} />
        <TextFilter name="text" title="Value or message" width={150} />
        <span className="filters-count num">
          {count(answer.data?.total ?? 0)} rows{' '}
          <ExportLinks name="quarantine" query={query as never} />
        </span>
      </div>
      <Panel flush>
        <Answered answer={answer}>
          {(data) =>
            data.items.length === 0 ? (
              <Empty title="Nothing is in quarantine">
                Every row that was read fits its contract.
              </Empty>
            ) : (
              <>
                <ByRule groups={data.byRule} />
                <Rows
                  rows={data.items}
                  selected={view.row}
                  open={(row) => change({ row: row.id })}
                />
              </>
            )
          }
        </Answered>
      </Panel>
      <Mend row={open} onClose={() => change({ row: undefined })} />
    </>
  )
}

function ByRule({ groups }: { readonly groups: Quarantine['byRule'] }) {
  const { change } = useView()
  return (
    <div className="rule-groups">
      {groups.map((group) => (
        <button
          key={`${group.dataset}/${group.column ?? ''}/${group.rule}`}
          type="button"
          onClick={() =>
            change({ dataset: group.dataset, column: group.column ?? undefined, rule: group.rule })
          }
        >
          <b className="num">{count(group.count)}</b> {group.column ?? 'row'}: {group.rule}
        </button>
      ))}
    </div>
  )
}

function Rows({
  rows,
  selected,
  open,
}: {
  readonly rows: readonly QuarantinedRow[]
  readonly selected: string | undefined
  readonly open: (row: QuarantinedRow) => void
}) {
  const columns = useMemo(
    (): readonly Column<QuarantinedRow>[] => [
      { key: 'row', title: 'Row', width: '84px', align: 'right', cell: (row) => count(row.row) },
      {
        key: 'column',
        title: 'Column',
        width: 'minmax(90px, 120px)',
        cell: (row) => row.column ?? none,
      },
      { key: 'rule', title: 'Rule', width: '108px', from: 'narrow', cell: (row) => row.rule },
      {
        key: 'value',
        title: 'Value',
        width: 'minmax(80px, 1fr)',
        cell: (row) =>
          row.value === null ? <span className="quiet">empty</span> : <code>{row.value}</code>,
      },
      {
        key: 'message',
        title: 'What is wrong',
        width: 'minmax(160px, 3fr)',
        from: 'middle',
        cell: (row) => <span title={row.message}>{row.message}</span>,
      },
      { key: 'set', title: 'Data set', width: '110px', from: 'wide', cell: (row) => row.dataset },
      {
        key: 'file',
        title: 'File',
        width: '120px',
        from: 'wide',
        cell: (row) => <span className="quiet">{row.file}</span>,
      },
      {
        key: 'mend',
        title: 'State',
        width: '76px',
        cell: (row) =>
          row.status === 'open' ? (
            <button type="button" className="text-button" onClick={() => open(row)}>
              Mend
              <span className="visually-hidden"> row {row.row}</span>
            </button>
          ) : (
            'submitted'
          ),
      },
    ],
    [open],
  )
  return (
    <DataTable
      label="Quarantined rows"
      rows={rows}
      columns={columns}
      rowKey={(row) => row.id}
      selected={selected}
      onOpen={open}
    />
  )
}

function Mend({
  row,
  onClose,
}: {
  readonly row: QuarantinedRow | undefined
  readonly onClose: () => void
}) {
  return (
    <Modal
      opened={row !== undefined}
      onClose={onClose}
      title={row === undefined ? '' : `Row ${count(row.row)} of ${row.dataset}`}
      size={520}
    >
      {row === undefined ? null : <MendForm key={row.id} row={row} onClose={onClose} />}
    </Modal>
  )
}

function MendForm({
  row,
  onClose,
}: {
  readonly row: QuarantinedRow
  readonly onClose: () => void
}) {
  const act = useAct('resubmit', ['quarantine', 'datasets', 'dataset', 'overview'])
  const [fields, setFields] = useState(() =>
    Object.fromEntries(row.fields.map((field) => [field.name, field.value ?? ''])),
  )
  const [reason, setReason] = useState('')
  const refused = act.data?.refused ?? []
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault()
        act.mutate(
          { body: { rows: [{ id: row.id, fields }], reason: reason.trim() } },
          {
            onSuccess: (answer) => {
              if (answer.refused.length > 0) return
              notify(answer.sentence)
              onClose()
            },
          },
        )
      }}
    >
      <p>{row.message}</p>
      {row.fields.map((field) => (
        <TextInput
          key={field.name}
          label={field.name}
          {...(field.value !== null && field.value === row.value ? { 'data-autofocus': true } : {})}
          value={fields[field.name] ?? ''}
          onChange={(event) => {
            const { value } = event.currentTarget
            setFields((before) => ({ ...before, [field.name]: value }))
          }}
          error={refused.find((one) => one.column === field.name)?.message}
          styles={{ input: { fontFamily: 'var(--mono)' } }}
        />
      ))}
      <TextInput
        label="Reason"
        description="Kept in the audit log."
        value={reason}
        onChange={(event) => setReason(event.currentTarget.value)}
      />
      {refused.map((one) => (
        <p key={one.id + one.rule} role="alert" className="status-alert">
          {one.message}
        </p>
      ))}
      {act.error === null ? null : <Failed error={act.error} />}
      <Button type="submit" loading={act.isPending} disabled={reason.trim().length < 3}>
        Submit again
      </Button>
    </form>
  )
}
