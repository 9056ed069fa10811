import { useDebouncedCallback } from '@mantine/hooks'
import { IconDownload } from '@tabler/icons-react'
import { useEffect, useState, type ReactNode } from 'react'
import type { OperationName } from '../../src/server/contract/addresses.ts'
import type { ParamsOf, QueryOf } from '../../src/server/contract/routes.ts'
import { addressOf } from '../client/api.ts'
import { useView } from '../client/view.ts'

/** A text filter that writes itself into the address a moment after the typing stops. */
export function TextFilter({
  name,
  title,
  width = 130,
}: {
  readonly name: string
  readonly title: string
  readonly width?: number
}) {
  const { view, change } = useView()
  const inAddress = view[name] ?? ''
  const [text, setText] = useState(inAddress)
  useEffect(() => setText(inAddress), [inAddress])
  const write = useDebouncedCallback(
    (value: string) => change({ [name]: value === '' ? undefined : value }),
    250,
  )
  return (
    <input
      className="filter-input"
      style={{ width }}
      aria-label={title}
      placeholder={title}
      value={text}
      onChange={(event) => {
        setText(event.target.value)
        write(event.target.value.trim())
      }}
    />
  )
}

export interface Choice {
  /** Undefined: the filter leaves the address. */
  readonly value: string | undefined
  readonly title: ReactNode
}

export function ChoiceFilter({
  name,
  title,
  choices,
}: {
  readonly name: string
  readonly title: string
  readonly choices: readonly Choice[]
}) {
  const { view, change } = useView()
  return (
    <span className="choice" role="group" aria-label={title}>
      {choices.map((choice) => (
        <button
          key={choice.value ?? ''}
          type="button"
          aria-pressed={view[name] === choice.value}
          onClick={() => change({ [name]: choice.value })}
        >
          {choice.title}
        </button>
      ))}
    </span>
  )
}

export function SelectFilter({
  name,
  title,
  choices,
}: {
  readonly name: string
  readonly title: string
  readonly choices: readonly { readonly value: string; readonly title: string }[]
}) {
  const { view, change } = useView()
  return (
    <select
      className={`filter-input filter-${name}`}
      aria-label={title}
      value={view[name] ?? ''}
      onChange={(event) => change({ [name]: event.target.value || undefined })}
    >
      <option value="">{title}</option>
      {choices.map((choice) => (
        <option key={choice.value} value={choice.value}>
          {choice.title}
        </option>
      ))}
    </select>
  )
}

/** A file of exactly what the table shows, all pages of it. */
export function ExportLinks<Name extends OperationName>({
  name,
  params,
  query,
  of,
}: {
  readonly name: Name
  readonly params?: ParamsOf<Name>
  readonly query: QueryOf<Name>
  /** What the file holds, for those who hear the page, where a page has more such links than these. */
  readonly of?: string
}) {
  const { limit: _limit, cursor: _cursor, ...filters } = query as Record<string, string>
  return (
    <span className="export-links">
      {(
        [
          ['csv', 'CSV'],
          ['parquet', 'Parquet'],
        ] as const
      ).map(([format, title]) => (
        <a
          key={format}
          href={addressOf(name, params, { ...filters, format })}
          aria-label={of && `${title}: ${of}`}
          download
        >
          <IconDownload size={13} aria-hidden /> {title}
        </a>
      ))}
    </span>
  )
}
