import { expect, test } from 'vitest'
import { contentHash, sha256Hex, shortHash } from './hash.ts'

test('SHA-256 has its published values', () => {
  expect(sha256Hex('')).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
  const abc = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
  expect(sha256Hex('abc')).toBe(abc)
  expect(sha256Hex(new TextEncoder().encode('abc'))).toBe(abc)
  expect(shortHash(abc)).toBe('ba7816bf8f01')
})

test('equal values have equal content hashes, other values have others', () => {
  expect(contentHash({ a: 1, b: [2] })).toBe(contentHash({ b: [2], a: 1 }))
  expect(contentHash({ a: 1 })).not.toBe(contentHash({ a: '1' }))
})
