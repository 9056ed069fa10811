// What varies in a message, read out of it by its template, and what kind of thing each value is.
import { VARIABLE } from './parser.ts'

export type ParameterType =
  | 'empty'
  | 'number'
  | 'hex'
  | 'ip'
  | 'mac'
  | 'uuid'
  | 'timestamp'
  | 'duration'
  | 'size'
  | 'url'
  | 'path'
  | 'host'
  | 'word'
  | 'text'

/** The first that fits is the type. Numbers of many digits stay numbers: nothing tells that they are times. */
const types: readonly (readonly [ParameterType, RegExp])[] = [
  ['empty', /^$/],
  ['number', /^[+-]?(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?%?$/],
  ['uuid', /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i],
  ['ip', /^\/?(?:\d{1,3}\.){3}\d{1,3}(?::\d{1,5}|\/\d{1,2})?$/],
  ['mac', /^[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5}$/i],
  ['duration', /^[+-]?\d+(?:\.\d+)? ?(?:ns|us|µs|ms|s|sec|secs|min|mins|h|hr|hrs|d)$/],
  ['size', /^\d+(?:\.\d+)? ?(?:[KMGTP]i?)?B$/],
  [
    'timestamp',
    /^(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? +)?(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}|(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]* +\d{1,2}\b)/,
  ],
  ['timestamp', /^\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?$/],
  ['ip', /^\/?(?=.*:.*:)[0-9a-f:]{2,39}(?:%\w+)?$/i],
  ['hex', /^(?:0x[0-9a-f]+|(?=.*\d)[0-9a-f]{4,}|[a-f]{8,})$/i],
  ['url', /^[a-z][a-z0-9+.-]*:\/\/\S+$/i],
  ['path', /^(?:\/|[A-Za-z]:\\|\\|\.{1,2}\/|~\/)\S*$/],
  ['host', /^(?:[a-z0-9_-]+\.)+[a-z]{2,}(?::\d{1,5})?\.?$/i],
  ['word', /^[\p{L}\p{N}_-]+$/u],
  ['text', /(?:)/],
]

export function typeOfParameter(value: string): ParameterType {
  return types.find(([, form]) => form.test(value))![0]
}

/** Most characters of a message that values are read out of; what is longer has none but itself. */
const MESSAGE_MAX = 65_536

/**
 * Reads the values out of messages. Each `<*>` takes as little as it can, the last one all that is left; runs
 * of white space count as one. Undefined where a message does not follow the template to the letter: a parser
 * puts messages together whose words are alike, and their marks and spaces may differ.
 */
export function createParameterReader(template: string): (message: string) => string[] | undefined {
  const parts = template.replace(/\s+/g, ' ').trim().split(VARIABLE)
  const [first, last] = [parts[0], parts.at(-1)!]
  return (message) => {
    if (message.length > MESSAGE_MAX) return undefined
    const text = message.replace(/[\s\0]+/g, ' ').trim()
    if (parts.length === 1) return text === first ? [] : undefined
    if (!text.startsWith(first)) return undefined
    const values: string[] = []
    let at = first.length
    for (let i = 1; i < parts.length - 1; i++) {
      const found = text.indexOf(parts[i], at)
      if (found < 0) return undefined
      values.push(text.slice(at, found).trim())
      at = found + parts[i].length
    }
    const end = text.length - last.length
    if (end < at || !text.endsWith(last)) return undefined
    return [...values, text.slice(at, end).trim()]
  }
}
