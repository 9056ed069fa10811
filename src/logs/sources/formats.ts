// What lines of logs look like: those that are recognised, and one that is declared.
import { CONTENT, parseHeaderFormat } from '../parsing/header.ts'
import { createTimeReader, type TimeOptions } from './times.ts'

/** What a line says. */
export interface LogRecord {
  /** Microseconds since 1970 UTC; undefined where the line has no time that can be read. */
  readonly timeUs: number | undefined
  /** By name. What the line says nothing about is not there. */
  readonly fields: Readonly<Record<string, string>>
  readonly message: string
}

/** Reads lines of one log. Undefined where a line does not have the format. */
export type LineReader = (line: string) => LogRecord | undefined

export interface LogFormat {
  readonly name: string
  /** An example for people. */
  readonly example: string
  /** Where all lines have the same; a line may say nothing of one. */
  readonly fields?: readonly string[]
  reader(options: TimeOptions): LineReader
}

type Time = (text: string) => number | undefined

function lineFormat(
  name: string,
  example: string,
  read: (line: string, time: Time) => LogRecord | undefined,
  fields?: readonly string[],
): LogFormat {
  return {
    name,
    example,
    ...(fields === undefined ? {} : { fields }),
    reader(options) {
      const time = createTimeReader(options)
      return (line) => read(line, time)
    },
  }
}

/** A quoted text with its escapes. Each part is possessive by its shape, so that long lines cost no more. */
const QUOTED = '"([^"\\\\]*(?:\\\\.[^"\\\\]*)*)"'
const REQUEST = `^(?:(\\S+?)(?::\\d+)? )?(\\S+) (\\S+) ([^[]+?) \\[([^\\]]+)\\] ${QUOTED} (\\d{3}|-) (\\d+|-)`
const COMMON = new RegExp(`${REQUEST}\\s*$`)
/** A line that was cut within the agent is one all the same. */
const COMBINED = new RegExp(`${REQUEST} ${QUOTED} (?:${QUOTED}(?:\\s+(.*))?|"([^"\\\\]*))$`)

/** Names as people say them; the format of Apache calls them %h, %l, %u, %t, %r, %>s, %b. */
function webRecord(match: RegExpExecArray, time: Time): LogRecord | undefined {
  const [, host, client, , user, at, request, status, bytes, referrer, whole, more, begun] = match
  const timeUs = time(at)
  if (timeUs === undefined) return undefined
  const fields: Record<string, string> = { client, status }
  const [method, target, protocol] = request.split(' ')
  if (target !== undefined) {
    const query = target.indexOf('?')
    fields['method'] = method
    fields['path'] = query < 0 ? target : target.slice(0, query)
    if (query >= 0) fields['query'] = target.slice(query + 1)
    if (protocol !== undefined) fields['protocol'] = protocol
  }
  const others = { host, user, bytes, referrer, agent: whole ?? begun, more }
  for (const [name, value] of Object.entries(others)) {
    if (value !== undefined && value !== '-' && value !== '') fields[name] = value
  }
  return { timeUs, fields, message: request }
}

const webFields = [
  'host',
  'client',
  'user',
  'method',
  'path',
  'query',
  'protocol',
  'status',
  'bytes',
]

const combined = lineFormat(
  'combined',
  '203.0.113.9 - - [17/May/2015:10:05:03 +0000] "GET /a HTTP/1.1" 200 512 "http://example.org/" "Mozilla/5.0"',
  (line, time) => {
    const match = COMBINED.exec(line)
    return match === null ? undefined : webRecord(match, time)
  },
  [...webFields, 'referrer', 'agent'],
)

const common = lineFormat(
  'common',
  '203.0.113.9 - - [17/May/2015:10:05:03 +0000] "GET /a HTTP/1.1" 200 512',
  (line, time) => {
    const match = COMMON.exec(line)
    return match === null ? undefined : webRecord(match, time)
  },
  webFields,
)

const timeNames = [
  'time',
  'timestamp',
  '@timestamp',
  'ts',
  'datetime',
  'date',
  'asctime',
  '__REALTIME_TIMESTAMP',
  '_SOURCE_REALTIME_TIMESTAMP',
]
const messageNames = ['message', 'msg', 'MESSAGE', 'log', 'event', CONTENT]
const DEPTH_MAX = 3
const FIELDS_MAX = 200

const json = lineFormat(
  'json',
  '{"time":"2026-05-17T10:05:03Z","client":"203.0.113.9","path":"/a","message":"served"}',
  (line, time) => {
    if (!line.startsWith('{')) return undefined
    let parsed: unknown
    try {
      parsed = parseExactly(line)
    } catch {
      return undefined
    }
    const fields: Record<string, string> = {}
    flatten(parsed as object, '', DEPTH_MAX, fields)
    return recordOf(fields, time)
  },
)

/** A number that a double cannot hold keeps its digits. */
function parseExactly(line: string): unknown {
  if (!/\d{16}/.test(line)) return JSON.parse(line)
  const revive = (_: string, value: unknown, context?: { readonly source?: string }) =>
    typeof value === 'number' && !Number.isSafeInteger(value) && context?.source !== undefined
      ? context.source
      : value
  return JSON.parse(line, revive)
}

