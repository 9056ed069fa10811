import type { Links } from './links.ts'
import { reversed } from './links.ts'

export interface PageRankOptions {
  /** With which probability a walker follows a link; else, and where there is none, it jumps. */
  readonly damping: number
  /** Ends where all ranks together change by less. */
  readonly tolerance: number
  readonly iterationsMax: number
}

export const pageRankDefaults: PageRankOptions = {
  damping: 0.85,
  tolerance: 1e-12,
  iterationsMax: 200,
}

/**
 * By vertex: how often a walker is there who follows links by their weights and jumps to any vertex at
 * times (Brin and Page 1998). Ranks sum to 1. By power iteration from equal ranks, all sums in the
 * order of the vertices' numbers, so that the same graph gives the same ranks.
 */
export function pageRank(links: Links, options: Partial<PageRankOptions> = {}): Float64Array {
  const { damping, tolerance, iterationsMax } = { ...pageRankDefaults, ...options }
  const { vertices } = links
  const leaving = new Float64Array(vertices)
  for (let vertex = 0; vertex < vertices; vertex++) {
    for (let i = links.offsets[vertex]; i < links.offsets[vertex + 1]; i++) {
      leaving[vertex] += links.weights[i]
    }
  }
  const arriving = reversed(links)
  let ranks = new Float64Array(vertices).fill(1 / vertices)
  let next = new Float64Array(vertices)
  for (let iteration = 0; iteration < iterationsMax; iteration++) {
    let stranded = 0
    for (let vertex = 0; vertex < vertices; vertex++) {
      if (leaving[vertex] === 0) stranded += ranks[vertex]
    }
    const jump = (damping * stranded + 1 - damping) / vertices
    let change = 0
    for (let vertex = 0; vertex < vertices; vertex++) {
      let followed = 0
      for (let i = arriving.offsets[vertex]; i < arriving.offsets[vertex + 1]; i++) {
        const from = arriving.neighbours[i]
        followed += (ranks[from] * arriving.weights[i]) / leaving[from]
      }
      next[vertex] = damping * followed + jump
      change += Math.abs(next[vertex] - ranks[vertex])
    }
    const held = ranks
    ranks = next
    next = held
    if (change < tolerance) break
  }
  return ranks
}
