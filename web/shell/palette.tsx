/** Ctrl-K: every object and every screen, by a few letters. */
import { Modal } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { useNavigate } from '@tanstack/react-router'
import { IconSearch } from '@tabler/icons-react'
import { useEffect, useLayoutEffect, useRef, useState, type KeyboardEvent } from 'react'
import { objectAddress } from '../../src/server/contract/objects.ts'
import { useAsk } from '../client/queries.ts'
import { places } from './navigation.tsx'

let open: () => void = () => {}
export function openPalette(): void {
  open()
}

interface Found {
  readonly key: string
  readonly title: string
  readonly detail: string
  readonly to: string
}

export function Palette() {
  const [opened, setOpened] = useState(false)
  useEffect(() => {
    open = () => setOpened(true)
    const press = (event: globalThis.KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
        event.preventDefault()
        setOpened((before) => !before)
      }
    }
    window.addEventListener('keydown', press)
    return () => window.removeEventListener('keydown', press)
  }, [])
  return (
    <Modal
      opened={opened}
      onClose={() => setOpened(false)}
      withCloseButton={false}
      padding={0}
      size={620}
      yOffset="12vh"
      transitionProps={{ duration: 90 }}
      title="Find anything"
      classNames={{ header: 'visually-hidden' }}
    >
      {opened ? <Finder onDone={() => setOpened(false)} /> : null}
    </Modal>
  )
}

function Finder({ onDone }: { readonly onDone: () => void }) {
  const [text, setText] = useState('')
  const [at, setAt] = useState(0)
  const [asked] = useDebouncedValue(text.trim(), 120)
  const answer = useAsk(
    'search',
    { query: { q: asked, limit: 20 } },
    { enabled: asked !== '', keepPrevious: true },
  )
  const navigate = useNavigate()
  const input = useRef<HTMLInputElement>(null)
  // At once, not when the dialog has settled: what is typed right after Ctrl-K must not be lost.
  useLayoutEffect(() => input.current?.focus(), [])
  const found = merge(text.trim(), asked === '' ? [] : (answer.data?.items ?? []))
  const here = Math.min(at, Math.max(0, found.length - 1))

  const go = (one: Found | undefined) => {
    if (one === undefined) return
    const [path = '/', search = ''] = one.to.split('?')
    onDone()
    void navigate({ to: path, search: Object.fromEntries(new URLSearchParams(search)) } as never)
  }
  const press = (event: KeyboardEvent) => {
    if (event.key === 'ArrowDown') setAt(Math.min(here + 1, found.length - 1))
    else if (event.key === 'ArrowUp') setAt(Math.max(here - 1, 0))
    else if (event.key === 'Enter') go(found[here])
    else return
    event.preventDefault()
  }
  return (
    <div className="palette" onKeyDown={press}>
      <label className="palette-input">
        <IconSearch size={17} aria-hidden />
        <span className="visually-hidden">Find anything</span>
        <input
          data-autofocus
          ref={input}
          role="combobox"
          aria-expanded
          aria-controls="palette-found"
          aria-activedescendant={found.length === 0 ? undefined : `found-${here}`}
          placeholder="A payment’s number, a list, a feature, a model, a draft, a screen…"
          value={text}
          onChange={(event) => {
            setText(event.target.value)
            setAt(0)
          }}
        />
        <kbd>Esc</kbd>
      </label>
      <ul id="palette-found" role="listbox" aria-label="Found">
        {found.map((one, i) => (
          <li
            key={one.key}
            id={`found-${i}`}
            role="option"
            aria-selected={i === here}
            onPointerMove={() => setAt(i)}
            onClick={() => go(one)}
            ref={
              i === here ? (element) => element?.scrollIntoView({ block: 'nearest' }) : undefined
            }
          >
            <span>{one.title}</span>
            <span className="quiet">{one.detail}</span>
          </li>
        ))}
      </ul>
      {found.length === 0 ? <p className="palette-none">Nothing is called “{text}”.</p> : null}
    </div>
  )
}

/** Screens that stand behind another one in the navigation. */
const further = [
  { path: '/data/quarantine', title: 'Quarantine' },
  { path: '/lineage', title: 'Lineage' },
  { path: '/experiments/connect', title: 'Connect a client (MLflow)' },
  { path: '/experiments/learn', title: 'Learn from a file' },
] as const

function merge(
  text: string,
  items: readonly { target: { kind: string; id: string; title: string }; detail: string }[],
): Found[] {
  const wanted = text.toLowerCase()
  const screens = [...places, ...places.flatMap(({ within = [] }) => within), ...further]
    .filter((place) => place.title.toLowerCase().includes(wanted))
    .map((place) => ({ key: place.path, title: place.title, detail: 'Screen', to: place.path }))
  const objects = items.map((item) => ({
    key: `${item.target.kind}/${item.target.id}`,
    title: item.target.title,
    detail: item.detail,
    to: objectAddress(item.target as Parameters<typeof objectAddress>[0]),
  }))
  return [...objects, ...screens]
}