/** `{ a: { b: 1 } }` gives `a.b`; lists and what lies deeper stay JSON. */
function flatten(from: object, prefix: string, depth: number, into: Record<string, string>): void {
  for (const [key, value] of Object.entries(from) as [string, unknown][]) {
    if (Object.keys(into).length >= FIELDS_MAX) return
    const name = `${prefix}${key}`
    if (value === null || value === undefined) continue
    if (typeof value === 'string') into[name] = value
    else if (typeof value !== 'object') into[name] = String(value)
    else if (depth > 1 && !Array.isArray(value)) flatten(value, `${name}.`, depth - 1, into)
    else into[name] = JSON.stringify(value)
  }
}

function recordOf(fields: Readonly<Record<string, string>>, time: Time): LogRecord {
  let timeUs: number | undefined
  for (const name of timeNames) {
    if (timeUs === undefined && Object.hasOwn(fields, name)) timeUs = time(fields[name])
  }
  const messageName = messageNames.find((name) => Object.hasOwn(fields, name))
  return { timeUs, fields, message: messageName === undefined ? '' : fields[messageName] }
}

const levels =
  'TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|SEVERE|CRITICAL|FATAL|Trace|Debug|Info|Notice|Warn|Warning|Error|Fatal|trace|debug|info|notice|warn|warning|error|fatal'
const LOG4J = new RegExp(
  `^(\\d{2,4}[-/]?\\d{2}[-/]?\\d{2}[T ]\\d{2}:?\\d{2}:?\\d{2}(?:[.,]\\d{1,9})?(?: ?(?:Z|[+-]\\d{2}:?\\d{2}))?)(?: -|,)?\\s+(?:\\[([^\\]]*)\\]\\s+|(\\d+)\\s+)?\\[?(${levels})\\]?:?\\s+(?:-\\s+)?(?:\\[([^\\]]*)\\]\\s+(?:-\\s+)?)?(?:([\\w.$@*/-]+)(?:\\s+-|:)\\s+)?(.*)$`,
  's',
)

const log4j = lineFormat(
  'log4j',
  '2015-10-18 18:01:47,978 INFO [main] org.example.Master: Created',
  (line, time) => {
    const match = LOG4J.exec(line)
    const timeUs = match === null ? undefined : time(match[1])
    if (match === null || timeUs === undefined) return undefined
    const [, , before, process, level, after, logger, message] = match
    const thread = before ?? after
    const fields: Record<string, string> = { level: level.toUpperCase() }
    if (thread !== undefined) fields['thread'] = thread
    if (process !== undefined) fields['process'] = process
    if (logger !== undefined) fields['logger'] = logger
    return { timeUs, fields, message }
  },
)

/** The error log of Apache: time, module and level, process, client, each in brackets. */
const APACHE_ERROR =
  /^\[([A-Z][a-z]{2} [A-Z][a-z]{2} {1,2}\d{1,2} \d{2}:\d{2}:\d{2}(?:\.\d{1,6})? \d{4})\] \[(?:([\w-]*):)?(\w+)\](?: \[pid (\d+)[^\]]*\])?(?: \[client ([^\]]+)\])? ?(.*)$/s

const apacheError = lineFormat(
  'apache-error',
  '[Sun Dec 04 04:47:44 2005] [error] [client 203.0.113.9] File does not exist: /a',
  (line, time) => {
    const match = APACHE_ERROR.exec(line)
    const timeUs = match === null ? undefined : time(match[1])
    if (match === null || timeUs === undefined) return undefined
    const [, , module, level, process, client, message] = match
    const fields: Record<string, string> = { level: level.toUpperCase() }
    for (const [name, value] of Object.entries({ module, process, client })) {
      if (value !== undefined && value !== '') fields[name] = value
    }
    return { timeUs, fields, message }
  },
)

const facilities =
  'kern user mail daemon auth syslog lpr news uucp cron authpriv ftp ntp audit alert clock local0 local1 local2 local3 local4 local5 local6 local7'.split(
    ' ',
  )
const severities = ['emerg', 'alert', 'crit', 'err', 'warning', 'notice', 'info', 'debug']

function priorityFields(text: string | undefined): Record<string, string> | undefined {
  if (text === undefined) return {}
  const priority = Number(text)
  if (priority > 191) return undefined
  return { facility: facilities[priority >> 3], severity: severities[priority & 7] }
}

