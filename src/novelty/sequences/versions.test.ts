import { describe, expect, test } from 'vitest'
import { manualClock } from '../../lib/clock.ts'
import { SequenceVersions, type VersionsState } from './versions.ts'

const by = { actor: 'ada', reason: 'reviewed the night shift' }
const start = (kept?: number) => {
  const clock = manualClock(1_000_000)
  return { clock, versions: new SequenceVersions({ budget: 0.2 }, { clock, kept }) }
}

describe('versions of what is known', () => {
  test('grow by confirmed sessions, and say who confirmed them', () => {
    const { clock, versions } = start()
    expect(versions.current).toBeUndefined()
    const first = versions.learn(
      Array.from({ length: 9 }, () => ['a', 'b']),
      by,
    )
    clock.advance(5)
    const second = versions.learn(
      [
        ['a', 'x'],
        ['a', 'b'],
      ],
      by,
    )
    expect(second.sessions).toBe(11)
    expect(second.judge(['a', 'x']).known).toBe(true)
    expect(first.judge(['a', 'x']).known).toBe(false)
    expect(versions.changes().changes[1]).toEqual({
      kind: 'learnt',
      version: second.version,
      before: first.version,
      atUs: 1_000_005,
      sessions: 11,
      added: 2,
      unknownBefore: 1,
      ...by,
    })
  })

  test('have one name for one content, however they came about', () => {
    const { versions } = start()
    versions.learn([['a'], ['b']], by)
    const grown = versions.learn([['c']], by)
    const atOnce = start().versions.learn([['c'], ['b'], ['a']], by)
    expect(grown.version).toBe(atOnce.version)
  })

  test('can be returned to, and the way back is recorded', () => {
    const { versions } = start()
    const first = versions.learn([['a']], by)
    const second = versions.learn([['poison']], by)
    expect(versions.rollBack(first.version, { actor: 'eve', reason: 'poisoned' })).toBe(first)
    expect(versions.current?.judge(['poison']).score).toBeGreaterThan(0)
    expect(versions.changes().changes.at(-1)).toMatchObject({
      kind: 'rolled back',
      version: first.version,
      before: second.version,
      actor: 'eve',
    })
  })

  test('leave when there are too many, and are then unknown', () => {
    const { versions } = start(2)
    const first = versions.learn([['a']], by)
    versions.learn([['b']], by)
    versions.learn([['c']], by)
    expect(versions.versions()).toHaveLength(2)
    expect(() => versions.rollBack(first.version, by)).toThrow(/not among the 2 versions/)
  })

  test('change nothing where one session of many is no session, or nobody answers for it', () => {
    const { versions } = start()
    const first = versions.learn([['a']], by)
    expect(() => versions.learn([['b'], []], by)).toThrow(/no event/)
    expect(() => versions.learn([], by)).toThrow(/no session to learn/)
    expect(() => versions.learn([['b']], { actor: 'ada', reason: ' ' })).toThrow(/Actor or reason/)
    expect(versions.current).toBe(first)
    expect(versions.changes().changes).toHaveLength(1)
  })

  test('are the same after they were saved', () => {
    const { clock, versions } = start()
    const first = versions.learn([['a', 'b']], by)
    versions.learn([['a', 'c']], by)
    const state = JSON.parse(JSON.stringify(versions.toState())) as VersionsState
    const again = SequenceVersions.fromState(state, { budget: 0.2 }, { clock })
    expect(again.current?.version).toBe(versions.current?.version)
    expect(again.changes()).toEqual(versions.changes())
    expect(again.rollBack(first.version, by).judge(['a', 'c'])).toEqual(first.judge(['a', 'c']))
  })

  test.each([
    ['"a 1 b 1"', '"a 2 b 1"', /missing or changed/],
    ['["a",', '["z",', /A count vector has a, which no session had/],
    ['assay-sequences/1', 'assay-sequences/9', /does not say/],
  ])('of which %s was changed on the disk are refused', (before, after, message) => {
    const { clock, versions } = start()
    versions.learn([['a', 'b']], by)
    const text = JSON.stringify(versions.toState())
    expect(text).toContain(before)
    const state = JSON.parse(text.replace(before, after)) as VersionsState
    expect(() => SequenceVersions.fromState(state, {}, { clock })).toThrow(message)
  })
})
