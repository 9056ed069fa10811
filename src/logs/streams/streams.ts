// All log streams of a project, for whoever asks about them or sends lines.
import { stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { isAssayError, toProblem, type Problem } from '../../lib/errors.ts'
import type { FileSystem } from '../../lib/files.ts'
import { fail } from '../errors.ts'
import { fileSource } from '../sources/files.ts'
import type { CompiledLogStream, PlayedLine } from './declaration.ts'
import { playedSource } from './played.ts'
import { openSpool, type Spool } from './spool.ts'
import {
  watchLog,
  type LogWatch,
  type LogWatchView,
  type TemplatesView,
  type VisitorsView,
} from './watch.ts'

/** What a stream is and how it does. */
export interface LogStreamView extends Partial<LogWatchView> {
  readonly declared: CompiledLogStream
  /** Why it is not read, where it is not. */
  readonly problem: Pick<Problem, 'title' | 'detail' | 'code'> | null
}

/** Of the process that reads logs. Errors: `log_streams_starting`, `log_stream_unknown`, `log_stream_stopped`. */
export interface LogStreams {
  list(): Promise<readonly LogStreamView[]>
  visitors(name: string, windows: number): Promise<VisitorsView>
  templates(name: string, limit: number): Promise<TemplatesView>
  /** Takes lines; they are on disk when this resolves. Errors also: those of `Spool.append`, `log_stream_reads`. */
  send(name: string, lines: readonly string[]): Promise<void>
}

export interface LogStreamsPorts {
  /** A folder for each stream is made in it. */
  readonly directory: string
  readonly files: FileSystem
  readonly nowUs: () => number
  readonly monotonicUs: () => number
  /** Resolves after so long, or at once when the signal says that it is over. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>
  readonly onTrouble: (error: unknown, stream: string) => void
}

/** What is not data of a project. */
export interface PlayingProject {
  readonly directory: string
  /** The lines of an example's stream. */
  readonly played: (name: string, fromUs: number) => Iterable<PlayedLine>
}

export interface RunningLogStreams extends LogStreams {
  /** Begins to read what is declared. */
  start(declared: readonly CompiledLogStream[], project: PlayingProject): Promise<void>
  stop(): Promise<void>
}

const LOOK_EVERY_MS = 500
const STARTING_RETRY_S = 2

interface Stream {
  readonly declared: CompiledLogStream
  spool: Spool | undefined
  watch: LogWatch | undefined
  problem: LogStreamView['problem']
}

export function createLogStreams(ports: LogStreamsPorts): RunningLogStreams {
  const { files, monotonicUs, nowUs, sleep, onTrouble } = ports
  const streams = new Map<string, Stream>()
  const stopping = new AbortController()
  const { signal } = stopping
  const running: Promise<void>[] = []
  let isStarted = false

  const nextLook = async () => {
    await sleep(LOOK_EVERY_MS, signal)
    return !signal.aborted
  }

  function failed(stream: Stream, error: unknown): void {
    const { title, detail, code } = toProblem(error)
    stream.problem = { title, detail, code }
    if (!isAssayError(error)) onTrouble(error, stream.declared.name)
  }

  function sourceOf(
    declared: CompiledLogStream,
    spool: Spool | undefined,
    project: PlayingProject,
  ) {
    const { from, encoding, name } = declared
    if ('playedUs' in from) {
      const lines = (fromUs: number) => project.played(name, fromUs)
      return playedSource({ lines, fromUs: nowUs() - from.playedUs, nowUs, nextLook })
    }
    const path =
      spool === undefined && 'file' in from ? resolve(project.directory, from.file) : spool!.file
    return fileSource(path, { nextLook, ...(encoding !== null && { encoding }) })
  }

  async function begin(declared: CompiledLogStream, project: PlayingProject): Promise<Stream> {
    const directory = join(ports.directory, declared.name)
    const stream: Stream = { declared, spool: undefined, watch: undefined, problem: null }
    try {
      const spool =
        'sent' in declared.from ? await openSpool(join(directory, 'sent'), files) : undefined
      stream.spool = spool
      stream.watch = await watchLog({
        stream: declared,
        directory,
        source: sourceOf(declared, spool, project),
        files,
        nowUs,
        monotonicUs,
        ...(spool !== undefined && {
          onKept: (place) =>
            spool.release(async () => place['inode'] === (await stat(spool.file)).ino),
        }),
      })
      running.push(stream.watch.ended.catch((error: unknown) => failed(stream, error)))
    } catch (error) {
      failed(stream, error)
    }
    return stream
  }

  /** Before the project is loaded nobody knows what it declares: a sender must not take that as final. */
  function requireStarted(): void {
    if (isStarted) return
    throw fail.log_streams_starting('The project is still being loaded.', {
      extra: { retryAfter: STARTING_RETRY_S },
    })
  }

  function known(name: string): Stream {
    requireStarted()
    const stream = streams.get(name)
    if (stream === undefined) {
      const names = [...streams.keys()].join(', ') || 'none'
      throw fail.log_stream_unknown(`There is no log stream "${name}"; there are: ${names}.`)
    }
    return stream
  }

  function watched(name: string): LogWatch {
    const { watch, problem } = known(name)
    if (watch === undefined)
      throw fail.log_stream_stopped(problem?.detail ?? `${name} is not read.`)
    return watch
  }

  return {
    async start(declared, project) {
      for (const each of declared) {
        // A start that is tried again goes on with those that run.
        if (!streams.has(each.name)) streams.set(each.name, await begin(each, project))
      }
      isStarted = true
    },
    async list() {
      requireStarted()
      return [...streams.values()].map(({ declared, watch, problem }) => ({
        declared,
        problem,
        ...watch?.view(),
      }))
    },
    visitors: async (name, windows) => watched(name).visitors(windows),
    templates: async (name, limit) => watched(name).templates(limit),
    async send(name, lines) {
      const { spool, declared, problem } = known(name)
      if (spool === undefined && 'sent' in declared.from) {
        throw fail.log_stream_stopped(problem?.detail ?? `${name} is not read.`)
      }
      if (spool === undefined) {
        throw fail.log_stream_reads(`"${name}" reads its lines by itself.`)
      }
      await spool.append(lines)
    },
    async stop() {
      stopping.abort()
      await Promise.all(running)
      for (const { spool } of streams.values()) await spool?.close()
    },
  }
}
