/** What lies between two versions of a data set: rows, schema, distributions, and the rows themselves. */
import { Select } from '@mantine/core'
import { useParams } from '@tanstack/react-router'
import type {
  DatasetDifference,
  DatasetVersions,
  RowDifference,
} from '../../../src/server/contract/index.ts'
import { useAsk } from '../../client/queries.ts'
import { useView } from '../../client/view.ts'
import { count, dateTime, none, percent, statistic } from '../../parts/figures.ts'
import { Facts, Hash, PageLink, Panel, ScreenHead } from '../../parts/layout.tsx'
import { SmallTable } from '../../parts/small-table.tsx'
import { Answered } from '../../parts/states.tsx'
import { VerdictLine } from '../../parts/verdict.tsx'
import { useTimeZone } from '../../shell/bank.ts'

export default function DifferenceScreen() {
  const { dataset = '' } = useParams({ strict: false }) as Record<string, string>
  const { view } = useView()
  const { before = '1', after = 'latest' } = view
  const ask = (profile: 'yes' | 'no') => ({
    params: { dataset },
    query: { before, after, rows: 50, profile },
  })
  const answer = useAsk('datasetDifference', ask('no'), { keepPrevious: true })
  const profile = useAsk('datasetDifference', ask('yes'), { enabled: answer.isSuccess })
  const versions = useAsk('datasetVersions', { params: { dataset }, query: { limit: 100 } })
  return (
    <>
      <ScreenHead
        above={<PageLink to={`/data/${dataset}`}>{dataset}</PageLink>}
        title="What changed"
        note={answer.data?.sentence}
        actions={
          versions.data === undefined ? undefined : <Choice versions={versions.data.items} />
        }
      />
      <Answered answer={answer}>
        {(data) => (
          <div className="stack">
            <Summary data={data} />
            <Changes data={data} />
            <Panel title="Distributions" flush aside="Older version against newer">
              <Answered answer={profile}>{(full) => <Profile data={full} />}</Answered>
            </Panel>
          </div>
        )}
      </Answered>
    </>
  )
}

function Choice({ versions }: { readonly versions: DatasetVersions['items'] }) {
  const { view, change } = useView()
  const choices = versions
    .filter(({ removed }) => removed === null)
    .map(({ number, tags }) => ({
      value: String(number),
      label: tags.length === 0 ? `Version ${number}` : `Version ${number} (${tags.join(', ')})`,
    }))
  const select = (name: 'before' | 'after', label: string, value: string) => (
    <Select
      size="xs"
      w={170}
      aria-label={label}
      data={choices}
      value={value === 'latest' ? (choices[0]?.value ?? null) : value}
      allowDeselect={false}
      onChange={(chosen) => chosen !== null && change({ [name]: chosen }, { push: true })}
    />
  )
  return (
    <>
      {select('before', 'Older version', view.before ?? '1')}
      <span aria-hidden>→</span>
      {select('after', 'Newer version', view.after ?? 'latest')}
    </>
  )
}

function Summary({ data }: { readonly data: DatasetDifference }) {
  const zone = useTimeZone()
  const { rows, parts, schema, before, after } = data
  return (
    <Panel>
      <dl className="row-counts">
        {(['added', 'removed', 'changed'] as const).map((kind) => (
          <div key={kind}>
            <dt>Rows {kind}</dt>
            <dd className="num">{count(rows[kind])}</dd>
          </div>
        ))}
      </dl>
      <Facts
        facts={[
          {
            name: `Version ${before.number}`,
            value: (
              <>
                {count(rows.before)} rows, {dateTime(before.recordedAt, zone)}{' '}
                <Hash hash={before.hash} />
              </>
            ),
          },
          {
            name: `Version ${after.number}`,
            value: (
              <>
                {count(rows.after)} rows, {dateTime(after.recordedAt, zone)}{' '}
                <Hash hash={after.hash} />
              </>
            ),
          },
          {
            name: 'Contract',
            value: schema.sameContract ? 'the same' : <Schema schema={schema} />,
          },
          {
            name: 'Compared',
            value: `${count(parts.rowsRead)} rows; ${count(parts.shared)} of ${count(parts.after)} parts are the same files`,
          },
        ]}
      />
    </Panel>
  )
}

function Schema({ schema }: { readonly schema: DatasetDifference['schema'] }) {
  const { added, removed, retyped } = schema
  if (added.length + removed.length + retyped.length === 0) return <>other checks, same columns</>
  return (
    <ul>
      {added.map((column) => (
        <li key={column}>
          <code>{column}</code> is new
        </li>
      ))}
      {removed.map((column) => (
        <li key={column}>
          <code>{column}</code> is gone
        </li>
      ))}
      {retyped.map(({ column, before, after }) => (
        <li key={column}>
          <code>{column}</code>: {before} → {after}
        </li>
      ))}
    </ul>
  )
}

