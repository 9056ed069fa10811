import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ActionFigures, DeadLetter } from '../../../decisions/index.ts'
import { deadLettersOf } from './dead-letters.ts'

const names = ['a', 'a-b', 'b'] as const

function letterOf(action: string, sequence: number): DeadLetter {
  const of = { namespace: 'live', policy: 'p', action, sequence }
  const error = sequence % 2 === 0 ? 'It answered 503.' : 'It was away.'
  return { ...of, eventId: `e${sequence}`, attempts: 10, error, diedAtUs: 0, redrive: false }
}

/** Actions with these dead letters, as `createActionDelivery` answers of them. */
function actionsWith(letters: readonly DeadLetter[]): Parameters<typeof deadLettersOf>[0] {
  const ofAction = (action: string) =>
    letters.filter((each) => each.action === action).toSorted((a, b) => a.sequence - b.sequence)
  return {
    figures: async () =>
      names.map((action) => ({
        policy: 'p',
        action,
        dead: ofAction(action).length,
      })) as unknown as ActionFigures[],
    dead: async (of, limit, after = 0) =>
      ofAction(of?.action ?? '')
        .filter(({ sequence }) => sequence > after)
        .slice(0, limit),
    messageOf: async ({ sequence }) => ({ key: `k${sequence}`, body: `{"n":${sequence}}` }),
  }
}

const some = fc.uniqueArray(
  fc.record({ action: fc.constantFrom(...names), sequence: fc.integer({ min: 1, max: 40 }) }),
  { selector: ({ action, sequence }) => `${action}/${sequence}`, maxLength: 60 },
)

test('pages follow one another without gap or repetition, whatever the filter', async () => {
  await fc.assert(
    fc.asyncProperty(
      some,
      fc.integer({ min: 1, max: 7 }),
      fc.option(fc.constantFrom(...names), { nil: undefined }),
      fc.option(fc.constantFrom('503', 'e1'), { nil: undefined }),
      async (made, limit, action, text) => {
        const letters = made.map((each) => letterOf(each.action, each.sequence))
        const actions = actionsWith(letters)
        const wanted = letters
          .filter((each) => action === undefined || each.action === action)
          .filter(({ eventId, error }) => `${eventId}\n${error}`.includes(text ?? ''))
          .toSorted(
            (a, b) =>
              names.indexOf(a.action as 'a') - names.indexOf(b.action as 'a') ||
              a.sequence - b.sequence,
          )
        const found: string[] = []
        let cursor: string | undefined
        do {
          const page = await deadLettersOf(actions, { limit, action, text, cursor })
          expect(page.total).toBe(wanted.length)
          expect(page.items.length).toBeLessThanOrEqual(limit)
          found.push(...page.items.map((each) => `${each.action}/${each.sequence}/${each.body}`))
          cursor = page.next ?? undefined
        } while (cursor !== undefined)
        expect(found).toEqual(
          wanted.map((each) => `${each.action}/${each.sequence}/{"n":${each.sequence}}`),
        )
      },
    ),
  )
})

test('a page goes on after a letter that was delivered meanwhile', async () => {
  const first = [1, 2, 3].map((sequence) => letterOf('a', sequence))
  const { next } = await deadLettersOf(actionsWith(first), { limit: 2 })
  const rest = await deadLettersOf(actionsWith(first.slice(2)), { limit: 2, cursor: next! })
  expect(rest.items.map(({ sequence }) => sequence)).toEqual([3])
})
