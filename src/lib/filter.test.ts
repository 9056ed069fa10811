import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compareText, isLike, matches, type Filter } from './filter.ts'
import {
  FilterError,
  filterLimits,
  parseFilter,
  parseOrder,
  type Vocabulary,
} from './filter-text.ts'

/** Fields are texts such as `metric:auc`; the key `when` counts in milliseconds. */
const vocabulary: Vocabulary<string> = {
  keyOf(entity, name) {
    if (entity === 'metrics') return { field: `metric:${name}`, type: 'number' }
    if (entity === 'tags') return { field: `tag:${name}`, type: 'text' }
    if (entity !== undefined) return undefined
    if (name === 'id') return { field: 'id', type: 'text', operators: ['=', 'in'] }
    if (name !== 'when') return undefined
    return { field: 'when', type: 'number', convert: (ms) => Number(ms) * 1000 }
  },
  known: 'There are metrics.NAME, tags.NAME, id and when.',
}
const parse = (text: string) => parseFilter(text, vocabulary)
const auc = (value: number): Filter<string> => ({ field: 'metric:auc', op: '>', value })
const tag = (value: string): Filter<string> => ({ field: 'tag:a', op: '=', value })

describe('reading a filter', () => {
  test.each<[string, Filter<string>]>([
    ['', { all: [] }],
    ['metrics.auc > 0.9', auc(0.9)],
    ['metrics.auc>-1e-3', auc(-0.001)],
    ['metrics."a b" == 1', { field: 'metric:a b', op: '=', value: 1 }],
    ['tags.`mlflow.name` <> "it"', { field: 'tag:mlflow.name', op: '!=', value: 'it' }],
    ["tags.mlflow.name LIKE '%a'", { field: 'tag:mlflow.name', op: 'like', value: '%a' }],
    ["tags.a = 'it''s'", tag("it's")],
    ["tags.a = 'it\\'s \\\\ \\n'", tag("it's \\ \\n")],
    ['tags.a = "say ""no"""', tag('say "no"')],
    ["id IN ('1', '2')", { field: 'id', op: 'in', value: ['1', '2'] }],
    ["id in ('1',)", { field: 'id', op: 'in', value: ['1'] }],
    ["tags.a NOT IN ('1')", { field: 'tag:a', op: 'not-in', value: ['1'] }],
    ['tags.a is null', { field: 'tag:a', op: 'is-null' }],
    ['tags.a Is Not Null', { field: 'tag:a', op: 'is-not-null' }],
    ['when >= 5', { field: 'when', op: '>=', value: 5000 }],
    [
      "metrics.auc > 1 AND tags.a = 'x' OR tags.a = 'y'",
      { any: [{ all: [auc(1), tag('x')] }, tag('y')] },
    ],
    [
      "metrics.auc > 1 and (tags.a = 'x' or tags.a = 'y')",
      { all: [auc(1), { any: [tag('x'), tag('y')] }] },
    ],
    ['((metrics.auc > 1))', auc(1)],
  ])('%s', (text, filter) => {
    expect(parse(text)).toEqual(filter)
  })

  test.each([
    ['metrics.auc', 'the end', 11],
    ['metrics.auc > ', 'Expected a number', 14],
    ["metrics.auc > '1'", 'Expected a number', 14],
    ['metrics.auc > abc', 'Expected a number', 14],
    ['metrics.auc > 1e999', 'larger than any number', 14],
    ['tags.a = 1', 'text in quotes', 9],
    ["tags.a = 'x", 'not closed', 9],
    ["metrics.auc LIKE 'a'", 'cannot be compared with LIKE', 12],
    ["id != 'a'", 'cannot be compared', 3],
    ['METRICS.auc > 1', 'There is no key METRICS.auc', 0],
    ['nothing.a = 1', 'There is no key nothing.a. There are metrics.NAME', 0],
    ['metrics. = 1', 'Expected a name', 9],
    ['(metrics.a > 1', 'closing parenthesis', 14],
    ['metrics.a > 1)', 'Expected AND, OR or the end', 13],
    ['metrics.a > 1 metrics.b > 1', 'Expected AND', 14],
    ['metrics.a > 1 AND', 'Expected a key', 17],
    ['id IN ()', 'Expected a text', 7],
    ["id IN 'a'", 'a list in parentheses', 6],
    ['tags.a NOT 1', 'Expected IN after NOT', 11],
    ['tags.a IS 1', 'Expected NULL', 10],
    ['metrics.a > 1; x', 'number', 12],
    ['metrics.a ! 1', 'means nothing', 10],
  ])('refuses %s and says where and why', (text, message, position) => {
    const error = thrown(() => parse(text))
    expect(error).toBeInstanceOf(FilterError)
    expect((error as FilterError).message).toContain(message)
    expect((error as FilterError).position).toBe(position)
  })

  test('refuses what is too long, too deep or too much', () => {
    const many = Array.from({ length: filterLimits.comparisons + 1 }, () => 'metrics.a > 1')
    const deep = filterLimits.depth + 1
    const texts = [
      'x'.repeat(filterLimits.characters + 1),
      many.join(' AND '),
      `tags.a LIKE '${'%'.repeat(filterLimits.patternCharacters + 1)}'`,
      `tags.a IN (${Array.from({ length: filterLimits.listed + 1 }, () => "'a'").join()})`,
      `${'('.repeat(deep)}metrics.a > 1${')'.repeat(deep)}`,
    ]
    for (const text of texts) expect(() => parse(text)).toThrow(FilterError)
  })

  test('reads an order', () => {
    const order = (text: string) => parseOrder(text, vocabulary)
    expect(order('metrics.auc')).toEqual({ field: 'metric:auc', descending: false })
    expect(order('metrics.`a b` DESC')).toEqual({ field: 'metric:a b', descending: true })
    expect(order('when asc')).toEqual({ field: 'when', descending: false })
    for (const text of ['', 'when up', 'when desc, id', '1']) {
      expect(() => order(text)).toThrow(FilterError)
    }
  })

  test('throws nothing but its own error, whatever the text', () => {
    const piece = fc.constantFrom(
      ...`' " \` ( ) , = != < . \\ metrics.a tags. id IN NOT IS NULL AND OR LIKE`.split(' '),
      ...`1 'a' 1e999 \0 😀 desc`.split(' '),
    )
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(piece, { maxLength: 30 }).map((pieces) => pieces.join(' ')),
      fc.array(piece, { maxLength: 30 }).map((pieces) => pieces.join('')),
    )
    const property = fc.property(text, (written) => {
      for (const read of [parseFilter, parseOrder]) {
        const error = thrown(() => read(written, vocabulary))
        if (error === undefined) continue
        expect(error).toBeInstanceOf(FilterError)
        const { position } = error as FilterError
        expect(position >= 0 && position <= written.length).toBe(true)
      }
    })
    fc.assert(property, { numRuns: 3000 })
  })

  test('what a filter says when written out is what is read back', () => {
    const leaf = fc.oneof(
      fc.record({
        field: fc.constantFrom('tag:a', 'tag:b c', 'tag:d.e'),
        op: fc.constantFrom('=' as const, '!=' as const, 'like' as const),
        value: fc.string({ unit: 'grapheme' }),
      }),
      fc.record({
        field: fc.constant('metric:x'),
        op: fc.constantFrom('<' as const, '>=' as const),
        value: fc.double({ noNaN: true, noDefaultInfinity: true }).map((x) => x + 0),
      }),
    )
    const property = fc.property(
      fc.array(fc.array(leaf, { minLength: 2 }), { minLength: 2 }),
      (or) => {
        const filter: Filter<string> = { any: or.map((all) => ({ all })) }
        expect(parse(or.map((all) => `(${all.map(written).join(' AND ')})`).join(' or '))).toEqual(
          filter,
        )
      },
    )
    fc.assert(property, { numRuns: 200 })
  })
})

