/** The versions of a data set, newest first: where each came from, its tags and holds, and roll-back. */
import { Button, Modal, Textarea, TextInput } from '@mantine/core'
import { useState } from 'react'
import type { DatasetVersion, DatasetVersions } from '../../../src/server/contract/index.ts'
import { useAct, useAsk } from '../../client/queries.ts'
import { pick, useView } from '../../client/view.ts'
import { count, date, dateTime, none } from '../../parts/figures.ts'
import { Hash, ObjectLink, PageLink, Panel } from '../../parts/layout.tsx'
import { notify } from '../../parts/notify.tsx'
import { SmallTable } from '../../parts/small-table.tsx'
import { Answered, Failed } from '../../parts/states.tsx'
import { useTimeZone } from '../../shell/bank.ts'
import { WithReasonButton } from '../models/acts.tsx'

const touched = ['datasetVersions', 'dataset', 'datasets', 'overview', 'audit'] as const

export function Versions({ dataset }: { readonly dataset: string }) {
  const { view, change } = useView()
  const answer = useAsk('datasetVersions', {
    params: { dataset },
    query: { ...pick(view, ['cursor']), limit: 20 },
  })
  return (
    <Panel
      title="Versions"
      flush
      aside="Each ingestion and roll-back made one; none is ever changed"
    >
      <Answered answer={answer}>
        {(data) => (
          <>
            <VersionTable dataset={dataset} data={data} />
            <Kept data={data} dataset={dataset} />
            {data.next === null ? null : (
              <p className="panel-line">
                <button
                  type="button"
                  className="text-button"
                  onClick={() => change({ cursor: data.next! })}
                >
                  Older versions
                </button>
              </p>
            )}
          </>
        )}
      </Answered>
    </Panel>
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
          <span key="used" className="links">
            {version.usedBy.map((target) => (
              <ObjectLink key={target.id} target={target} />
            ))}
          </span>,
          <Acts
            key="do"
            dataset={dataset}
            version={version}
            data={data}
            isNewest={version.number === newest?.number}
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

function Acts({
  dataset,
  version,
  data,
  isNewest,
}: {
  readonly dataset: string
  readonly version: DatasetVersion
  readonly data: DatasetVersions
  readonly isNewest: boolean
}) {
  const rollBack = useAct('rollBackDataset', touched)
  const { number, parent } = version
  if (version.removed !== null) return none
  return (
    <span className="version-acts">
      {parent === null ? null : (
        <PageLink
          to={`/data/${dataset}/difference?before=${parent}&after=${number}`}
          className="button-link"
        >
          Compare
          <span className="visually-hidden">
            {' '}
            version {number} with {parent}
          </span>
        </PageLink>
      )}
      <TagButton dataset={dataset} version={version} permission={data.may.tag} />
      {isNewest ? null : (
        <WithReasonButton
          title="Roll back"
          question={
            <p>
              {dataset} will hold the {count(version.rows)} rows of version {number} again, as a new
              version. Nothing is lost: today’s version stays and can come back the same way.
            </p>
          }
          permission={data.may.manage}
          pending={rollBack.isPending}
          error={rollBack.error}
          act={(reason, done) =>
            rollBack.mutate(
              { params: { dataset }, body: { version: String(number), reason } },
              {
                onSuccess: ({ sentence }) => {
                  notify(sentence)
                  done()
                },
              },
            )
          }
        />
      )}
    </span>
  )
}

function TagButton({
  dataset,
  version,
  permission,
}: {
  readonly dataset: string
  readonly version: DatasetVersion
  readonly permission: DatasetVersions['may']['tag']
}) {
  const act = useAct('tagDataset', touched)
  const [opened, setOpened] = useState(false)
  const [tag, setTag] = useState('')
  const [reason, setReason] = useState('')
  if (!permission.allowed) return null
  return (
    <>
      <Button size="xs" variant="default" onClick={() => setOpened(true)}>
        Tag
      </Button>
      <Modal
        opened={opened}
        onClose={() => setOpened(false)}
        title={`Tag version ${version.number}`}
      >
        <form
          className="stack"
          onSubmit={(event) => {
            event.preventDefault()
            act.mutate(
              {
                params: { dataset },
                body: { tag: tag.trim(), version: String(version.number), reason: reason.trim() },
              },
              {
                onSuccess: ({ sentence }) => {
                  notify(sentence)
                  setOpened(false)
                },
              },
            )
          }}
        >
          <TextInput
            label="Tag"
            description="A name such as training-2026-10. If another version has it, it moves here."
            data-autofocus
            value={tag}
            onChange={(event) => setTag(event.currentTarget.value)}
          />
          <Textarea
            label="Reason"
            description="Kept in the audit log, with your name."
            autosize
            minRows={2}
            value={reason}
            onChange={(event) => setReason(event.currentTarget.value)}
          />
          {act.error === null ? null : <Failed error={act.error} />}
          <Button
            type="submit"
            loading={act.isPending}
            disabled={tag.trim() === '' || reason.trim().length < 3}
          >
            Tag
          </Button>
        </form>
      </Modal>
    </>
  )
}

/** What keeps versions: holds and retention, in words. */
function Kept({ data, dataset }: { readonly data: DatasetVersions; readonly dataset: string }) {
  const zone = useTimeZone()
  const hold = useAct('holdDataset', touched)
  const release = useAct('releaseDataset', touched)
  return (
    <div className="panel-line stack">
      {data.holds.map((each) => (
        <p key={each.id}>
          <b>On hold</b>: {each.version === null ? 'every version' : `version ${each.version}`}
          {each.until === null ? '' : ` until ${date(each.until, zone)}`}. {each.reason}{' '}
          <span className="quiet">({each.by})</span>{' '}
          <WithReasonButton
            title="Release"
            question={<p>What was held may then be removed by retention.</p>}
            permission={data.may.manage}
            pending={release.isPending}
            error={release.error}
            act={(reason, done) =>
              release.mutate(
                { params: { dataset, hold: each.id }, body: { reason } },
                { onSuccess: done },
              )
            }
          />
        </p>
      ))}
      <p>
        <span className="quiet">
          {data.retention === null
            ? 'Every version is kept: no retention is set.'
            : data.retention.sentence}
        </span>{' '}
        <WithReasonButton
          title="Hold all"
          question={<p>No version of {dataset} will be removed until the hold is released.</p>}
          permission={data.may.manage}
          pending={hold.isPending}
          error={hold.error}
          act={(reason, done) =>
            hold.mutate(
              { params: { dataset }, body: { version: null, until: null, reason } },
              { onSuccess: done },
            )
          }
        />
      </p>
    </div>
  )
}

function signed(rows: number | null): string {
  if (rows === null) return none
  return rows > 0 ? `+${count(rows)}` : count(rows)
}
