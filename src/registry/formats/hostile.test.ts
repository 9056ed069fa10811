import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { AssayError } from '../../lib/errors.ts'
import { predictor } from '../../learning/index.ts'
import { goldenModel, goldenModels } from './golden.cases.ts'
import { onnxInterface } from './onnx-interface.ts'
import { readModelFile } from './read.ts'

const bytesOf = (text: string) => new TextEncoder().encode(text)
const textOf = (name: string) => new TextDecoder().decode(goldenModel(name).bytes)

type Change = (learner: any, tree: any) => void

/** An XGBoost document, changed. */
function changed(change: Change, name = 'xgboost-binary.json'): Uint8Array {
  const document = JSON.parse(textOf(name))
  change(document.learner, document.learner.gradient_booster.model.trees[0])
  return bytesOf(JSON.stringify(document))
}

function refused(bytes: Uint8Array, reason: string): void {
  expect(() => readModelFile(bytes)).toThrow(AssayError)
  expect(() => readModelFile(bytes)).toThrow(reason)
}

const many = (count: number, text: string) => text.repeat(count)

describe('a hostile XGBoost file is refused with the reason', () => {
  test.each<[string, Change]>([
    ['circle', (_, tree) => (tree.left_children[1] = 0)],
    ['circle', (_, tree) => (tree.right_children[0] = 0)],
    ['two parents', (_, tree) => (tree.right_children[0] = tree.left_children[0])],
    ['child 99999999', (_, tree) => (tree.left_children[0] = 99999999)],
    ['child -7', (_, tree) => (tree.left_children[0] = -7)],
    ['child 1.5', (_, tree) => (tree.left_children[0] = 1.5)],
    ['differ in length', (_, tree) => tree.split_indices.pop()],
    ['Node 0 of tree 0', (_, tree) => (tree.split_indices[0] = 4)],
    ['feature -1', (_, tree) => (tree.split_indices[0] = -1)],
    ['adds to margin 7', (learner) => (learner.gradient_booster.model.tree_info[0] = 7)],
    ['categories outside', (_, tree) => (tree.categories_sizes[0] = 1e15)],
    ['categories of node', (_, tree) => tree.categories_nodes.fill(99)],
    ['its root reaches', (_, tree) => (tree.left_children[0] = tree.right_children[0] = -1)],
    ['several outputs', (_, tree) => (tree.tree_param.size_leaf_vector = '3')],
    ['2 features and says', (learner) => (learner.feature_names = ['a', 'b', 'b', 'a'])],
    ['whole number from 1', (learner) => (learner.learner_model_param.num_feature = '1e999')],
    ['whole number from 0', (learner) => (learner.learner_model_param.num_class = '999999999')],
    ['no margin', (learner) => (learner.learner_model_param.base_score = '[1E0]')],
    ['base scores', (learner) => (learner.learner_model_param.base_score = '[0.5,0.5]')],
    ['objective "binary:hinge"', (learner) => (learner.objective.name = 'binary:hinge')],
    ['objective "toString"', (learner) => (learner.objective.name = 'toString')],
    ['booster', (learner) => (learner.gradient_booster.name = 'gbmagic')],
    ['lacks model.learner', (learner) => delete learner.objective],
    ['has no trees', (learner) => (learner.attributes.best_iteration = '12345')],
  ])('%s', (reason, change) => refused(changed(change), reason))

  test('whose thresholds or leaves are no numbers', () => {
    const name = 'xgboost-base.json'
    refused(
      changed((_, tree) => (tree.split_conditions[0] = null), name),
      'threshold NaN',
    )
    const leaf = (tree: any) => tree.left_children.indexOf(-1)
    const change: Change = (_, tree) => (tree.split_conditions[leaf(tree)] = null)
    refused(changed(change, name), 'leaf that is not a number')
  })

  test('that is nested a million deep, quickly', () => {
    refused(bytesOf(many(1_000_000, '{"learner":')), 'nested')
    refused(bytesOf(`{"learner":${many(1_000_000, '[')}`), 'nested')
    refused(bytesOf(`{L${many(100_000, '\0\0\0\0\0\0\0\u0001a{L')}`), 'nested')
  })

  test('that names a member twice, or the prototype', () => {
    refused(bytesOf('{"learner":1,"learner":2}'), 'twice')
    refused(bytesOf('{"__proto__":{"learner":{}}}'), '__proto__')
  })

  test('whose codes of categories are too large to hold', () => {
    const bytes = changed((_, tree) => {
      tree.categories_nodes.forEach((__: number, n: number) => (tree.categories[n] = 2 ** 31 + n))
    })
    refused(bytes, 'codes')
  })
})

