/** What the shape of an undirected graph says: exact, by counting. */
import type { Links } from './links.ts'
import { degreeOf } from './links.ts'

export interface Components {
  /** By vertex: the least vertex of its component. */
  readonly component: Int32Array
  /** By vertex: how many vertices its component has. */
  readonly size: Int32Array
  readonly largest: number
}

/** Sets of vertices that paths connect, in a search from the least vertex on. */
export function componentsOf(links: Links): Components {
  const component = new Int32Array(links.vertices).fill(-1)
  const size = new Int32Array(links.vertices)
  const queue = new Int32Array(links.vertices)
  let largest = 0
  for (let first = 0; first < links.vertices; first++) {
    if (component[first] >= 0) continue
    let length = 1
    queue[0] = first
    component[first] = first
    for (let next = 0; next < length; next++) {
      const vertex = queue[next]
      for (let i = links.offsets[vertex]; i < links.offsets[vertex + 1]; i++) {
        const neighbour = links.neighbours[i]
        if (component[neighbour] >= 0) continue
        component[neighbour] = first
        queue[length++] = neighbour
      }
    }
    for (let i = 0; i < length; i++) size[queue[i]] = length
    largest = Math.max(largest, length)
  }
  return { component, size, largest }
}

/**
 * By vertex: the greatest k for which it belongs to a part of the graph where every vertex has k
 * neighbours in that part (Seidman 1983), by taking away the vertex of the least degree time and again
 * (Batagelj and Zaversnik 2003).
 */
export function coreNumbers(links: Links): Int32Array {
  const { vertices, offsets, neighbours } = links
  const degree = new Int32Array(vertices)
  for (let vertex = 0; vertex < vertices; vertex++) degree[vertex] = degreeOf(links, vertex)
  const most = degree.reduce((a, b) => Math.max(a, b), 0)
  // Vertices by degree; `begins` says where those of a degree begin.
  const begins = new Int32Array(most + 2)
  for (const d of degree) begins[d + 1]++
  for (let d = 0; d <= most; d++) begins[d + 1] += begins[d]
  const next = begins.slice()
  const order = new Int32Array(vertices)
  const place = new Int32Array(vertices)
  for (let vertex = 0; vertex < vertices; vertex++) {
    place[vertex] = next[degree[vertex]]++
    order[place[vertex]] = vertex
  }
  for (let i = 0; i < vertices; i++) {
    const vertex = order[i]
    for (let j = offsets[vertex]; j < offsets[vertex + 1]; j++) {
      const neighbour = neighbours[j]
      if (degree[neighbour] <= degree[vertex]) continue
      // It changes places with the first of its degree, which then begins one later.
      const first = begins[degree[neighbour]]++
      const moved = order[first]
      order[place[neighbour]] = moved
      place[moved] = place[neighbour]
      order[first] = neighbour
      place[neighbour] = first
      degree[neighbour]--
    }
  }
  return degree
}

/** By vertex: in how many triangles it is. */
export function trianglesOf(links: Links): Float64Array {
  const { vertices, offsets, neighbours } = links
  const triangles = new Float64Array(vertices)
  const marks = new Int32Array(vertices).fill(-1)
  // Each triangle is found once, from its least vertex by (degree, number): hubs are searched last.
  const isBefore = (a: number, b: number): boolean =>
    degreeOf(links, a) - degreeOf(links, b) < 0 ||
    (degreeOf(links, a) === degreeOf(links, b) && a < b)
  for (let a = 0; a < vertices; a++) {
    for (let i = offsets[a]; i < offsets[a + 1]; i++) marks[neighbours[i]] = a
    for (let i = offsets[a]; i < offsets[a + 1]; i++) {
      const b = neighbours[i]
      if (!isBefore(a, b)) continue
      for (let j = offsets[b]; j < offsets[b + 1]; j++) {
        const c = neighbours[j]
        if (marks[c] !== a || !isBefore(b, c)) continue
        triangles[a]++
        triangles[b]++
        triangles[c]++
      }
    }
  }
  return triangles
}

/** By vertex: the share of pairs of its neighbours that are linked (Watts and Strogatz 1998); 0 below two. */
export function clusteringOf(links: Links, triangles: Float64Array): Float64Array {
  return triangles.map((count, vertex) => {
    const degree = degreeOf(links, vertex)
    return degree < 2 ? 0 : (2 * count) / (degree * (degree - 1))
  })
}

/** The share of paths of two links that are closed to a triangle; missing where there is none. */
export function transitivityOf(links: Links, triangles: Float64Array): number {
  let closed = 0
  let paths = 0
  for (let vertex = 0; vertex < links.vertices; vertex++) {
    const degree = degreeOf(links, vertex)
    closed += triangles[vertex]
    paths += (degree * (degree - 1)) / 2
  }
  return paths === 0 ? NaN : closed / paths
}

/**
 * The correlation of the degrees at the two ends of a link (Newman 2002), from exact sums over the
 * links in both directions; missing where all degrees are the same.
 */
export function assortativityOf(links: Links): number {
  let count = 0n
  let sum = 0n
  let squares = 0n
  let products = 0n
  for (let vertex = 0; vertex < links.vertices; vertex++) {
    const degree = degreeOf(links, vertex)
    let neighbourDegrees = 0
    for (let i = links.offsets[vertex]; i < links.offsets[vertex + 1]; i++) {
      neighbourDegrees += degreeOf(links, links.neighbours[i])
    }
    const big = BigInt(degree)
    count += big
    sum += big * big
    squares += big * big * big
    products += big * BigInt(neighbourDegrees)
  }
  const spread = count * squares - sum * sum
  return spread === 0n ? NaN : Number(count * products - sum * sum) / Number(spread)
}
