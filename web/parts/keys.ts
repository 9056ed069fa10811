import { useEffect, useRef } from 'react'

/** True where a key belongs to a field, an open dialog or the browser rather than to the screen. */
export function isTyping(event: KeyboardEvent): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey) return true
  const target = event.target as HTMLElement | null
  if (target === null || typeof target.closest !== 'function') return false
  return (
    target.closest('input:not([type=checkbox]), textarea, select, [contenteditable=true]') !==
      null || document.querySelector('[role=dialog]') !== null
  )
}

/** Single keys of a screen, while it is shown. */
export function useKeys(keys: Readonly<Record<string, () => void>>): void {
  const latest = useRef(keys)
  latest.current = keys
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (isTyping(event) || event.defaultPrevented) return
      const act = latest.current[event.key]
      if (act === undefined) return
      event.preventDefault()
      act()
    }
    window.addEventListener('keydown', press)
    return () => window.removeEventListener('keydown', press)
  }, [])
}