describe('a hostile UBJSON file is refused with the reason', () => {
  test.each([
    ['counts more items', '{L\0\0\0\0\0\0\0\u0001a[$d#L\0\0\0\u00ff\u00ff\u00ff\u00ff\u00ff}'],
    ['counts more items', '{L\0\0\0\0\0\0\0\u0001a[#l\u007f\u00ff\u00ff\u00ff}'],
    ['list of the type', '{L\0\0\0\0\0\0\0\u0001a[$Z#i\u0002}}}'],
    ['without a count', '{L\0\0\0\0\0\0\0\u0001a[$d}'],
    ['below zero', '{i\u0080a}'],
    ['beyond 2^53', '{L\u007f\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff'],
    ['cut off', '{L\0\0\0\0\0\0\0\u0005ab'],
    ['marker', '{i\u0001aH'],
    ['twice', '{i\u0001aTi\u0001aF}'],
    ['after its end', '{i\u0001aT}x'],
    ['UTF-8', '{i\u0001\u00ffT}'],
  ])('%s', (reason, text) =>
    refused(
      Uint8Array.from(text, (c) => c.charCodeAt(0)),
      reason,
    ),
  )

  test('whatever is cut off of a good one', () => {
    const { bytes } = goldenModel('xgboost-binary.ubj')
    for (let end = 1; end < bytes.length; end += 37) {
      expect(() => readModelFile(bytes.subarray(0, end))).toThrow(AssayError)
    }
  })
})

describe('a hostile LightGBM file is refused with the reason', () => {
  const text = textOf('lightgbm-binary.txt')
  test.each<[string, (text: string) => string]>([
    ['circle', (t) => t.replace(/left_child=\S+/, 'left_child=0')],
    ['lacks "leaf_value"', (t) => t.replace('leaf_value=', 'leaf_valu=')],
    ['has num_leaves=', (t) => t.replace(/num_leaves=\d+/, 'num_leaves=99999999999')],
    ['numbers in "leaf_value"', (t) => t.replace(/num_leaves=\d+/, 'num_leaves=2147483')],
    ['"nan" in "threshold"', (t) => t.replace(/threshold=\S+/, 'threshold=nan')],
    ['"" in "threshold"', (t) => t.replace(/threshold=\S+/, 'threshold=')],
    ['decision type 255', (t) => t.replace(/decision_type=\S+/, 'decision_type=255')],
    ['has a child', (t) => t.replace(/right_child=\S+/, 'right_child=-70')],
    ['Node 0 of tree 0', (t) => t.replace(/split_feature=\S+/, 'split_feature=4')],
    ['names 4 features', (t) => t.replace('max_feature_idx=3', 'max_feature_idx=30')],
    ['linear models', (t) => t.replace('is_linear=0', 'is_linear=1')],
    ['2 of 99 numbers', (t) => t.replace(/cat_boundaries=0 \d+/, 'cat_boundaries=0 99')],
    ['outside its list', (t) => t.replace(/cat_boundaries=0/, 'cat_boundaries=7')],
    ['cut off', (t) => t.slice(0, t.length / 2)],
    ['stands twice', (t) => t.replace('num_leaves', 'num_cat=1\nnum_cat')],
    ['follows tree', (t) => t.replace('Tree=1', 'Tree=7')],
    ['objective "lambda"', (t) => t.replace(/objective=.*/, 'objective=lambda')],
    ['0 trees an iteration', (t) => t.replace('per_iteration=1', 'per_iteration=0')],
  ])('%s', (reason, change) => {
    expect(change(text)).not.toBe(text)
    refused(bytesOf(change(text)), reason)
  })
})

describe('a hostile ONNX file is refused with the reason', () => {
  test.each<[string, number[]]>([
    ['cut off', [8, 8, 58, 255, 255, 3]],
    ['more than ten bytes', [8, 8, 56, ...new Array<number>(12).fill(255)]],
    ['more than 64 bits', [8, 8, 56, ...new Array<number>(9).fill(255), 127]],
    ['beyond 2^53', [8, 8, 56, ...new Array<number>(8).fill(255), 127]],
    ['wire type', [8, 8, 59]],
    ['field number 0', [8, 8, 2, 0]],
    ['no graph', [8, 8]],
    ['inputs', [8, 8, 58, 0]],
    ['more than one graph', [8, 8, 58, 0, 58, 0]],
  ])('%s', (reason, bytes) => refused(Uint8Array.from(bytes), reason))

  test.each([
    ['nodes', 10],
    ['initializers', 42],
    ['outputs', 98],
  ])('more empty %s than a graph has, each of two bytes', (_, tag) => {
    const count = 300_000
    const length = [((2 * count) & 127) | 128, (((2 * count) >> 7) & 127) | 128, (2 * count) >> 14]
    const parts = Array.from({ length: count }, () => [tag, 0]).flat()
    refused(Uint8Array.from([8, 8, 58, ...length, ...parts]), 'parts')
  })

  test('whatever is cut off of a good one', () => {
    const { bytes } = goldenModel('sklearn-forest.onnx')
    for (let end = 1; end < bytes.length - 16; end += 23) {
      expect(() => readModelFile(bytes.subarray(0, end))).toThrow(AssayError)
    }
  })
})

