// Attempts of steps as child processes: each in a group of its own, so that ending one ends whatever it
// started, with no more of the environment than it declares, and within its time and memory.
import { fork, type ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Clock } from '../lib/clock.ts'
import { formatTimestamp } from '../lib/time.ts'
import type { AttemptEnd, AttemptTask, PipelineLogs, StepAttempts } from '../pipelines/index.ts'
import type { StepMessage, StepOrder } from './pipeline-step.ts'

/** Between being asked to end and being ended. */
const GRACE_MS = 2000
const LOOK_EVERY_MS = 250
const PAGE_BYTES = 4096
/** What a process needs before it is a step's: the rest is what the step declares. */
const INHERITED = ['PATH', 'HOME', 'TMPDIR', 'TEMP', 'SystemRoot', 'LANG', 'NODE_COMPILE_CACHE']

export function childAttempts({
  project,
  logs,
  clock,
}: {
  readonly project: string
  readonly logs: PipelineLogs
  readonly clock: Clock
}): StepAttempts {
  return {
    run(attempt, { signal, onFigure }) {
      const log = logs.writer(attempt.runId, attempt.step, attempt.attempt)
      const child = start(attempt)
      const order: StepOrder = {
        project,
        pipeline: attempt.pipeline,
        step: attempt.step,
        task: attempt.task,
      }
      return new Promise<AttemptEnd>((resolve) => {
        let ended: AttemptEnd | undefined
        let stderr = ''
        const guards = guard(child, attempt, signal, (end) => (ended ??= end))
        child.stdout?.on('data', (bytes: Buffer) => log.write(bytes))
        child.stderr?.on('data', (bytes: Buffer) => {
          log.write(bytes)
          stderr = (stderr + bytes.toString('utf8')).slice(-STDERR_KEPT)
        })
        child.on('message', (message: StepMessage) => {
          switch (message.type) {
            case 'log':
              return log.write(`${formatTimestamp(clock.nowUs())} ${message.text}\n`)
            case 'figure':
              return onFigure(message.text)
            case 'done':
              ended ??= { end: 'done', result: message.result }
              return
            case 'failed':
              log.write(`${message.stack}\n`)
              ended ??= { end: 'failed', problem: message.problem }
          }
        })
        child.once('error', (error) => (ended ??= { end: 'failed', problem: error.message }))
        // What it started and left behind goes with it, and lets go of its output; what has left the
        // group keeps the output open, and nobody waits for that.
        child.once('exit', () => {
          killGroup(child)
          setTimeout(() => {
            child.stdout?.destroy()
            child.stderr?.destroy()
          }, GRACE_MS).unref()
        })
        child.once('close', (code, killedBy) => {
          guards.stop()
          log.close()
          resolve(ended ?? unexplained(code, killedBy, stderr, attempt))
        })
        child.send(order, (error) => {
          if (error) ended ??= { end: 'failed', problem: error.message }
        })
      })
    },
  }
}

const STDERR_KEPT = 4000

function start({ task, memoryMb }: AttemptTask): ChildProcess {
  const inherited = INHERITED.flatMap((name) => {
    const value = process.env[name]
    return value === undefined ? [] : [[name, value] as const]
  })
  return fork(fileURLToPath(new URL('./pipeline-step.ts', import.meta.url)), ['attempt'], {
    execArgv: [
      ...process.execArgv.filter((option) => option.startsWith('--conditions')),
      '--disable-warning=ExperimentalWarning',
      `--max-old-space-size=${Math.max(64, Math.floor(memoryMb))}`,
    ],
    env: { ...Object.fromEntries(inherited), TZ: 'UTC', ...task.env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    detached: process.platform !== 'win32',
  })
}

/** Ends a child that is out of time or memory, or is not wanted any more. */
function guard(
  child: ChildProcess,
  { timeoutS, memoryMb }: AttemptTask,
  signal: AbortSignal,
  told: (end: AttemptEnd) => unknown,
): { stop(): void } {
  const timers: NodeJS.Timeout[] = []
  const endNow = (end: AttemptEnd) => {
    told(end)
    if (child.connected) child.send('end', () => {})
    timers.push(setTimeout(() => killGroup(child), GRACE_MS))
  }
  const cancelled = () => endNow({ end: 'cancelled', problem: String(signal.reason) })
  const late = { end: 'timeout', problem: `It was ended after ${timeoutS} s` } as const
  if (timeoutS > 0) timers.push(setTimeout(() => endNow(late), timeoutS * 1000))
  const look = setInterval(() => {
    const held = residentBytes(child.pid)
    if (held === undefined || held <= memoryMb * 2 ** 20) return
    const megabytes = Math.ceil(held / 2 ** 20)
    told({ end: 'memory', problem: `It held ${megabytes} MB, and ${memoryMb} MB are its bound` })
    killGroup(child)
  }, LOOK_EVERY_MS)
  if (signal.aborted) cancelled()
  else signal.addEventListener('abort', cancelled, { once: true })
  return {
    stop() {
      clearInterval(look)
      for (const timer of timers) clearTimeout(timer)
      signal.removeEventListener('abort', cancelled)
    },
  }
}

/** Where the system tells: the heap is bounded everywhere, what lies beside it only here. */
function residentBytes(pid: number | undefined): number | undefined {
  try {
    return Number(readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ')[1]) * PAGE_BYTES
  } catch {
    return undefined
  }
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return
  try {
    if (process.platform === 'win32') child.kill('SIGKILL')
    else process.kill(-child.pid, 'SIGKILL')
  } catch {
    // The group is gone.
  }
}

function unexplained(
  code: number | null,
  signal: NodeJS.Signals | null,
  stderr: string,
  { memoryMb }: AttemptTask,
): AttemptEnd {
  if (/heap out of memory|ERR_WORKER_OUT_OF_MEMORY/.test(stderr)) {
    return { end: 'memory', problem: `It needs more than ${memoryMb} MB of memory` }
  }
  const how = signal === null ? `ended with code ${code}` : `was ended by ${signal}`
  return { end: 'failed', problem: `The step's process ${how} before it was done` }
}
