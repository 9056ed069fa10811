import { EventEmitter } from 'node:events'
import type { ChildProcess } from 'node:child_process'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createSupervisor, type RoleName } from './supervisor.ts'

// Durations come from the monotonic clock, which the test moves along with its timers.
let nowUs = 0
vi.mock('../lib/clock.ts', () => ({ monotonicUs: () => nowUs }))
beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})
async function pass(ms: number): Promise<void> {
  nowUs += ms * 1000
  await vi.advanceTimersByTimeAsync(ms)
}

/** A child that does what the test says. */
class Child extends EventEmitter {
  readonly role: RoleName
  connected = true
  readonly received: unknown[] = []
  constructor(role: RoleName) {
    super()
    this.role = role
  }
  ready(): void {
    this.emit('message', { type: 'ready' })
  }
  fail(exitCode: number): void {
    this.emit('message', { type: 'fatal', message: 'The port is in use', exitCode })
    this.end(1)
  }
  end(code: number | null, signal: string | null = null): void {
    this.connected = false
    this.emit('exit', code, signal)
  }
  send(message: unknown): void {
    this.received.push(message)
  }
  kill(signal: string): void {
    this.end(null, signal)
  }
}

function supervise() {
  const children: Child[] = []
  const crashes: number[] = []
  const warnings: string[] = []
  const options = {
    entry: 'main.ts',
    config: () => ({}),
    onMessage: () => {},
    warn: (line: string) => warnings.push(line),
  }
  const supervisor = createSupervisor(options, (role, faults) => {
    crashes.push(faults)
    const child = new Child(role)
    children.push(child)
    return child as unknown as ChildProcess
  })
  let gaveUp: number | undefined
  void supervisor.gaveUp.then((code) => (gaveUp = code))
  const last = () => children.at(-1)!
  const started = async (role: RoleName) => {
    const ready = supervisor.start(role)
    last().ready()
    await ready
    return last()
  }
  return { supervisor, children, crashes, warnings, last, started, gaveUp: () => gaveUp }
}

test('a role that falls is started again, each time after twice the wait', async () => {
  const { children, warnings, last, started } = supervise()
  await started('work')
  for (const waitMs of [100, 200, 400]) {
    const before = children.length
    last().end(null, 'SIGKILL')
    await pass(waitMs - 1)
    expect(children).toHaveLength(before)
    await pass(1)
    expect(children).toHaveLength(before + 1)
    last().ready()
  }
  expect(warnings.at(0)).toBe('work stopped (SIGKILL); starting it again in 100 ms')
})

test('a role is told of the faults of its memory within a minute, not of being killed', async () => {
  const { crashes, last, started } = supervise()
  await started('decide')
  for (const signal of ['SIGKILL', 'SIGSEGV', 'SIGBUS']) {
    last().end(null, signal)
    await pass(1000)
    last().ready()
  }
  await pass(60_000)
  last().end(null, 'SIGKILL')
  await pass(1000)
  expect(crashes).toEqual([0, 0, 1, 2, 0])
})

test('falls that lie a minute back count no more', async () => {
  const { warnings, last, started } = supervise()
  await started('decide')
  for (let i = 0; i < 20; i++) {
    last().end(70)
    await pass(100)
    last().ready()
    await pass(60_000)
  }
  expect(new Set(warnings)).toEqual(
    new Set(['decide stopped (code 70); starting it again in 100 ms']),
  )
})

test('decide that keeps falling ends the server', async () => {
  const { last, started, gaveUp } = supervise()
  await started('decide')
  for (let i = 0; i < 6; i++) {
    expect(gaveUp()).toBeUndefined()
    last().end(1)
    await pass(5000)
  }
  expect(gaveUp()).toBe(1)
})

test('work that keeps falling is tried now and then, and decisions go on without it', async () => {
  const { children, last, started, gaveUp } = supervise()
  await started('decide')
  await started('work')
  for (let i = 0; i < 12; i++) {
    last().end(1)
    await pass(5000)
  }
  const tried = children.filter(({ role }) => role === 'work').length
  await pass(60_000)
  expect(children.filter(({ role }) => role === 'work').length).toBe(tried + 1)
  expect(gaveUp()).toBeUndefined()
  expect(children[0].connected).toBe(true)
})

test('a role that cannot start for a reason it knows ends the server with its code', async () => {
  const { supervisor, last, gaveUp } = supervise()
  const starting = supervisor.start('decide')
  const refused = starting.then(
    () => 'started',
    (error: Error) => error.message,
  )
  last().fail(4)
  expect(await refused).toContain('decide could not be started')
  expect(gaveUp()).toBe(4)
})

test('the same reason later is a fall like any other', async () => {
  const { last, started, gaveUp } = supervise()
  await started('keep')
  last().fail(1)
  await pass(100)
  expect(gaveUp()).toBeUndefined()
  last().ready()
})

test('a role that is killed while it starts is ready when its second process is', async () => {
  const { supervisor, last } = supervise()
  let isReady = false
  const starting = supervisor.start('keep').then(() => (isReady = true))
  last().end(null, 'SIGKILL')
  await pass(99)
  expect(isReady).toBe(false)
  await pass(1)
  last().ready()
  await starting
})

test('stopping asks work first and keep last, and waits for each', async () => {
  const { supervisor, started } = supervise()
  const roles = [await started('decide'), await started('keep'), await started('work')] as const
  const [decide, keep, work] = roles
  const stopped = supervisor.stop()
  expect(roles.map(({ received }) => received.length)).toEqual([0, 0, 1])
  work.end(0)
  await pass(0)
  expect(roles.map(({ received }) => received.length)).toEqual([1, 0, 1])
  decide.end(0)
  await pass(0)
  expect(keep.received).toEqual([{ type: 'stop' }])
  keep.end(0)
  await stopped
})

test('what does not stop is ended after ten seconds, and nothing is started again', async () => {
  const { supervisor, children, started } = supervise()
  await started('decide')
  const work = await started('work')
  work.end(null, 'SIGKILL')
  const stopped = supervisor.stop()
  await pass(10_000)
  await stopped
  await pass(60_000)
  expect(children).toHaveLength(2)
})
