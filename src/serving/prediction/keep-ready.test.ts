import { describe, expect, test } from 'vitest'
import { keepReady } from './keep-ready.ts'
import type { ModelRuntime } from './ports.ts'

/** A clock of pauses: `pass` lets the one that is due be over. */
function pauses() {
  const waiting: { ms: number; act: () => void }[] = []
  return {
    waiting,
    later(ms: number, act: () => void) {
      const one = { ms, act }
      waiting.push(one)
      return () => {
        if (waiting.includes(one)) waiting.splice(waiting.indexOf(one), 1)
      }
    },
    async pass() {
      waiting.shift()!.act()
      await new Promise(setImmediate)
    },
  }
}

function runtimeThat(log: string[] = []) {
  const { promise: ended, resolve: end } = Promise.withResolvers<Error>()
  const runtime: ModelRuntime = {
    platform: 'test',
    signature: { inputs: [], outputs: [] },
    predict: () => [],
    ended,
    close: async () => void log.push('closed'),
  }
  return { runtime, end }
}

describe('a model that is kept ready', () => {
  test('is tried again with pauses that double, and told of once', async () => {
    const { later, waiting, pass } = pauses()
    const told: unknown[] = []
    let tries = 0
    const open = async () => {
      tries++
      throw new Error('the server is down')
    }
    const kept = keepReady({ open, later, onTrouble: (error) => told.push(error) })
    expect(kept.standing()).toEqual({ state: 'loading' })
    await kept.tried
    const seen: number[] = []
    for (let n = 0; n < 8; n++) {
      expect(kept.standing()).toEqual({ state: 'unavailable', reason: 'Error: the server is down' })
      seen.push(waiting[0].ms)
      await pass()
    }
    expect(seen).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000])
    expect([tries, told.length]).toEqual([9, 1])
    await kept.close()
    expect(waiting).toEqual([])
  })

  test('that ended is not ready, with the reason, and comes back', async () => {
    const { later, pass, waiting } = pauses()
    const told: string[] = []
    const opened = [runtimeThat(), runtimeThat()]
    let at = 0
    const kept = keepReady({
      open: async () => opened[at++].runtime,
      later,
      onTrouble: (error) => told.push(String(error)),
    })
    await kept.tried
    expect(kept.standing()).toEqual({ state: 'ready', runtime: opened[0].runtime })
    opened[0].end(new Error('Its threads fell 5 times one after another.'))
    await new Promise(setImmediate)
    expect(kept.standing()).toMatchObject({ state: 'unavailable', reason: /fell 5 times/ })
    expect(told).toHaveLength(1)
    expect(waiting).toHaveLength(1)
    await pass()
    expect(kept.standing()).toEqual({ state: 'ready', runtime: opened[1].runtime })
    await kept.close()
  })

  test('waits as at first once it was ready for a while', async () => {
    const { later, pass, waiting } = pauses()
    const opened = [runtimeThat(), runtimeThat(), runtimeThat()]
    let at = 0
    const kept = keepReady({ open: async () => opened[at++].runtime, later, onTrouble: () => {} })
    await kept.tried
    opened[0].end(new Error('it fell'))
    await new Promise(setImmediate)
    await pass()
    // It falls at once, before the time that would forget the first fall.
    opened[1].end(new Error('it fell'))
    await new Promise(setImmediate)
    expect(waiting.map(({ ms }) => ms)).toEqual([2000])
    await pass()
    await pass()
    opened[2].end(new Error('it fell'))
    await new Promise(setImmediate)
    expect(waiting.map(({ ms }) => ms)).toEqual([1000])
    await kept.close()
  })

  test('is closed, also where it was still being made ready', async () => {
    const log: string[] = []
    const { runtime } = runtimeThat(log)
    const { later } = pauses()
    const ready = Promise.withResolvers<ModelRuntime>()
    const kept = keepReady({ open: () => ready.promise, later, onTrouble: () => {} })
    await kept.close()
    ready.resolve(runtime)
    await kept.tried
    expect(log).toEqual(['closed'])
    expect(kept.standing()).toEqual({ state: 'loading' })
  })
})