describe('the meaning of a filter', () => {
  const values: Record<string, string | number | readonly string[]> = {
    'metric:auc': 0.5,
    'metric:lost': NaN,
    'tag:a': 'Äpfel 😀',
    'tag:many': ['x', 'y'],
  }
  const holds = (text: string) => matches(parse(text), (field) => values[field])

  test.each([
    'metrics.auc > 0.4 AND metrics.auc <= 0.5',
    "tags.a LIKE 'Ä% _'",
    "tags.a ILIKE 'ä%'",
    "tags.many = 'x' AND tags.many = 'y' AND tags.many != 'x'",
    "tags.many IN ('y', 'z')",
    'metrics.lost IS NOT NULL AND metrics.gone IS NULL',
    'metrics.auc > 1 OR metrics.auc < 1',
  ])('%s holds', (text) => {
    expect(holds(text)).toBe(true)
  })

  test.each([
    "tags.a LIKE 'ä%'",
    'metrics.lost > 0 OR metrics.lost <= 0 OR metrics.lost != 0',
    "tags.gone != 'x' OR tags.gone NOT IN ('x') OR tags.gone LIKE '%'",
    'metrics.auc > 0.5',
  ])('%s does not', (text) => {
    expect(holds(text)).toBe(false)
  })

  test('texts are ordered by code points', () => {
    const sorted = ['b', '\uffff', 'a', '😀', 'ab', ''].sort(compareText)
    expect(sorted).toEqual(['', 'a', 'ab', 'b', '\uffff', '😀'])
    const property = fc.property(
      fc.string({ unit: 'grapheme' }),
      fc.string({ unit: 'grapheme' }),
      (a, b) => {
        const bytes = Buffer.compare(Buffer.from(a), Buffer.from(b))
        expect(Math.sign(compareText(a, b))).toBe(bytes)
      },
    )
    fc.assert(property, { numRuns: 500 })
  })

  test('a pattern is what a regular expression of it says', () => {
    const letter = fc.constantFrom('a', 'b', '😀', '%', '_')
    const word = fc.array(letter, { maxLength: 8 }).map((letters) => letters.join(''))
    const property = fc.property(word, word, (text, pattern) => {
      const expression = pattern.replaceAll('%', '.*').replaceAll('_', '.')
      expect(isLike(text, pattern)).toBe(new RegExp(`^${expression}$`, 'su').test(text))
    })
    fc.assert(property, { numRuns: 2000 })
  })
})

function written({ field, op, value }: { field: string; op: string; value: string | number }) {
  const [entity, name] = field.split(':')
  const operand =
    typeof value === 'number'
      ? String(value)
      : `'${value.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`
  return `${entity}s.\`${name}\` ${op.toUpperCase()} ${operand}`
}

function thrown(run: () => unknown): unknown {
  try {
    run()
    return undefined
  } catch (error) {
    return error
  }
}