describe('what is no model file of these', () => {
  test.each<[string, string]>([
    ['pickle', '\u0080\u0004\u0095'],
    ['old binary', 'binf\0\0\0\0'],
    ['begin as no model format', 'PK\u0003\u0004'],
    ['begin as no model format', ''],
  ])('is refused as %s', (reason, text) => {
    refused(
      Uint8Array.from(text, (c) => c.charCodeAt(0)),
      reason,
    )
  })

  test('is not read where it is larger than allowed', () => {
    const { bytes } = goldenModel('xgboost-base.json')
    expect(() => readModelFile(bytes, { maxBytes: 100 })).toThrow('at most 100 are read')
  })
})

describe('a large hostile file is refused quickly', () => {
  const size = 8_000_000
  const lightgbm = (key: string, value: string) =>
    textOf('lightgbm-binary.txt').replace(new RegExp(`^${key}=.*$`, 'm'), `${key}=${value}`)

  test.each<[string, () => string]>([
    ['lists and objects', () => `{"learner":[${many(size, '[],')}0]}`],
    ['not JSON', () => `{"learner":NaN,${many(size, '"\\')}`],
    ['not JSON', () => `{"a":NaN,"b":"${many(size, '\\"')}`],
    ['cut off', () => `tree\n${many(size, '\n')}`],
    ['numbers in "threshold"', () => lightgbm('threshold', many(size, ' '))],
    ['in "cat_threshold"', () => lightgbm('cat_threshold', many(size, '1 '))],
    ['features', () => lightgbm('feature_names', many(size, 'a '))],
  ])('%s', (reason, text) => refused(bytesOf(text()), reason))
})

type Damage =
  | { readonly kind: 'byte'; readonly at: number; readonly byte: number }
  | { readonly kind: 'cut'; readonly at: number; readonly length: number }
  | { readonly kind: 'text'; readonly at: number; readonly text: string }
  | { readonly kind: 'copy'; readonly at: number; readonly from: number }

describe('a damaged file', () => {
  const text = fc.constantFrom('0', '-1', '1e308', '99999999', 'null', '"', '[', '}', ' ', 'NaN')
  const damage: fc.Arbitrary<Damage> = fc.oneof(
    fc.record({ kind: fc.constant('byte' as const), at: fc.nat(), byte: fc.nat(255) }),
    fc.record({ kind: fc.constant('cut' as const), at: fc.nat(), length: fc.nat(40) }),
    fc.record({ kind: fc.constant('text' as const), at: fc.nat(), text }),
    fc.record({ kind: fc.constant('copy' as const), at: fc.nat(), from: fc.nat() }),
  )

  function damaged(bytes: Uint8Array, all: readonly Damage[]): Uint8Array {
    let list = [...bytes]
    for (const own of all) {
      const at = own.at % list.length
      if (own.kind === 'byte') list[at] = own.byte
      else if (own.kind === 'cut') list.splice(at, own.length)
      else if (own.kind === 'text') list.splice(at, 1, ...bytesOf(own.text))
      else list = [...list.slice(0, at), ...list.slice(own.from % list.length)]
      if (list.length === 0) list = [0]
    }
    return Uint8Array.from(list)
  }

  test('for ONNX Runtime has an interface or is refused', () => {
    const { bytes } = goldenModel('outside-network.onnx')
    fc.assert(
      fc.property(fc.array(damage, { minLength: 1, maxLength: 4 }), (all) => {
        try {
          expect(onnxInterface(damaged(bytes, all)).outputs).not.toEqual([])
        } catch (error) {
          if (!(error instanceof AssayError)) throw error
        }
      }),
      { numRuns: 200 },
    )
  })

  test.each(goldenModels)('gives a model or says what is wrong: $name', ({ bytes, rows }) => {
    fc.assert(
      fc.property(fc.array(damage, { minLength: 1, maxLength: 4 }), (all) => {
        const file = damaged(bytes, all)
        try {
          const model = readModelFile(file)
          const row = Float64Array.from(model.features, (_, j) => rows[0][j] ?? NaN)
          expect(predictor(model).predict(row)).toHaveLength(model.outputs.length)
        } catch (error) {
          if (!(error instanceof AssayError)) throw error
        }
      }),
      { numRuns: 60, endOnFailure: true },
    )
  })
})
