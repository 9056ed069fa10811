import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { nextOf, pageInOrder, pageToken, placeIn, type PageKey } from './paging.ts'

const anyItem = fc.record({
  text: fc.constantFrom(null, '', 'a', 'A', 'ä', '\u{1f600}', '\uffff'),
  number: fc.constantFrom(null, -Infinity, -1, 0, 0.5, Infinity),
})

test('pages laid end to end are the whole list in its order, each item once', () => {
  fc.assert(
    fc.property(
      fc.array(anyItem, { maxLength: 30 }),
      fc.tuple(fc.boolean(), fc.boolean()),
      fc.integer({ min: 1, max: 5 }),
      (drawn, falls, limit) => {
        const items = drawn.map((item, id) => ({ ...item, id }))
        const keyOf = ({ text, number, id }: (typeof items)[number]): PageKey => [text, number, id]
        const descending = [...falls, false]
        const whole = pageInOrder(items, keyOf, { descending, limit: 1000 })
        expect(whole.next).toBeUndefined()
        const found: (typeof items)[number][] = []
        for (let after: PageKey | undefined; ;) {
          const page = pageInOrder(items, keyOf, { descending, limit, after })
          expect(page.items.length).toBeLessThanOrEqual(limit)
          found.push(...page.items)
          // The place goes through a token, as it does between two requests.
          after = placeIn(nextOf(page.next, 'search').next, 'search')
          if (after === undefined) break
        }
        expect(found).toEqual(whole.items)
        expect(new Set(found).size).toBe(items.length)
        const texts = found.map(({ text }) => text)
        const missing = texts.indexOf(null)
        if (missing >= 0) expect(texts.slice(missing).every((text) => text === null)).toBe(true)
      },
    ),
  )
})

test('what appears before a place while pages are turned neither repeats nor hides anything', () => {
  const wanted = { descending: [true], limit: 2 }
  const first = pageInOrder([5, 4, 3, 2], (n) => [n], wanted)
  expect(first).toEqual({ items: [5, 4], next: [4] })
  const second = pageInOrder([7, 6, 5, 4, 3, 2], (n) => [n], { ...wanted, after: first.next })
  expect(second).toEqual({ items: [3, 2] })
})

test('a token is a place in its own search alone', () => {
  const search = { filter: 'a = 1', order: ['b'] }
  const key = ['x', 2.5, null, Infinity, -Infinity]
  expect(placeIn(pageToken(key, search), search)).toEqual(key)
  expect(placeIn(undefined, search)).toBeUndefined()
  expect(placeIn('', search)).toBeUndefined()
  const forged = Buffer.from(JSON.stringify(['x', { infinite: 1 }])).toString('base64url')
  for (const token of [pageToken(key, { ...search, filter: 'a = 2' }), 'nonsense', forged]) {
    expect(() => placeIn(token, search)).toThrow(
      expect.objectContaining({ code: 'page_token_invalid' }),
    )
  }
})
