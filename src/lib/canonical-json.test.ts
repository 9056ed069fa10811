import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { canonicalJson, parseStrictJson } from './canonical-json.ts'

function codeOf(input: string | Uint8Array, options?: { maxDepth?: number; maxBytes?: number }) {
  try {
    parseStrictJson(input, options)
    return 'accepted'
  } catch (error) {
    return (error as { code?: string }).code
  }
}

describe('canonical JSON', () => {
  test('sorts keys by UTF-16 units, as in the example of RFC 8785', () => {
    const value = {
      '\u20ac': 'Euro Sign',
      '\r': 'Carriage Return',
      '\ufb33': 'Hebrew Letter Dalet With Dagesh',
      '1': 'One',
      '\ud83d\ude00': 'Emoji: Grinning Face',
      '\u0080': 'Control',
      '\u00f6': 'Latin Small Letter O With Diaeresis',
    }
    const values = [...canonicalJson(value).matchAll(/:"([^"]+)"/g)].map((match) => match[1])
    expect(values).toEqual([
      'Carriage Return',
      'One',
      'Control',
      'Latin Small Letter O With Diaeresis',
      'Euro Sign',
      'Emoji: Grinning Face',
      'Hebrew Letter Dalet With Dagesh',
    ])
  })

  test('writes numbers, literals and escapes as in the example of RFC 8785', () => {
    const value = {
      numbers: [333333333.33333329, 1e30, 4.5, 2e-3, 0.000000000000000000000000001],
      string: "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\u0022/",
      literals: [null, true, false],
    }
    expect(canonicalJson(value)).toBe(
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],' +
        '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    )
    expect(canonicalJson([-0, 1e21, 5e-324, 1.7976931348623157e308])).toBe(
      '[0,1e+21,5e-324,1.7976931348623157e+308]',
    )
  })

  test('leaves out undefined members, and sorts nested objects', () => {
    expect(canonicalJson({ b: { d: 1, c: undefined }, a: [] })).toBe('{"a":[],"b":{"d":1}}')
  })

  test('refuses what has no JSON form', () => {
    const cycle: unknown[] = []
    cycle.push(cycle)
    for (const value of [NaN, Infinity, undefined, () => 1, 1n, new Date(0), new Map(), cycle]) {
      expect(() => canonicalJson(value)).toThrow()
      expect(() => canonicalJson([value])).toThrow()
    }
    expect(() => canonicalJson('\ud800')).toThrow('surrogate')
    expect(() => canonicalJson({ '\udc00': 1 })).toThrow('surrogate')
  })

  test('is one text for one value, whatever the order of its keys', () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
        if (hasLoneSurrogate(value)) return
        const text = canonicalJson(value)
        expect(canonicalJson(reversed(value))).toBe(text)
        expect(canonicalJson(JSON.parse(text))).toBe(text)
      }),
    )
  })
})

