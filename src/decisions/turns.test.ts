import { expect, test } from 'vitest'
import { createTurns } from './turns.ts'

/** A server on a clock of its own: so many requests a turn, each of which takes so long. */
function server() {
  let nowUs = 0
  let starvedUs = 0
  let end = () => {}
  const turns = createTurns({
    nowUs: () => nowUs,
    workedUs: () => nowUs - starvedUs,
    atEnd: (at) => {
      end = at
    },
  })
  return {
    turn(
      requests: number,
      eachUs: number,
      starvedEachUs = 0,
    ): { accepted: number; tookUs: number } {
      const beganUs = nowUs
      let accepted = 0
      for (let i = 0; i < requests; i++) {
        if (turns.isOver()) continue
        accepted++
        nowUs += eachUs + starvedEachUs
        starvedUs += starvedEachUs
      }
      end()
      return { accepted, tookUs: nowUs - beganUs }
    },
    idle(us: number) {
      nowUs += us
    },
  }
}

test('a burst after quiet is answered whole', () => {
  const { turn, idle } = server()
  idle(1e6)
  expect(turn(400, 200).accepted).toBe(400)
  idle(5000)
  expect(turn(400, 200).accepted).toBe(400)
})

test('where every turn is too long for a while, each is kept short', () => {
  const { turn } = server()
  const turns = Array.from({ length: 50 }, () => turn(1000, 200))
  expect(turns[0].accepted).toBeGreaterThan(400)
  for (const { accepted, tookUs } of turns.slice(2)) {
    expect(tookUs).toBeLessThan(11_000)
    expect(accepted).toBeGreaterThan(40)
  }
})

test('once a turn was short again, all are answered', () => {
  const { turn } = server()
  for (let i = 0; i < 50; i++) turn(1000, 200)
  turn(10, 200)
  expect(turn(100, 200).accepted).toBe(100)
})

test('a processor that others take away refuses nobody', () => {
  const { turn } = server()
  for (let i = 0; i < 100; i++) expect(turn(32, 200, 5000).accepted).toBe(32)
})

test('a steady load that fits is never refused', () => {
  const { turn } = server()
  for (let i = 0; i < 1000; i++) expect(turn(40, 200).accepted).toBe(40)
})
