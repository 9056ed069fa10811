/**
 * Dated snapshots of a graph: what is too dear to work out for every event, such as PageRank or
 * communities, is worked out as of a date, kept as a table, and joined as of an event's time. A
 * snapshot as of D covers the edges with event times in [D − window, D) that had arrived before D: an
 * event at D or later may use it and finds neither itself nor anything later in it.
 */
import { communitiesOf, modularityOf } from './communities.ts'
import type { EdgeColumns, Links } from './links.ts'
import { degreeOf, directedLinks, undirectedLinks } from './links.ts'
import { pageRank } from './page-rank.ts'
import {
  assortativityOf,
  clusteringOf,
  componentsOf,
  coreNumbers,
  transitivityOf,
  trianglesOf,
} from './structure.ts'

/** An edge as a snapshot takes it. */
export interface DatedEdge {
  readonly from: string | number
  readonly to: string | number
  /** Minor units; needed where links are weighed by amount. */
  readonly amountMinor?: number
  /** Event time, microseconds UTC. */
  readonly timeUs: number
  /** When it became known; its event time where that is not said. */
  readonly arrivedUs?: number
}

export interface SnapshotOptions {
  /** Microseconds UTC. */
  readonly asOfUs: number
  readonly windowUs: number
  /**
   * What a link weighs in PageRank and communities: 1 (`links`), its number of edges (`edges`), or the
   * sum of their amounts without sign (`amounts`). The other measures count links.
   */
  readonly weigh: 'links' | 'edges' | 'amounts'
  /** Of communities: above 1 makes them smaller. 1 without. */
  readonly resolution?: number
}

/**
 * By vertex. `pageRank` follows the direction of links; all else looks at links without direction and
 * without self-loops: `degree` neighbours, `component` and `community` named by the number of their
 * first vertex in the table, their sizes, `core` number, `triangles`, `clustering` coefficient.
 */
export const vertexMeasures = [
  'degree',
  'pageRank',
  'component',
  'componentSize',
  'community',
  'communitySize',
  'core',
  'triangles',
  'clustering',
] as const

export type VertexMeasure = (typeof vertexMeasures)[number]

/**
 * Of the graph. `links` are pairs from → to with an edge, self-loops left out; `density` is their share
 * of all that there could be. `giantShare` is the largest component's share of the vertices.
 * `assortativity`, `transitivity` and `modularity` are missing where the graph is too small to have one.
 */
export interface GraphMeasures {
  readonly vertices: number
  readonly edges: number
  readonly links: number
  readonly density: number
  readonly assortativity: number
  readonly transitivity: number
  readonly clusteringMean: number
  readonly giantSize: number
  readonly giantShare: number
  readonly components: number
  readonly communities: number
  readonly modularity: number
}

export const graphMeasures = [
  'vertices',
  'edges',
  'links',
  'density',
  'assortativity',
  'transitivity',
  'clusteringMean',
  'giantSize',
  'giantShare',
  'components',
  'communities',
  'modularity',
] as const satisfies readonly (keyof GraphMeasures)[]

export type GraphMeasure = (typeof graphMeasures)[number]

/** One row a vertex, and one for the whole graph, as of a date. */
export interface GraphSnapshot {
  readonly asOfUs: number
  /** Numbers before texts, each in rising order. */
  readonly entities: readonly (string | number)[]
  /** By measure: a value an entity. */
  readonly values: Readonly<Record<VertexMeasure, Float64Array>>
  readonly graph: GraphMeasures
}

/** The graph as of a date. Whatever order the edges come in, the snapshot is the same. */
export function graphSnapshot(edges: Iterable<DatedEdge>, options: SnapshotOptions): GraphSnapshot {
  const rest = new GraphAtRest(edges, options)
  const values = vertexMeasures.map((name) => [name, rest.ofVertices(name)] as const)
  const graph = graphMeasures.map((name) => [name, rest.ofGraph(name)] as const)
  return {
    asOfUs: options.asOfUs,
    entities: rest.entities,
    values: Object.fromEntries(values) as unknown as GraphSnapshot['values'],
    graph: Object.fromEntries(graph) as unknown as GraphMeasures,
  }
}

/** The graph as of a date, of which each measure is worked out when it is first asked for. */
export class GraphAtRest {
  readonly entities: readonly (string | number)[]
  private readonly edges: number
  private readonly directed: () => Links
  private readonly links: () => Links
  private readonly resolution: number

