import type { LogGroup, LogParser, ParserListener } from './parser.ts'
import { groupNow, leastRecentlySeen } from './parser.ts'
import { keyOfScan, kinds, newScan, scanMessage, tokensOfScan, type Scan } from './scan.ts'
import { createSlots, type Shape, type ShapeSlots } from './slots.ts'

export interface BrookSettings {
  /** So many different words in one place, all else equal, are values. Default 5. */
  readonly wordsMin?: number
  /** So many are enough where the same words vary in other places too. Default 3. */
  readonly sharedMin?: number
  /** The least part of a template that must be words that stay. Default 0.5. */
  readonly support?: number
  /** Shapes kept; beyond them, groups that were not seen for longest go. Default 20,000. */
  readonly groupsMax?: number
}

/** Templates with the shapes they were made of, the most general one first, and the space round tokens. */
export interface BrookState {
  readonly parser: 'brook'
  readonly settings: BrookSettings
  readonly messages: number
  readonly groups: readonly {
    readonly count: number
    readonly seen: number
    readonly shapes: readonly {
      readonly tokens: readonly string[]
      readonly gaps: readonly string[]
    }[]
  }[]
}

interface Group extends LogGroup {
  text: string
  readonly shapes: Set<Shape<Group>>
}

/** Most characters of known messages' shapes, in each of two generations. */
const KNOWN_CHARACTERS_MAX = 8_000_000

/**
 * Brook: a parser for streams. Each message is scanned once into its shape, in which all that varies by
 * its form is `<*>` (`scan.ts`); a shape that was seen before costs a look-up. A new shape is put into
 * slots (`slots.ts`): all shapes that are equal but for one place. Where many words stand in that place,
 * they are values: the shapes become one template with `<*>` there, which is put into slots in turn.
 *
 * Groups only ever merge, the later ones into the earliest, so a group once known stays known. The idea
 * that what varies shows in how many different words share one context is that of the child direction of
 * Brain (Yu et al., *Brain: Log Parsing with Bidirectional Parallel Tree*, IEEE TSC 2023); here it needs no
 * batch, no length of messages and no setting that depends on the system.
 */
export function createBrook(
  settings: BrookSettings = {},
  listener: ParserListener = {},
  saved?: BrookState,
): LogParser {
  const { wordsMin = 5, sharedMin = 3, support = 0.5, groupsMax = 20_000 } = settings
  const scan = newScan()
  const known = createKnown()
  const slots: ShapeSlots<Group> = createSlots({
    wordsMin,
    sharedMin,
    support,
    found(shape) {
      const group: Group = {
        id: ++founded,
        template: shape.tokens,
        text: textOfShape(shape),
        count: 0,
        seen: messages,
        shapes: new Set(),
      }
      groups.add(group)
      return group
    },
    merge,
  })
  const groups = new Set<Group>()
  let [messages, founded, evicted] = [0, 0, 0]

  /** The earlier group stays, with the template of the shape that made them one. */
  function merge(a: Group, b: Group, shape: Shape<Group>): Group {
    const [stays, goes] = a.id <= b.id ? [a, b] : [b, a]
    if (stays !== goes) {
      stays.count += goes.count
      stays.seen = Math.max(stays.seen, goes.seen)
      for (const each of goes.shapes) stays.shapes.add(each)
      goes.into = stays
      goes.shapes.clear()
      groups.delete(goes)
      listener.merged?.(goes, stays)
    }
    if (stays.template !== shape.tokens) {
      stays.template = shape.tokens
      stays.text = textOfShape(shape)
    }
    return stays
  }

  function learn(message: string): Group {
    const group = groupNow(slots.add(tokensOfScan(message, scan), gapsOfScan(message, scan)))
    if (slots.size > groupsMax) evict()
    return group
  }

  const inOrder = () => [...groups].toSorted((a, b) => a.id - b.id)

  function evict(): void {
    const perGroup = slots.size / groups.size
    const least = leastRecentlySeen([...groups], Math.floor(groupsMax / perGroup))
    for (const group of least) {
      for (const shape of group.shapes) slots.remove(shape)
      groups.delete(group)
      listener.evicted?.(group)
      evicted++
    }
    known.clear()
  }

  for (const { count, seen, shapes } of saved?.groups ?? []) {
    const [general, ...others] = shapes.map(({ tokens, gaps }) => slots.add(tokens, gaps))
    let group = groupNow(general)
    const [shape] = group.shapes
    for (const other of others) group = merge(group, groupNow(other), shape)
    group.count = count
    group.seen = seen
  }
  messages = saved?.messages ?? 0

  return {
    name: 'brook',
    add(message) {
      messages++
      const key = keyOfScan(message, scanMessage(message, scan))
      let group = known.get(key)
      if (group === undefined) {
        group = learn(message)
        known.set(key, group)
      } else if (group.into !== undefined) {
        group = groupNow(group)
        known.set(key, group)
      }
      group.count++
      group.seen = messages
      return group
    },
    groups: inOrder,
    valuesOf(message) {
      const { count, start, end, kind } = scanMessage(message, scan)
      const values: string[] = []
      for (let i = 0; i < count; i++) {
        if (kind[i] === kinds.variable) values.push(message.slice(start[i], end[i]))
      }
      return values
    },
    get evicted() {
      return evicted
    },
    state: (): BrookState => ({
      parser: 'brook',
      settings: { wordsMin, sharedMin, support, groupsMax },
      messages,
      groups: inOrder().map(({ count, seen, shapes, template }) => ({
        count,
        seen,
        shapes: [...shapes]
          .toSorted((a, b) => Number(b.tokens === template) - Number(a.tokens === template))
          .map(({ tokens, gaps }) => ({ tokens, gaps })),
      })),
    }),
  }
}

/**
 * Groups by the key of a shape, in two generations: when the young one is full it becomes the old one,
 * so that what is still asked for stays and the rest is forgotten, to be scanned into slots again.
 */
function createKnown() {
  let young = new Map<string, Group>()
  let old = new Map<string, Group>()
  let characters = 0
  const set = (key: string, group: Group) => {
    if (!young.has(key)) characters += key.length + 32
    young.set(key, group)
    if (characters <= KNOWN_CHARACTERS_MAX) return
    old = young
    young = new Map()
    characters = 0
  }
  return {
    set,
    get(key: string): Group | undefined {
      const found = young.get(key)
      if (found !== undefined) return found
      const before = old.get(key)
      if (before !== undefined) set(key, before)
      return before
    },
    clear() {
      young = new Map()
      old = new Map()
      characters = 0
    },
  }
}

/** What stands before each token, and after the last, with white space as one space. */
function gapsOfScan(message: string, { count, start, end }: Scan): string[] {
  const gaps: string[] = []
  for (let i = 0; i <= count; i++) {
    const from = i === 0 ? 0 : end[i - 1]
    const to = i === count ? message.length : start[i]
    gaps.push(message.slice(from, to).replace(/[\s\0]+/g, ' '))
  }
  gaps[0] = gaps[0].trimStart()
  gaps[count] = gaps[count].trimEnd()
  return gaps
}

function textOfShape({ tokens, gaps }: Shape<unknown>): string {
  let text = gaps[0]
  tokens.forEach((token, i) => {
    text += token + gaps[i + 1]
  })
  return text
}
