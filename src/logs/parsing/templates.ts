/**
 * Templates with ids that mean the same everywhere: the id of a template is the beginning of the SHA-256
 * of its text. So the same template has the same id in every file, on every machine and after every restart.
 *
 * An id names a template, not a group of messages. While a group is still being learnt its template may
 * become more general, and then has another id; the earlier id leads to it from then on (`resolve`), for
 * every message of the one is a message of the other. Ids are never given to anything else.
 */
import { canonicalJson } from '../../lib/canonical-json.ts'
import { sha256Hex } from '../../lib/hash.ts'
import { fail } from '../errors.ts'
import { createBrook, type BrookSettings } from './brook.ts'
import { createDrain, type DrainSettings } from './drain.ts'
import { createParameterReader, typeOfParameter, type ParameterType } from './parameters.ts'
import { groupNow } from './parser.ts'
import type { LogGroup, LogParser, ParserListener, ParserName, ParserState } from './parser.ts'

export interface Template {
  /** 16 hex digits. */
  readonly id: string
  readonly text: string
  /** Messages so far, those of the templates that led to it included. */
  readonly count: number
}

export interface Parameter {
  readonly value: string
  readonly type: ParameterType
}

export type TemplateEvent =
  /** A message like no other before it. */
  | {
      readonly kind: 'first-seen'
      readonly id: string
      readonly text: string
      readonly message: string
    }
  /** What was known by an id is now known by another, which is more general. */
  | {
      readonly kind: 'generalised'
      readonly id: string
      readonly from: string
      readonly text: string
    }
  /** There were more templates than are kept; this one was not seen for longest. */
  | { readonly kind: 'evicted'; readonly id: string; readonly text: string }

export type ParserChoice =
  | { readonly parser: 'brook'; readonly settings?: BrookSettings }
  | { readonly parser: 'drain'; readonly settings?: DrainSettings }

export interface Templates {
  readonly parser: ParserName
  /** The group of a message. Its template may change; `templateOf` tells what it is now. */
  add(message: string): LogGroup
  templateOf(group: LogGroup): Template
  /** The values of a message of the group, each with its type. */
  parametersOf(group: LogGroup, message: string): readonly Parameter[]
  /** The id that an id leads to by now; itself where nothing is known of it. */
  resolve(id: string): string
  /** Those known now, in the order in which they were first seen. */
  list(): readonly Template[]
  readonly evicted: number
  /** All of it as bytes, for `restoreTemplates`. */
  save(): Uint8Array
}

/** Most earlier ids that are remembered; the oldest are forgotten first. */
const ALIASES_MAX = 100_000
const FORMAT = 'assay-log-templates'
const VERSION = 1

/** `onEvent` is called before `add` returns. */
export function createTemplates(
  choice: ParserChoice = { parser: 'brook' },
  onEvent: (event: TemplateEvent) => void = () => {},
): Templates {
  return templatesOf(choice, onEvent)
}

/** Goes on where `save` left off. Error: `log_templates_damaged`. */
export function restoreTemplates(
  bytes: Uint8Array,
  onEvent: (event: TemplateEvent) => void = () => {},
): Templates {
  const saved = parseSaved(bytes)
  return templatesOf(saved.state, onEvent, saved)
}

interface Name {
  readonly template: readonly string[]
  readonly text: string
  readonly id: string
}

interface Saved {
  readonly state: ParserState
  readonly aliases: readonly (readonly [from: string, to: string])[]
}

