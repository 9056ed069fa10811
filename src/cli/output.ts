// What people and programs read from the command line: results on standard output, everything about
// how it went on standard error. Colours appear only on a terminal that wants them.
import type { Writable } from 'node:stream'
import { styleText } from 'node:util'
import { CommanderError } from 'commander'
import { AssayError } from '../lib/errors.ts'
import { exitCodes } from './exit-codes.ts'

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan'

export interface TextOutput {
  /** Whether a person watches, so that a line may be written over. */
  readonly interactive: boolean
  line(text?: string): void
  /** Text as it is, without a line end. */
  raw(text: string): void
  /** The text in a style where colours are wanted, else as it is (NO_COLOR, pipes, files). */
  style(style: Style, text: string): string
}

export interface Terminal {
  readonly out: TextOutput
  readonly err: TextOutput
}

/** The terminal of this process. A reader that closes its end early (`… | head`) is no failure. */
export function processTerminal(): Terminal {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit(exitCodes.ok)
      throw error
    })
  }
  return { out: textOutput(process.stdout), err: textOutput(process.stderr) }
}

function textOutput(stream: Writable & { readonly isTTY?: boolean }): TextOutput {
  return {
    interactive: stream.isTTY === true && process.env['TERM'] !== 'dumb',
    line: (text = '') => stream.write(`${text}\n`),
    raw: (text) => stream.write(text),
    style: (style, text) => styleText(style, text, { stream }),
  }
}

/** Errors whose cause is that something else holds the home, a port or a socket. */
const busyCodes = new Set(['home_locked', 'server_running', 'socket_in_use', 'port_in_use'])
/** Errors of the command line itself, which commander cannot see. */
const usageCodes = new Set(['option_invalid'])

/**
 * Says what exactly was wrong and what to do, and returns the code to end with. What commander
 * refused it has already said itself.
 */
export function printError(error: unknown, { err }: Terminal = processTerminal()): number {
  if (error instanceof CommanderError) {
    return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage
  }
  const label = err.style('red', 'error:')
  if (!(error instanceof AssayError)) {
    err.line(`${label} Assay failed in a way that it did not expect.`)
    err.line(error instanceof Error ? (error.stack ?? error.message) : String(error))
    err.line('Report this defect with the lines above.')
    return exitCodes.failed
  }
  err.line(`${label} ${error.detail}`)
  for (const line of failureLines(error.extra?.['failures'])) err.line(`  ${line}`)
  err.line(`${error.action} ${err.style('dim', `(${error.code})`)}`)
  return exitCodeOf(error)
}

function exitCodeOf({ code }: AssayError): number {
  if (usageCodes.has(code)) return exitCodes.usage
  return busyCodes.has(code) ? exitCodes.busy : exitCodes.failed
}

const FAILURES_SHOWN = 10

/** The failures of a refused event, a line each. */
function failureLines(failures: unknown): string[] {
  if (!Array.isArray(failures)) return []
  const lines = failures.slice(0, FAILURES_SHOWN).map((failure: unknown) => {
    const { column, rule, message } = failure as Record<string, unknown>
    return `${typeof column === 'string' ? column : 'event'}: ${String(message)} (${String(rule)})`
  })
  const more = failures.length - lines.length
  return more > 0 ? [...lines, `and ${more} more`] : lines
}

/** Rows of text under headings, in columns as wide as they need to be. */
export function printTable(
  output: TextOutput,
  headings: readonly string[],
  rows: readonly (readonly string[])[],
): void {
  const widths = headings.map((heading, column) =>
    rows.reduce((widest, row) => Math.max(widest, row[column].length), heading.length),
  )
  const lay = (cells: readonly string[]) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column]))
      .join('  ')
      .trimEnd()
  output.line(output.style('dim', lay(headings)))
  for (const row of rows) output.line(lay(row))
}

/** A whole number with its thousands parted, and with its noun where one is given: `1 row`. */
export function count(value: number, noun?: string): string {
  const number = value.toLocaleString('en-US')
  return noun === undefined ? number : `${number} ${noun}${value === 1 ? '' : 's'}`
}
