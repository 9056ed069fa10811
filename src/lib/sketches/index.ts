/**
 * Sketches: much, counted in little memory with a known error. Each can be merged with another of its kind
 * as if it had seen both streams, is saved to bytes, and gives the same for the same input everywhere.
 */
export { BloomFilter, type BloomOptions } from './bloom.ts'
export { CountMin } from './count-min.ts'
export { hashKey, type Hash64 } from './hash.ts'
export { HyperLogLog } from './hyperloglog.ts'
export { Quantiles } from './quantiles.ts'
export { ScalableBloomFilter } from './scalable-bloom.ts'
export { TopKeys, type TopKey } from './top-keys.ts'