  constructor(
    edges: Iterable<DatedEdge>,
    { asOfUs, windowUs, weigh, resolution }: SnapshotOptions,
  ) {
    const seen: DatedEdge[] = []
    for (const edge of edges) {
      const known = (edge.arrivedUs ?? edge.timeUs) < asOfUs
      if (known && edge.timeUs < asOfUs && edge.timeUs >= asOfUs - windowUs) seen.push(edge)
    }
    this.entities = entitiesOf(seen)
    this.edges = seen.length
    this.resolution = resolution ?? 1
    const numbers = new Map(this.entities.map((entity, number) => [entity, number]))
    const columns: EdgeColumns = {
      from: Int32Array.from(seen, ({ from }) => numbers.get(from)!),
      to: Int32Array.from(seen, ({ to }) => numbers.get(to)!),
      weights: Float64Array.from(seen, ({ amountMinor }) =>
        weigh === 'amounts' ? Math.abs(amountMinor ?? 0) : 1,
      ),
    }
    const n = this.entities.length
    this.directed = once(() => weighed(directedLinks(n, columns), weigh))
    this.links = once(() => weighed(undirectedLinks(n, columns), weigh))
  }

  /** A value an entity, in their order. */
  ofVertices(measure: VertexMeasure): Float64Array {
    switch (measure) {
      case 'degree':
        return Float64Array.from(this.entities, (_, vertex) => degreeOf(this.links(), vertex))
      case 'pageRank':
        return pageRank(this.directed())
      case 'component':
        return Float64Array.from(this.components().component)
      case 'componentSize':
        return Float64Array.from(this.components().size)
      case 'community':
        return Float64Array.from(this.communities())
      case 'communitySize':
        return sizesOf(this.communities())
      case 'core':
        return Float64Array.from(coreNumbers(this.links()))
      case 'triangles':
        return this.triangles()
      case 'clustering':
        return this.clustering()
    }
  }

  ofGraph(measure: GraphMeasure): number {
    const n = this.entities.length
    switch (measure) {
      case 'vertices':
        return n
      case 'edges':
        return this.edges
      case 'links':
        return countLinks(this.directed())
      case 'density':
        return n < 2 ? 0 : countLinks(this.directed()) / (n * (n - 1))
      case 'assortativity':
        return assortativityOf(this.links())
      case 'transitivity':
        return transitivityOf(this.links(), this.triangles())
      case 'clusteringMean':
        return n === 0 ? NaN : this.clustering().reduce((sum, one) => sum + one, 0) / n
      case 'giantSize':
        return this.components().largest
      case 'giantShare':
        return n === 0 ? NaN : this.components().largest / n
      case 'components':
        return new Set(this.components().component).size
      case 'communities':
        return new Set(this.communities()).size
      case 'modularity':
        return modularityOf(this.links(), this.communities(), this.resolution)
    }
  }

  private readonly components = once(() => componentsOf(this.links()))
  private readonly communities = once(() => communitiesOf(this.links(), this.resolution))
  private readonly triangles = once(() => trianglesOf(this.links()))
  private readonly clustering = once(() => clusteringOf(this.links(), this.triangles()))
}

function once<T>(work: () => T): () => T {
  let known: { readonly value: T } | undefined
  return () => (known ??= { value: work() }).value
}

function entitiesOf(edges: readonly DatedEdge[]): (string | number)[] {
  const all = new Set<string | number>()
  for (const { from, to } of edges) all.add(from).add(to)
  const numbers = [...all].filter((entity) => typeof entity === 'number')
  const texts = [...all].filter((entity) => typeof entity === 'string')
  return [...numbers.sort((a, b) => a - b), ...texts.sort()]
}

function weighed(links: Links, weigh: SnapshotOptions['weigh']): Links {
  if (weigh !== 'links') return links
  return { ...links, weights: new Float64Array(links.weights.length).fill(1) }
}

function countLinks(directed: Links): number {
  let count = 0
  for (let vertex = 0; vertex < directed.vertices; vertex++) {
    for (let i = directed.offsets[vertex]; i < directed.offsets[vertex + 1]; i++) {
      if (directed.neighbours[i] !== vertex) count++
    }
  }
  return count
}

function sizesOf(groups: Int32Array): Float64Array {
  const sizes = new Float64Array(groups.length)
  for (const group of groups) sizes[group]++
  return Float64Array.from(groups, (group) => sizes[group])
}
