import { expect, test } from 'vitest'
import { playedSource } from './played.ts'

/** One line a second, from a whole second on. */
function* lines(fromUs: number) {
  for (let s = Math.ceil(fromUs / 1e6); ; s++) yield { timeUs: s * 1e6, line: `line ${s}` }
}

test('the past comes at once, and later lines when their time has come', async () => {
  let nowUs = 5e6
  let looks = 0
  const source = playedSource({
    lines,
    fromUs: 2e6,
    nowUs: () => nowUs,
    nextLook: () => {
      nowUs += 500_000
      return Promise.resolve(++looks <= 4)
    },
  })
  const seen: string[][] = []
  for await (const batch of source.batches()) seen.push([...batch.lines])
  expect(seen).toEqual([['line 2', 'line 3', 'line 4', 'line 5'], ['line 6'], ['line 7']])
})

test('who goes on at a place is given no line twice and misses none', async () => {
  const options = { lines, fromUs: 0, nowUs: () => 9e6, nextLook: () => Promise.resolve(false) }
  const [first] = await Array.fromAsync(playedSource({ ...options, nowUs: () => 4e6 }).batches())
  const rest = await Array.fromAsync(playedSource(options).batches(first.place))
  const all = [first, ...rest].flatMap((batch) => batch.lines)
  expect(all).toEqual(Array.from({ length: 10 }, (_, s) => `line ${s}`))
})
