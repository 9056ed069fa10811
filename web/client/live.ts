/**
 * Decisions as they happen, pushed by the server. A line that breaks is opened again from the place
 * of the last answer, so nothing is missed; while the tab is not seen it is closed, because a browser
 * opens only a few to one address.
 */
import { useQueryClient } from '@tanstack/react-query'
import { useCallback, useEffect, useRef, useState } from 'react'
import type { LiveDecisions } from '../../src/server/contract/decisions.ts'
import { addressOf, call, ProblemError, unreachable } from './api.ts'

/** Between attempts, ms. */
const pauses = [1000, 2000, 5000, 10_000] as const
/** The server says something at least every five seconds. */
const SILENCE_MS = 20_000

export type Line =
  | { readonly state: 'opening' | 'open' }
  | {
      readonly state: 'broken'
      readonly error: unknown
      readonly since: Date
      readonly ends: boolean
    }

/** Tells of every answer to a question, whose address-like text (`a=1&b=2`) says when it is another. */
export function useLiveDecisions(
  question: string,
  tell: (answer: LiveDecisions) => void,
): { readonly line: Line; readonly again: () => void } {
  const client = useQueryClient()
  const [line, setLine] = useState<Line>({ state: 'opening' })
  const [round, setRound] = useState(0)
  const latest = useRef(tell)
  latest.current = tell
  const place = useRef<{ question: string; after: string | undefined }>(undefined)

  useEffect(() => {
    if (place.current?.question !== question) place.current = { question, after: undefined }
    const here = place.current
    const query = Object.fromEntries(new URLSearchParams(question))
    const gone = new AbortController()
    let source: EventSource | undefined
    let timer: ReturnType<typeof setTimeout> | undefined
    let silence: ReturnType<typeof setTimeout> | undefined
    let attempts = 0

    const hear = (answer: LiveDecisions) => {
      here.after = answer.place
      attempts = 0
      clearTimeout(silence)
      silence = setTimeout(() => broken(new ProblemError(unreachable)), SILENCE_MS)
      setLine((before) => (before.state === 'open' ? before : { state: 'open' }))
      latest.current(answer)
    }
    // What was begun before the last closing is not gone on with.
    let turn = 0
    const close = () => {
      turn += 1
      source?.close()
      clearTimeout(timer)
      clearTimeout(silence)
    }
    const broken = (error: unknown) => {
      close()
      if (gone.signal.aborted) return
      const status = error instanceof ProblemError ? error.problem.status : 0
      if (status === 401) void client.invalidateQueries({ queryKey: ['session'] })
      const ends = status >= 400 && status < 500
      const since = new Date()
      setLine((before) => ({
        state: 'broken',
        error,
        ends,
        since: before.state === 'broken' ? before.since : since,
      }))
      if (ends) return
      timer = setTimeout(() => void open(), pauses[Math.min(attempts, pauses.length - 1)])
      attempts += 1
    }
    // Asked once as any other question, so that a refusal comes with its reason, then followed.
    const open = async () => {
      const mine = turn
      const asked = { ...query, ...(here.after !== undefined && { after: here.after }) }
      const answer = await call('liveDecisions', {
        query: asked,
        signal: gone.signal,
      }).catch((error: unknown) => {
        if (mine === turn) broken(error)
      })
      if (mine !== turn || answer === undefined) return
      hear(answer)
      source = new EventSource(
        addressOf('liveDecisions', undefined, { ...query, after: here.after }),
      )
      source.addEventListener('message', ({ data }: MessageEvent<string>) => {
        hear(JSON.parse(data) as LiveDecisions)
      })
      source.addEventListener('error', () => broken(new ProblemError(unreachable)))
    }
    const look = () => {
      close()
      if (!document.hidden) void open()
    }
    look()
    document.addEventListener('visibilitychange', look)
    window.addEventListener('online', look)
    return () => {
      gone.abort()
      close()
      document.removeEventListener('visibilitychange', look)
      window.removeEventListener('online', look)
    }
  }, [client, question, round])

  return { line, again: useCallback(() => setRound((before) => before + 1), []) }
}
