import { createMask } from './masks.ts'
import { type LogGroup, type LogParser, type ParserListener, VARIABLE } from './parser.ts'
import { leastRecentlySeen, tokensOf } from './parser.ts'
import { CHARACTERS_MAX } from './scan.ts'

export interface DrainSettings {
  /** Patterns of what is known to vary. */
  readonly masks?: readonly string[]
  /** A message joins a group with whose template it shares at least this part of its tokens. Default 0.4. */
  readonly similarity?: number
  /** Levels of the tree, with the root and the level of lengths. Default 4. */
  readonly depth?: number
  /** A node has at most so many children; what more there is goes down one path together. Default 100. */
  readonly childrenMax?: number
  /** Groups kept; beyond them, those that were not seen for longest go. Default 20,000. */
  readonly groupsMax?: number
}

export interface DrainState {
  readonly parser: 'drain'
  readonly settings: DrainSettings
  readonly messages: number
  readonly groups: readonly {
    readonly template: readonly string[]
    readonly path: readonly string[]
    readonly count: number
    readonly seen: number
  }[]
}

interface Node {
  readonly children: Map<string, Node>
  readonly groups: DrainGroup[]
}

class DrainGroup implements LogGroup {
  readonly id: number
  template: readonly string[]
  /** The tokens that led the way to it when it was founded. */
  readonly path: readonly string[]
  count = 0
  seen = 0

  constructor(id: number, template: readonly string[], path: readonly string[]) {
    this.id = id
    this.template = template
    this.path = path
  }

  get text(): string {
    return this.template.join(' ')
  }
}

const node = (): Node => ({ children: new Map(), groups: [] })

/**
 * Drain (He, Zhu, Zheng and Lyu, *Drain: An Online Log Parsing Approach with Fixed Depth Tree*, ICWS 2017): by the
 * number of tokens, then by the first ones, then the most similar template of the leaf. Within `groupsMax` it is
 * the published algorithm.
 */
export function createDrain(
  settings: DrainSettings = {},
  listener: ParserListener = {},
  saved?: DrainState,
): LogParser {
  const {
    masks = [],
    similarity = 0.4,
    depth = 4,
    childrenMax = 100,
    groupsMax = 20_000,
  } = settings
  const mask = createMask(masks)
  let byLength = new Map<number, Node>()
  let groups: DrainGroup[] = []
  let [messages, founded, evicted] = [0, 0, 0]
  const levels = depth - 2

  /** How many tokens lead the way. */
  const leading = (tokens: readonly string[]) => Math.min(levels - 1, tokens.length)

  function leafOf(tokens: readonly string[]): Node | undefined {
    let at = byLength.get(tokens.length)
    for (let i = 0; i < leading(tokens) && at !== undefined; i++) {
      at = at.children.get(tokens[i]) ?? at.children.get(VARIABLE)
    }
    return at
  }

  function place(group: DrainGroup): void {
    const { length } = group.template
    let at = byLength.get(length)
    if (at === undefined) byLength.set(length, (at = node()))
    for (const token of group.path) at = childFor(at, token)
    at.groups.push(group)
  }

  /** A token with a digit is taken for one that varies. */
  function childFor({ children }: Node, token: string): Node {
    const known = children.get(token)
    if (known !== undefined) return known
    const hasRoom = children.size + (children.has(VARIABLE) ? 0 : 1) < childrenMax
    const name = !/\d/.test(token) && hasRoom ? token : VARIABLE
    const child = children.get(name) ?? node()
    children.set(name, child)
    return child
  }

  function found(tokens: readonly string[], path: readonly string[]): DrainGroup {
    const group = new DrainGroup(++founded, tokens, path)
    groups.push(group)
    place(group)
    return group
  }

  /** The tree is built again of the groups that stay, so that empty branches leave room for others. */
  function evict(): void {
    const least = new Set(leastRecentlySeen(groups, groupsMax))
    groups = groups.filter((group) => !least.has(group))
    byLength = new Map()
    for (const group of groups) place(group)
    for (const group of least) listener.evicted?.(group)
    evicted += least.size
  }

  for (const { template, path, count, seen } of saved?.groups ?? []) {
    const group = found(template, path)
    group.count = count
    group.seen = seen
  }
  messages = saved?.messages ?? 0

  return {
    name: 'drain',
    add(message) {
      // Patterns may take the square of a message's length.
      const tokens = tokensOf(mask(message.slice(0, CHARACTERS_MAX)))
      let group = mostSimilar(leafOf(tokens)?.groups ?? [], tokens, similarity)
      messages++
      if (group === undefined) {
        group = found(tokens, tokens.slice(0, leading(tokens)))
        group.seen = messages
        if (groups.length > groupsMax) evict()
      } else if (group.template.some((token, i) => token !== tokens[i])) {
        group.template = group.template.map((token, i) => (token === tokens[i] ? token : VARIABLE))
      }
      group.count++
      group.seen = messages
      return group
    },
    groups: () => groups,
    valuesOf: () => [],
    get evicted() {
      return evicted
    },
    state: (): DrainState => ({
      parser: 'drain',
      settings: { masks, similarity, depth, childrenMax, groupsMax },
      messages,
      groups: groups.map(({ template, path, count, seen }) => ({ template, path, count, seen })),
    }),
  }
}

/** Of those alike, the one that varies most; none below the similarity that is asked for. */
function mostSimilar(
  groups: readonly DrainGroup[],
  tokens: readonly string[],
  least: number,
): DrainGroup | undefined {
  let best: DrainGroup | undefined
  let [mostEqual, mostVariable] = [-1, -1]
  for (const group of groups) {
    let [equal, variable] = [0, 0]
    const { template } = group
    for (let i = 0; i < tokens.length; i++) {
      if (template[i] === VARIABLE) variable++
      else if (template[i] === tokens[i]) equal++
    }
    if (equal < mostEqual || (equal === mostEqual && variable <= mostVariable)) continue
    best = group
    mostEqual = equal
    mostVariable = variable
  }
  return mostEqual / tokens.length >= least ? best : undefined
}
