// `assay logs parse`: log lines in; header fields, template and parameters of each out.
import { createWriteStream, type WriteStream } from 'node:fs'
import { readFile, rename, rm } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import { finished } from 'node:stream/promises'
import { count, exitCodes, type LogsParseOptions, type Terminal } from '../../cli/index.ts'
import { fileErrorCode, writeFileAtomic } from '../../lib/files.ts'
import {
  createParsedCsv,
  createTemplates,
  fileSource,
  parseDrainSettings,
  parseHeaderFormat,
  parseLog,
  rejectedHead,
  rejectedRow,
  restoreTemplates,
  streamSource,
  templatesCsv,
  type ParserChoice,
  type ParseLogSummary,
  type TemplateEvent,
  type Templates,
} from '../../logs/index.ts'
import { commandErrors } from './errors.ts'

/** Templates never seen before that are shown. */
const SHOWN = 10

export async function logsParse(
  file: string,
  options: LogsParseOptions,
  terminal: Terminal,
): Promise<number> {
  const { out, templates: templatesFile, state } = options
  const rejects = options.rejects ?? (out === '-' ? undefined : besideOut(out))
  checkFiles([file, out, rejects, templatesFile, state])
  const { choice, format } = await choiceOf(file, options)
  const seen = new Seen()
  const templates = await openTemplates(choice, state, (event) => seen.add(event))
  seen.before = templates.list().length
  const { encoding } = options
  const source =
    file === '-'
      ? streamSource('standard input', process.stdin, { encoding })
      : fileSource(file, { encoding })
  const rows = new OutFile(out)
  const refused = new OutFile(rejects)
  let csv: ReturnType<typeof createParsedCsv> | undefined
  const headerFields = format === undefined ? undefined : parseHeaderFormat(format).fields
  let summary: ParseLogSummary
  try {
    summary = await parseLog(source, {
      templates,
      format,
      async write(lines) {
        const isFirst = csv === undefined
        csv ??= createParsedCsv(lines, headerFields)
        await rows.write((isFirst ? csv.head : '') + lines.map(csv.row).join(''))
      },
      async reject(lines) {
        const head = refused.isBegun ? '' : rejectedHead
        await refused.write(head + lines.map(rejectedRow).join(''))
      },
    })
    if (csv === undefined) await rows.write(createParsedCsv([], headerFields ?? []).head)
    await rows.end()
    await refused.end()
  } finally {
    await rows.discard()
    await refused.discard()
  }
  if (templatesFile !== undefined) {
    await asOutput(writeFileAtomic(resolve(templatesFile), templatesCsv(templates.list())))
  }
  if (state !== undefined) await asOutput(writeFileAtomic(resolve(state), templates.save()))
  const told = { ...summary, templates: templates.list().length, ...seen.counts }
  if (options.json && out !== '-') terminal.out.line(JSON.stringify(told))
  tell(file, { ...options, rejects }, summary, seen, templates, terminal)
  return summary.isDamaged ? exitCodes.notHeld : exitCodes.ok
}

function besideOut(out: string): string {
  return `${out.replace(/\.csv$/, '')}.rejects.csv`
}

function checkFiles(files: readonly (string | undefined)[]): void {
  const named = files
    .filter((file) => file !== undefined && file !== '-')
    .map((file) => resolve(file!))
  const twice = named.find((file, i) => named.indexOf(file) !== i)
  if (twice !== undefined) throw commandErrors.option_invalid(`${twice} is named twice.`)
}

/** The parser with its settings, and the header, which settings may carry. */
async function choiceOf(
  file: string,
  { parser, settings, system, format, groups }: LogsParseOptions,
): Promise<{ choice: ParserChoice; format: string | undefined }> {
  if (settings === undefined) {
    return { choice: { parser, settings: { groupsMax: groups } }, format }
  }
  const found = parseDrainSettings(await readText(settings), { system, file, format })
  const header = format ?? found.format
  if (parser === 'brook')
    return { choice: { parser, settings: { groupsMax: groups } }, format: header }
  return { choice: { parser, settings: { ...found.drain, groupsMax: groups } }, format: header }
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    throw commandErrors.input_unreadable(`${path}: ${(cause as Error).message}`, { cause })
  }
}

async function openTemplates(
  choice: ParserChoice,
  state: string | undefined,
  onEvent: (event: TemplateEvent) => void,
): Promise<Templates> {
  if (state === undefined) return createTemplates(choice, onEvent)
  let bytes: Uint8Array
  try {
    bytes = await readFile(state)
  } catch (cause) {
    if (fileErrorCode(cause) === 'ENOENT') return createTemplates(choice, onEvent)
    throw commandErrors.input_unreadable(`${state}: ${(cause as Error).message}`, { cause })
  }
  const templates = restoreTemplates(bytes, onEvent)
  if (templates.parser === choice.parser) return templates
  throw commandErrors.option_invalid(
    `${state} was made by ${templates.parser}: add --parser ${templates.parser}, or name another file with --state.`,
  )
}

