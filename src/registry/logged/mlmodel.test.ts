import fc from 'fast-check'
import { expect, test } from 'vitest'
import { monotonicUs } from '../../lib/clock.ts'
import { isAssayError } from '../../lib/errors.ts'
import { parseMlmodel } from './mlmodel.ts'

const parse = (text: string) => parseMlmodel(new TextEncoder().encode(text))

test('flavors keep their settings, and the signature becomes columns', () => {
  const model = parse(`
artifact_path: model
flavors:
  onnx: {data: model.onnx, code: null}
  python_function:
    env: {conda: conda.yaml, virtualenv: python_env.yaml}
mlflow_version: 3.1.0
signature:
  inputs: '[{"type": "tensor", "tensor-spec": {"dtype": "float32", "shape": [-1, 4]}},
    {"type": "long", "name": "age", "required": false}, {"type": "array", "items": 1}, 7]'
  outputs: 'no JSON'
`)
  expect([...model.flavors.keys()]).toEqual(['onnx', 'python_function'])
  expect(model.flavors.get('onnx')).toEqual({ data: 'model.onnx', code: null })
  expect(model.mlflowVersion).toBe('3.1.0')
  expect(model.signature).toEqual({
    inputs: [
      { name: undefined, type: 'float32', shape: [-1, 4], required: true },
      { name: 'age', type: 'long', shape: undefined, required: false },
      { name: undefined, type: 'array', shape: undefined, required: true },
    ],
    outputs: [],
  })
})

const bomb = [
  'a: &a [x, x]',
  ...[...'bcdefghij'].map((name, at) => {
    const before = 'abcdefghij'[at]
    return `${name}: &${name} [${`*${before}, `.repeat(9)}*${before}]`
  }),
].join('\n')

test.each([
  ['aliases that grow', `${bomb}\nflavors: *j`],
  ['one alias', 'a: &a {x: 1}\nflavors: *a'],
  ['deep brackets', `flavors: ${'['.repeat(50_000)}`],
  ['deep braces', `flavors: ${'{a: '.repeat(50_000)}`],
  ['deep dashes', `flavors:\n  ${'- '.repeat(100_000)}x`],
  ['deep question marks', `${'? '.repeat(100_000)}x`],
  ['deep indentation', Array.from({ length: 1000 }, (_, at) => `${' '.repeat(at)}a:`).join('\n')],
  ['brackets line by line', `flavors:\n${'  [\n'.repeat(5000)}`],
  ['too many bytes', `flavors: {}\n${'#'.repeat(2_000_000)}`],
  ['no flavors', 'a: 1'],
  ['a list', '- a'],
  ['a text', 'model'],
  ['nothing', ''],
  ['keys twice', 'flavors: {}\nflavors: {}'],
  ['a tag of Python', 'flavors: !!python/object/apply:os.system ["true"]'],
  ['two documents', 'flavors: {}\n---\nflavors: {}'],
  ['many keys', Array.from({ length: 40_000 }, (_, index) => `k${index}:`).join('\n')],
  [
    'many keys in one line',
    `{${Array.from({ length: 40_000 }, (_, index) => `k${index}`).join()}}`,
  ],
  ['many mistakes', '}\n'.repeat(100_000)],
  ['many mistakes within a list', `a: [${','.repeat(100_000)}`],
  ['many lists in lists', `${'- '.repeat(20)}\n`.repeat(20_000)],
])('%s are refused quickly', (_, text) => {
  const began = monotonicUs()
  expect(() => parse(text)).toThrow(expect.objectContaining({ code: 'mlmodel_invalid' }))
  expect(monotonicUs() - began).toBeLessThan(2_000_000)
})

test('time does not grow with the square of the number of keys', () => {
  const keys = Array.from({ length: 8000 }, (_, index) => `  k${index}:`).join('\n')
  const began = monotonicUs()
  expect(parse(`flavors: {xgboost: {}}\nmetadata:\n${keys}\n`).flavors.size).toBe(1)
  expect(monotonicUs() - began).toBeLessThan(2_000_000)
})

test('bytes that are no UTF-8 are refused', () => {
  expect(() => parseMlmodel(Uint8Array.of(0xff, 0xfe))).toThrow(/not UTF-8/)
})

test('names that JavaScript knows are only names', () => {
  const model = parse('flavors:\n  __proto__: {polluted: 1}\n  constructor: {a: 1}\n')
  expect(model.flavors.get('constructor')).toEqual({ a: 1 })
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
})

test('whatever the text, the answer is a description or mlmodel_invalid', () => {
  const pieces = [
    'flavors:',
    '\n',
    '  ',
    '- ',
    'a: ',
    '&x ',
    '*x',
    '[',
    ']',
    '{',
    '}',
    '"',
    "'",
    '|',
    '>',
    '!!',
    '#',
    ':',
    '? ',
    '<<: ',
    '\t',
    '1',
    '%YAML',
    '---',
    '...',
  ]
  const piece = fc.constantFrom(...pieces)
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), (chosen) => {
      try {
        parse(chosen.join(''))
      } catch (error) {
        expect(isAssayError(error, 'mlmodel_invalid')).toBe(true)
      }
    }),
    { numRuns: 500 },
  )
})
