// The header of a log's lines, declared as in the settings of Drain and of Loghub: names in angle brackets,
// and between them what stands between the fields, where several spaces mean any.
import { fail } from '../errors.ts'

export interface HeaderFormat {
  /** Names of the fields, in order; `Content` is the message. */
  readonly fields: readonly string[]
  /** The fields of a line, in the order of `fields`; undefined where it does not have the header. */
  read(line: string): readonly string[] | undefined
}

export const CONTENT = 'Content'

/** Error: `log_format_invalid`. */
export function parseHeaderFormat(format: string): HeaderFormat {
  const parts = format.split(/(<[^<>]+>)/)
  const fields: string[] = []
  let pattern = ''
  for (const [i, part] of parts.entries()) {
    if (i % 2 === 0) pattern += part.replace(/ +/g, '\\s+')
    else {
      fields.push(part.slice(1, -1))
      pattern += '(.*?)'
    }
  }
  if (!fields.includes(CONTENT)) {
    throw fail.log_format_invalid(`"${format}" has no <${CONTENT}>.`)
  }
  const expression = compiled(`^${pattern}$`, format)
  return {
    fields,
    read(line) {
      const match = expression.exec(line)
      return match === null ? undefined : match.slice(1)
    },
  }
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
