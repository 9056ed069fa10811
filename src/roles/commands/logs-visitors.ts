// `assay logs visitors`: a log in; its unique visitors, slot by slot, out.
import { setTimeout as wait } from 'node:timers/promises'
import { count, exitCodes, type LogsVisitorsOptions, type Terminal } from '../../cli/index.ts'
import { monotonicUs, systemClock } from '../../lib/clock.ts'
import { nodeFiles } from '../../lib/files.ts'
import { MINUTE_US, SECOND_US } from '../../lib/time.ts'
import {
  fileSource,
  type LogSource,
  type SourceNotice,
  streamSource,
  VisitorRun,
  type VisitorRunCounts,
} from '../../logs/index.ts'
import { visitorJson, visitorRow, visitorTable } from './visitors-text.ts'

const LOOK_EVERY_MS = 500
const SHOW_EVERY_US = SECOND_US
const KEEP_EVERY_US = 5 * SECOND_US

export async function logsVisitors(
  file: string,
  options: LogsVisitorsOptions,
  terminal: Terminal,
): Promise<number> {
  const stopped = new AbortController()
  const stop = () => stopped.abort()
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
  try {
    const run = await VisitorRun.of(runOptions(sourceOf(file, options, stopped.signal), options))
    const isWhole = await showAll(run, options, terminal)
    sayHowItWent(run, terminal)
    return isWhole ? exitCodes.ok : exitCodes.notHeld
  } finally {
    process.off('SIGINT', stop)
    process.off('SIGTERM', stop)
  }
}

/** Whether all of the log could be read. */
async function showAll(
  run: VisitorRun,
  options: LogsVisitorsOptions,
  { out, err }: Terminal,
): Promise<boolean> {
  const isTable = out.interactive && !options.json
  const width = process.stdout.columns
  const table = visitorTable(options, width)
  let hasHeading = false
  let isTransient = false
  let shownUs = -Infinity
  let isWhole = true
  for await (const { results, notices, isCaughtUp } of run.steps()) {
    if (isTransient) out.raw('\r\u001b[K')
    isTransient = false
    for (const notice of notices) sayNotice(notice, err)
    isWhole &&= !notices.some(({ kind }) => kind === 'damaged')
    for (const result of results) {
      if (!isTable) out.line(JSON.stringify(visitorJson(result)))
      else {
        if (!hasHeading) out.line(out.style('dim', table.heading))
        hasHeading = true
        const row = visitorRow(result, table)
        out.line(result.isFinal ? row : out.style('dim', row))
      }
    }
    // A person who follows sees what the slot that lasts has counted so far.
    if (isTable && options.follow && isCaughtUp && monotonicUs() - shownUs >= SHOW_EVERY_US) {
      const last = run.provisional().at(-1)
      if (last !== undefined) out.raw(out.style('dim', visitorRow(last, table)))
      isTransient = last !== undefined
      shownUs = monotonicUs()
    }
  }
  return isWhole
}

function sourceOf(file: string, options: LogsVisitorsOptions, stopped: AbortSignal): LogSource {
  const { encoding } = options
  if (file === '-') return streamSource('standard input', process.stdin, { encoding })
  if (!options.follow) return fileSource(file, { encoding })
  const nextLook = async () => {
    await wait(LOOK_EVERY_MS, undefined, { signal: stopped }).catch(() => undefined)
    return !stopped.aborted
  }
  return fileSource(file, { encoding, nextLook })
}

function runOptions(
  source: LogSource,
  options: LogsVisitorsOptions,
): Parameters<typeof VisitorRun.of>[0] {
  const { every, window, lateness, jump, by, visitor, top, botRate, timeZone, format, state } =
    options
  return {
    source,
    count: {
      everyUs: every,
      latenessUs: lateness,
      jumpUs: jump,
      top,
      botRate,
      timeZone,
      ...(window === undefined ? {} : { windowUs: window }),
      ...(by === undefined ? {} : { by }),
      ...(visitor === undefined ? {} : { visitor }),
    },
    read: { format, timeZone, readUs: () => systemClock.nowUs() },
    ...(state === undefined
      ? {}
      : { keep: { file: state, files: nodeFiles, everyUs: KEEP_EVERY_US, nowUs: monotonicUs } }),
  }
}

function sayNotice({ kind, detail }: SourceNotice, err: Terminal['err']): void {
  const style = kind === 'rotated' ? 'dim' : 'yellow'
  err.line(`${err.style(style, `${kind}:`)} ${detail}`)
}

/** What of the lines was not as it should be, each with what it means. */
const oddities: readonly (readonly [keyof VisitorRunCounts, string])[] = [
  ['unread', 'of no known format, left out'],
  ['timeless', 'without a time that can be read, left out'],
  ['nameless', 'that do not say who came, left out'],
  ['late', 'too late for their slot, left out: give a longer --lateness to count them'],
  ['unplaced', 'with times too far apart to be held, left out'],
  ['ahead', 'far ahead of those before, counted at their time'],
  ['cut', 'longer than 1 MiB, cut'],
  ['replaced', 'with bytes that are not in the encoding, replaced'],
  ['binary', 'with control characters'],
  ['broken', 'begun where the archive is damaged, left out'],
]

function sayHowItWent({ counts, reader, stream }: VisitorRun, { err }: Terminal): void {
  const how = stream?.how
  const by = how === undefined ? '' : `, a visitor is told by ${how.visitor.join(' and ')}`
  if (counts.lines > 0) {
    err.line(
      err.style(
        'dim',
        `${count(counts.lines, 'line')} read as ${reader.format ?? 'nothing'}, ${count(counts.counted)} counted${by}`,
      ),
    )
  }
  for (const [name, meaning] of oddities) {
    if (counts[name] > 0) err.line(`${err.style('yellow', count(counts[name], 'line'))} ${meaning}`)
  }
  for (const { line, from, to } of reader.changes) {
    err.line(
      `${err.style('yellow', 'changed:')} from line ${count(line)} on the log is ${to}, not ${from}`,
    )
  }
  if (how !== undefined && counts.late > counts.counted / 100 && how.latenessUs < 60 * MINUTE_US) {
    err.line('The log is not in order of time; several logs in one file are better counted apart.')
  }
}
