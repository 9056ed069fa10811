// Back-tests of a running server: at most two at once, each in a thread of its own, so that replay and
// answers of `work` go on meanwhile; others wait. What has not ended when the process falls is taken up
// again by the next one.
import { Worker } from 'node:worker_threads'
import type { ChangeBy } from '../access/index.ts'
import type { Clock } from '../lib/clock.ts'
import type { Ids } from '../lib/ids.ts'
import {
  pipelineErrors,
  type BacktestAsked,
  type BacktestEvidence,
  type BacktestProgress,
  type BacktestsRemote,
  type BacktestState,
} from '../pipelines/index.ts'
import type { OpenBacktest, OpenBacktests } from './backtest-asked.ts'
import type { BacktestFiles } from './backtest-files.ts'
import type { BacktestMessage, BacktestTask } from './backtest-worker.ts'

interface BacktestPace {
  readonly progress: BacktestProgress
  /** When its stage began, µs. */
  readonly sinceUs: number
}

/** A back-test on its way. */
export interface RunningBacktest {
  /** Resolves with what was found or with why there is nothing. */
  readonly settled: Promise<BacktestEvidence | { readonly problem: string }>
  stop(): Promise<unknown>
}

export type RunBacktest = (
  asked: BacktestAsked,
  onProgress: (progress: BacktestProgress) => void,
) => RunningBacktest

export interface BacktestsPorts {
  readonly files: BacktestFiles
  readonly open: OpenBacktests
  readonly run: RunBacktest
  readonly clock: Clock
  readonly ids: Ids
  /** Told of what could not be kept. */
  readonly onDefect: (error: unknown) => void
}

export interface Backtests {
  readonly remote: BacktestsRemote
  /** Takes up what had not ended when the process before this one did. */
  resume(): Promise<void>
  stop(): Promise<void>
}

const AT_ONCE = 2
const WAITING_MAX = 8
/** One that was running each time the process fell may be why it did. */
const BEGUN_MAX = 2
/** What was asked for and has ended is told of so long. */
const STATES_MAX = 50
/** Of one thread; events lie outside of this heap. */
const HEAP_MB = 4096

interface Entry {
  readonly id: string
  readonly asked: BacktestAsked
  readonly actor: string
  readonly askedAtUs: number
  state: BacktestState['state']
  begun: number
  startedUs: number
  pace?: BacktestPace
  problem?: string
  hash?: string
  running?: RunningBacktest
}

