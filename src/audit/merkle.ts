/**
 * The Merkle tree of RFC 6962 §2.1 (unchanged in RFC 9162 §2.1), grown leaf by leaf. All hashes of
 * complete subtrees are kept (64 bytes a leaf), so that roots and proofs of every earlier size take
 * a logarithmic number of steps.
 *
 * The empty tree is SHA-256(""), a leaf SHA-256(0x00 ‖ d), a node SHA-256(0x01 ‖ left ‖ right); a
 * tree of n leaves splits at the largest power of two below n.
 */
import { hash } from 'node:crypto'

export interface MerkleTree {
  readonly size: number
  /** Adds the hash of a leaf, as `leafHash` makes it. */
  append(leafHash: Uint8Array): void
  /** The hash that was added as the leaf at an index. */
  leaf(index: number): Uint8Array
  /** The root of the first `size` leaves; of all of them unless told. */
  root(size?: number): Uint8Array
  /** The siblings from a leaf up to the root of the first `size` leaves (RFC 6962 §2.1.1). */
  inclusionPath(index: number, size: number): Uint8Array[]
  /** What proves that the tree of `toSize` begins with that of `fromSize` (RFC 6962 §2.1.2). */
  consistencyPath(fromSize: number, toSize: number): Uint8Array[]
}

/** The hash of a leaf's content; text is taken as UTF-8. */
export function leafHash(content: Uint8Array | string): Uint8Array {
  return sha256(Buffer.concat([LEAF, typeof content === 'string' ? Buffer.from(content) : content]))
}

export function createMerkleTree(): MerkleTree {
  // levels[k][i] is the hash of the complete subtree over leaves [i·2^k, (i+1)·2^k).
  const levels: Uint8Array[][] = [[]]

  function size(): number {
    return levels[0].length
  }

  function append(leaf: Uint8Array): void {
    levels[0].push(leaf)
    for (let k = 0; levels[k].length % 2 === 0; k++) {
      const level = levels[k]
      levels[k + 1] ??= []
      levels[k + 1].push(node(level.at(-2)!, level.at(-1)!))
    }
  }

  /** The hash over leaves [start, end), where start is a multiple of a power of two ≥ the width. */
  function range(start: number, end: number): Uint8Array {
    const width = end - start
    const level = levelOf(width)
    if (level !== undefined) return levels[level][start / width]
    const middle = start + split(width)
    return node(range(start, middle), range(middle, end))
  }

  function root(upTo: number = size()): Uint8Array {
    checkRange(upTo, 0, size())
    return upTo === 0 ? sha256(EMPTY) : range(0, upTo)
  }

  function inclusionPath(index: number, upTo: number): Uint8Array[] {
    checkRange(upTo, 1, size())
    checkRange(index, 0, upTo - 1)
    const path: Uint8Array[] = []
    let [start, end] = [0, upTo]
    while (end - start > 1) {
      const middle = start + split(end - start)
      if (index < middle) {
        path.unshift(range(middle, end))
        end = middle
      } else {
        path.unshift(range(start, middle))
        start = middle
      }
    }
    return path
  }

  function consistencyPath(fromSize: number, toSize: number): Uint8Array[] {
    checkRange(toSize, 0, size())
    checkRange(fromSize, 0, toSize)
    if (fromSize === 0 || fromSize === toSize) return []
    const path: Uint8Array[] = []
    let [start, end] = [0, toSize]
    // Down to the subtree whose end is the end of the smaller tree.
    while (end !== fromSize) {
      const middle = start + split(end - start)
      if (fromSize <= middle) {
        path.unshift(range(middle, end))
        end = middle
      } else {
        path.unshift(range(start, middle))
        start = middle
      }
    }
    // Where that subtree is the whole smaller tree, its root is known to whoever checks.
    if (start > 0) path.unshift(range(start, end))
    return path
  }

  return {
    get size() {
      return size()
    },
    append,
    leaf(index) {
      checkRange(index, 0, size() - 1)
      return levels[0][index]
    },
    root,
    inclusionPath,
    consistencyPath,
  }
}

const EMPTY = new Uint8Array()
const LEAF = Uint8Array.of(0)
const NODE = Uint8Array.of(1)

function node(left: Uint8Array, right: Uint8Array): Uint8Array {
  return sha256(Buffer.concat([NODE, left, right]))
}

function sha256(bytes: Uint8Array): Uint8Array {
  return hash('sha256', bytes, 'buffer')
}

/** The exponent of a width that is a power of two. */
function levelOf(width: number): number | undefined {
  let level = 0
  let power = 1
  for (; power < width; power *= 2) level++
  return power === width ? level : undefined
}

/** The largest power of two below a width of at least two. */
function split(width: number): number {
  let power = 1
  while (power * 2 < width) power *= 2
  return power
}

function checkRange(value: number, min: number, max: number): void {
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new Error(`${value} is not a place in a tree that allows ${min} to ${max}.`)
  }
}
