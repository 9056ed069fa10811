// The header of a log's lines, declared as in the settings of Drain and of Loghub: names in angle brackets,
// and between them what stands between the fields, where several spaces mean any.
import { fail } from '../errors.ts'

export interface HeaderFormat {
  /** Names of the fields, in order; `Content` is the message. */
  readonly fields: readonly string[]
  /** The header as a regular expression, a group a field. */
  readonly pattern: string
  /** The fields of a line, in the order of `fields`; undefined where it does not have the header. */
  read(line: string): readonly string[] | undefined
}

export const CONTENT = 'Content'

/** Most characters of a line that a header with groups of its own is looked for in: such a search may be slow. */
const SEARCHED_MAX = 2048

/** Error: `log_format_invalid`. */
export function parseHeaderFormat(format: string): HeaderFormat {
  const parts = format.split(/<([^<>]+)>/)
  const fields = parts.filter((_, i) => i % 2 === 1)
  const between = parts.filter((_, i) => i % 2 === 0).map((part) => part.replace(/ +/g, '\\s+'))
  if (!fields.includes(CONTENT)) {
    throw fail.log_format_invalid(`"${format}" has no <${CONTENT}>.`)
  }
  const whole = (field: (i: number) => string) =>
    `^${between.map((part, i) => part + (i < fields.length ? field(i) : '')).join('')}$`
  const expression = compiled(
    whole((i) => `(?<f${i}>.*?)`),
    format,
  )
  const read = readerOf(between)
  return {
    fields,
    pattern: whole(() => '(.*?)'),
    read:
      read ??
      ((line) => {
        if (line.length > SEARCHED_MAX) return undefined
        const groups = expression.exec(line)?.groups
        return groups === undefined ? undefined : fields.map((_, i) => groups[`f${i}`] ?? '')
      }),
  }
}

/**
 * Reads fields by what stands between them, from left to right, each as short as it can be: what the whole
 * expression finds, in time that grows with the line alone. The expression would try all ways to divide a line
 * without the header, which for a long one never ends. Undefined where a field stands inside a group.
 */
function readerOf(between: readonly string[]): HeaderFormat['read'] | undefined {
  const last = between.length - 1
  const separators = (spaces: string) =>
    between.map((part, i) => {
      const text = part.replaceAll('\\s+', spaces)
      if (i === 0) return new RegExp(text, 'sy')
      return new RegExp(i === last ? `(?:${text})$` : text, 'sg')
    })
  try {
    for (const part of between) void new RegExp(part)
  } catch {
    return undefined
  }
  // A field may be missing between two spaces: then spaces are taken one by one.
  const [many, single] = [separators('\\s+'), separators('\\s')]
  return (line) => divided(line, many) ?? divided(line, single)
}

function divided(line: string, separators: readonly RegExp[]): string[] | undefined {
  const values: string[] = []
  let at = 0
  for (const [i, separator] of separators.entries()) {
    // The last field goes to the end where nothing stands behind it.
    if (i === separators.length - 1 && separator.source === '(?:)$') {
      values.push(line.slice(at))
      return values
    }
    separator.lastIndex = at
    const found = separator.exec(line)
    if (found === null) return undefined
    if (i > 0) values.push(line.slice(at, found.index))
    at = found.index + found[0].length
  }
  return values
}

function compiled(pattern: string, format: string): RegExp {
  try {
    return new RegExp(pattern, 's')
  } catch (cause) {
    throw fail.log_format_invalid(`"${format}" is no pattern: ${(cause as Error).message}`, {
      cause,
    })
  }
}
