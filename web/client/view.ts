/**
 * View state lives in the address: filters, columns, open panels, the time range. All values are
 * plain strings, so that an address can be read, typed and shared.
 */
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useCallback, useMemo } from 'react'

export type View = Readonly<Record<string, string | undefined>>

export const rangeKeys = ['last', 'from', 'to'] as const

export function parseView(search: string): Record<string, string> {
  return Object.fromEntries(new URLSearchParams(search))
}

export function writeView(view: Record<string, unknown>): string {
  const search = new URLSearchParams()
  for (const [key, value] of Object.entries(view)) {
    if (value !== undefined && value !== null && value !== '') search.set(key, String(value))
  }
  const text = search.toString()
  return text === '' ? '' : `?${text}`
}

/** The part of a view that goes along to other screens. */
export function rangeOf(view: View): Record<string, string> {
  const kept: Record<string, string> = {}
  for (const key of rangeKeys) {
    const value = view[key]
    if (value !== undefined && value !== '') kept[key] = value
  }
  return kept
}

export function pick<Key extends string>(
  view: View,
  keys: readonly Key[],
): Partial<Record<Key, string>> {
  const picked: Partial<Record<Key, string>> = {}
  for (const key of keys) {
    const value = view[key]
    if (value !== undefined && value !== '') picked[key] = value
  }
  return picked
}

/** The current view and a way to change part of it; a value of undefined leaves the address. */
export function useView(): {
  readonly view: View
  readonly change: (patch: View, how?: { readonly push?: boolean }) => void
} {
  const view = useSearch({ strict: false }) as View
  const navigate = useNavigate()
  const change = useCallback(
    (patch: View, how: { readonly push?: boolean } = {}) => {
      void navigate({
        to: '.',
        search: (before: View) => ({ ...before, ...patch }),
        replace: how.push !== true,
        resetScroll: false,
      } as never)
    },
    [navigate],
  )
  return useMemo(() => ({ view, change }), [view, change])
}
