/** Views of the table of runs that were given a name; they are kept by the server. */
import { Menu, Modal } from '@mantine/core'
import { useNavigate } from '@tanstack/react-router'
import { IconBookmark, IconTrash } from '@tabler/icons-react'
import { useState } from 'react'
import { useAct, useAsk } from '../../client/queries.ts'
import { parseView, pick, useView, writeView } from '../../client/view.ts'
import { notify, notifyFailed } from '../../parts/notify.tsx'
import { viewKeys } from './runs-query.ts'

export function SavedViews() {
  const { view } = useView()
  const navigate = useNavigate()
  const [naming, setNaming] = useState(false)
  const answer = useAsk('savedViews')
  const remove = useAct('deleteView', ['savedViews'])
  const now = writeView(pick(view, viewKeys)).slice(1)
  const items = answer.data?.items ?? []
  const here = items.find((one) => one.view === now)
  return (
    <>
      <Menu position="bottom-end" width={280}>
        <Menu.Target>
          <button type="button" className="filter-button">
            <IconBookmark size={15} aria-hidden /> {here === undefined ? 'Views' : here.name}
          </button>
        </Menu.Target>
        <Menu.Dropdown>
          {items.length === 0 ? (
            <Menu.Label>A saved view keeps filter, columns and order under a name.</Menu.Label>
          ) : null}
          {items.map((one) => (
            <Menu.Item
              key={one.id}
              onClick={() => void navigate({ to: '.', search: parseView(one.view) } as never)}
              rightSection={
                <span className="quiet">
                  {one.shared ? (one.mine ? 'shared' : `by ${one.by.name}`) : 'only you'}
                </span>
              }
            >
              {one.name}
            </Menu.Item>
          ))}
          <Menu.Divider />
          <Menu.Item disabled={here !== undefined} onClick={() => setNaming(true)}>
            Save this view…
          </Menu.Item>
          {here?.mine === true ? (
            <Menu.Item
              leftSection={<IconTrash size={14} />}
              onClick={() =>
                remove.mutate(
                  { params: { viewId: here.id } },
                  { onSuccess: ({ sentence }) => notify(sentence), onError: notifyFailed },
                )
              }
            >
              Remove “{here.name}”
            </Menu.Item>
          ) : null}
        </Menu.Dropdown>
      </Menu>
      <Modal opened={naming} onClose={() => setNaming(false)} title="Save this view" size={420}>
        {naming ? <SaveForm now={now} onDone={() => setNaming(false)} /> : null}
      </Modal>
    </>
  )
}

function SaveForm({ now, onDone }: { readonly now: string; readonly onDone: () => void }) {
  const save = useAct('saveView', ['savedViews'])
  return (
    <form
      className="small-form"
      onSubmit={(event) => {
        event.preventDefault()
        const data = new FormData(event.currentTarget)
        const given = data.get('name')
        const name = typeof given === 'string' ? given.trim() : ''
        if (name === '') return
        save.mutate(
          { body: { name, view: now, shared: data.get('shared') !== null } },
          {
            onSuccess: () => {
              notify(`Saved as “${name}”.`)
              onDone()
            },
            onError: notifyFailed,
          },
        )
      }}
    >
      <label>
        Name
        <input className="filter-input" name="name" maxLength={100} required data-autofocus />
      </label>
      <label className="small-form-check">
        <input type="checkbox" name="shared" /> Everybody sees it
      </label>
      <button type="submit" className="button-link" disabled={save.isPending}>
        Save
      </button>
    </form>
  )
}
