/**
 * A graph at rest: vertices 0 … n − 1 and, for each, the vertices it is linked with, each once and in
 * rising order, with the weight of the link. Parallel edges make one link whose weights add up.
 */
export interface Links {
  readonly vertices: number
  /** Where a vertex's links begin; the next one's beginning is their end. */
  readonly offsets: Int32Array
  readonly neighbours: Int32Array
  readonly weights: Float64Array
}

/** Columns of edges between vertices that are numbered from 0. */
export interface EdgeColumns {
  readonly from: Int32Array
  readonly to: Int32Array
  /** What an edge weighs; whole numbers add up exactly whatever their order. */
  readonly weights: Float64Array
}

/** Links from → to. */
export function directedLinks(vertices: number, edges: EdgeColumns): Links {
  return linksOf(vertices, edges.from, edges.to, edges.weights)
}

/** The same links the other way round. */
export function reversed(links: Links): Links {
  const from = new Int32Array(links.neighbours.length)
  for (let vertex = 0; vertex < links.vertices; vertex++) {
    from.fill(vertex, links.offsets[vertex], links.offsets[vertex + 1])
  }
  return linksOf(links.vertices, links.neighbours, from, links.weights)
}

/** Links in both directions, without self-loops; each edge weighs the same from both ends. */
export function undirectedLinks(vertices: number, edges: EdgeColumns): Links {
  const kept = edges.from.map((from, i) => (from === edges.to[i] ? 0 : 1))
  const count = kept.reduce((sum, keep) => sum + keep, 0)
  const from = new Int32Array(2 * count)
  const to = new Int32Array(2 * count)
  const weights = new Float64Array(2 * count)
  let at = 0
  for (let i = 0; i < kept.length; i++) {
    if (kept[i] === 0) continue
    from[at] = to[at + 1] = edges.from[i]
    to[at] = from[at + 1] = edges.to[i]
    weights[at] = weights[at + 1] = edges.weights[i]
    at += 2
  }
  return linksOf(vertices, from, to, weights)
}

export function degreeOf(links: Links, vertex: number): number {
  return links.offsets[vertex + 1] - links.offsets[vertex]
}

/** Sorts by counting, the second end first: links then come by both ends, and parallel ones together. */
function linksOf(vertices: number, from: Int32Array, to: Int32Array, weights: Float64Array): Links {
  const order = sortedBy(from, vertices, sortedBy(to, vertices, from.keys()))
  const offsets = new Int32Array(vertices + 1)
  const neighbours = new Int32Array(order.length)
  const summed = new Float64Array(order.length)
  let links = 0
  for (let i = 0; i < order.length; i++) {
    const at = order[i]
    const before = i === 0 ? -1 : order[i - 1]
    if (before < 0 || from[before] !== from[at] || to[before] !== to[at]) {
      neighbours[links++] = to[at]
      offsets[from[at] + 1]++
    }
    summed[links - 1] += weights[at]
  }
  for (let vertex = 0; vertex < vertices; vertex++) offsets[vertex + 1] += offsets[vertex]
  return {
    vertices,
    offsets,
    neighbours: neighbours.slice(0, links),
    weights: summed.slice(0, links),
  }
}

/** Places in the rising order of their vertices; those of one vertex stay in the order given. */
function sortedBy(ends: Int32Array, vertices: number, places: Iterable<number>): Int32Array {
  const next = new Int32Array(vertices + 1)
  for (const end of ends) next[end + 1]++
  for (let vertex = 0; vertex < vertices; vertex++) next[vertex + 1] += next[vertex]
  const sorted = new Int32Array(ends.length)
  for (const place of places) sorted[next[ends[place]]++] = place
  return sorted
}
