/** Deleting, restoring and renaming models and versions: what each leads to is said beforehand. */
import { TextInput } from '@mantine/core'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import type { Model, Permission, Version } from '../../../src/server/contract/index.ts'
import { useAct } from '../../client/queries.ts'
import { notify, notifyFailed, notifyUndo } from '../../parts/notify.tsx'
import { ReasonDialog } from '../../parts/reason-dialog.tsx'
import { ActButton, WithReasonButton } from './acts.tsx'

const touched = ['model', 'models', 'version', 'runs', 'search', 'overview', 'audit'] as const
const takenBack = 'The deletion was taken back'

const stays = (
  <p>
    Records, files and the audit log stay, and it can be restored until it is purged: by{' '}
    <code>assay models purge</code>, or by the server itself 30 days from now, unless it was started
    to keep longer. Its numbers are never given again.
  </p>
)

function namesOf(aliases: readonly string[]): string {
  return aliases.map((alias) => `@${alias}`).join(', ')
}

/** Restoring brings no alias back, so taking a deletion back points them anew. */
function usePointAgain(model: string) {
  const { mutateAsync: point } = useAct('setAlias', touched)
  return async (aliases: readonly { readonly alias: string; readonly version: number }[]) => {
    for (const { alias, version } of aliases) {
      await point({ params: { model, alias }, body: { version, reason: takenBack } })
    }
  }
}

export function DeleteVersionButton({ version }: { readonly version: Version }) {
  const { model, version: number, aliases } = version
  const params = { model, version: number }
  const remove = useAct('deleteVersion', touched)
  const restore = useAct('restoreVersion', touched)
  const pointAgain = usePointAgain(model)
  const takeBack = async () => {
    const { sentence } = await restore.mutateAsync({ params, body: { reason: takenBack } })
    await pointAgain(aliases.map((alias) => ({ alias, version: number })))
    notify(sentence)
  }
  return (
    <WithReasonButton
      title="Delete"
      dialog={`Delete ${model} v${number}`}
      question={
        <>
          <p>
            v{number} leaves the lists and searches here and of every client
            {aliases.length === 0 ? '' : `, and ${namesOf(aliases)} with it`}.
          </p>
          {stays}
        </>
      }
      permission={version.may.remove}
      pending={remove.isPending}
      error={remove.error}
      act={(reason, done) =>
        remove.mutate(
          { params, body: { reason } },
          {
            onSuccess: ({ sentence, undoUntil }) => {
              notifyUndo(sentence, undoUntil, () => void takeBack().catch(notifyFailed))
              done()
            },
          },
        )
      }
    />
  )
}

export function DeleteModelButton({ model }: { readonly model: Model }) {
  const params = { model: model.name }
  const remove = useAct('deleteModel', touched)
  const restore = useAct('restoreModel', touched)
  const pointAgain = usePointAgain(model.name)
  const navigate = useNavigate()
  const aliases = model.items.flatMap(({ version, aliases: given }) =>
    given.map((alias) => ({ alias, version })),
  )
  const takeBack = async () => {
    const { sentence } = await restore.mutateAsync({ params, body: { reason: takenBack } })
    await pointAgain(aliases)
    notify(sentence)
  }
  return (
    <WithReasonButton
      title="Delete"
      dialog={`Delete ${model.name}`}
      question={
        <>
          <p>
            {model.name} and its {model.items.length === 1 ? 'version leave' : 'versions leave'} the
            lists and searches here and of every client
            {aliases.length === 0
              ? ''
              : `, and ${namesOf(aliases.map(({ alias }) => alias))} with them`}
            .
          </p>
          {stays}
        </>
      }
      permission={model.may.remove}
      pending={remove.isPending}
      error={remove.error}
      act={(reason, done) =>
        remove.mutate(
          { params, body: { reason } },
          {
            onSuccess: ({ sentence, undoUntil }) => {
              notifyUndo(sentence, undoUntil, () => void takeBack().catch(notifyFailed))
              done()
              void navigate({ to: '/models' } as never)
            },
          },
        )
      }
    />
  )
}

export function RestoreModelButton({
  name,
  permission,
}: {
  readonly name: string
  readonly permission: Permission
}) {
  const act = useAct('restoreModel', touched)
  return (
    <WithReasonButton
      title="Restore"
      dialog={`Restore ${name}`}
      of={name}
      question={
        <p>
          {name} and the versions that were deleted along with it come back. Aliases do not: set
          them again.
        </p>
      }
      permission={permission}
      pending={act.isPending}
      error={act.error}
      act={(reason, done) => act.mutate({ params: { model: name }, body: { reason } }, said(done))}
    />
  )
}

export function RestoreVersionButton({
  model,
  version,
  permission,
}: {
  readonly model: string
  readonly version: number
  readonly permission: Permission
}) {
  const act = useAct('restoreVersion', touched)
  return (
    <WithReasonButton
      title="Restore"
      dialog={`Restore ${model} v${version}`}
      of={`v${version}`}
      question={<p>v{version} comes back. Its aliases do not: set them again.</p>}
      permission={permission}
      pending={act.isPending}
      error={act.error}
      act={(reason, done) =>
        act.mutate({ params: { model, version }, body: { reason } }, said(done))
      }
    />
  )
}

function said(done: () => void) {
  return {
    onSuccess: ({ sentence }: { readonly sentence: string }) => {
      notify(sentence)
      done()
    },
  }
}

export function RenameButton({ model }: { readonly model: Model }) {
  const act = useAct('renameModel', touched)
  const navigate = useNavigate()
  const [opened, setOpened] = useState(false)
  const [name, setName] = useState(model.name)
  const wanted = name.trim()
  return (
    <>
      <ActButton
        title="Rename"
        permission={model.may.rename}
        open={() => {
          setName(model.name)
          setOpened(true)
        }}
      />
      <ReasonDialog
        opened={opened}
        close={() => setOpened(false)}
        title={`Rename ${model.name}`}
        submit="Rename"
        pending={act.isPending}
        error={act.error}
        isReady={wanted !== '' && wanted !== model.name}
        focusesReason={false}
        act={(reason) =>
          act.mutate(
            { params: { model: model.name }, body: { name: wanted, reason } },
            {
              onSuccess: ({ sentence }) => {
                notify(sentence)
                void navigate({ to: `/models/${encodeURIComponent(wanted)}` } as never)
              },
            },
          )
        }
      >
        <p>
          Versions, aliases and history go along. Programs that ask for {model.name} no longer find
          it; it goes on answering which version was live when.
        </p>
        <TextInput
          label="New name"
          description="Up to 250 characters, without / and :"
          data-autofocus
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
      </ReasonDialog>
    </>
  )
}
