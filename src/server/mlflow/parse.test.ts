import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { flag, list, number, oneOf, record, text, whole, type Fields } from './endpoint.ts'
import { parseFields, readJsonObject, readQuery } from './parse.ts'
import { atMost, entityKey } from './text-rules.ts'

const bytes = (value: string) => new TextEncoder().encode(value)
const messageOf = (act: () => unknown): string => {
  try {
    act()
  } catch (error) {
    return (error as Error).message
  }
  return 'nothing was refused'
}

test('a text with half of a character is refused, because it has no canonical JSON', () => {
  const name = () => parseFields({ name: text() }, { name: 'a\ud800b' })
  expect(messageOf(name)).toBe(
    `Invalid value "a\\ud800b" for parameter 'name' supplied: It has half of a character`,
  )
})

describe('a body', () => {
  test('is the object that was written, also where it was encoded twice', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (object) => {
        const written = JSON.stringify(object)
        expect(readJsonObject(bytes(written))).toEqual(JSON.parse(written))
        expect(readJsonObject(bytes(JSON.stringify(written)))).toEqual(JSON.parse(written))
      }),
    )
  })

  test('may hold the bare NaN and infinities of Python, and the words within texts stay', () => {
    const body = '{"a": NaN, "b": [-Infinity, Infinity], "NaN": "say \\"NaN\\", Infinity"}'
    expect(readJsonObject(bytes(body))).toEqual({
      a: 'NaN',
      b: ['-Infinity', 'Infinity'],
      NaN: 'say "NaN", Infinity',
    })
  })

  test('of a megabyte that is broken in the middle is refused at once', () => {
    const broken = `{"a": NaN, "b": "${'\\"'.repeat(500_000)}`
    expect(messageOf(() => readJsonObject(bytes(broken)))).toContain('not valid JSON')
  })

  test('is quoted with the digits in which a number was sent', () => {
    const fields = { a: text(), n: whole({ max: 9 }), list: list(number()) }
    const quoted = (body: string) =>
      messageOf(() => parseFields(fields, readJsonObject(bytes(body), { ownNumbers: true })))
    expect(quoted('{"n": 9.0, "a": 9.0}')).toContain("Invalid value 9.0 for parameter 'a'")
    expect(quoted('{"a": 9.0}')).toContain("Value was of type 'float'")
    expect(quoted('{"n": 1e1}')).toContain("Invalid value 1e1 for parameter 'n'")
    expect(quoted('{"a": [1.50, 2]}')).toContain('Invalid value [1.50,2] for')
    const read = readJsonObject(bytes('{"n": 9.0, "list": [1e2, -0.0]}'), { ownNumbers: true })
    expect(parseFields(fields, read)).toEqual({ a: undefined, n: 9, list: [100, -0] })
  })

  test('without bytes, and null, hold nothing', () => {
    expect(readJsonObject(bytes(''))).toEqual({})
    expect(readJsonObject(bytes('null'))).toEqual({})
  })
})

describe('a field', () => {
  const parse = (fields: Fields, source: object) =>
    parseFields(fields, source as Record<string, unknown>)

  test('that is a whole number may come as a number or as digits, and within safe bounds', () => {
    const fields = { n: whole() }
    fc.assert(
      fc.property(fc.maxSafeInteger(), (n) => {
        expect(parse(fields, { n })).toEqual({ n: n + 0 })
        expect(parse(fields, { n: String(n) })).toEqual({ n: n + 0 })
      }),
    )
    for (const n of [1.5, '1.5', 'x', '', true, [1], {}, 2 ** 60, '9'.repeat(20)]) {
      expect(messageOf(() => parse(fields, { n }))).toContain("for parameter 'n' supplied")
    }
  })

  test('that is a number may come as a number, as text, or as the words for what JSON lacks', () => {
    const fields = { v: number() }
    fc.assert(
      fc.property(fc.double(), (v) => {
        expect(parse(fields, { v: String(v) })).toEqual({ v: Number(String(v)) })
      }),
    )
    expect(parse(fields, { v: '-inf' })).toEqual({ v: -Infinity })
    expect(messageOf(() => parse(fields, { v: '0x10' }))).toContain("for parameter 'v' supplied")
  })

  test('may have an older name or one in camel case, and null is absence', () => {
    const fields = { run_id: text({ required: true, also: 'run_uuid' }), page_token: text() }
    expect(parse(fields, { run_uuid: 'r', pageToken: 't' })).toEqual({
      run_id: 'r',
      page_token: 't',
    })
    expect(parse(fields, { run_id: null, run_uuid: 'r' })).toMatchObject({ run_id: 'r' })
    expect(messageOf(() => parse(fields, { run_id: '' }))).toMatch(/^Missing value .*'run_id'/)
  })

  test('within lists of objects is named by its path', () => {
    const fields = { tags: list(record({ key: text({ required: true }) })) }
    expect(parse(fields, {})).toEqual({ tags: [] })
    expect(messageOf(() => parse(fields, { tags: [{ key: 'a' }, {}] }))).toContain("'tags[1].key'")
    expect(messageOf(() => parse(fields, { tags: [{ key: 'a' }, 5] }))).toContain("'tags[1]'")
    expect(messageOf(() => parse(fields, { tags: { key: 'a' } }))).toContain("type 'dict'")
  })

  test('with choices takes a name or its number', () => {
    const fields = { status: oneOf(['RUNNING', 'FINISHED']), kind: oneOf(['NONE', 'SOME'], {}, 0) }
    expect(parse(fields, { status: 2, kind: '0' })).toEqual({ status: 'FINISHED', kind: 'NONE' })
    expect(messageOf(() => parse(fields, { status: 'finished' }))).toContain('RUNNING, FINISHED')
  })

  test('of a query is text, and repeated for a list', () => {
    const fields = { ids: list(text()), deep: flag(), n: whole({ fallback: 7 }) }
    const query = readQuery({ ids: 'a', deep: 'TRUE', other: 'x' }, fields)
    expect(parseFields(fields, query, { fromQuery: true })).toEqual({
      ids: ['a'],
      deep: true,
      n: 7,
    })
    const bad = readQuery({ deep: 'yes' }, fields)
    expect(messageOf(() => parseFields(fields, bad, { fromQuery: true }))).toContain(
      "'true' or 'false'",
    )
  })

  test('is never taken from what every object has', () => {
    expect(parse({ constructor: text(), toString: text() }, {})).toEqual({
      constructor: undefined,
      toString: undefined,
    })
  })
})

describe('a key', () => {
  test.each(['a', 'a/b.c', 'ä é', 'm:1 - x_', '日本'])('%j is one', (key) => {
    expect(entityKey(key, 'key')).toBeUndefined()
  })

  test.each(['', '.', '..', '../a', '/a', 'a/', 'a//b', 'a/./b', 'a\\b', 'a*', 'a\n', 'a"'])(
    '%j is none',
    (key) => {
      expect(entityKey(key, 'key')).toContain("for parameter 'key' supplied: Names may")
    },
  )

  test('is as long as it has characters, not units', () => {
    const rule = atMost(3, 'Param key')
    expect(rule('😀😀😀', 'key')).toBeUndefined()
    expect(rule('abcd', 'key')).toBe("'Param key' exceeds the maximum length of 3 characters")
  })
})
