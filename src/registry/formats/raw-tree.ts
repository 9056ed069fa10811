/** A tree as a file describes it, walked from its root into the order that the engine takes. */
import { fail } from './errors.ts'
import type { EnsembleTree } from '../../learning/index.ts'

/** What is asked of a file's tree, by the file's own node numbers. */
export interface RawTree {
  /** For messages: which tree it is. */
  readonly name: string
  readonly nodes: number
  /** Nodes that the root need not reach: pruning left them in the file. */
  readonly deleted: number
  /** The margin it adds to; −1: each leaf has `width` numbers, one a margin. */
  readonly output: number
  readonly width: number
  readonly root: number
  node(node: number): RawNode
}

export type RawNode =
  | { readonly leaf: readonly number[]; readonly cover?: number }
  | {
      readonly feature: number
      readonly threshold: number
      /** Bits of `decision`. */
      readonly bits: number
      /** Categories that go left. */
      readonly set?: readonly number[]
      readonly left: number
      readonly right: number
      readonly cover?: number
    }

/** Visits every reachable node once; refuses cycles, shared children and what lies out of range. */
export function buildTree(raw: RawTree): EnsembleTree {
  const broken = (what: string) => fail.model_file_unreadable(`${raw.name} ${what}.`)
  const order = [raw.root]
  const seen = new Set(order)
  const tree = {
    feature: [] as number[],
    threshold: [] as number[],
    decision: [] as number[],
    left: [] as number[],
    right: [] as number[],
    value: [] as number[],
    cover: [] as number[],
    sets: [] as (readonly number[])[],
  }
  const visit = (child: number) => {
    if (!Number.isInteger(child) || child < 0 || child >= raw.nodes) {
      throw broken(`has a child ${child} among ${raw.nodes} nodes`)
    }
    if (seen.has(child)) throw sharedOrCyclic(raw, child)
    seen.add(child)
    return order.push(child) - 1
  }
  for (let n = 0; n < order.length; n++) {
    const node = raw.node(order[n])
    if (node.cover !== undefined) tree.cover.push(node.cover)
    if ('leaf' in node) {
      if (!node.leaf.every(Number.isFinite)) throw broken(`has a leaf that is not a number`)
      pushAll(tree, -1, 0, 0, -1, -1)
      // −0 becomes 0, which is what JSON keeps of it.
      tree.value.push(...node.leaf.map((value) => value + 0))
      continue
    }
    const { feature, threshold, bits, set } = node
    if (set === undefined && !Number.isFinite(threshold)) {
      throw broken(`has the threshold ${threshold}`)
    }
    if (!Number.isInteger(feature) || feature < 0) throw broken(`splits on the feature ${feature}`)
    const at = set === undefined ? threshold + 0 : tree.sets.push(set) - 1
    const left = visit(node.left)
    pushAll(tree, feature, at, bits, left, visit(node.right))
    tree.value.push(...new Array<number>(raw.width).fill(0))
  }
  if (order.length + raw.deleted !== raw.nodes) {
    throw broken(`has ${raw.nodes} nodes, of which its root reaches ${order.length}`)
  }
  const { cover, sets, ...lists } = tree
  const complete = cover.length === order.length && cover.every((own) => own > 0 && own < Infinity)
  return {
    output: raw.output,
    ...lists,
    ...(complete ? { cover } : {}),
    ...(sets.length > 0 ? { sets } : {}),
  }
}

/** A node with two parents is legal in ONNX, but not in our format; a circle is never. */
function sharedOrCyclic(raw: RawTree, shared: number): Error {
  const open = new Set<number>()
  const closed = new Set<number>()
  const stack = [shared]
  while (stack.length > 0) {
    const at = stack[stack.length - 1]
    const node = raw.node(at)
    const children = 'leaf' in node ? [] : [node.left, node.right]
    const inside = children.filter((child) => child >= 0 && child < raw.nodes && !closed.has(child))
    open.add(at)
    if (inside.some((child) => open.has(child))) {
      return fail.model_file_unreadable(`${raw.name} runs in a circle through node ${shared}.`)
    }
    if (inside.length > 0) {
      stack.push(inside[0])
      continue
    }
    open.delete(at)
    closed.add(at)
    stack.pop()
  }
  return fail.model_file_unsupported(`${raw.name} has two parents for node ${shared}.`)
}

function pushAll(
  tree: {
    feature: number[]
    threshold: number[]
    decision: number[]
    left: number[]
    right: number[]
  },
  feature: number,
  threshold: number,
  bits: number,
  left: number,
  right: number,
): void {
  tree.feature.push(feature)
  tree.threshold.push(threshold)
  tree.decision.push(bits)
  tree.left.push(left)
  tree.right.push(right)
}
