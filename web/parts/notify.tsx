import { notifications } from '@mantine/notifications'
import { useEffect, useState } from 'react'
import { ProblemError } from '../client/api.ts'

export function notify(message: string): void {
  notifications.show({ message, autoClose: 5_000, withBorder: true })
}

export function notifyFailed(error: unknown): void {
  const problem = error instanceof ProblemError ? error.problem : undefined
  notifications.show({
    title: problem?.title ?? 'That did not work',
    message: [problem?.detail === problem?.title ? '' : problem?.detail, problem?.action]
      .filter(Boolean)
      .join(' '),
    color: 'red',
    autoClose: 12_000,
    withBorder: true,
  })
}

/** Offers to take an act back until `until` (wall clock, ISO). */
export function notifyUndo(
  message: string,
  until: string | null,
  undo: () => void,
  /** The key that does the same on this screen. */
  key = 'Z',
): string {
  const left = until === null ? 0 : Date.parse(until) - Date.now()
  if (left <= 0) {
    notify(message)
    return ''
  }
  const id = notifications.show({
    message: (
      <UndoMessage
        message={message}
        until={Date.parse(until ?? '')}
        letter={key}
        undo={() => {
          notifications.hide(id)
          undo()
        }}
      />
    ),
    autoClose: left,
    withBorder: true,
    withCloseButton: false,
  })
  return id
}

function UndoMessage({
  message,
  until,
  letter,
  undo,
}: {
  readonly message: string
  readonly letter: string
  readonly until: number
  readonly undo: () => void
}) {
  const [now, setNow] = useState(Date.now())
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 250)
    return () => clearInterval(timer)
  }, [])
  return (
    <span className="undo">
      <span>{message}</span>
      <button type="button" onClick={undo}>
        Undo <kbd>{letter}</kbd>
      </button>
      <span className="quiet">{Math.max(0, Math.ceil((until - now) / 1000))} s</span>
    </span>
  )
}
