// What a file says of itself in counts and parallel lists is what it holds, or it is refused.
import { describe, expect, test } from 'vitest'
import { AssayError } from '../../lib/errors.ts'
import { goldenModels } from './golden.cases.ts'
import { readLightgbm } from './lightgbm.ts'
import { fieldsOf, MessageWriter, type Field } from './protobuf.ts'
import { readModelFile } from './read.ts'
import { readUbjson } from './ubjson.ts'
import { readXgboost } from './xgboost.ts'

function refused(act: () => unknown, what: string): void {
  let error: unknown
  try {
    act()
  } catch (thrown) {
    error = thrown
  }
  expect(error, `${what} is taken`).toBeInstanceOf(AssayError)
}

type Place = { readonly path: string; set(value: unknown): void; readonly value: unknown }

/** Every member of a document, however deep; of objects in lists too. */
function* placesOf(value: unknown, path = ''): Generator<Place> {
  if (ArrayBuffer.isView(value) || typeof value !== 'object' || value === null) return
  const holder = value as Record<string, unknown>
  for (const [name, own] of Object.entries(holder)) {
    const place = `${path}/${name}`
    yield { path: place, value: own, set: (other) => (holder[name] = other) }
    yield* placesOf(own, place)
  }
}

/** Absent or empty lists, which older versions have where newer ones have more. */
const mayBeEmpty = /\/(?:feature_names|feature_types|split_type|sum_hessian|parents|loss_changes)$/

/** Not a part of what is computed: the bookkeeping of training, and what strings stand for. */
const isFree = (path: string) => /\/(?:cats|version|attributes|objective)(?:\/|$)/.test(path)

describe.each(goldenModels.filter(({ name }) => name.startsWith('xgboost')))(
  'XGBoost: $name',
  ({ name, bytes }) => {
    const document = () =>
      name.endsWith('.ubj')
        ? readUbjson(bytes)
        : (JSON.parse(new TextDecoder().decode(bytes)) as unknown)
    const read = (given: unknown) => readModelFile(new TextEncoder().encode(JSON.stringify(given)))
    const readEither = name.endsWith('.ubj') ? readXgboost : read

    test('is refused with one number more or less in any of its lists', () => {
      const lists = [...placesOf(document())].filter(
        ({ path, value }) => !isFree(path) && (Array.isArray(value) || ArrayBuffer.isView(value)),
      )
      expect(lists.length).toBeGreaterThan(name.includes('linear') ? 0 : 20)
      for (const { path } of lists) {
        const change = (how: (list: unknown[]) => unknown[]) => {
          const changed = document()
          const place = [...placesOf(changed)].find((one) => one.path === path)!
          const list = Array.from(place.value as ArrayLike<unknown>)
          const other = how(list)
          if (other.length === list.length) return
          if (other.length === 0 && mayBeEmpty.test(path)) return
          place.set(other)
          refused(() => readEither(changed), `${path} of ${other.length} for ${list.length}`)
        }
        change((list) => list.slice(0, -1))
        change((list) => (list.length === 0 ? list : [...list, list.at(-1)]))
      }
    })

    test('is refused with any of its counts one higher or lower', () => {
      const counts = /\/(?:num_trees|num_nodes|num_feature|num_class)$/
      for (const { path, value } of placesOf(document())) {
        // The features of one tree are those of the model; only the latter are looked at.
        if (!counts.test(path) || path.endsWith('tree_param/num_feature')) continue
        for (const step of [-1, 1]) {
          // No class and one class are the same.
          const isSame = path.endsWith('num_class') && Number(value) + step < 2
          if (isSame || Number(value) + step < 0) continue
          const changed = document()
          const place = [...placesOf(changed)].find((one) => one.path === path)!
          place.set(String(Number(value) + step))
          const unnamed = path.endsWith('num_feature') && step > 0
          if (unnamed && !hasNames(changed)) continue
          refused(() => readEither(changed), `${path} of ${Number(value) + step}`)
        }
      }
    })
  },
)

/** A file that names no features may have more of them than its trees ask for. */
function hasNames(document: unknown): boolean {
  return [...placesOf(document)].some(
    ({ path, value }) =>
      /learner\/feature_(?:names|types)$/.test(path) && (value as unknown[]).length > 0,
  )
}

