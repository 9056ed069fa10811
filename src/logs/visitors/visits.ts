import { fail } from '../errors.ts'
import type { LogRecord } from '../sources/formats.ts'
import { createDevices } from './agents.ts'
import { hash53, pairHash } from './hashes.ts'
import type { Visit } from './slot.ts'

/** Of what a visitor is told by default, the first of which all fields are there. */
const visitorFields: readonly (readonly string[])[] = [
  ['client', 'agent'],
  ['visitor'],
  ['visitor_id'],
  ['session'],
  ['session_id'],
  ['user_id'],
  ['client', 'user_agent'],
  ['ip', 'user_agent'],
  ['remote_addr', 'http_user_agent'],
  ['client'],
  ['client_ip'],
  ['clientip'],
  ['remote_addr'],
  ['ip'],
  ['user'],
  ['host'],
]
const agentFields = ['agent', 'user_agent', 'http_user_agent', 'userAgent']
/** Told of the user agent; not where the log has a field of that name. */
const DEVICE = 'device'
/** Told of the path: that of a page, not of what a page is made of. */
const PAGE = 'page'
const ASSET =
  /\.(?:css|js|mjs|map|png|jpe?g|gif|svg|ico|webp|avif|woff2?|ttf|otf|eot|mp[34]|webm)$/i
const ROBOTS = '/robots.txt'

export interface VisitFields {
  readonly visitor: readonly string[]
  readonly by: readonly string[]
}

/** The fields to count by, checked against those that there are. Error: `log_field_unknown`. */
export function visitFields(
  asked: {
    readonly visitor?: readonly string[] | undefined
    readonly by?: readonly string[] | undefined
  },
  names: ReadonlySet<string>,
): VisitFields {
  const isThere = (name: string) =>
    names.has(name) ||
    (name === DEVICE && agentFields.some((agent) => names.has(agent))) ||
    (name === PAGE && names.has('path'))
  const { by = [] } = asked
  const visitor =
    asked.visitor ?? visitorFields.find((fields) => fields.every((name) => names.has(name)))
  const there = [...names].sort()
  if (isThere(DEVICE) && !names.has(DEVICE)) there.push(`${DEVICE} (of the user agent)`)
  if (isThere(PAGE) && !names.has(PAGE))
    there.push(`${PAGE} (paths without images, styles and scripts)`)
  const list = there.length === 0 ? 'no fields' : there.join(', ')
  if (visitor === undefined) {
    throw fail.log_field_unknown(`No field says who the visitor is; the log has ${list}.`)
  }
  const missing = [...visitor, ...by].find((name) => !isThere(name))
  if (missing !== undefined) {
    throw fail.log_field_unknown(`The log has no field "${missing}"; it has ${list}.`)
  }
  return { visitor, by }
}

/** Makes visits of records; undefined where a record has no time or does not say who came. */
export function createVisits(fields: VisitFields): (record: LogRecord) => Visit | undefined {
  const deviceOf = createDevices()
  const hashOf = createHashes()
  const { visitor, by } = fields
  return ({ timeUs, fields: values }) => {
    if (timeUs === undefined) return undefined
    const agentField = agentFields.find((name) => values[name] !== undefined)
    const agent = agentField === undefined ? undefined : values[agentField]
    const value = (name: string): string | undefined => {
      const own = values[name]
      if (own !== undefined) return own
      if (name === DEVICE) return deviceOf(agent)
      const { path } = values
      return name === PAGE && path !== undefined && !ASSET.test(path) ? path : undefined
    }
    let who = 0
    let isKnown = false
    for (const name of visitor) {
      const part = value(name)
      if (part !== undefined) isKnown = true
      who = pairHash(part === undefined ? 0 : hashOf(part), who)
    }
    if (!isKnown) return undefined
    return {
      timeUs,
      visitor: who,
      isBot: agent !== undefined && deviceOf(agent) === 'bot',
      isSuspect: values['path'] === ROBOTS,
      keys: by.map(value),
    }
  }
}

const REMEMBERED_MAX = 10_000
const LONG = 40

/** Hashes of values; long ones, such as user agents, come again and again and are remembered. */
function createHashes(): (text: string) => number {
  const remembered = new Map<string, number>()
  return (text) => {
    if (text.length < LONG) return hash53(text)
    const known = remembered.get(text)
    if (known !== undefined) return known
    const hash = hash53(text)
    if (remembered.size >= REMEMBERED_MAX) remembered.clear()
    remembered.set(text, hash)
    return hash
  }
}