describe('strict JSON', () => {
  test('reads what JSON.parse reads', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), fc.nat(4), (value, indent) => {
        const text = JSON.stringify(value, null, indent)
        if (codeOf(text) === 'json_number_unsafe' || text.includes('__proto__')) return
        expect(parseStrictJson(text)).toEqual(JSON.parse(text))
        expect(parseStrictJson(new TextEncoder().encode(text))).toEqual(JSON.parse(text))
      }),
    )
  })

  test('refuses what is not JSON', () => {
    const broken = ['', '{', '{"a":1,}', '[1 2]', 'NaN', '[Infinity]', "{'a':1}", '01', '"', '\\']
    for (const text of [...broken, '{"a":"\\"', 'nul', '\ufeff{}', '[1]]', '1 1', '"\t"']) {
      expect([text, codeOf(text)]).toEqual([text, 'json_invalid'])
    }
  })

  test('refuses bytes that are not UTF-8, and a byte order mark', () => {
    expect(codeOf(Uint8Array.of(0x22, 0xff, 0x22))).toBe('json_invalid')
    expect(codeOf(Uint8Array.of(0x22, 0xed, 0xa0, 0x80, 0x22))).toBe('json_invalid')
    expect(codeOf(Uint8Array.of(0xef, 0xbb, 0xbf, 0x31))).toBe('json_invalid')
  })

  test('refuses a key that appears twice in one object, and names it', () => {
    expect(() => parseStrictJson('{"a":1,"b":{"x":1},"\\u0061":2}')).toThrow(
      'key "a" appears twice',
    )
    expect(() => parseStrictJson('[{"k":":","k" : 1}]')).toThrow('key "k" appears twice')
    expect(codeOf('{"a":{"a":{"a":1}},"b":[{"a":1},{"a":2}]}')).toBe('accepted')
    expect(codeOf('{"a":"b:c","d:e":"\\":"}')).toBe('accepted')
  })

  test('refuses integers that a double cannot keep, wherever they stand', () => {
    expect(parseStrictJson('[9007199254740991,-9007199254740991]')).toEqual([
      9007199254740991, -9007199254740991,
    ])
    for (const number of ['9007199254740992', '-9007199254740992', '12345678901234567890123']) {
      for (const text of [number, `[1,${number}]`, `{"a":${number}}`]) {
        expect(codeOf(text)).toBe('json_number_unsafe')
      }
      expect(codeOf(`["${number}"]`)).toBe('accepted')
    }
    expect(codeOf('1e999')).toBe('json_number_unsafe')
    expect(codeOf('[-1E400]')).toBe('json_number_unsafe')
    expect(parseStrictJson('[1e20,0.12345678901234567,123456789012345.67]')).toHaveLength(3)
  })

  test('refuses to go deeper than 64, however deep the text goes', () => {
    expect(codeOf('['.repeat(64) + ']'.repeat(64))).toBe('accepted')
    expect(codeOf('['.repeat(65) + ']'.repeat(65))).toBe('json_too_deep')
    expect(codeOf('{"a":'.repeat(10_000))).toBe('json_too_deep')
    expect(codeOf('[[1]]', { maxDepth: 1 })).toBe('json_too_deep')
    expect(codeOf(`"${'['.repeat(100)}"`)).toBe('accepted')
  })

  test('refuses a text that is too long before reading it', () => {
    expect(codeOf(`"${'x'.repeat(2_000_000)}"`)).toBe('json_too_large')
    expect(codeOf('"12345"', { maxBytes: 6 })).toBe('json_too_large')
  })

  test('refuses a key that would change a prototype', () => {
    expect(codeOf('{"__proto__":{"admin":true}}')).toBe('json_invalid')
    expect(codeOf('{"a":[{"\\u005f_proto__":1}]}')).toBe('json_invalid')
  })

  test('refuses half a surrogate pair, in keys and values', () => {
    for (const text of ['"\\ud800"', '{"\\uDC00":1}', '[["x\\udbffy"]]', '"\ud800"']) {
      expect([text, codeOf(text)]).toEqual([text, 'json_invalid'])
    }
    expect(parseStrictJson('"\\ud83d\\ude00"')).toBe('😀')
  })

  test('gives canonical JSON nothing that it cannot write', () => {
    fc.assert(
      fc.property(fc.json({ noUnicodeString: false }), (text) => {
        if (codeOf(text) === 'accepted') canonicalJson(parseStrictJson(text))
      }),
    )
  })
})

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed)
  if (typeof value !== 'object' || value === null) return value
  const members = Object.entries(value).map(([key, member]) => [key, reversed(member)] as const)
  return Object.fromEntries(members.reverse())
}

function hasLoneSurrogate(value: unknown): boolean {
  return !JSON.parse(JSON.stringify([JSON.stringify(value)])).every((text: string) => {
    return text.isWellFormed() && !/\\ud[89a-f]/i.test(text)
  })
}
