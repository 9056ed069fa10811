// Shapes of messages, and the slots in which they differ from one another. A slot is what shapes have in
// common that are equal but for one place (or but for all values behind an equals sign); the words that
// stand in that place tell whether it holds values or makes different statements.
import { VARIABLE } from './parser.ts'

export interface Shape<G> {
  readonly tokens: readonly string[]
  /** The text before each token and after the last. */
  readonly gaps: readonly string[]
  group: G
  readonly slots: Slot<G>[]
}

interface Slot<G> {
  readonly key: number
  /** One of its shapes, by which a slot is told from another of the same hash. */
  readonly example: readonly string[]
  /** The places in which its shapes differ. */
  readonly places: readonly number[]
  /** How many places around it hold words that stay. */
  readonly constants: number
  /** Whether these are enough for the words to be values. */
  readonly supported: boolean
  /** Its shape, while it has but one: most slots never have more, and a map for each would be most memory. */
  only: Shape<G> | undefined
  /** By the word in its places, from the second one on. */
  words: Map<string, Shape<G>> | undefined
  /** The template of the slot, once its words are known to be values, and the words that told it. */
  target?: Shape<G>
  values?: readonly string[]
}

export interface SlotsOptions<G> {
  readonly wordsMin: number
  readonly sharedMin: number
  readonly support: number
  /** A new group for a shape that belongs to none. */
  readonly found: (shape: Shape<G>) => G
  /** Makes one group of two whose template is that of the shape. */
  readonly merge: (a: G, b: G, shape: Shape<G>) => G
}

export interface ShapeSlots<G> {
  /** Shapes that are kept; those that a more general one covers are not. */
  readonly size: number
  /** The group of the shape with these tokens. */
  add(tokens: readonly string[], gaps: readonly string[]): G
  /** Forgets a shape and what was concluded from it. */
  remove(shape: Shape<G>): void
}

/** Places in the shape of a message after which no slots are made: enough to tell statements apart. */
const PLACES_MAX = 64

