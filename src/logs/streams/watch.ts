// A log stream that runs: lines are read as they come, visitors counted, messages parsed. What it found is
// kept with the place up to which the log was read, so that a crash loses nothing and counts nothing twice.
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { fileErrorCode, type FileSystem, readWholeFile, writeFileAtomic } from '../../lib/files.ts'
import type { LogSource, SourceNotice, SourcePlace } from '../sources/port.ts'
import { VisitorRun, type VisitorRunCounts } from '../visitors/run.ts'
import type { VisitorResult } from '../visitors/types.ts'
import type { CompiledLogStream } from './declaration.ts'
import { openResults } from './results.ts'
import { createTemplateWatch, type TemplateNews, type TemplateView } from './template-watch.ts'

export interface LogWatchOptions {
  readonly stream: CompiledLogStream
  /** What was found is kept here; of this stream alone. */
  readonly directory: string
  readonly source: LogSource
  readonly files: FileSystem
  readonly nowUs: () => number
  readonly monotonicUs: () => number
  /** Told of the place up to which what was found is kept: the source is asked for nothing before it again. */
  readonly onKept?: (place: SourcePlace) => Promise<void>
}

export interface LogWatch {
  view(): LogWatchView
  /** So many of the last final windows, oldest first, and those that are not final yet. */
  visitors(windows: number): VisitorsView
  templates(limit: number): TemplatesView
  /** Resolves when the stream ended: by an error, or because its source did. */
  readonly ended: Promise<void>
}

export interface LogWatchView {
  readonly state: 'reading' | 'caught up' | 'ended'
  readonly format: string | null
  readonly counts: VisitorRunCounts
  /** Lines that wait for others, which may show the format of all. */
  readonly held: number
  /** Time of the latest line that is believed, in microseconds. */
  readonly latestUs: number | null
  /** Latest first. */
  readonly notices: readonly SourceNotice[]
  readonly templates: number
}

export interface VisitorsView {
  /** Fields that tell one visitor from another; none before the first lines. */
  readonly visitor: readonly string[]
  readonly final: readonly VisitorResult[]
  readonly open: readonly VisitorResult[]
}

export interface TemplatesView {
  readonly templates: readonly TemplateView[]
  readonly size: number
  readonly news: readonly TemplateNews[]
}

const KEEP_EVERY_US = 2_000_000
/** Templates may be many; the few lines that a crash takes from their counts are read again by nobody. */
const KEEP_TEMPLATES_EVERY_US = 30_000_000
const NOTICES_MAX = 20

/** Errors: those of the state that was kept; those of the source come by `ended`. */
export async function watchLog(options: LogWatchOptions): Promise<LogWatch> {
  const { stream, directory, source, files, nowUs, monotonicUs } = options
  await files.makeDirectory(directory)
  const results = await openResults(directory, files)
  const templatesFile = join(directory, 'templates.json')
  const parsed = createTemplateWatch(stream.visitors.everyUs, await textOf(templatesFile, files))
  const run = await VisitorRun.of({
    source,
    count: stream.visitors,
    isFollowed: true,
    read: {
      timeZone: stream.timeZone,
      readUs: nowUs,
      ...(stream.format !== null && { format: stream.format }),
    },
    keep: {
      // By its name before the results and the lines that were sent, so that a backup takes it first.
      file: join(directory, 'count'),
      files,
      everyUs: KEEP_EVERY_US,
      nowUs: monotonicUs,
    },
    onRecord: (record) => parsed.add(record),
  })
  const notices: SourceNotice[] = []
  let state: LogWatchView['state'] = 'reading'
  let templatesKeptAtUs = monotonicUs()
  let told: SourcePlace | undefined

  const keepTemplates = async () => {
    await writeFileAtomic(templatesFile, parsed.save(), files)
    templatesKeptAtUs = monotonicUs()
  }

  const work = async () => {
    try {
      for await (const step of run.steps()) {
        // Final results come before the state that no longer holds them.
        await results.append(step.results.filter(({ isFinal }) => isFinal))
        notices.unshift(...step.notices)
        notices.length = Math.min(notices.length, NOTICES_MAX)
        state = step.isCaughtUp ? 'caught up' : 'reading'
        if (run.keptPlace !== undefined && run.keptPlace !== told) {
          told = run.keptPlace
          await options.onKept?.(told)
        }
        if (monotonicUs() - templatesKeptAtUs > KEEP_TEMPLATES_EVERY_US) await keepTemplates()
        await nextTurn()
      }
    } finally {
      state = 'ended'
      await keepTemplates()
      await results.close()
    }
  }

  return {
    view: () => ({
      state,
      format: run.reader.format ?? null,
      counts: run.counts,
      held: run.held,
      latestUs: run.stream?.highUs ?? null,
      notices,
      templates: parsed.size,
    }),
    visitors: (windows) => ({
      visitor: run.stream?.how.visitor ?? [],
      final: results.latest.slice(-windows),
      open: run.stream?.provisional() ?? [],
    }),
    templates: (limit) => ({
      templates: parsed.views(limit),
      size: parsed.size,
      news: parsed.news,
    }),
    ended: work(),
  }
}

async function textOf(file: string, files: FileSystem): Promise<string | undefined> {
  try {
    return new TextDecoder().decode(await readWholeFile(file, files))
  } catch (error) {
    if (fileErrorCode(error) === 'ENOENT') return undefined
    throw error
  }
}