type Counts = Record<'first_seen' | 'generalised' | 'evicted', number>

/** What happened to templates. */
class Seen {
  /** Templates that were known already. */
  before = 0
  readonly counts: Counts = { first_seen: 0, generalised: 0, evicted: 0 }
  readonly first: { readonly id: string; readonly text: string }[] = []

  add(event: TemplateEvent): void {
    switch (event.kind) {
      case 'first-seen':
        this.counts.first_seen++
        if (this.first.length < SHOWN) this.first.push(event)
        return
      case 'generalised':
        this.counts.generalised++
        return
      case 'evicted':
        this.counts.evicted++
    }
  }
}

/** A file that appears under its name once it is complete; `-` is standard output, undefined is nowhere. */
class OutFile {
  private readonly path: string | undefined
  private stream: WriteStream | undefined
  private failure: Error | undefined

  constructor(path: string | undefined) {
    this.path = path
  }

  get isBegun(): boolean {
    return this.stream !== undefined
  }

  async write(text: string): Promise<void> {
    if (this.path === undefined) return
    if (this.path === '-') {
      if (!process.stdout.write(text)) {
        await new Promise((drained) => process.stdout.once('drain', drained))
      }
      return
    }
    if (this.stream === undefined) {
      this.stream = createWriteStream(`${this.path}.part`)
      this.stream.on('error', (error) => (this.failure = error))
    }
    const { stream } = this
    await asOutput(
      new Promise<void>((done, failed) =>
        stream.write(text, (error) => (error ? failed(error) : done())),
      ),
    )
  }

  async end(): Promise<void> {
    if (this.stream === undefined) return
    this.stream.end()
    await asOutput(finished(this.stream))
    await asOutput(rename(`${this.path}.part`, this.path!))
    this.stream = undefined
  }

  /** After a failure; nothing where the file is complete. */
  async discard(): Promise<void> {
    if (this.stream === undefined) return
    this.stream.destroy()
    await rm(`${this.path}.part`, { force: true })
    if (this.failure !== undefined) await asOutput(Promise.reject(this.failure))
  }
}

async function asOutput<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (cause) {
    throw commandErrors.output_unwritable((cause as Error).message, { cause })
  }
}

function tell(
  file: string,
  { out, rejects, state }: LogsParseOptions,
  { lines, parsed, continued, rejected, flawed, format, changes, notices }: ParseLogSummary,
  { before, counts, first }: Seen,
  templates: Templates,
  { err }: Terminal,
): void {
  const name = file === '-' ? 'standard input' : basename(file)
  const as = format === 'declared' || format === 'none' ? '' : ` (${format})`
  err.line(
    `${name}${as}: ${count(lines, 'line')}: ${count(parsed)} parsed, ${count(continued)} continue another, ${count(rejected)} rejected`,
  )
  if (rejected > 0) {
    const where = rejects === undefined ? '; --rejects FILE keeps them' : ` in ${rejects}`
    err.line(`${count(rejected, 'rejected line')}${where}`)
  }
  for (const [kind, text] of [
    ['cut', 'too long, and cut'],
    ['replaced', 'with bytes that are no text'],
    ['binary', 'with control characters'],
    ['broken', 'begun where the archive is damaged, left out'],
  ] as const) {
    if (flawed[kind] > 0) err.line(`${count(flawed[kind], 'line')} ${text}`)
  }
  for (const { line, from, to } of changes)
    err.line(`line ${line}: the format changes from ${from} to ${to}`)
  for (const notice of notices) err.line(notice)
  err.line(
    templatesText(templates.list().length, before, counts) +
      (out === '-' ? '' : `; written to ${out}`),
  )
  if (counts.evicted > 0) {
    err.line(
      `${count(counts.evicted, 'template')} had to go, those not seen for longest; --groups keeps more`,
    )
  }
  if (state === undefined || counts.first_seen > SHOWN) return
  for (const { id, text } of first) err.line(`first seen: ${id} ${text}`)
}

/** Of those that were first seen, some may have become one since, or had to go. */
function templatesText(
  held: number,
  before: number,
  { first_seen: seen, evicted }: Counts,
): string {
  const all = count(held, 'template')
  if (seen <= held - before) {
    return `${all}, ${before === 0 && seen > 0 ? 'all' : count(seen)} first seen now`
  }
  const since = evicted > 0 ? 'some became one or had to go' : 'some became one'
  return before === 0
    ? `${all} (${count(seen)} were told apart before ${since})`
    : `${all}, ${count(seen)} first seen now before ${since}`
}