function Changes({ data }: { readonly data: DatasetDifference }) {
  const { rows, columns, sample } = data
  return (
    <>
      {rows.changed === 0 ? null : (
        <Panel
          title="Changed rows"
          flush
          aside={`${shown(sample.changed.length, rows.changed)}; ${columns
            .map((each) => `${each.column} in ${count(each.changed)}`)
            .join(', ')}`}
        >
          <ChangedRows rows={sample.changed} />
        </Panel>
      )}
      {rows.added === 0 ? null : (
        <Panel title="Added rows" flush aside={shown(sample.added.length, rows.added)}>
          <Rows label="Added rows" rows={sample.added} side="after" />
        </Panel>
      )}
      {rows.removed === 0 ? null : (
        <Panel title="Removed rows" flush aside={shown(sample.removed.length, rows.removed)}>
          <Rows label="Removed rows" rows={sample.removed} side="before" />
        </Panel>
      )}
    </>
  )
}

function shown(some: number, all: number): string {
  return some === all ? `All ${count(all)}` : `The first ${count(some)} of ${count(all)}`
}

function ChangedRows({ rows }: { readonly rows: readonly RowDifference[] }) {
  const zone = useTimeZone()
  return (
    <SmallTable
      label="Changed rows"
      head={[
        { title: 'Row' },
        { title: `Time, ${zone}` },
        { title: 'Column' },
        { title: 'Before', right: true },
        { title: 'After', right: true },
      ]}
      rows={rows.flatMap((row, at) =>
        row.columns.map((column, index) => ({
          key: `${at}/${column}`,
          cells: [
            index === 0 ? (
              <code key="id" className="one-line">
                {row.id}
              </code>
            ) : (
              ''
            ),
            index === 0 && row.at !== null ? dateTime(row.at, zone) : '',
            column,
            <Cell key="before" value={row.before?.[column]} />,
            <Cell key="after" value={row.after?.[column]} />,
          ],
        })),
      )}
    />
  )
}

function Cell({ value }: { readonly value: string | null | undefined }) {
  return value == null ? (
    <span className="quiet">empty</span>
  ) : (
    <code className="one-line">{value}</code>
  )
}

function Rows({
  label,
  rows,
  side,
}: {
  readonly label: string
  readonly rows: readonly RowDifference[]
  readonly side: 'before' | 'after'
}) {
  const columns = Object.keys(rows[0]?.[side] ?? {})
  const isNumeric = (column: string) =>
    rows.every((row) => /^-?[\d.]+$/.test(row[side]?.[column] ?? '0'))
  return (
    <SmallTable
      label={label}
      head={[{ title: 'Row' }, ...columns.map((title) => ({ title, right: isNumeric(title) }))]}
      rows={rows.map((row, at) => ({
        key: String(at),
        cells: [
          <code key="id" className="one-line">
            {row.id}
          </code>,
          ...columns.map((column) => <Cell key={column} value={row[side]?.[column]} />),
        ],
      }))}
    />
  )
}

function Profile({ data }: { readonly data: DatasetDifference }) {
  return (
    <SmallTable
      label="Distributions"
      head={[
        { title: 'Column' },
        { title: 'Empty', right: true },
        { title: 'Distinct', right: true },
        { title: 'Mean', right: true },
        { title: 'Median', right: true },
        { title: '5 % to 95 %', right: true },
        { title: 'Verdict' },
      ]}
      rows={(data.profile ?? []).map(({ column, unit, before, after, verdict }) => ({
        key: column,
        cells: [
          <span key="name">
            {column}
            {unit === null ? null : <span className="quiet"> {unit}</span>}
          </span>,
          fromTo(empty(before), empty(after)),
          fromTo(count(before.distinct), count(after.distinct)),
          fromTo(number(before.mean), number(after.mean)),
          fromTo(before.quantiles[3] ?? none, after.quantiles[3] ?? none),
          fromTo(span(before.quantiles), span(after.quantiles)),
          <VerdictLine key="verdict" verdict={verdict} />,
        ],
      }))}
    />
  )
}

function fromTo(before: string, after: string): string {
  return before === after ? after : `${before} → ${after}`
}

function empty({ rows, missing }: { readonly rows: number; readonly missing: number }): string {
  return rows === 0 ? none : percent(missing / rows)
}

function number(mean: string | null): string {
  return mean === null ? none : statistic(Number(mean))
}

function span(quantiles: readonly string[]): string {
  const [low, high] = [quantiles[1], quantiles[5]]
  return low === undefined || high === undefined ? none : `${low} to ${high}`
}
