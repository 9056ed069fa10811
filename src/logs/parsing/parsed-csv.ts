// Parsed lines as CSV, in the columns that Loghub's structured files have, with parameters beside them.
import type { ParsedLine, RejectedLine } from './parse-log.ts'
import type { Template } from './templates.ts'
import { CONTENT } from './header.ts'

/** What the header of a recognised format says beyond its first records; most lines have none of it. */
const OTHER = 'OtherFields'
const LAST = ['EventId', 'EventTemplate', 'Parameters', 'ParameterTypes', 'Continued'] as const

export interface ParsedCsv {
  readonly head: string
  row(line: ParsedLine): string
}

/**
 * The columns are the fields of a declared header in its order, else the fields of the first lines and one for
 * others that come later. `Parameters` and `ParameterTypes` are JSON lists of equal length; `Continued` holds
 * the lines that go on with the record.
 */
export function createParsedCsv(
  first: readonly ParsedLine[],
  headerFields: readonly string[] | undefined,
): ParsedCsv {
  const names = (headerFields ?? namesOf(first)).filter((name) => name !== CONTENT)
  const known = new Set(names)
  const others = headerFields === undefined ? [OTHER] : []
  const row = (line: ParsedLine) => {
    const cells = [String(line.line), ...names.map((name) => line.fields[name] ?? '')]
    cells.push(line.message)
    if (headerFields === undefined) cells.push(othersOf(line, known))
    cells.push(line.id, line.template)
    cells.push(JSON.stringify(line.parameters.map(({ value }) => value)))
    cells.push(JSON.stringify(line.parameters.map(({ type }) => type)))
    cells.push(line.continued.join('\n'))
    return csvRow(cells)
  }
  return { head: csvRow(['LineId', ...names, CONTENT, ...others, ...LAST]), row }
}

export const rejectedHead = csvRow(['Line', 'Reason', 'Text'])

export function rejectedRow({ line, reason, text }: RejectedLine): string {
  return csvRow([String(line), reason, text])
}

/** The templates as Loghub's files have them, with how often each was seen. */
export function templatesCsv(templates: readonly Template[]): string {
  const rows = templates.map(({ id, text, count }) => csvRow([id, text, String(count)]))
  return csvRow(['EventId', 'EventTemplate', 'Occurrences']) + rows.join('')
}

function namesOf(lines: readonly ParsedLine[]): string[] {
  return [...new Set(lines.flatMap(({ fields }) => Object.keys(fields)))]
}

function othersOf({ fields }: ParsedLine, known: ReadonlySet<string>): string {
  const others = Object.entries(fields).filter(([name]) => !known.has(name))
  return others.length === 0 ? '' : JSON.stringify(Object.fromEntries(others))
}

/**
 * RFC 4180. Values are those of the log to the letter: nothing is put before what a spreadsheet might take for a
 * formula, because programs read the file.
 */
function csvRow(cells: readonly string[]): string {
  const quoted = cells.map((cell) =>
    /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell,
  )
  return `${quoted.join(',')}\n`
}
