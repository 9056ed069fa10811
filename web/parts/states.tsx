/** What a screen shows when it has nothing, not yet, or not any more. */
import { Button } from '@mantine/core'
import { IconAlertTriangle, IconClipboard, IconClipboardCheck } from '@tabler/icons-react'
import type { UseQueryResult } from '@tanstack/react-query'
import { useEffect, useRef, useState, type ReactNode } from 'react'
import { ProblemError } from '../client/api.ts'

export function Command({ text }: { readonly text: string }) {
  const [copied, setCopied] = useState(false)
  return (
    <span className="command">
      <code>{text}</code>
      <button
        type="button"
        aria-label={copied ? 'Copied' : `Copy ${text}`}
        onClick={() => {
          void navigator.clipboard.writeText(text).then(() => setCopied(true))
        }}
      >
        {copied ? <IconClipboardCheck size={14} /> : <IconClipboard size={14} />}
      </button>
    </span>
  )
}

export function Empty({
  title,
  children,
  command,
}: {
  readonly title: string
  readonly children?: ReactNode
  readonly command?: string
}) {
  return (
    <div className="state">
      <p className="state-title">{title}</p>
      {children === undefined ? null : <div className="state-text">{children}</div>}
      {command === undefined ? null : <Command text={command} />}
    </div>
  )
}

/** What happened, what is safe, what to do: from the server's problem document. */
export function Failed({ error, again }: { readonly error: unknown; readonly again?: () => void }) {
  const problem = error instanceof ProblemError ? error.problem : undefined
  const title = problem?.title ?? 'This part of the page failed'
  const detail = problem?.detail ?? (error instanceof Error ? error.message : '')
  return (
    <div className="state state-failed" role="alert">
      <IconAlertTriangle size={20} aria-hidden />
      <p className="state-title">{title}</p>
      {detail === '' || detail === title ? null : <p className="state-text">{detail}</p>}
      {problem?.action === undefined ? null : <p className="state-text">{problem.action}</p>}
      {again === undefined || isForGood(problem?.status) ? null : (
        <Button size="xs" variant="default" onClick={again}>
          Ask again
        </Button>
      )}
      {problem?.code === undefined ? null : <code className="quiet">{problem.code}</code>}
    </div>
  )
}

/** What is not there, or not there any more, is not there for who asks again. */
function isForGood(status: number | undefined): boolean {
  return status === 404 || status === 410
}

/** Grey bars where text will be; shown only after a moment, so that fast answers do not flicker. */
export function Loading({ rows = 6 }: { readonly rows?: number }) {
  const [seen, setSeen] = useState(false)
  useEffect(() => {
    const timer = setTimeout(() => setSeen(true), 150)
    return () => clearTimeout(timer)
  }, [])
  return (
    <div className="loading" role="status">
      <span className="visually-hidden">Loading</span>
      {seen
        ? Array.from({ length: rows }, (_, i) => (
            <span key={i} className="loading-bar" style={{ width: `${92 - ((i * 37) % 45)}%` }} />
          ))
        : null}
    </div>
  )
}

/** Shows an answer, or why there is none. An old answer stays while a new one is being fetched. */
export function Answered<T>({
  answer,
  rows,
  children,
}: {
  readonly answer: UseQueryResult<T>
  readonly rows?: number
  readonly children: (data: T) => ReactNode
}) {
  const failed = useRef<unknown>(null)
  if (answer.isError) failed.current = answer.error
  if (answer.data !== undefined) {
    failed.current = null
    return (
      <>
        {answer.isError ? <Stale error={answer.error} /> : null}
        {children(answer.data)}
      </>
    )
  }
  // While a poll asks again the error counts as gone; it stays on screen until there is an answer.
  if (failed.current !== null) {
    return <Failed error={failed.current} again={() => void answer.refetch()} />
  }
  return <Loading {...(rows === undefined ? {} : { rows })} />
}

function Stale({ error }: { readonly error: unknown }) {
  const why = error instanceof Error ? error.message : ''
  return (
    <p className="stale" role="status">
      <IconAlertTriangle size={15} aria-hidden /> Shown as last known. {why}
    </p>
  )
}
