/** One data set: its contract, its snapshots, and what a snapshot holds, column by column. */
import { useParams } from '@tanstack/react-router'
import type { ColumnProfile, Dataset } from '../../../src/server/contract/index.ts'
import { useAsk } from '../../client/queries.ts'
import { pick, useView } from '../../client/view.ts'
import { BarChart, binTitles } from '../../parts/charts.tsx'
import {
  count,
  date,
  dateTime,
  dayMonth,
  none,
  percent,
  statistic,
  withUnit,
} from '../../parts/figures.ts'
import {
  Facts,
  Hash,
  LineageLink,
  ObjectLinks,
  PageLink,
  Panel,
  ScreenHead,
} from '../../parts/layout.tsx'
import { SmallTable } from '../../parts/small-table.tsx'
import { Answered } from '../../parts/states.tsx'
import { useTimeZone } from '../../shell/bank.ts'
import { Versions } from './versions.tsx'

export default function DatasetScreen() {
  const { dataset = '' } = useParams({ strict: false }) as Record<string, string>
  const { view } = useView()
  const answer = useAsk('dataset', { params: { dataset }, query: pick(view, ['snapshot']) })
  return <Answered answer={answer}>{(data) => <DatasetBody dataset={data} />}</Answered>
}

function DatasetBody({ dataset }: { readonly dataset: Dataset }) {
  return (
    <>
      <ScreenHead
        above={<PageLink to="/data">Data</PageLink>}
        title={dataset.name}
        verdict={dataset.verdict}
        note={dataset.description}
        actions={
          <PageLink to={`/data/quarantine?dataset=${dataset.name}`} className="button-link">
            Quarantine: {count(dataset.quarantined)}
          </PageLink>
        }
      />
      <div className="stack">
        <Panel>
          <BarChart
            title="Rows a day"
            xTitle="Day"
            yTitle={`Rows a day, ${dataset.timeZone}`}
            write={(value) => count(value)}
            bars={dataset.daily.map((day) => ({ title: day.day, value: day.rows }))}
            height={120}
          />
        </Panel>
        <Versions dataset={dataset.name} />
        <Contract dataset={dataset} />
        <div className="columns">
          {dataset.profile.map((column) => (
            <Profile key={column.column} profile={column} />
          ))}
        </div>
        <Snapshots dataset={dataset} />
      </div>
    </>
  )
}

function Contract({ dataset }: { readonly dataset: Dataset }) {
  return (
    <Panel
      title="Contract"
      flush
      aside={
        <>
          version <Hash hash={dataset.version} />
          {dataset.file === null ? '' : <> · {dataset.file}</>}
        </>
      }
    >
      <SmallTable
        label="Contract"
        head={[
          { title: 'Column' },
          { title: 'In files' },
          { title: 'Type' },
          { title: 'Checks' },
          { title: 'Means' },
        ]}
        rows={dataset.columns.map((column) => ({
          key: column.name,
          cells: [
            <span key="name">
              <b>{column.name}</b>
              {column.personal ? <span className="status-mark tag">personal</span> : null}
              {column.nullable ? <span className="status-mark tag">may be empty</span> : null}
            </span>,
            <code key="from">{column.from}</code>,
            column.type,
            column.checks.join('; '),
            <span key="means" className="quiet">
              {column.description}
            </span>,
          ],
        }))}
      />
      <p className="panel-line quiet">
        Event times are read in {dataset.timeZone}
        {dataset.late === null ? '' : `; late up to ${dataset.late}`}
        {dataset.future === null ? '' : `; ahead up to ${dataset.future}`}
        {dataset.ignored.length === 0 ? '' : `; left unread: ${dataset.ignored.join(', ')}`}.
      </p>
    </Panel>
  )
}

function Profile({ profile }: { readonly profile: ColumnProfile }) {
  const zone = useTimeZone()
  const write = (value: number | null) => {
    if (value === null) return none
    if (profile.scale === 'time') return dateTime(new Date(value / 1000).toISOString(), zone)
    if (profile.scale === 'money') return withUnit(value, profile.unit)
    return statistic(value)
  }
  const numeric = profile.scale === 'number' || profile.scale === 'money'
  const { histogram } = profile
  return (
    <Panel title={profile.column} aside={`${count(profile.count)} values`}>
      <Facts
        facts={[
          {
            name: 'Empty',
            value: `${count(profile.nulls)} (${percent(profile.count + profile.nulls === 0 ? null : profile.nulls / (profile.count + profile.nulls))})`,
          },
          profile.distinct === null
            ? null
            : {
                name: 'Distinct',
                value: `${profile.distinctExact ? '' : 'at least '}${count(profile.distinct)}`,
              },
          profile.min === null
            ? null
            : { name: 'Range', value: `${write(profile.min)} to ${write(profile.max)}` },
          profile.mean === null || !numeric
            ? null
            : { name: 'Mean, std', value: `${write(profile.mean)}, ${write(profile.std)}` },
          profile.top.length === 0
            ? null
            : {
                name: 'Most often',
                value: profile.top
                  .slice(0, 5)
                  .map((one) => `${one.value} (${count(one.count)})`)
                  .join(', '),
              },
        ]}
      />
      {histogram === null ? null : (
        <BarChart
          title="Distribution"
          xTitle={profile.unit ?? profile.column}
          yTitle="Rows"
          height={90}
          write={(value) => count(value)}
          bars={binTitles(histogram.edges, (edge) =>
            profile.scale === 'time' && edge != null
              ? dayMonth(new Date(edge / 1000).toISOString(), zone)
              : statistic(edge),
          ).map((title, i) => ({ title, value: histogram.counts[i] ?? 0 }))}
        />
      )}
    </Panel>
  )
}

function Snapshots({ dataset }: { readonly dataset: Dataset }) {
  const zone = useTimeZone()
  return (
    <Panel title="Snapshots" flush aside="Immutable; the name is the hash of the content">
      <SmallTable
        label="Snapshots"
        head={[
          { title: 'Snapshot' },
          { title: 'Rows', right: true },
          { title: 'Quarantined', right: true },
          { title: 'Event time' },
          { title: 'Read from' },
          { title: 'Made' },
          { title: 'Used by' },
        ]}
        rows={dataset.snapshots.map((snapshot) => ({
          key: snapshot.hash,
          cells: [
            <PageLink key="hash" to={`/data/${dataset.name}?snapshot=${snapshot.hash}`}>
              <Hash hash={snapshot.hash} />
            </PageLink>,
            count(snapshot.rows),
            count(snapshot.quarantined),
            snapshot.from === null || snapshot.to === null
              ? none
              : `${date(snapshot.from, zone)} to ${date(snapshot.to, zone)}`,
            snapshot.file,
            dateTime(snapshot.createdAt, zone),
            <ObjectLinks key="used" targets={snapshot.usedBy} more={snapshot.usedByMore}>
              <LineageLink kind="snapshot" id={`${dataset.name}/${snapshot.hash}`} />
            </ObjectLinks>,
          ],
        }))}
      />
    </Panel>
  )
}
