import { createMask } from './masks.ts'
import { type LogGroup, type LogParser, tokensOf, VARIABLE } from './parser.ts'

export interface DrainSettings {
  /** Patterns of what is known to vary. */
  readonly masks?: readonly string[]
  /** A message joins a group with whose template it shares at least this part of its tokens. Default 0.4. */
  readonly similarity?: number
  /** Levels of the tree, with the root and the level of lengths. Default 4. */
  readonly depth?: number
  /** A node has at most so many children; what more there is goes down one path together. Default 100. */
  readonly childrenMax?: number
}

interface Node {
  readonly children: Map<string, Node>
  readonly groups: LogGroup[]
}

const node = (): Node => ({ children: new Map(), groups: [] })

/**
 * Drain (He, Zhu, Zheng and Lyu, *Drain: An Online Log Parsing Approach with Fixed Depth Tree*, ICWS 2017): by the
 * number of tokens, then by the first ones, then the most similar template of the leaf.
 */
export function createDrain(settings: DrainSettings = {}): LogParser {
  const { masks = [], similarity = 0.4, depth = 4, childrenMax = 100 } = settings
  const mask = createMask(masks)
  const byLength = new Map<number, Node>()
  const groups: LogGroup[] = []
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

  function place(tokens: readonly string[], group: LogGroup): void {
    let at = byLength.get(tokens.length)
    if (at === undefined) byLength.set(tokens.length, (at = node()))
    for (let i = 0; i < leading(tokens); i++) at = childFor(at, tokens[i])
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

  return {
    add(message) {
      const tokens = tokensOf(mask(message))
      const found = mostSimilar(leafOf(tokens)?.groups ?? [], tokens, similarity)
      if (found === undefined) {
        const group: LogGroup = { id: groups.length + 1, template: tokens, count: 1 }
        groups.push(group)
        place(tokens, group)
        return group
      }
      found.count++
      if (found.template.some((token, i) => token !== tokens[i])) {
        found.template = found.template.map((token, i) => (token === tokens[i] ? token : VARIABLE))
      }
      return found
    },
    groups: () => groups,
  }
}

/** Of those alike, the one that varies most; none below the similarity that is asked for. */
function mostSimilar(
  groups: readonly LogGroup[],
  tokens: readonly string[],
  least: number,
): LogGroup | undefined {
  let best: LogGroup | undefined
  let [mostEqual, mostVariable] = [-1, -1]
  for (const group of groups) {
    let [equal, variable] = [0, 0]
    for (let i = 0; i < tokens.length; i++) {
      if (group.template[i] === VARIABLE) variable++
      else if (group.template[i] === tokens[i]) equal++
    }
    if (equal < mostEqual || (equal === mostEqual && variable <= mostVariable)) continue
    best = group
    mostEqual = equal
    mostVariable = variable
  }
  return mostEqual / tokens.length >= least ? best : undefined
}