export function createBacktests(ports: BacktestsPorts): Backtests {
  const { files, open, run, clock, ids, onDefect } = ports
  const entries: Entry[] = []
  let stopped = false
  const inState = (state: Entry['state']) => entries.filter((each) => each.state === state)

  function next(): void {
    if (stopped || inState('running').length >= AT_ONCE) return
    const [entry] = inState('waiting')
    if (entry === undefined) return
    entry.state = 'running'
    entry.begun++
    entry.startedUs = clock.nowUs()
    open.keep(openOf(entry)).catch(onDefect)
    entry.running = run(entry.asked, (progress) => {
      const sinceUs =
        entry.pace?.progress.stage === progress.stage ? entry.pace.sinceUs : clock.nowUs()
      entry.pace = { progress, sinceUs }
    })
    void settle(entry, entry.running)
      .then(() => end(entry))
      .finally(next)
    next()
  }

  async function settle(entry: Entry, { settled }: RunningBacktest): Promise<void> {
    try {
      const found = await settled
      if (entry.state === 'cancelled') return
      if ('problem' in found) return fail(entry, found.problem)
      const seconds = (clock.nowUs() - entry.startedUs) / 1e6
      const { title } = entry.asked
      const about = { title, actor: entry.actor, atUs: clock.nowUs(), seconds }
      entry.hash = (await files.keep(found, about)).hash
      entry.state = 'done'
    } catch (error) {
      if (entry.state === 'cancelled' || stopped) return
      onDefect(error)
      fail(entry, 'The back-test ended without a result; the log of the server says more.')
    }
  }

  /** One that a stop of the server ended stays for the next start. */
  async function end(entry: Entry): Promise<void> {
    if (isOpen(entry)) return
    await open.forget(entry.id).catch(onDefect)
  }

  function enter(of: OpenBacktest, problem?: string): Entry {
    const entry: Entry = { ...of, state: 'waiting', startedUs: of.askedAtUs }
    if (problem !== undefined) fail(entry, problem)
    entries.push(entry)
    forget(entries)
    return entry
  }

  const remote: BacktestsRemote = {
    async start(asked: BacktestAsked, { actor }: ChangeBy) {
      if (inState('waiting').length >= WAITING_MAX) {
        throw pipelineErrors.backtests_full(`${WAITING_MAX} back-tests wait.`)
      }
      const askedAtUs = clock.nowUs()
      const entry = enter({ id: ids('backtest'), asked, actor: actor.id, askedAtUs, begun: 0 })
      try {
        await open.keep(openOf(entry))
      } catch (error) {
        // Another one's end may have let it begin meanwhile.
        entry.state = 'cancelled'
        entries.splice(entries.indexOf(entry), 1)
        await entry.running?.stop()
        throw error
      }
      next()
      return entry.id
    },
    async cancel(id) {
      const entry = entries.find((each) => each.id === id)
      if (entry === undefined || !isOpen(entry)) return false
      entry.state = 'cancelled'
      await entry.running?.stop()
      await end(entry)
      next()
      return true
    },
    states: async () => entries.map((entry) => stateOf(entry, clock.nowUs())).toReversed(),
    list: () => files.list(),
    kept: (hash) => files.get(hash),
  }
  return {
    remote,
    async resume() {
      for (const of of await open.list()) {
        const isOver = of.begun >= BEGUN_MAX
        const entry = enter(of, isOver ? fellTooOften(of.begun) : undefined)
        await end(entry)
      }
      next()
    },
    async stop() {
      stopped = true
      const running = inState('running')
      await Promise.all(running.map(async (each) => each.running?.stop()))
      // Whoever stops the server means no back-test.
      await Promise.all(
        running.map((each) => open.keep({ ...openOf(each), begun: each.begun - 1 })),
      )
    },
  }
}

const openOf = ({ id, asked, actor, askedAtUs, begun }: Entry): OpenBacktest => {
  return { id, asked, actor, askedAtUs, begun }
}

const fellTooOften = (times: number) =>
  `The server fell ${times} times while it ran, so it was not begun again. Ask for a shorter period; the log of the server says more.`

const isOpen = ({ state }: Entry) => state === 'waiting' || state === 'running'

function fail(entry: Entry, problem: string): void {
  entry.state = 'failed'
  entry.problem = problem
}

/** Leaves the newest; what waits or runs stays. */
function forget(entries: Entry[]): void {
  while (entries.length > STATES_MAX) {
    const oldest = entries.findIndex((each) => !isOpen(each))
    if (oldest < 0) return
    entries.splice(oldest, 1)
  }
}

function stateOf(entry: Entry, nowUs: number): BacktestState {
  const { id, asked, actor, askedAtUs, state, pace, problem = null, hash = null } = entry
  const { draft: _, ...rest } = asked
  return {
    id,
    asked: rest,
    state,
    progress: pace?.progress ?? null,
    secondsLeft: state === 'running' && pace !== undefined ? secondsLeft(pace, nowUs) : null,
    askedAtUs,
    actor,
    problem,
    hash,
  }
}

function secondsLeft({ progress: { done, total }, sinceUs }: BacktestPace, nowUs: number) {
  if (done === 0) return null
  return ((nowUs - sinceUs) / 1e6 / done) * (total - done)
}

/** Runs back-tests of a home in threads. */
export function backtestsInThreads(home: string): RunBacktest {
  return (asked, onProgress) => {
    const workerData: BacktestTask = { home, asked }
    const worker = new Worker(new URL('./backtest-worker.ts', import.meta.url), {
      workerData,
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
    })
    const settled = new Promise<BacktestEvidence | { problem: string }>((resolve, reject) => {
      worker.on('message', (message: BacktestMessage) => {
        if ('progress' in message) return onProgress(message.progress)
        if ('evidence' in message) resolve(message.evidence)
        else
          resolve({
            problem: `${message.refusal.title}: ${message.refusal.detail} ${message.refusal.action}`,
          })
        void worker.terminate()
      })
      worker.once('error', reject)
      worker.once('exit', (code) => reject(new Error(`The thread ended with ${code}.`)))
    })
    return { settled, stop: () => worker.terminate() }
  }
}
