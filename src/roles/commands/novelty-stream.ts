// `assay novelty stream`: what is new in a stream of events, as it comes.
import { basename } from 'node:path'
import { count, exitCodes, type NoveltyStreamOptions, type Terminal } from '../../cli/index.ts'
import { systemClock } from '../../lib/clock.ts'
import { nodeFiles } from '../../lib/files.ts'
import { formatTimestamp } from '../../lib/time.ts'
import {
  type AlertDigest,
  type EventFile,
  type MemoryVersion,
  MemoryVersions,
  NoveltyStream,
  type NoveltyFinding,
  type NoveltyStreamState,
  openEvents,
  type TrainingEvent,
} from '../../novelty/index.ts'
import { commandErrors } from './errors.ts'

/** Where a kept memory stands: rows of which file it has taken. */
type Place = { readonly file: string; readonly rows: number }

/**
 * Errors: `novelty_stream_unusable`, `novelty_training_too_small`, `novelty_state_damaged`,
 * `option_invalid`, those of reading the files.
 */
export async function noveltyStream(
  file: string,
  options: NoveltyStreamOptions,
  terminal: Terminal,
): Promise<number> {
  const source = await openEvents(file, options)
  const versions =
    options.state === undefined ? undefined : new MemoryVersions(options.state, nodeFiles)
  const current = (await versions?.list())?.at(-1)
  const refused = new Refused(basename(file), terminal)
  const events = source.events((row) => refused.add(row))
  const begun =
    versions === undefined || current === undefined
      ? await learn(source, events, options, terminal)
      : await resume(versions, current, source, events, file, terminal)
  const { stream } = begun
  const declared = options.ignore?.split(',').map((one) => one.trim()) ?? []
  const left = stream.left.filter((name) => !declared.includes(name))
  if (left.length > 0) {
    terminal.err.line(`Not looked at, nearly all values differ: ${left.join(', ')}.`)
  }
  let rows = begun.rows
  const output = new Output(options.json, terminal)
  const keep = async (kind: 'learnt' | 'observed') => {
    const place: Place = { file: basename(file), rows }
    const reason = `${place.file}, ${count(rows, 'row')}`
    const about = { kind, actor: 'command line', reason, atUs: systemClock.nowUs(), place }
    await versions?.save(stream.saved(), about)
  }
  if (current === undefined) await keep('learnt')
  for await (const event of events) {
    const { findings } = stream.observe(event)
    rows++
    output.findings(findings)
    output.digests(stream.memory.digests())
    if (rows % options.saveEvery === 0) await keep('observed')
  }
  if (versions === undefined) {
    // With a memory that is kept, what waits goes on waiting for the next file.
    const rest = stream.memory.finish()
    output.findings(rest.findings)
    output.digests(rest.digests)
  } else await keep('observed')
  refused.summary()
  output.summary(stream, rows - begun.rows, refused.rows)
  return exitCodes.ok
}

async function learn(
  source: EventFile,
  events: AsyncGenerator<TrainingEvent>,
  options: NoveltyStreamOptions,
  terminal: Terminal,
): Promise<{ stream: NoveltyStream; rows: number }> {
  const known: TrainingEvent[] = []
  let rows = 0
  if (options.train === undefined) {
    while (known.length < options.learn) {
      const next = await events.next()
      if (next.done === true) break
      known.push(next.value)
      rows++
    }
  } else {
    const training = await openEvents(options.train, options)
    if (training.columns.join('\n') !== source.columns.join('\n')) {
      throw commandErrors.option_invalid(
        `${options.train} has other columns than the stream, or in another order.`,
      )
    }
    const refused = new Refused(basename(options.train), terminal)
    for await (const event of training.events((row) => refused.add(row))) known.push(event)
    refused.summary()
  }
  const stream = NoveltyStream.learn(known, {
    columns: source.columns,
    kinds: kindsOf(options, source.columns),
    parties: options.party !== undefined,
    history: options.history,
    settings: { seed: options.seed, alertsMax: options.alerts, sleepRecords: options.sleep },
  })
  const from = options.train ?? 'its first rows'
  terminal.err.line(`Learnt ${count(known.length, 'known event')} from ${from}.`)
  return { stream, rows }
}

async function resume(
  versions: MemoryVersions,
  current: MemoryVersion,
  source: EventFile,
  events: AsyncGenerator<TrainingEvent>,
  file: string,
  terminal: Terminal,
): Promise<{ stream: NoveltyStream; rows: number }> {
  const stream = new NoveltyStream((await versions.open(current.version)) as NoveltyStreamState)
  if (stream.columns.join('\n') !== source.columns.join('\n')) {
    throw commandErrors.option_invalid(
      `${file} has other columns than the stream that is kept: ${stream.columns.slice(0, 20).join(', ')}.`,
    )
  }
  const place = current.place as Place | null
  const taken = place?.file === basename(file) ? place.rows : 0
  let rows = 0
  while (rows < taken && (await events.next()).done !== true) rows++
  terminal.err.line(
    `Going on from version ${current.version.slice(0, 12)}${rows === 0 ? '' : `, after ${count(rows, 'row')} of this file`}.`,
  )
  return { stream, rows }
}