function templatesOf(
  choice: ParserChoice,
  onEvent: (event: TemplateEvent) => void,
  saved?: Saved,
): Templates {
  const named = new WeakMap<LogGroup, Name>()
  const readers = new WeakMap<
    LogGroup,
    { text: string; read: ReturnType<typeof createParameterReader> }
  >()
  const aliases = new Map<string, string>(saved?.aliases)

  const parser = parserOf(choice, saved?.state, {
    merged(goes, stays) {
      const [before, now] = [named.get(goes), named.get(stays)]
      if (before !== undefined && now !== undefined) lead(before.id, now.id, stays.text)
    },
    evicted(group) {
      const { id, text } = nameOf(group)
      onEvent({ kind: 'evicted', id, text })
    },
  })
  for (const group of parser.groups()) nameOf(group)

  function nameOf(group: LogGroup): Name {
    const known = named.get(group)
    const { template } = group
    // Parsers replace a template, they never change one.
    if (known?.template === template) return known
    const { text } = group
    const name = { template, text, id: templateId(text) }
    named.set(group, name)
    if (known !== undefined) lead(known.id, name.id, text)
    return name
  }

  function lead(from: string, to: string, text: string): void {
    if (from === to) return
    // What this id led to before, it now is: a circle would never resolve.
    aliases.delete(to)
    aliases.delete(from)
    aliases.set(from, to)
    if (aliases.size > ALIASES_MAX) aliases.delete(aliases.keys().next().value!)
    onEvent({ kind: 'generalised', id: to, from, text })
  }

  function templateOf(group: LogGroup): Template {
    const now = groupNow(group)
    const { id, text } = nameOf(now)
    return { id, text, count: now.count }
  }

  return {
    parser: parser.name,
    add(message) {
      const group = parser.add(message)
      const isNew = !named.has(group)
      const { id, text } = nameOf(group)
      if (isNew) onEvent({ kind: 'first-seen', id, text, message })
      return group
    },
    templateOf,
    parametersOf(group, message) {
      const now = groupNow(group)
      const { text } = nameOf(now)
      let reader = readers.get(now)
      if (reader?.text !== text) {
        reader = { text, read: createParameterReader(text) }
        readers.set(now, reader)
      }
      const values = reader.read(message) ?? parser.valuesOf(message)
      return values.map((value) => ({ value, type: typeOfParameter(value) }))
    },
    resolve(id) {
      let now = id
      for (let next = aliases.get(now); next !== undefined; next = aliases.get(now)) now = next
      return now
    },
    list: () => parser.groups().map(templateOf),
    get evicted() {
      return parser.evicted
    },
    save: () => savedBytes({ state: parser.state(), aliases: [...aliases] }),
  }
}

/** The id of a template: 64 bits of its hash, so that among ten million no two are likely to meet. */
export function templateId(text: string): string {
  return sha256Hex(text).slice(0, 16)
}

function parserOf(
  choice: ParserChoice,
  state: ParserState | undefined,
  listener: ParserListener,
): LogParser {
  switch (choice.parser) {
    case 'brook':
      return createBrook(choice.settings, listener, state?.parser === 'brook' ? state : undefined)
    case 'drain':
      return createDrain(choice.settings, listener, state?.parser === 'drain' ? state : undefined)
  }
}

function savedBytes(saved: Saved): Uint8Array {
  const content = canonicalJson(saved)
  const head = { format: FORMAT, version: VERSION, sha256: sha256Hex(content) }
  return new TextEncoder().encode(`${canonicalJson(head)}\n${content}\n`)
}

/** The hash tells damage from anything that `save` wrote, so the content needs no further look. */
function parseSaved(bytes: Uint8Array): Saved {
  const [first = '', content = ''] = new TextDecoder().decode(bytes).split('\n')
  const head = headOf(first)
  if (head?.format !== FORMAT) {
    throw fail.log_templates_damaged('The file does not begin as one with log templates does.')
  }
  if (head.version !== VERSION) {
    throw fail.log_templates_damaged(
      `The file has version ${String(head.version)} of the format; this Assay reads version ${VERSION}.`,
    )
  }
  if (sha256Hex(content) !== head.sha256) {
    throw fail.log_templates_damaged(
      'The content of the file is not what was written: its hash differs.',
    )
  }
  return JSON.parse(content) as Saved
}

function headOf(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const head: unknown = JSON.parse(line)
    return typeof head === 'object' && head !== null ? (head as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}
