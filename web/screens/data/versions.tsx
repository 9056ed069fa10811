/** The versions of a data set, newest first: where each came from, and what keeps it. */
import type { DatasetVersion, DatasetVersions } from '../../../src/server/contract/index.ts'
import { useAsk } from '../../client/queries.ts'
import { pick, useView } from '../../client/view.ts'
import { count, date, dateTime, none } from '../../parts/figures.ts'
import { Hash, ObjectLinks, Panel } from '../../parts/layout.tsx'
import { SmallTable } from '../../parts/small-table.tsx'
import { Answered } from '../../parts/states.tsx'
import { useTimeZone } from '../../shell/bank.ts'
import { Keeping } from './keeping.tsx'
import { VersionActs } from './version-acts.tsx'

export function Versions({ dataset }: { readonly dataset: string }) {
  const { view, change } = useView()
  const answer = useAsk('datasetVersions', {
    params: { dataset },
    query: { ...pick(view, ['cursor']), limit: 20 },
  })
  return (
    <>
      <Panel
        title="Versions"
        flush
        aside="Each ingestion and roll-back made one; none is ever changed"
      >
        <Answered answer={answer}>
          {(data) => (
            <>
              <VersionTable dataset={dataset} data={data} />
              {data.next === null && view.cursor === undefined ? null : (
                <p className="panel-line links">
                  {view.cursor === undefined ? null : (
                    <button
                      type="button"
                      className="text-button"
                      onClick={() => change({ cursor: undefined }, { push: true })}
                    >
                      Newest versions
                    </button>
                  )}
                  {data.next === null ? null : (
                    <button
                      type="button"
                      className="text-button"
                      onClick={() => change({ cursor: data.next! }, { push: true })}
                    >
                      Older versions
                    </button>
                  )}
                </p>
              )}
            </>
          )}
        </Answered>
      </Panel>
      {answer.data === undefined ? null : <Keeping dataset={dataset} data={answer.data} />}
    </>
  )
}

function VersionTable({
  dataset,
  data,
}: {
  readonly dataset: string
  readonly data: DatasetVersions
}) {
  const zone = useTimeZone()
  const { view } = useView()
  const newest = view.cursor === undefined ? data.items[0] : undefined
  return (
    <SmallTable
      label="Versions"
      pinned
      head={[
        { title: 'Version' },
        { title: 'Rows', right: true },
        { title: 'Against parent', right: true },
        { title: `Event time, ${zone}` },
        { title: 'Came from' },
        { title: 'Recorded' },
        { title: 'Used by' },
        { title: 'Do' },
      ]}
      rows={data.items.map((version) => ({
        key: String(version.number),
        cells: [
          <VersionName key="name" version={version} />,
          count(version.rows),
          signed(version.rowsAgainstParent),
          version.from === null || version.to === null
            ? none
            : `${date(version.from, zone)} to ${date(version.to, zone)}`,
          <Origin key="from" version={version} />,
          <span key="at">
            {dateTime(version.recordedAt, zone)}
            {version.recordedBy === null ? null : (
              <span className="quiet"> by {version.recordedBy}</span>
            )}
          </span>,
          <ObjectLinks key="used" targets={version.usedBy} more={version.usedByMore} />,
          <VersionActs
            key="do"
            dataset={dataset}
            version={version}
            may={data.may}
            newest={newest?.number}
          />,
        ],
      }))}
    />
  )
}

function VersionName({ version }: { readonly version: DatasetVersion }) {
  return (
    <span>
      <b className="num">{version.number}</b> <Hash hash={version.hash} />
      {version.tags.map((tag) => (
        <span key={tag} className="status-mark is-done">
          {tag}
        </span>
      ))}
      {version.held ? <span className="status-mark is-running">on hold</span> : null}
      {version.removed === null ? null : (
        <span className="status-mark" title={version.removed.reason}>
          removed
        </span>
      )}
    </span>
  )
}

function Origin({ version }: { readonly version: DatasetVersion }) {
  if (version.restores !== null) {
    return (
      <span>
        roll-back to {version.restores}
        {version.reason === null ? null : <span className="quiet">: {version.reason}</span>}
      </span>
    )
  }
  return <span>{version.mode === 'append' ? `added ${version.file}` : version.file}</span>
}

function signed(rows: number | null): string {
  if (rows === null) return none
  return `${rows > 0 ? '+' : rows < 0 ? '−' : ''}${count(Math.abs(rows))}`
}