/** RFC 5424, section 6. */
const SYSLOG_5424 =
  /^<(\d{1,3})>1 (-|\S{1,40}) (\S{1,255}) (\S{1,255}) (\S{1,128}) (\S{1,32}) (-|(?:\[(?:[^\]\\"]|"[^"\\]*(?:\\.[^"\\]*)*")+\])+)(?: \ufeff?(.*))?$/s
const PARAMETER = /([^\s=\]"]+)="([^"\\]*(?:\\.[^"\\]*)*)"/g

const rfc5424 = lineFormat(
  'syslog-5424',
  '<34>1 2003-10-11T22:14:15.003Z host.example.org app 4711 ID47 [origin ip="192.0.2.1"] started',
  (line, time) => {
    const match = SYSLOG_5424.exec(line)
    const fields = match === null ? undefined : priorityFields(match[1])
    if (match === null || fields === undefined) return undefined
    const [, , at, host, app, process, id, data, message = ''] = match
    for (const [name, value] of Object.entries({ host, app, process, id })) {
      if (value !== '-') fields[name] = value
    }
    for (const [, name, value] of data.matchAll(PARAMETER)) {
      fields[name] ??= value.replace(/\\(["\\\]])/g, '$1')
    }
    return { timeUs: at === '-' ? undefined : time(at), fields, message }
  },
)

/** RFC 3164, section 4.1, with the times that daemons write in its place; also what journalctl prints. */
const SYSLOG_3164 =
  /^(?:<(\d{1,3})>)?([A-Z][a-z]{2} {1,2}\d{1,2} \d{2}:\d{2}:\d{2}(?:\.\d{1,6})?|\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:?\d{2})?) (\S+) ([^\s:[]+(?: [^\s:[]+){0,2}?)(?:\[([^\]]*)\])?: ?(.*)$/s

const syslog = lineFormat(
  'syslog',
  'Feb  7 10:05:03 host sshd[24200]: Accepted publickey for root',
  (line, time) => {
    const match = SYSLOG_3164.exec(line)
    const fields = match === null ? undefined : priorityFields(match[1])
    const timeUs = match === null ? undefined : time(match[2])
    if (match === null || fields === undefined || timeUs === undefined) return undefined
    const [, , , host, app, process, message] = match
    Object.assign(fields, { host, app }, process === undefined ? {} : { process })
    return { timeUs, fields, message }
  },
)

const EXPORT_FIELD = /^([A-Z_][A-Z0-9_]{0,63})=(.*)$/s
const EXPORT_NAME = /^[A-Z_][A-Z0-9_]{0,63}$/
/** Before the text of a field that has line ends stands its length, in eight bytes. */
const EXPORT_LENGTH_BYTES = 8

/**
 * The export format of journald: a field a line, an empty line behind each record. What a reader has not
 * finished it gives with the empty line. Of a field with line ends the first line is kept.
 */
const journald: LogFormat = {
  name: 'journald',
  example: '__REALTIME_TIMESTAMP=1431857103000000',
  reader(options) {
    const time = createTimeReader(options)
    let fields: Record<string, string> = {}
    let named: string | undefined
    return (line) => {
      if (line === '') {
        if (Object.keys(fields).length === 0) return undefined
        const record = recordOf(fields, time)
        fields = {}
        return record
      }
      const match = EXPORT_FIELD.exec(line)
      if (match !== null && Object.keys(fields).length < FIELDS_MAX) fields[match[1]] = match[2]
      else if (named !== undefined) fields[named] = line.slice(EXPORT_LENGTH_BYTES)
      named = match === null && EXPORT_NAME.test(line) ? line : undefined
      return undefined
    }
  },
}

/** Whether a line can only be of journald's export. */
export function isExported(line: string): boolean {
  return /^__(?:CURSOR|REALTIME_TIMESTAMP|MONOTONIC_TIMESTAMP)=/.test(line)
}

export const JOURNALD = journald

/** Formats of one line a record that are recognised, the most particular first. */
export const lineFormats: readonly LogFormat[] = [
  json,
  rfc5424,
  combined,
  common,
  syslog,
  apacheError,
  log4j,
]

/** Names of declared fields of which the time is made, together or alone. */
const declaredTimes = [
  ['Timestamp'],
  ['Date', 'Time'],
  ['Month', 'Date', 'Time'],
  ['Time'],
  ['Date'],
]

/**
 * The header as Drain's settings write it: `<Date> <Time> <Level> <Component>: <Content>`. The time is of the
 * first of `timestamp`, `date` and `time`, `time`, `date` that can be read, in any case of letters. Fields are
 * named in lower case, so that they are asked for as those of other formats. Error: `log_format_invalid`.
 */
export function declaredFormat(pattern: string): LogFormat {
  const format = parseHeaderFormat(pattern)
  const content = format.fields.indexOf(CONTENT)
  const names = format.fields.map((field) => field.toLowerCase())
  const asked = declaredTimes
    .map((of) => of.map((name) => names.indexOf(name.toLowerCase())))
    .filter((places) => !places.includes(-1))
  return {
    name: 'declared',
    example: pattern,
    reader(options) {
      const time = createTimeReader(options)
      return (line) => {
        const values = format.read(line)
        if (values === undefined) return undefined
        const fields: Record<string, string> = {}
        names.forEach((name, i) => {
          if (i !== content && values[i] !== '') fields[name] = values[i]
        })
        let timeUs: number | undefined
        for (const places of asked) {
          timeUs ??= time(places.map((i) => values[i]).join(' '))
        }
        return { timeUs, fields, message: values[content] }
      }
    },
  }
}
