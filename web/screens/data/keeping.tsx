/** What keeps versions of a data set, and what lets go of them: tags, holds, retention, cleaning. */
import { TextInput } from '@mantine/core'
import { useState, type ReactNode } from 'react'
import type { DatasetVersions } from '../../../src/server/contract/index.ts'
import { useAct } from '../../client/queries.ts'
import { bytes, date, plural } from '../../parts/figures.ts'
import { Panel } from '../../parts/layout.tsx'
import { notify, notifyFailed, notifyUndo } from '../../parts/notify.tsx'
import { ReasonDialog } from '../../parts/reason-dialog.tsx'
import { useTimeZone } from '../../shell/bank.ts'
import { ActButton, WhyNot, WithReasonButton } from '../models/acts.tsx'
import { HoldButton, touched, undoUntil } from './version-acts.tsx'

interface KeepingProps {
  readonly dataset: string
  readonly data: DatasetVersions
}

export function Keeping({ dataset, data }: KeepingProps) {
  return (
    <Panel title="What stays">
      <dl className="facts keeping">
        <Line
          name="Retention"
          acts={
            <>
              <RetentionButton dataset={dataset} data={data} />
              <CleanButton permission={data.may.manage} />
            </>
          }
        >
          {data.retention?.sentence ?? 'Every version is kept: no retention is set.'}
        </Line>
        <Line
          name="Holds"
          acts={<HoldButton dataset={dataset} version={null} permission={data.may.manage} />}
        >
          <Holds dataset={dataset} data={data} />
        </Line>
        <Line name="Tags">
          <Tags dataset={dataset} data={data} />
        </Line>
      </dl>
      <WhyNot
        acts={[
          { title: 'Tag', permission: data.may.tag },
          { title: 'Hold, roll back, set retention, clean', permission: data.may.manage },
        ]}
      />
    </Panel>
  )
}

function Line({
  name,
  acts,
  children,
}: {
  readonly name: string
  readonly acts?: ReactNode
  readonly children: ReactNode
}) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        <div>{children}</div>
        {acts === undefined ? null : <div className="keeping-acts">{acts}</div>}
      </dd>
    </div>
  )
}

function Holds({ dataset, data }: KeepingProps) {
  const zone = useTimeZone()
  const release = useAct('releaseDataset', touched)
  if (data.holds.length === 0) return <span className="quiet">None.</span>
  return (
    <ul>
      {data.holds.map((hold) => {
        const what = hold.version === null ? 'Every version' : `Version ${hold.version}`
        return (
          <li key={hold.id}>
            <b>{what}</b>
            {hold.until === null ? '' : ` until ${date(hold.until, zone)}`}: {hold.reason}{' '}
            <span className="quiet">
              ({hold.by}, {date(hold.from, zone)})
            </span>{' '}
            <WithReasonButton
              title="Release"
              of={what}
              size="compact-xs"
              dialog={`Release ${what.toLowerCase()} of ${dataset}`}
              question={<p>What was held may then be removed by retention.</p>}
              permission={data.may.manage}
              pending={release.isPending}
              error={release.error}
              act={(reason, done) =>
                release.mutate(
                  { params: { dataset, hold: hold.id }, body: { reason } },
                  {
                    onSuccess: ({ sentence }) => {
                      notify(sentence)
                      done()
                    },
                  },
                )
              }
            />
          </li>
        )
      })}
    </ul>
  )
}

function Tags({ dataset, data }: KeepingProps) {
  const zone = useTimeZone()
  const act = useAct('tagDataset', touched)
  const params = { dataset }
  if (data.tags.length === 0) return <span className="quiet">None.</span>
  const putBack = (tag: string, version: number) =>
    act.mutate(
      {
        params,
        body: { tag, version: String(version), reason: 'Taking the tag away was taken back' },
      },
      { onSuccess: ({ sentence }) => notify(sentence), onError: notifyFailed },
    )
  return (
    <ul>
      {data.tags.map(({ tag, version, reason, by, at }) => (
        <li key={tag}>
          <b>{tag}</b> on version {version}: {reason}{' '}
          <span className="quiet">
            ({by}, {date(at, zone)})
          </span>{' '}
          <WithReasonButton
            title="Take away"
            of={tag}
            size="compact-xs"
            dialog={`Take ${tag} away`}
            question={
              <p>
                Version {version} loses the name, and what asks for {dataset}@{tag} no longer finds
                it. Retention may remove the version then, unless something else keeps it.
              </p>
            }
            permission={data.may.tag}
            pending={act.isPending}
            error={act.error}
            act={(why, done) =>
              act.mutate(
                { params, body: { tag, version: null, reason: why } },
                {
                  onSuccess: ({ sentence }) => {
                    notifyUndo(sentence, undoUntil(), () => putBack(tag, version))
                    done()
                  },
                },
              )
            }
          />
        </li>
      ))}
    </ul>
  )
}

