/**
 * The filter of the table of runs, in the language of the API. Names of columns are offered as one
 * types; what the server cannot read is shown with its place.
 */
import { IconFilter } from '@tabler/icons-react'
import { useEffect, useId, useLayoutEffect, useRef, useState, type KeyboardEvent } from 'react'
import type { Problem, RunColumns } from '../../../src/server/contract/index.ts'
import { useView } from '../../client/view.ts'

type Offered = RunColumns['items'][number]

const OFFERED_MAX = 8

export function FilterBox({
  columns,
  problem,
}: {
  readonly columns: readonly Offered[]
  /** Of the filter that was asked last. */
  readonly problem: Problem | undefined
}) {
  const { view, change } = useView()
  const inAddress = view.filter ?? ''
  const [text, setText] = useState(inAddress)
  const [word, setWord] = useState<string | null>(null)
  const [at, setAt] = useState(0)
  const input = useRef<HTMLInputElement>(null)
  const caret = useRef<number | null>(null)
  const id = useId()
  useEffect(() => setText(inAddress), [inAddress])
  // With the text itself: a frame later the next letters may be typed, and would be torn apart.
  useLayoutEffect(() => {
    if (caret.current !== null) input.current?.setSelectionRange(caret.current, caret.current)
    caret.current = null
  })

  const offered = word === null ? [] : offersFor(word, columns)
  const here = Math.min(at, offered.length - 1)
  const apply = () => {
    setWord(null)
    change({ filter: text.trim() === '' ? undefined : text.trim() })
  }
  const take = (offer: Offered | undefined) => {
    const field = input.current
    if (offer === undefined || field === null || word === null) return
    const end = field.selectionStart ?? text.length
    const before = text.slice(0, end - word.length) + writtenKey(offer)
    setText(`${before} ${text.slice(end).trimStart()}`)
    setWord(null)
    caret.current = before.length + 1
    field.focus()
  }
  const press = (event: KeyboardEvent) => {
    const { key } = event
    if (key === 'Escape') {
      if (word === null) input.current?.blur()
      setWord(null)
    } else if (key === 'Enter' && offered.length > 0 && at > 0) take(offered[here])
    else if (key === 'Enter') apply()
    else if (key === 'Tab' && offered.length > 0) take(offered[here])
    else if (key === 'ArrowDown' && offered.length > 0) setAt(Math.min(at + 1, offered.length - 1))
    else if (key === 'ArrowUp' && offered.length > 0) setAt(Math.max(here - 1, 0))
    else return
    event.preventDefault()
  }
  return (
    <div className="runs-filter">
      <label className={`runs-filter-field ${problem === undefined ? '' : 'is-wrong'}`}>
        <IconFilter size={15} aria-hidden />
        <span className="visually-hidden">Filter</span>
        <input
          ref={input}
          id="runs-filter"
          role="combobox"
          aria-expanded={offered.length > 0}
          aria-controls={`${id}-offered`}
          aria-invalid={problem !== undefined}
          aria-describedby={problem === undefined ? undefined : `${id}-problem`}
          autoComplete="off"
          spellCheck={false}
          placeholder="metrics.auc > 0.9 AND params.max_depth = '6'"
          value={text}
          onChange={(event) => {
            setText(event.target.value)
            const end = event.target.selectionStart ?? event.target.value.length
            setWord(wordBefore(event.target.value, end))
            setAt(0)
          }}
          onKeyDown={press}
          onBlur={() => setWord(null)}
        />
        <kbd>/</kbd>
      </label>
      {offered.length === 0 ? null : (
        <ul id={`${id}-offered`} className="runs-offered" role="listbox" aria-label="Columns">
          {offered.map((offer, i) => (
            <li
              key={offer.key}
              role="option"
              aria-selected={i === here}
              // The field must not lose the focus before the word is taken.
              onPointerDown={(event) => {
                event.preventDefault()
                take(offer)
              }}
            >
              <code>{writtenKey(offer)}</code>
              <span className="quiet">{offer.kind}</span>
            </li>
          ))}
        </ul>
      )}
      {problem === undefined ? null : (
        <div id={`${id}-problem`} className="runs-filter-problem" role="alert">
          <Place text={inAddress} problem={problem} />
          {problem.detail ?? problem.title}
        </div>
      )}
    </div>
  )
}

/** The filter as it was asked, with a mark where reading it came to an end. */
function Place({ text, problem }: { readonly text: string; readonly problem: Problem }) {
  const { position } = problem as { readonly position?: unknown }
  if (typeof position !== 'number' || text === '') return null
  const from = Math.max(0, Math.min(position, text.length))
  const end = /^\S+/.exec(text.slice(from))?.[0].length ?? 0
  return (
    <code className="runs-filter-place">
      {text.slice(0, from)}
      <mark>{text.slice(from, from + end) || ' '}</mark>
      {text.slice(from + end)}
    </code>
  )
}

/** The beginning of a name that is being typed; null within quotes or behind a value. */
export function wordBefore(text: string, end: number): string | null {
  const before = text.slice(0, end)
  if ((before.match(/'/g)?.length ?? 0) % 2 === 1) return null
  return /(?:^|[\s(])([A-Za-z][\w.]*)$/.exec(before)?.[1] ?? null
}

/** As the filter language wants it: names that are no plain word stand in backticks. */
export function writtenKey({ key, name }: Pick<Offered, 'key' | 'name'>): string {
  if (/^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$/.test(name)) return key
  return `${key.slice(0, key.length - name.length)}\`${name}\``
}

export function offersFor(word: string, columns: readonly Offered[]): Offered[] {
  const wanted = word.toLowerCase()
  if (/^(and|or|not|in|is|like|ilike|null)$/.test(wanted)) return []
  const rank = ({ key, name }: Offered) =>
    key.toLowerCase().startsWith(wanted) || name.toLowerCase().startsWith(wanted) ? 0 : 1
  return columns
    .filter((one) => one.sortable && one.key.toLowerCase().includes(wanted))
    .filter((one) => one.key.toLowerCase() !== wanted)
    .toSorted((a, b) => rank(a) - rank(b) || b.runs - a.runs)
    .slice(0, OFFERED_MAX)
}
