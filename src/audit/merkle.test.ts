import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createMerkleTree, leafHash, type MerkleTree } from './merkle.ts'
import { verifyConsistency, verifyInclusion } from './verify.ts'

/** The leaves and roots with which implementations of RFC 6962 are compared with one another. */
const leaves = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657']
  .concat('606162636465666768696a6b6c6d6e6f')
  .map((content) => Buffer.from(content, 'hex'))
const roots = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
]

describe('the tree of the published test vectors', () => {
  test('has the published root at every size, while growing and afterwards', () => {
    const tree = createMerkleTree()
    expect(hex(tree.root())).toBe(roots[0])
    leaves.forEach((leaf, i) => {
      tree.append(leafHash(leaf))
      expect(hex(tree.root())).toBe(roots[i + 1])
    })
    roots.forEach((root, size) => expect(hex(tree.root(size))).toBe(root))
  })

  test('has the published inclusion paths', () => {
    const tree = treeOf(leaves)
    expect(tree.inclusionPath(0, 1)).toEqual([])
    expect(tree.inclusionPath(0, 8).map(hex)).toEqual([
      '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
    ])
    expect(tree.inclusionPath(5, 8).map(hex)).toEqual([
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
      'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ])
    expect(tree.inclusionPath(2, 3).map(hex)).toEqual([
      'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
    ])
  })

  test('has the published consistency paths', () => {
    const tree = treeOf(leaves)
    expect(tree.consistencyPath(1, 1)).toEqual([])
    expect(tree.consistencyPath(1, 8).map(hex)).toEqual([
      '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
    ])
    expect(tree.consistencyPath(6, 8).map(hex)).toEqual([
      '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a',
      'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ])
    expect(tree.consistencyPath(2, 5).map(hex)).toEqual([
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
    ])
  })
})

describe('proofs', () => {
  const sizes = 70
  const tree = treeOf(Array.from({ length: sizes }, (_, i) => Buffer.from(`leaf ${i}`)))

  test('hold for every leaf of every size', () => {
    for (let size = 1; size <= sizes; size++) {
      for (let index = 0; index < size; index++) {
        expect(verifyInclusion(inclusion(tree, index, size))).toBe(true)
      }
    }
  })

  test('hold between every two sizes', () => {
    for (let to = 0; to <= sizes; to++) {
      for (let from = 0; from <= to; from++) {
        expect(verifyConsistency(consistency(tree, from, to))).toBe(true)
      }
    }
  })

  test('fail once anything in them is changed', () => {
    const place = fc.integer({ min: 1, max: sizes })
    fc.assert(
      fc.property(place, place, fc.nat(), fc.nat(7), (a, b, at, bit) => {
        const [from, to] = [Math.min(a, b), Math.max(a, b)]
        const included = inclusion(tree, from - 1, to)
        expect(verifyInclusion({ ...included, root: flip(included.root, at, bit) })).toBe(false)
        expect(verifyInclusion({ ...included, leafHash: flip(included.root, at, bit) })).toBe(false)
        expect(verifyInclusion({ ...included, path: [...included.path, roots[1]] })).toBe(false)
        expect(verifyInclusion({ ...included, path: change(included.path, at, bit) })).toBe(false)
        const extended = consistency(tree, from, to)
        expect(verifyConsistency({ ...extended, fromRoot: flip(extended.fromRoot, at, bit) })).toBe(
          false,
        )
        expect(verifyConsistency({ ...extended, toRoot: flip(extended.toRoot, at, bit) })).toBe(
          false,
        )
        expect(verifyConsistency({ ...extended, path: change(extended.path, at, bit) })).toBe(false)
      }),
    )
  })

  test('fail for a leaf at another index', () => {
    const proof = inclusion(tree, 5, 11)
    for (let index = 0; index < 12; index++) {
      expect(verifyInclusion({ ...proof, index })).toBe(index === 5)
    }
  })

  test('are refused for places outside of the tree', () => {
    expect(() => tree.inclusionPath(3, 3)).toThrow('place in a tree')
    expect(() => tree.root(sizes + 1)).toThrow('place in a tree')
    expect(() => tree.consistencyPath(4, 3)).toThrow('place in a tree')
  })
})

function treeOf(contents: readonly Uint8Array[]): MerkleTree {
  const tree = createMerkleTree()
  for (const content of contents) tree.append(leafHash(content))
  return tree
}

function inclusion(tree: MerkleTree, index: number, size: number) {
  return {
    index,
    size,
    leafHash: hex(tree.leaf(index)),
    root: hex(tree.root(size)),
    path: tree.inclusionPath(index, size).map(hex),
  }
}

function consistency(tree: MerkleTree, fromSize: number, toSize: number) {
  return {
    fromSize,
    toSize,
    fromRoot: hex(tree.root(fromSize)),
    toRoot: hex(tree.root(toSize)),
    path: tree.consistencyPath(fromSize, toSize).map(hex),
  }
}

/** A path with one bit changed, or with a hash too many where it is empty. */
function change(path: readonly string[], at: number, bit: number): string[] {
  if (path.length === 0) return [roots[1]]
  return path.map((hash, i) => (i === at % path.length ? flip(hash, at, bit) : hash))
}

function flip(hash: string, at: number, bit: number): string {
  const bytes = Buffer.from(hash, 'hex')
  bytes[at % bytes.length] ^= 1 << bit
  return hex(bytes)
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