export function createSlots<G extends { readonly shapes: Set<Shape<G>> }>(
  options: SlotsOptions<G>,
): ShapeSlots<G> {
  const { wordsMin, sharedMin, support, found, merge } = options
  const shapes = new Map<string, Shape<G>>()
  const slots = new Map<number, Slot<G>>()
  /** The slots in which a word is one of several. */
  const varying = new Map<string, Set<Slot<G>>>()
  /** Slots of which a word was found to vary elsewhere too. */
  const toLookAt: Slot<G>[] = []

  function add(tokens: readonly string[], gaps: readonly string[]): Shape<G> {
    const key = tokens.join('\x01')
    const before = shapes.get(key)
    if (before !== undefined) return before
    const shape = { tokens, gaps, slots: [] } as unknown as Shape<G>
    const isWordAt = tokens.map(isWord)
    const sums = sumsOf(tokens)
    const families = placesOf(tokens, isWordAt)
    const targets = new Set<Shape<G>>()
    for (const places of families) {
      const slot = slots.get(keyOf(sums, tokens, places))
      if (slot?.target === undefined || !sameBut(slot.example, tokens, places)) continue
      targets.add(slot.target)
    }
    if (targets.size > 0) return covered(targets)
    shapes.set(key, shape)
    shape.group = found(shape)
    shape.group.shapes.add(shape)
    for (const places of families) enter(shape, isWordAt, places, keyOf(sums, tokens, places))
    // A slot that ripens takes the shape out of the others, where it then counts no more.
    for (const slot of shape.slots) {
      if (shapes.get(key) !== shape) break
      if (isRipe(slot)) generalise(slot)
    }
    for (let slot = toLookAt.pop(); slot !== undefined; slot = toLookAt.pop()) {
      if (slots.get(slot.key) === slot && isRipe(slot)) generalise(slot)
    }
    return shape
  }

  /** A shape that templates cover already. Those of equal length that cover it both become one. */
  function covered(targets: ReadonlySet<Shape<G>>): Shape<G> {
    const [first, ...others] = targets
    let one = first
    for (const other of others) {
      if (other.group === one.group) continue
      if (other.tokens.length === one.tokens.length) {
        const tokens = one.tokens.map((token, i) => (token === other.tokens[i] ? token : VARIABLE))
        const both = add(...collapsed(tokens, one.gaps))
        absorb(one, both)
        absorb(other, both)
        one = both
      } else unite(one.group, other.group, one)
    }
    return one
  }

  function enter(
    shape: Shape<G>,
    isWordAt: readonly boolean[],
    places: readonly number[],
    key: number,
  ): void {
    let slot = slots.get(key)
    if (slot === undefined) {
      let [constants, others] = [0, 0]
      for (const [i, token] of shape.tokens.entries()) {
        if (isWordAt[i] || token === VARIABLE) others++
        if (isWordAt[i]) constants++
      }
      for (const i of places) if (isWordAt[i]) constants--
      slot = {
        key,
        example: shape.tokens,
        places,
        constants,
        supported: constants >= support * others,
        only: undefined,
        words: undefined,
      }
      slots.set(key, slot)
    } else if (!sameBut(slot.example, shape.tokens, places)) return
    shape.slots.push(slot)
    const word = wordIn(shape.tokens, places)
    if (slot.words !== undefined) {
      slot.words.set(word, shape)
      for (const each of slot.words.size === 2 ? slot.words.keys() : [word]) vary(each, slot)
    } else if (slot.only === undefined) slot.only = shape
    else {
      const first = wordIn(slot.only.tokens, places)
      slot.words = new Map([
        [first, slot.only],
        [word, shape],
      ])
      slot.only = undefined
      vary(first, slot)
      vary(word, slot)
    }
  }

  function vary(word: string, slot: Slot<G>): void {
    if (word === VARIABLE) return
    const known = varying.get(word)
    if (known === undefined) {
      varying.set(word, new Set([slot]))
      return
    }
    if (known.size === 1) toLookAt.push(...known)
    known.add(slot)
  }

  function isRipe({ words, constants, supported, places, target }: Slot<G>): boolean {
    if (target !== undefined || words === undefined || constants === 0) return false
    if (words.size < 2) return false
    if (words.has(places.length === 1 ? VARIABLE : allVariable(places))) return true
    if (!supported) return false
    if (words.size >= wordsMin) return true
    if (words.size < sharedMin || places.length > 1) return false
    let shared = 0
    for (const word of words.keys()) if ((varying.get(word)?.size ?? 0) > 1) shared++
    return shared >= sharedMin
  }

  /** The words of a slot are values: its shapes become one template. */
  function generalise(slot: Slot<G>): void {
    const members = [...slot.words!.values()]
    const [example] = members
    const tokens = example.tokens.map((token, i) => (slot.places.includes(i) ? VARIABLE : token))
    const values = [...slot.words!.keys()]
    for (const member of members) leave(member)
    slots.set(slot.key, slot)
    // They stay known as words that vary here, which tells of them elsewhere.
    slot.values = values
    for (const value of values) vary(value, slot)
    const target = add(...collapsed(tokens, example.gaps))
    slot.target = target
    target.slots.push(slot)
    for (const member of members) absorb(member, target)
  }

  /** A shape's messages belong to a more general one from now on. */
  function absorb(shape: Shape<G>, target: Shape<G>): void {
    if (shape === target) return
    leave(shape)
    shape.group.shapes.delete(shape)
    shape.group = unite(shape.group, target.group, target)
  }

  /** One group of two; all shapes of it know that. */
  function unite(a: G, b: G, shape: Shape<G>): G {
    const group = merge(a, b, shape)
    for (const each of group.shapes) each.group = group
    return group
  }

  function leave(shape: Shape<G>): void {
    const key = shape.tokens.join('\x01')
    if (shapes.get(key) === shape) shapes.delete(key)
    for (const slot of shape.slots) {
      if (slot.target === shape) {
        for (const value of slot.values ?? []) forget(value, slot)
        if (slots.get(slot.key) === slot) slots.delete(slot.key)
        continue
      }
      if (slot.only === shape) slot.only = undefined
      const word = wordIn(shape.tokens, slot.places)
      if (slot.words?.get(word) === shape) {
        slot.words.delete(word)
        forget(word, slot)
        // A word that is alone in its place varies no more.
        if (slot.words.size === 1) for (const other of slot.words.keys()) forget(other, slot)
      }
      const isEmpty = slot.only === undefined && (slot.words?.size ?? 0) === 0
      if (isEmpty && slots.get(slot.key) === slot) slots.delete(slot.key)
    }
    shape.slots.length = 0
  }

  function forget(word: string, slot: Slot<G>): void {
    const known = varying.get(word)
    if (known?.delete(slot) === true && known.size === 0) varying.delete(word)
  }

  return {
    get size() {
      return shapes.size
    },
    add: (tokens, gaps) => add(tokens, gaps).group,
    remove: leave,
  }
}

