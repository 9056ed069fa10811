/** Names that people give to versions; none of them steers traffic. */
import { Button, Modal, Select, Textarea, TextInput } from '@mantine/core'
import { useState } from 'react'
import type { Model } from '../../../src/server/contract/index.ts'
import { useAct } from '../../client/queries.ts'
import { PageLink, Panel } from '../../parts/layout.tsx'
import { notify } from '../../parts/notify.tsx'
import { Failed } from '../../parts/states.tsx'
import { ActButton } from './acts.tsx'

const touched = ['model', 'models', 'version', 'audit'] as const
const nowhere = 'nowhere'

export function Aliases({ model }: { readonly model: Model }) {
  const [edited, setEdited] = useState<string | null>(null)
  const given = model.items.flatMap(({ version, aliases }) =>
    aliases.map((alias) => ({ alias, version })),
  )
  return (
    <Panel
      title="Aliases"
      aside={
        <ActButton
          title="New alias"
          size="compact-xs"
          permission={model.aliasing}
          open={() => setEdited('')}
        />
      }
    >
      {given.length === 0 ? (
        <p className="quiet">None. An alias is a name for people; it never steers traffic.</p>
      ) : null}
      <ul className="plain-list">
        {given.map(({ alias, version }) => (
          <li key={alias}>
            <b>@{alias}</b> →{' '}
            <PageLink to={`/models/${model.name}/${version}`}>v{version}</PageLink>{' '}
            <ActButton
              title="Change"
              of={`@${alias}`}
              size="compact-xs"
              permission={model.aliasing}
              open={() => setEdited(alias)}
            />
          </li>
        ))}
      </ul>
      {edited === null ? null : (
        <Editor model={model} alias={edited} close={() => setEdited(null)} />
      )}
    </Panel>
  )
}

function Editor({
  model,
  alias: before,
  close,
}: {
  readonly model: Model
  readonly alias: string
  readonly close: () => void
}) {
  const act = useAct('setAlias', touched)
  const current = model.items.find(({ aliases }) => aliases.includes(before))?.version
  const [alias, setAlias] = useState(before)
  const [version, setVersion] = useState(String(current ?? model.items[0]?.version ?? nowhere))
  const [reason, setReason] = useState('')
  const isNew = before === ''
  return (
    <Modal opened onClose={close} title={isNew ? 'New alias' : `@${before}`}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault()
          const number = version === nowhere ? null : Number(version)
          act.mutate(
            {
              params: { model: model.name, alias },
              body: { version: number, reason: reason.trim() },
            },
            {
              onSuccess: () => {
                notify(number === null ? `@${alias} is taken away` : `@${alias} is v${number}`)
                close()
              },
            },
          )
        }}
      >
        {isNew ? (
          <TextInput
            label="Alias"
            description="Letters, digits, - and _, such as champion"
            data-autofocus
            value={alias}
            onChange={(event) => setAlias(event.currentTarget.value)}
          />
        ) : null}
        <Select
          label="Points at"
          data={[
            ...model.items.map((item) => ({
              value: String(item.version),
              label: `v${item.version}, ${item.status}`,
            })),
            ...(isNew ? [] : [{ value: nowhere, label: 'Nothing: take the alias away' }]),
          ]}
          value={version}
          allowDeselect={false}
          onChange={(chosen) => setVersion(chosen ?? version)}
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
          disabled={reason.trim().length < 3 || !/^[\w-]{1,255}$/.test(alias)}
        >
          {version === nowhere ? 'Take away' : 'Set'}
        </Button>
      </form>
    </Modal>
  )
}
