/** Whose values: a form over the columns of the source, whose entries stand in the address. */
import { Button } from '@mantine/core'
import { useState, type FormEvent } from 'react'
import type { LookupField } from '../../../src/server/contract/index.ts'
import { useView, type View } from '../../client/view.ts'

type Texts = Readonly<Record<string, string>>

export interface Lookup {
  /** As entered, by column. */
  readonly asked: Texts
  /** As JSON has them. */
  readonly values: Readonly<Record<string, unknown>>
  /** Whether a key was entered. */
  readonly isAsked: boolean
  ask(texts: Texts): void
}

/** An entry stands in the address as `of.column=value`, so that what is found can be shared. */
const inAddress = (column: string): string => `of.${column}`

export function useLookup(fields: readonly LookupField[]): Lookup {
  const { view, change } = useView()
  const asked = textsIn(view, fields)
  const values = fields.flatMap((field) => {
    const text = asked[field.column]
    return text === undefined ? [] : [[field.column, jsonOf(text, field)]]
  })
  return {
    asked,
    values: Object.fromEntries(values) as Record<string, unknown>,
    isAsked: fields.some(({ role, column }) => role === 'key' && asked[column] !== undefined),
    ask: (texts) => {
      change(Object.fromEntries(fields.map(({ column }) => [inAddress(column), texts[column]])))
    },
  }
}

/** The part of an address that asks the same elsewhere. */
export function lookupSearch(asked: Texts): string {
  const search = new URLSearchParams()
  for (const [column, text] of Object.entries(asked)) search.set(inAddress(column), text)
  return search.toString()
}

function textsIn(view: View, fields: readonly LookupField[]): Texts {
  const texts: Record<string, string> = {}
  for (const { column } of fields) {
    const text = view[inAddress(column)]
    if (text !== undefined && text !== '') texts[column] = text
  }
  return texts
}

/** What is no number is sent as it is, so that the server says what is wrong with it. */
function jsonOf(text: string, { sentAs }: LookupField): unknown {
  if (sentAs === 'boolean' && (text === 'true' || text === 'false')) return text === 'true'
  return sentAs === 'number' && isNumber(text) ? Number(text) : text
}

const isNumber = (text: string): boolean => text.trim() !== '' && Number.isFinite(Number(text))

export function LookupForm({
  fields,
  lookup,
  isBusy,
  again,
}: {
  readonly fields: readonly LookupField[]
  readonly lookup: Lookup
  readonly isBusy: boolean
  /** Asked the same once more. */
  readonly again: () => void
}) {
  const { asked } = lookup
  const [entered, setEntered] = useState<Texts>(asked)
  const why = whyNot(fields, entered)
  const isSame = sameTexts(entered, asked)
  const ask = (event: FormEvent) => {
    event.preventDefault()
    if (why !== null) return
    if (isSame) again()
    else lookup.ask(trimmed(entered))
  }
  return (
    <form className="lookup" onSubmit={ask}>
      {fields.map(({ column, kind, optional, description }) => (
        <label key={column} title={description === '' ? undefined : description}>
          <span>
            {column} <span className="quiet">{optional ? `${kind}, of the event` : kind}</span>
          </span>
          <input
            className="filter-input"
            value={entered[column] ?? ''}
            autoComplete="off"
            spellCheck={false}
            placeholder={optional ? 'missing' : ''}
            onChange={(event) => setEntered({ ...entered, [column]: event.target.value })}
          />
        </label>
      ))}
      <Button type="submit" size="xs" disabled={why !== null} loading={isBusy}>
        {isSame && why === null ? 'Ask again' : 'Look up'}
      </Button>
      {why === null ? null : <span className="quiet lookup-why">{why}</span>}
    </form>
  )
}

/** Why nothing can be looked up yet, in words; null where it can. */
function whyNot(fields: readonly LookupField[], entered: Texts): string | null {
  const text = ({ column }: LookupField) => (entered[column] ?? '').trim()
  const keys = fields.filter(({ role }) => role === 'key')
  if (keys.every((field) => text(field) === '')) {
    return `Needs ${keys.map(({ column }) => column).join(' or ')}`
  }
  const wrong = fields.find(
    (field) => field.sentAs === 'number' && text(field) !== '' && !isNumber(text(field)),
  )
  return wrong === undefined ? null : `${wrong.column} must be a number`
}

function trimmed(entered: Texts): Texts {
  const texts = Object.entries(entered).map(([column, text]) => [column, text.trim()] as const)
  return Object.fromEntries(texts.filter(([, text]) => text !== ''))
}

function sameTexts(a: Texts, b: Texts): boolean {
  const columns = new Set([...Object.keys(a), ...Object.keys(b)])
  return [...columns].every((column) => (a[column] ?? '').trim() === (b[column] ?? ''))
}
