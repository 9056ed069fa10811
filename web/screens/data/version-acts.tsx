/** What is done with one version of a data set: compare, tag, hold, bring its content back. */
import { TextInput } from '@mantine/core'
import { useState } from 'react'
import type { DatasetVersion, DatasetVersions } from '../../../src/server/contract/index.ts'
import { useAct } from '../../client/queries.ts'
import { count, none } from '../../parts/figures.ts'
import { PageLink } from '../../parts/layout.tsx'
import { notify, notifyFailed, notifyUndo } from '../../parts/notify.tsx'
import { ReasonDialog } from '../../parts/reason-dialog.tsx'
import { ActButton, WithReasonButton } from '../models/acts.tsx'

/** The answers that are old after an act on the versions of a data set. */
export const touched = ['datasetVersions', 'dataset', 'datasets', 'overview', 'audit'] as const

/** Until when the page offers to take an act back that the server lets one reverse at any time. */
export function undoUntil(): string {
  return new Date(Date.now() + 10_000).toISOString()
}

export function VersionActs({
  dataset,
  version,
  may,
  newest,
}: {
  readonly dataset: string
  readonly version: DatasetVersion
  readonly may: DatasetVersions['may']
  /** The number of the newest version; undefined where it is not among those shown. */
  readonly newest: number | undefined
}) {
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
      <TagButton dataset={dataset} version={version} permission={may.tag} />
      {version.held ? null : (
        <HoldButton dataset={dataset} version={number} permission={may.manage} />
      )}
      {number === newest ? null : (
        <RollBack dataset={dataset} version={version} permission={may.manage} newest={newest} />
      )}
    </span>
  )
}

function RollBack({
  dataset,
  version,
  permission,
  newest,
}: {
  readonly dataset: string
  readonly version: DatasetVersion
  readonly permission: DatasetVersions['may']['manage']
  readonly newest: number | undefined
}) {
  const act = useAct('rollBackDataset', touched)
  const params = { dataset }
  const takeBack = () =>
    act.mutate(
      { params, body: { version: String(newest), reason: 'The roll-back was taken back' } },
      { onSuccess: ({ sentence }) => notify(sentence), onError: notifyFailed },
    )
  return (
    <WithReasonButton
      title="Roll back"
      of={`to version ${version.number}`}
      size="compact-xs"
      dialog={`Roll ${dataset} back to version ${version.number}`}
      question={
        <p>
          {dataset} will hold the {count(version.rows)} rows of version {version.number} again, as a
          new version, and what reads it from then on reads those. Nothing is lost: today’s version
          stays and can come back the same way.
        </p>
      }
      permission={permission}
      pending={act.isPending}
      error={act.error}
      act={(reason, done) =>
        act.mutate(
          { params, body: { version: String(version.number), reason } },
          {
            onSuccess: ({ sentence }) => {
              notifyUndo(sentence, newest === undefined ? null : undoUntil(), takeBack)
              done()
            },
          },
        )
      }
    />
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
  const close = () => {
    setOpened(false)
    setTag('')
  }
  return (
    <>
      <ActButton
        title="Tag"
        of={`version ${version.number}`}
        size="compact-xs"
        permission={permission}
        open={() => setOpened(true)}
      />
      <ReasonDialog
        opened={opened}
        close={close}
        title={`Tag version ${version.number}`}
        submit="Tag"
        pending={act.isPending}
        error={act.error}
        isReady={tag.trim() !== ''}
        focusesReason={false}
        act={(reason) =>
          act.mutate(
            {
              params: { dataset },
              body: { tag: tag.trim(), version: String(version.number), reason },
            },
            {
              onSuccess: ({ sentence }) => {
                notify(sentence)
                close()
              },
            },
          )
        }
      >
        <p>A tagged version stays, whatever retention says.</p>
        <TextInput
          label="Tag"
          description="A name such as training-2026-10. If another version has it, it moves here."
          data-autofocus
          value={tag}
          onChange={(event) => setTag(event.currentTarget.value)}
        />
      </ReasonDialog>
    </>
  )
}

/** Of one version, or of all of them. */
export function HoldButton({
  dataset,
  version,
  permission,
}: {
  readonly dataset: string
  readonly version: number | null
  readonly permission: DatasetVersions['may']['manage']
}) {
  const act = useAct('holdDataset', touched)
  const [opened, setOpened] = useState(false)
  const [until, setUntil] = useState('')
  const close = () => {
    setOpened(false)
    setUntil('')
  }
  const what = version === null ? `every version of ${dataset}` : `version ${version} of ${dataset}`
  const body = {
    version: version === null ? null : String(version),
    until: until === '' ? null : `${until}T00:00:00Z`,
  }
  return (
    <>
      <ActButton
        title={version === null ? 'Hold all' : 'Hold'}
        of={version === null ? undefined : `version ${version}`}
        size="compact-xs"
        permission={permission}
        open={() => setOpened(true)}
      />
      <ReasonDialog
        opened={opened}
        close={close}
        title={`Hold ${what}`}
        submit="Hold"
        pending={act.isPending}
        error={act.error}
        act={(reason) =>
          act.mutate(
            { params: { dataset }, body: { ...body, reason } },
            {
              onSuccess: ({ sentence }) => {
                notify(sentence)
                close()
              },
            },
          )
        }
      >
        <p>Nothing of {what} is removed while the hold lasts, whatever retention says.</p>
        <TextInput
          label="Until"
          description="The first day, UTC, on which it no longer holds. Empty: until it is released."
          type="date"
          value={until}
          onChange={(event) => setUntil(event.currentTarget.value)}
        />
      </ReasonDialog>
    </>
  )
}