describe.each(goldenModels.filter(({ name }) => name.startsWith('lightgbm')))(
  'LightGBM: $name',
  ({ bytes }) => {
    const lines = new TextDecoder().decode(bytes).split('\n')
    const end = lines.indexOf('end of trees')

    test('is refused with one item more or less in any line before the end of its trees', () => {
      let tried = 0
      for (let at = 0; at < end; at++) {
        const [key, value] = lines[at].split('=', 2)
        // Settings of the objective, and what is one word.
        if (value === undefined || !value.includes(' ') || key === 'objective') continue
        const items = value.split(' ')
        for (const other of [items.slice(0, -1), [...items, items.at(-1)!]]) {
          const changed = lines.with(at, `${key}=${other.join(' ')}`).join('\n')
          refused(() => readLightgbm(changed), `${key} of ${other.length} for ${items.length}`)
          tried++
        }
      }
      expect(tried).toBeGreaterThan(40)
    })

    test('is refused with any of its counts one higher or lower, or a tree less', () => {
      for (let at = 0; at < end; at++) {
        const [key, value] = lines[at].split('=', 2)
        if (!/^(?:num_|max_feature_idx)/.test(key)) continue
        for (const step of [-1, 1]) {
          const changed = lines.with(at, `${key}=${Number(value) + step}`).join('\n')
          refused(() => readLightgbm(changed), `${key} of ${Number(value) + step}`)
        }
      }
      const last = lines.findLastIndex((line) => line.startsWith('Tree='))
      refused(() => readLightgbm(lines.toSpliced(last, end - last).join('\n')), 'a tree less')
    })
  },
)

/** The file with each list of its operators one item shorter, or two longer. */
function* withOtherLists(bytes: Uint8Array): Generator<{ name: string; file: Uint8Array }> {
  const graph = [...fieldsOf(bytes)].find(({ number }) => number === 7)!
  for (const node of fieldsOf(graph.bytes)) {
    if (node.number !== 1) continue
    for (const attribute of fieldsOf(node.bytes)) {
      if (attribute.number !== 5) continue
      const parts = [...fieldsOf(attribute.bytes)]
      const name = new TextDecoder().decode(parts.find(({ number }) => number === 1)!.bytes)
      const items = parts.filter(({ number }) => [7, 8, 9].includes(number))
      if (items.length === 0) continue
      for (const more of [-1, 2]) {
        const list = changedList(parts, more)
        // An empty list is an absent one, which the operator may allow.
        if (list === undefined) continue
        const changed = replaced(graph.bytes, node, replaced(node.bytes, attribute, list))
        yield { name, file: replaced(bytes, graph, changed) }
      }
    }
  }
}

/** Undefined where nothing would be left of it. */
function changedList(parts: readonly Field[], items: number): Uint8Array | undefined {
  const list = parts.filter(({ number }) => [7, 8, 9].includes(number))
  const last = list.at(-1)!
  // Numbers may stand together in one field.
  const isPacked = last.wire === 2 && last.number !== 9
  const width = last.number === 7 ? 4 : 1
  if (items < 0 && (isPacked ? last.bytes.length === width : list.length === 1)) return undefined
  const into = new MessageWriter()
  for (const part of parts) {
    if (part !== last || (!isPacked && items > 0)) write(part, into)
    if (part !== last) continue
    const more = Array.from({ length: Math.max(items, 0) }, () => part)
    if (!isPacked) for (const one of more) write(one, into)
    else if (items < 0) into.bytes(part.number, part.bytes.subarray(0, -width))
    else {
      const tail = more.map(() => part.bytes.subarray(-width))
      into.bytes(part.number, Buffer.concat([part.bytes, ...tail]))
    }
  }
  return into.finish()
}

function replaced(message: Uint8Array, field: Field, by: Uint8Array): Uint8Array {
  const into = new MessageWriter()
  for (const own of fieldsOf(message)) {
    if (own.number === field.number && own.bytes.byteOffset === field.bytes.byteOffset) {
      into.bytes(own.number, by)
    } else write(own, into)
  }
  return into.finish()
}

function write({ number, wire, value, bytes }: Field, into: MessageWriter): void {
  if (wire === 0) into.varint(number, value)
  else if (wire === 2) into.bytes(number, bytes)
  else into.fixed(number, bytes)
}

describe.each(goldenModels.filter(({ name }) => name.endsWith('.onnx')))(
  'ONNX: $name',
  ({ bytes }) => {
    test('is refused with an item less or two more in any list of its operators', () => {
      // How often training came by: nobody reads it.
      const isFree = (name: string) => /hitrates/.test(name)
      const tried: string[] = []
      for (const { name, file } of withOtherLists(bytes)) {
        if (isFree(name)) continue
        refused(() => readModelFile(file), name)
        tried.push(name)
      }
      expect(tried.length).toBeGreaterThan(1)
    })
  },
)
