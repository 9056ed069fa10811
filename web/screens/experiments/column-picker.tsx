/** Which columns the table of runs shows: all there are, found by a few letters. */
import { Popover } from '@mantine/core'
import { useVirtualizer } from '@tanstack/react-virtual'
import { IconColumns3 } from '@tabler/icons-react'
import { useRef, useState } from 'react'
import type { RunColumn, RunColumns } from '../../../src/server/contract/index.ts'
import { useView } from '../../client/view.ts'
import { count } from '../../parts/figures.ts'
import { keysOf, keyText } from './runs-query.ts'

const groups = [
  ['attribute', 'Attributes'],
  ['metric', 'Metrics'],
  ['param', 'Parameters'],
  ['tag', 'Tags'],
] as const

type Item = RunColumns['items'][number]
type Line = { readonly head: string; readonly kind: RunColumn['kind'] } | Item

export function ColumnPicker({
  all,
  shown,
}: {
  readonly all: readonly Item[]
  /** As the server answered them: what stands in the address may be `metrics.*`. */
  readonly shown: readonly RunColumn[]
}) {
  const [opened, setOpened] = useState(false)
  return (
    <Popover
      opened={opened}
      onChange={setOpened}
      position="bottom-end"
      width={340}
      trapFocus
      returnFocus
      shadow="md"
    >
      <Popover.Target>
        <button
          type="button"
          className="filter-button"
          aria-haspopup="dialog"
          aria-expanded={opened}
          onClick={() => setOpened(!opened)}
        >
          <IconColumns3 size={15} aria-hidden /> Columns{' '}
          <span className="quiet num">{count(shown.length)}</span>
        </button>
      </Popover.Target>
      <Popover.Dropdown className="picker" aria-label="Columns">
        {opened ? <Picker all={all} shown={shown} /> : null}
      </Popover.Dropdown>
    </Popover>
  )
}

function Picker({
  all,
  shown,
}: {
  readonly all: readonly Item[]
  readonly shown: readonly RunColumn[]
}) {
  const { view, change } = useView()
  const [text, setText] = useState('')
  const chosen = new Set(shown.map(({ key }) => key))
  const wanted = text.trim().toLowerCase()
  // The name stands in sight anyway.
  const found = all.filter(
    ({ key }) => key !== 'attributes.run_name' && key.toLowerCase().includes(wanted),
  )
  const write = (keys: readonly string[]) =>
    change({ columns: keys.length === 0 ? 'none' : keys.map(keyText).join(',') })
  const toggle = (key: string) =>
    write(chosen.has(key) ? [...chosen].filter((one) => one !== key) : [...chosen, key])
  /** All of a kind stand in the address as one word, however many they are. */
  const toggleAll = (kind: RunColumn['kind'], on: boolean) => {
    const others = [...keysOf(view.columns), ...(view.columns === undefined ? chosen : [])].filter(
      (key) => !key.startsWith(`${kind}s.`) && key !== 'none',
    )
    write(on ? [...others, `${kind}s.*`] : others)
  }
  const lines: Line[] = groups.flatMap(([kind, head]): Line[] => {
    const inside = found.filter((one) => one.kind === kind)
    return inside.length === 0 ? [] : [{ head, kind }, ...inside]
  })
  const scroller = useRef<HTMLDivElement>(null)
  const virtual = useVirtualizer({
    count: lines.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => 30,
    overscan: 6,
  })
  return (
    <>
      <input
        className="filter-input picker-text"
        aria-label="Find a column"
        placeholder={`Find among ${count(all.length)} columns`}
        data-autofocus
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
      <div className="picker-list" ref={scroller}>
        <div style={{ height: virtual.getTotalSize(), position: 'relative' }}>
          {virtual.getVirtualItems().map((item) => {
            const line = lines[item.index]
            if (line === undefined) return null
            const style = { height: item.size, transform: `translateY(${item.start}px)` }
            return 'head' in line ? (
              <GroupHead
                key={line.head}
                head={line.head}
                style={style}
                on={all.every((one) => one.kind !== line.kind || chosen.has(one.key))}
                onToggle={
                  wanted === '' && line.kind !== 'attribute'
                    ? (on) => toggleAll(line.kind, on)
                    : undefined
                }
              />
            ) : (
              <label key={line.key} className="picker-line" style={style}>
                <input
                  type="checkbox"
                  checked={chosen.has(line.key)}
                  onChange={() => toggle(line.key)}
                />
                <span className="picker-name" title={line.name}>
                  {line.title}
                </span>
                {line.runs === 0 ? null : (
                  <span className="quiet num" title={`Logged by ${count(line.runs)} runs`}>
                    {count(line.runs)}
                  </span>
                )}
              </label>
            )
          })}
        </div>
        {lines.length === 0 ? <p className="palette-none">No column is called so.</p> : null}
      </div>
      <button
        type="button"
        className="text-button picker-reset"
        disabled={view.columns === undefined}
        onClick={() => change({ columns: undefined })}
      >
        The usual columns
      </button>
    </>
  )
}

function GroupHead({
  head,
  on,
  style,
  onToggle,
}: {
  readonly head: string
  readonly on: boolean
  readonly style: { height: number; transform: string }
  readonly onToggle: ((on: boolean) => void) | undefined
}) {
  return (
    <div className="picker-line picker-head" style={style}>
      <b>{head}</b>
      {onToggle === undefined ? null : (
        <button type="button" className="text-button" onClick={() => onToggle(!on)}>
          {on ? 'None' : 'All'}
        </button>
      )}
    </div>
  )
}
