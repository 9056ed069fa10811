import { expect, test } from 'vitest'
import { addressOfClientLink } from './client-links.ts'

test.each([
  ['#/experiments/0/runs/9f2c', '/experiments/9f2c'],
  ['#/experiments/12/runs/9f2c/artifacts/model', '/experiments/9f2c'],
  ['#/experiments/12', '/experiments?experiment=12'],
  ['#/experiments/12?o_id=1', '/experiments?experiment=12'],
  ['#/models/card%20fraud/versions/3', '/models/card%20fraud/3'],
  ['#/models/card-fraud', '/models/card-fraud'],
  ['#/experiments', '/experiments'],
])('the link %s that a client prints opens %s', (hash, address) => {
  expect(addressOfClientLink(hash)).toBe(address)
})

test('a hash of the page itself leads nowhere else', () => {
  expect(addressOfClientLink('#screen')).toBeUndefined()
  expect(addressOfClientLink('')).toBeUndefined()
})
