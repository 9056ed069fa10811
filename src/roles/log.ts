// What a role says beside its answers: for machines one JSON object a line on standard output, for
// people only what went wrong, in words, on standard error.
import pino, { type Logger } from 'pino'
import { isAssayError } from '../lib/errors.ts'
import type { RoleConfig } from './config.ts'

export type RoleLog = Pick<Logger, 'info' | 'warn' | 'error'>

/** The log of a role. `write` stands in for the streams in tests. */
export function roleLog(
  role: string,
  { log: form }: Pick<RoleConfig, 'log'>,
  write: (text: string) => void = (text) =>
    void (form === 'json' ? process.stdout : process.stderr).write(text),
): RoleLog {
  return pino(
    {
      level: form === 'json' ? 'info' : 'error',
      base: { role },
      messageKey: 'message',
      errorKey: 'error',
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (level) => ({ level }) },
    },
    { write: (line: string) => write(form === 'json' ? line : inWords(line)) },
  )
}

function inWords(line: string): string {
  const {
    level: _,
    time: _time,
    role,
    message,
    error,
    ...rest
  } = JSON.parse(line) as {
    readonly [field: string]: unknown
    readonly error?: unknown
  }
  const stack = (error as { stack?: string } | undefined)?.stack ?? error
  const details = Object.keys(rest).length === 0 ? '' : ` ${JSON.stringify(rest)}`
  return `${String(role)}: ${String(message)}${details}${stack === undefined ? '' : `\n${String(stack)}`}\n`
}

/**
 * Tells of troubles that come again with every try: each once, until another one comes of the same
 * undertaking, which is named in words.
 */
export function troubleTeller(log: RoleLog): (undertaking: string) => (error: unknown) => void {
  return (undertaking) => {
    let told = ''
    return (error) => {
      // Restarting, or a namespace that was made anew just now: the next look finds it again.
      if (isAssayError(error, 'peer_unavailable', 'namespace_not_found')) return
      const trouble = error instanceof Error ? error.message : String(error)
      if (trouble === told) return
      told = trouble
      log.error({ error }, `${undertaking} failed and is tried again`)
    }
  }
}
