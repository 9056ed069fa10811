/**
 * Communities by the Louvain method (Blondel, Guillaume, Lambiotte and Lefebvre 2008): each vertex
 * moves to the neighbouring community that raises modularity most until none gains, then communities
 * become vertices, and so on. What is found depends on the order in which vertices are visited, so
 * several orders are tried, first by number and then shuffled from fixed seeds, and the best result is
 * taken. There is no chance in it: the same graph gives the same communities.
 */
import { createRandom } from '../../lib/random.ts'
import type { Links } from './links.ts'

/** Less than this is no gain; without it rounding could make moves go round in circles. */
const GAIN_MIN = 1e-10
const PASSES_MAX = 100
const LEVELS_MAX = 50
const ORDERS = 8

/** By vertex: the least vertex of its community. Weights are not negative. */
export function communitiesOf(links: Links, resolution = 1): Int32Array {
  const order = singles(links.vertices)
  const random = createRandom('communities')
  let best = climb(links, order, resolution)
  let modularity = modularityOf(links, best, resolution)
  for (let trial = 1; trial < ORDERS; trial++) {
    const found = climb(links, random.shuffle(order), resolution)
    const reached = modularityOf(links, found, resolution)
    if (!(reached > modularity + GAIN_MIN)) continue
    best = found
    modularity = reached
  }
  return namedByLeast(best)
}

/** From vertices on their own through ever larger communities, while any move gains. */
function climb(links: Links, order: Int32Array, resolution: number): Int32Array {
  let level: Level = { links, loops: new Float64Array(links.vertices) }
  let membership = singles(links.vertices)
  for (let depth = 0; depth < LEVELS_MAX; depth++) {
    const { vertices } = level.links
    const visits = depth === 0 ? order : singles(vertices)
    const numbers = renumbered(moveVertices(level, visits, resolution))
    membership = membership.map((vertex) => numbers[vertex])
    const count = numbers.reduce((most, number) => Math.max(most, number + 1), 0)
    if (count === vertices) break
    level = aggregated(level, numbers, count)
  }
  return membership
}

function singles(vertices: number): Int32Array<ArrayBuffer> {
  return Int32Array.from({ length: vertices }, (_, vertex) => vertex)
}

/**
 * How much more weight lies within communities than chance would put there given the vertices'
 * weights (Newman and Girvan 2004); missing for a graph without links.
 */
export function modularityOf(links: Links, communities: Int32Array, resolution = 1): number {
  const within = new Float64Array(links.vertices)
  const total = new Float64Array(links.vertices)
  let weight = 0
  for (let vertex = 0; vertex < links.vertices; vertex++) {
    for (let i = links.offsets[vertex]; i < links.offsets[vertex + 1]; i++) {
      const community = communities[vertex]
      if (communities[links.neighbours[i]] === community) within[community] += links.weights[i]
      total[community] += links.weights[i]
      weight += links.weights[i]
    }
  }
  let modularity = 0
  for (let community = 0; community < links.vertices; community++) {
    const share = total[community] / weight
    modularity += within[community] / weight - resolution * share * share
  }
  return weight === 0 ? NaN : modularity
}

/** A graph whose vertices may be communities: `loops` is twice the weight of the links within. */
interface Level {
  readonly links: Links
  readonly loops: Float64Array
}

function moveVertices({ links, loops }: Level, order: Int32Array, resolution: number): Int32Array {
  const { vertices, offsets, neighbours, weights } = links
  const community = singles(vertices)
  const strength = new Float64Array(vertices)
  for (let vertex = 0; vertex < vertices; vertex++) {
    strength[vertex] = loops[vertex]
    for (let i = offsets[vertex]; i < offsets[vertex + 1]; i++) strength[vertex] += weights[i]
  }
  const total = strength.slice()
  const weight = strength.reduce((sum, one) => sum + one, 0)
  if (weight === 0) return community
  // Weight of the links from the vertex at hand to each community near it.
  const towards = new Float64Array(vertices)
  const near = new Int32Array(vertices)
  for (let pass = 0, moved = true; moved && pass < PASSES_MAX; pass++) {
    moved = false
    for (const vertex of order) {
      let count = 0
      for (let i = offsets[vertex]; i < offsets[vertex + 1]; i++) {
        const other = community[neighbours[i]]
        if (towards[other] === 0) near[count++] = other
        towards[other] += weights[i]
      }
      const own = community[vertex]
      const share = (resolution * strength[vertex]) / weight
      total[own] -= strength[vertex]
      let best = own
      let bestGain = towards[own] - total[own] * share
      for (let i = 0; i < count; i++) {
        const gain = towards[near[i]] - total[near[i]] * share
        if (gain <= bestGain + GAIN_MIN * weight) continue
        bestGain = gain
        best = near[i]
      }
      for (let i = 0; i < count; i++) towards[near[i]] = 0
      total[best] += strength[vertex]
      community[vertex] = best
      if (best !== own) moved = true
    }
  }
  return community
}

/** Communities numbered from 0 in the order of their first vertex. */
function renumbered(communities: Int32Array): Int32Array {
  const numbers = new Int32Array(communities.length).fill(-1)
  let count = 0
  return communities.map((community) => {
    if (numbers[community] < 0) numbers[community] = count++
    return numbers[community]
  })
}

/** The graph whose vertices are the communities. */
function aggregated({ links, loops }: Level, numbers: Int32Array, count: number): Level {
  const nextLoops = new Float64Array(count)
  const between: Map<number, number>[] = Array.from({ length: count }, () => new Map())
  for (let vertex = 0; vertex < links.vertices; vertex++) {
    const from = numbers[vertex]
    nextLoops[from] += loops[vertex]
    for (let i = links.offsets[vertex]; i < links.offsets[vertex + 1]; i++) {
      const to = numbers[links.neighbours[i]]
      if (to === from) nextLoops[from] += links.weights[i]
      else between[from].set(to, (between[from].get(to) ?? 0) + links.weights[i])
    }
  }
  const sorted = between.map((row) => [...row].sort(([a], [b]) => a - b))
  const offsets = new Int32Array(count + 1)
  sorted.forEach((row, vertex) => {
    offsets[vertex + 1] = offsets[vertex] + row.length
  })
  const neighbours = Int32Array.from(sorted.flatMap((row) => row.map(([to]) => to)))
  const weights = Float64Array.from(sorted.flatMap((row) => row.map(([, weight]) => weight)))
  return { links: { vertices: count, offsets, neighbours, weights }, loops: nextLoops }
}

function namedByLeast(membership: Int32Array): Int32Array {
  const least = new Int32Array(membership.length).fill(-1)
  return membership.map((community, vertex) => {
    if (least[community] < 0) least[community] = vertex
    return least[community]
  })
}