const mostKept = 100_000

function RetentionButton({ dataset, data }: KeepingProps) {
  const act = useAct('retainDataset', touched)
  const [opened, setOpened] = useState(false)
  const before = data.retention
  const [versions, setVersions] = useState<number | null>(null)
  const [days, setDays] = useState<number | null>(null)
  const params = { dataset }
  const takeBack = () => {
    if (before === null) return
    const body = { versions: before.versions, days: before.days, reason: 'Set back to what it was' }
    act.mutate(
      { params, body },
      { onSuccess: ({ sentence }) => notify(sentence), onError: notifyFailed },
    )
  }
  return (
    <>
      <ActButton
        title="Set retention"
        size="compact-xs"
        permission={data.may.manage}
        open={() => {
          setVersions(before?.versions ?? null)
          setDays(before?.days ?? null)
          setOpened(true)
        }}
      />
      <ReasonDialog
        opened={opened}
        close={() => setOpened(false)}
        title={`Retention of ${dataset}`}
        submit="Set retention"
        pending={act.isPending}
        error={act.error}
        isReady={versions !== null || days !== null}
        focusesReason={false}
        act={(reason) =>
          act.mutate(
            { params, body: { versions, days, reason } },
            {
              onSuccess: ({ sentence }) => {
                notifyUndo(sentence, before === null ? null : undoUntil(), takeBack)
                setOpened(false)
              },
            },
          )
        }
      >
        <p>
          What either rule keeps stays, and so does the newest version and whatever is tagged, on
          hold, or in use by a model or a running pipeline. The rest is removed for good the next
          night, or when somebody cleans; until then it can be set back.
        </p>
        <NumberField label="Newest versions" value={versions} set={setVersions} autofocus />
        <NumberField label="Versions of so many days" value={days} set={setDays} />
      </ReasonDialog>
    </>
  )
}

function NumberField({
  label,
  value,
  set,
  autofocus = false,
}: {
  readonly label: string
  readonly value: number | null
  readonly set: (value: number | null) => void
  readonly autofocus?: boolean
}) {
  return (
    <TextInput
      label={label}
      description="Empty: no such rule"
      data-autofocus={autofocus || undefined}
      type="number"
      min={1}
      max={mostKept}
      step={1}
      value={value ?? ''}
      onChange={({ currentTarget }) =>
        set(currentTarget.value === '' ? null : currentTarget.valueAsNumber)
      }
    />
  )
}

/** First says what would go, of every data set, and removes it only then. */
function CleanButton({ permission }: { readonly permission: DatasetVersions['may']['manage'] }) {
  const look = useAct('cleanData', [])
  const clean = useAct('cleanData', touched)
  const [opened, setOpened] = useState(false)
  const found = look.data
  const isNothing = found !== undefined && found.versions.length + found.files === 0
  return (
    <>
      <ActButton
        title="Clean"
        size="compact-xs"
        permission={permission}
        open={() => {
          look.mutate({ body: { dryRun: true, reason: 'Asked on the page what would go' } })
          setOpened(true)
        }}
      />
      <ReasonDialog
        opened={opened}
        close={() => setOpened(false)}
        title="Clean every data set"
        submit="Remove for good"
        pending={clean.isPending}
        error={clean.error ?? look.error}
        isReady={found !== undefined && !isNothing}
        act={(reason) =>
          clean.mutate(
            { body: { dryRun: false, reason } },
            {
              onSuccess: ({ sentence, more }) => {
                notify(more ? `${sentence} There is more: clean again.` : sentence)
                setOpened(false)
              },
            },
          )
        }
      >
        {found === undefined ? (
          <p role="status">{look.isError ? '' : 'Looking at what would go…'}</p>
        ) : isNothing ? (
          <p role="status">
            Nothing would go
            {found.waiting === 0
              ? '.'
              : `: ${plural(found.waiting, 'left-over file')} were used in the last day.`}
          </p>
        ) : (
          <>
            <p role="status">
              Retention of every data set is applied. What goes, goes for good:{' '}
              {plural(found.versions.length, 'version')} and {plural(found.files, 'file')} of{' '}
              {bytes(found.bytes)}.
            </p>
            <ul className="cleaned">
              {found.versions.slice(0, 20).map(({ dataset, number }) => (
                <li key={`${dataset} ${number}`}>
                  {dataset} version {number}
                </li>
              ))}
              {found.versions.length > 20 ? <li>and {found.versions.length - 20} more</li> : null}
            </ul>
          </>
        )}
      </ReasonDialog>
    </>
  )
}