function kindsOf(
  { category, ignore }: NoveltyStreamOptions,
  columns: readonly string[],
): Record<string, 'category' | 'ignore'> {
  const kinds: Record<string, 'category' | 'ignore'> = {}
  const declare = (names: string | undefined, kind: 'category' | 'ignore', option: string) => {
    for (const name of names?.split(',').map((one) => one.trim()) ?? []) {
      if (!columns.includes(name)) {
        throw commandErrors.option_invalid(`--${option}: the file has no column "${name}".`)
      }
      kinds[name] = kind
    }
  }
  declare(category, 'category', 'category')
  declare(ignore, 'ignore', 'ignore')
  return kinds
}

/** Rows that cannot be read: the first few are told, all are counted. */
class Refused {
  rows = 0
  readonly #name: string
  readonly #terminal: Terminal

  constructor(name: string, terminal: Terminal) {
    this.#name = name
    this.#terminal = terminal
  }

  add({ line, reason }: { readonly line: number; readonly reason: string }): void {
    this.rows++
    if (this.rows <= 5) this.#terminal.err.line(`${this.#name}, line ${line} left out: ${reason}`)
  }

  summary(): void {
    if (this.rows > 0)
      this.#terminal.err.line(`${this.#name}: ${count(this.rows, 'row')} left out.`)
  }
}

class Output {
  readonly #json: boolean
  readonly #terminal: Terminal
  readonly #verdicts: Record<string, number> = { noise: 0, drift: 0, recurrence: 0, novelty: 0 }
  #digests = 0

  constructor(json: boolean, terminal: Terminal) {
    this.#json = json
    this.#terminal = terminal
  }

  findings(findings: readonly NoveltyFinding[]): void {
    const { out } = this.#terminal
    for (const finding of findings) {
      this.#verdicts[finding.verdict]++
      if (this.#json) {
        const { timeUs, ...rest } = finding
        out.line(JSON.stringify({ type: 'finding', time: formatTimestamp(timeUs), ...rest }))
      } else if (finding.alerted) this.#line(finding)
    }
  }

  #line({ timeUs, verdict, pattern, label, records, entities, why }: NoveltyFinding): void {
    const { out } = this.#terminal
    const style = verdict === 'novelty' ? 'red' : verdict === 'recurrence' ? 'yellow' : 'cyan'
    const name = label === null ? (pattern ?? '') : `${pattern} ${label}`
    const cells = [
      formatTimestamp(timeUs).padEnd(20),
      out.style(style, verdict.padEnd(10)),
      name.padEnd(18),
      count(records, 'record').padStart(12),
      ` ${why}`,
      out.style('dim', entities.slice(0, 3).join(', ')),
    ]
    out.line(cells.join('  '))
  }

  digests(digests: readonly AlertDigest[]): void {
    const { out } = this.#terminal
    for (const digest of digests) {
      this.#digests++
      if (this.#json) out.line(JSON.stringify({ type: 'digest', ...digest }))
      else {
        const kinds = Object.entries(digest.verdicts).map(([name, times]) => `${times} ${name}`)
        out.line(
          `Over the budget of alerts: ${count(digest.findings, 'more finding')} about ${count(digest.records, 'record')} (${kinds.join(', ')}), ${digest.firstFinding} to ${digest.lastFinding}.`,
        )
      }
    }
  }

  summary(stream: NoveltyStream, rows: number, refused: number): void {
    const { out } = this.#terminal
    const { sizes } = stream
    const patterns = stream.memory.patterns()
    const state = (name: string) => patterns.filter((one) => one.state === name).length
    const [active, asleep] = [state('active'), state('asleep')]
    if (this.#json) {
      const verdicts = { ...this.#verdicts }
      const counts = { rows, refused, active, asleep, digests: this.#digests }
      out.line(JSON.stringify({ type: 'summary', ...counts, verdicts, sizes }))
      return
    }
    const { noise, drift, recurrence, novelty } = this.#verdicts
    out.line(
      `${count(rows, 'record')}: ${novelty} novelties, ${recurrence} recurrences, ${drift} drifts, ${noise} times noise. ${count(active, 'pattern')} active, ${asleep} asleep, ${count(sizes.unknown, 'unknown record')} waiting.`,
    )
  }
}
