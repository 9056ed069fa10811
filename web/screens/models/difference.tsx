/** What changed between two versions: grouped tables, only what differs unless asked. */
import { Button, Select } from '@mantine/core'
import { useParams } from '@tanstack/react-router'
import type { Difference, DifferenceRow, Estimate } from '../../../src/server/contract/index.ts'
import { useAsk } from '../../client/queries.ts'
import { useView } from '../../client/view.ts'
import { estimateText, none } from '../../parts/figures.ts'
import { Hash, ObjectLink, PageLink, Panel, ScreenHead } from '../../parts/layout.tsx'
import { SmallTable } from '../../parts/small-table.tsx'
import { Answered } from '../../parts/states.tsx'

export default function VersionDifferenceScreen() {
  const { model = '' } = useParams({ strict: false }) as Record<string, string>
  const { view } = useView()
  const versions = useAsk('model', { params: { model } })
  const numbers = (versions.data?.items ?? []).map(({ version }) => version)
  // The two newest, the older one first, unless the address says otherwise.
  const [newest = 1, before = newest] = numbers.toSorted((a, b) => b - a)
  const to = Number(view.after ?? newest)
  const from = Number(view.before ?? (to === newest ? before : newest))
  const answer = useAsk(
    'versionDifference',
    { params: { model }, query: { from, to } },
    { keepPrevious: true, enabled: versions.isSuccess },
  )
  return (
    <>
      <ScreenHead
        above={
          <>
            <PageLink to="/models">Models</PageLink> ·{' '}
            <PageLink to={`/models/${model}`}>{model}</PageLink>
          </>
        }
        title="What changed"
        note={answer.data?.sentence}
        actions={<Choice numbers={numbers} from={from} to={to} />}
      />
      <Answered answer={answer}>{(data) => <Groups data={data} />}</Answered>
    </>
  )
}

function Choice({
  numbers,
  from,
  to,
}: {
  readonly numbers: readonly number[]
  readonly from: number
  readonly to: number
}) {
  const { change } = useView()
  const select = (name: 'before' | 'after', label: string, value: number) => (
    <Select
      size="xs"
      w={100}
      aria-label={label}
      data={numbers.map((number) => ({ value: String(number), label: `v${number}` }))}
      value={String(value)}
      allowDeselect={false}
      onChange={(chosen) => chosen !== null && change({ [name]: chosen }, { push: true })}
    />
  )
  return (
    <>
      {select('before', 'From version', from)}
      <span aria-hidden>→</span>
      {select('after', 'To version', to)}
    </>
  )
}

function Groups({ data }: { readonly data: Difference }) {
  const { view, change } = useView()
  const showsAll = view.rows === 'all'
  const shown = data.groups
    .map((group) => ({
      ...group,
      rows: group.rows.filter((row) => showsAll || row.change !== 'same'),
    }))
    .filter(({ rows }) => rows.length > 0)
  return (
    <div className="stack">
      <div>
        <Button
          size="xs"
          variant="default"
          onClick={() => change({ rows: showsAll ? undefined : 'all' })}
        >
          {showsAll ? 'Only what differs' : 'Show those that agree too'}
        </Button>
      </div>
      {shown.length === 0 ? <Panel>{data.sentence}</Panel> : null}
      {shown.map((group) => (
        <Panel key={group.name} title={group.title} aside={`${group.changed} differ`} flush>
          <SmallTable
            label={group.title}
            head={[
              { title: '' },
              { title: <VersionLink target={data.from} /> },
              { title: <VersionLink target={data.to} /> },
              { title: 'Change' },
            ]}
            rows={group.rows.map((row) => ({
              key: row.name,
              cells: [
                row.title,
                <Value key="from" text={row.from} metric={row.metrics?.from} />,
                <Value key="to" text={row.to} metric={row.metrics?.to} />,
                <ChangeMark key="change" change={row.change} />,
              ],
            }))}
          />
        </Panel>
      ))}
    </div>
  )
}

function Value({
  text,
  metric,
}: {
  readonly text: string | null
  readonly metric?: Estimate | null | undefined
}) {
  if (metric !== undefined && metric !== null) return estimateText(metric)
  if (text === null) return none
  if (/^[0-9a-f]{40,64}$/.test(text)) return <Hash hash={text} />
  return text.length > 160 ? (
    <details className="long-text">
      <summary>{text.slice(0, 60)}…</summary>
      {text}
    </details>
  ) : (
    <span className="num">{text}</span>
  )
}

/** Short, because the model stands above. */
function VersionLink({ target }: { readonly target: Difference['from'] }) {
  return <ObjectLink target={target}>v{target.id.split('/').at(-1)}</ObjectLink>
}

/** In words: a colour alone would say nothing to some. */
function ChangeMark({ change }: { readonly change: DifferenceRow['change'] }) {
  return change === 'same' ? <span className="quiet">same</span> : <b>{change}</b>
}