/** Whether a token has a letter, so that it says something; `<*>` and marks do not. */
function isWord(token: string): boolean {
  return token !== VARIABLE && /[A-Za-z\u0080-\uffff]/.test(token)
}

/** The places of each slot: every word or value alone, and all values behind an equals sign together. */
function placesOf(tokens: readonly string[], isWordAt: readonly boolean[]): number[][] {
  const families: number[][] = []
  const values: number[] = []
  const most = Math.min(tokens.length, PLACES_MAX)
  for (let i = 0; i < most; i++) {
    if (!isWordAt[i] && tokens[i] !== VARIABLE) continue
    families.push([i])
    if (i > 0 && tokens[i - 1] === '=') values.push(i)
  }
  if (values.filter((i) => isWordAt[i]).length > 1) families.push(values)
  return families
}

function wordIn(tokens: readonly string[], places: readonly number[]): string {
  return places.length === 1 ? tokens[places[0]] : places.map((i) => tokens[i]).join('\x01')
}

function allVariable(places: readonly number[]): string {
  return places.map(() => VARIABLE).join('\x01')
}

function sameBut(a: readonly string[], b: readonly string[], places: readonly number[]): boolean {
  return a.length === b.length && a.every((token, i) => token === b[i] || places.includes(i))
}

/** Values side by side are one value. */
function collapsed(
  tokens: readonly string[],
  gaps: readonly string[],
): [tokens: string[], gaps: string[]] {
  const kept = tokens.flatMap((token, i) =>
    token === VARIABLE && tokens[i - 1] === VARIABLE ? [] : [i],
  )
  return [kept.map((i) => tokens[i]), [...kept.map((i) => gaps[i]), gaps[tokens.length]]]
}

/** Two words of hash over all tokens, from which that without some places follows at once. */
function sumsOf(tokens: readonly string[]): readonly [number, number] {
  let [low, high] = [0, 0]
  tokens.forEach((token, i) => {
    low = (low + tokenHash(token, i)) | 0
    high = (high + tokenHash(token, i + 7919)) | 0
  })
  return [low, high]
}

function keyOf(
  [low, high]: readonly [number, number],
  tokens: readonly string[],
  places: readonly number[],
): number {
  let [a, b] = [low, high]
  for (const i of places) {
    a = (a - tokenHash(tokens[i], i) + Math.imul(i + 1, 0x9e3779b1)) | 0
    b = (b - tokenHash(tokens[i], i + 7919) + Math.imul(i + 1, 0x85ebca6b)) | 0
  }
  return (a >>> 0) * 0x200000 + (b >>> 11)
}

function tokenHash(token: string, place: number): number {
  let hash = Math.imul(place + 1, 0x27d4eb2f)
  for (let i = 0; i < token.length; i++) {
    hash = Math.imul(hash ^ token.charCodeAt(i), 0x01000193)
  }
  hash ^= hash >>> 15
  hash = Math.imul(hash, 0x2c1b3c6d)
  return hash ^ (hash >>> 13)
}
