import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createTurns } from './turns.ts'

/** A server on a clock of its own: so many requests a turn, each of which takes so long. */
function server() {
  let workedUs = 0
  let idledUs = 0
  const nothing = () => {}
  let end = nothing
  const turns = createTurns({
    workedUs: () => workedUs,
    idledUs: () => idledUs,
    atEnd: (at) => {
      end = at
    },
  })
  return {
    turn(requests: number, eachUs: number): { accepted: number; workedUs: number } {
      const beganUs = workedUs
      let accepted = 0
      for (let i = 0; i < requests; i++) {
        if (turns.isOver()) continue
        accepted++
        workedUs += eachUs
      }
      end()
      end = nothing
      return { accepted, workedUs: workedUs - beganUs }
    },
    idle(us: number) {
      idledUs += us
    },
  }
}

test('a burst after quiet is answered whole', () => {
  const { turn, idle } = server()
  idle(1e6)
  expect(turn(400, 100).accepted).toBe(400)
  idle(5000)
  expect(turn(400, 100).accepted).toBe(400)
})

test('where every turn is too long for a while, each is kept short', () => {
  const { turn } = server()
  const turns = Array.from({ length: 50 }, () => turn(1000, 200))
  expect(turns[0].accepted).toBeGreaterThan(200)
  for (const { accepted, workedUs } of turns.slice(2)) {
    expect(workedUs).toBeLessThan(8000)
    expect(accepted).toBeGreaterThan(30)
  }
})

test('a short turn gives back what it left, and no more', () => {
  const { turn } = server()
  for (let i = 0; i < 50; i++) turn(1000, 200)
  turn(10, 200)
  const { workedUs } = turn(1000, 200)
  expect(workedUs).toBeGreaterThan(7000)
  expect(workedUs).toBeLessThanOrEqual(7000 + 5000 + 400)
})

test('a steady load that fits is never refused', () => {
  const { turn } = server()
  for (let i = 0; i < 1000; i++)
    expect(turn(i % 2 === 0 ? 20 : 48, 200).accepted).toBe(i % 2 === 0 ? 20 : 48)
})

test('however the load is, turns that follow each other work so long on average, and a reserve more', () => {
  const turn = fc.record({ requests: fc.nat(1000), eachUs: fc.integer({ min: 1, max: 1000 }) })
  fc.assert(
    fc.property(fc.array(turn, { maxLength: 40 }), (load) => {
      const { turn } = server()
      const workedUs = load.map(({ requests, eachUs }) => turn(requests, eachUs).workedUs)
      const sum = workedUs.reduce((total, us) => total + us, 0)
      // The request that goes over the time is still answered.
      expect(sum).toBeLessThanOrEqual(40_000 + load.length * (7000 + 1000))
    }),
  )
})
