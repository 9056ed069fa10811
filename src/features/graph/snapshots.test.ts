import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { needs, sharedData, toolPath } from '../../../test/tools.ts'
import { createRandom } from '../../lib/random.ts'
import type { DatedEdge, GraphSnapshot, SnapshotOptions } from './snapshots.ts'
import { graphSnapshot, vertexMeasures } from './snapshots.ts'

const all: SnapshotOptions = { asOfUs: 1000, windowUs: 1000, weigh: 'links' }

function edge(from: string | number, to: string | number, amountMinor = 1): DatedEdge {
  return { from, to, amountMinor, timeUs: 500 }
}

const graphs = fc
  .array(fc.tuple(fc.nat(7), fc.nat(7), fc.integer({ min: 1, max: 9 })), {
    maxLength: 30,
    size: 'max',
  })
  .map((edges) => edges.map(([from, to, amount]) => edge(from, to, amount)))

/** The different vertices linked with each, in either direction. */
function neighbourSets(edges: readonly DatedEdge[]): Map<string | number, Set<string | number>> {
  const sets = new Map<string | number, Set<string | number>>()
  for (const { from, to } of edges) {
    for (const [one, other] of [
      [from, to],
      [to, from],
    ]) {
      const set = sets.get(one) ?? new Set()
      if (one !== other) set.add(other)
      sets.set(one, set)
    }
  }
  return sets
}

function valueOf(
  snapshot: GraphSnapshot,
  measure: (typeof vertexMeasures)[number],
  entity: string | number,
): number {
  return snapshot.values[measure][snapshot.entities.indexOf(entity)]
}

describe('a snapshot of a graph', () => {
  test('covers what had happened and was known before its date, and nothing else', () => {
    const snapshot = graphSnapshot(
      [
        { from: 'old', to: 'a', timeUs: 99 },
        { from: 'first', to: 'a', timeUs: 100 },
        { from: 'last', to: 'a', timeUs: 199 },
        { from: 'late', to: 'a', timeUs: 150, arrivedUs: 200 },
        { from: 'same time', to: 'a', timeUs: 200 },
      ],
      { ...all, asOfUs: 200, windowUs: 100 },
    )
    expect(snapshot.entities).toEqual(['a', 'first', 'last'])
    expect(snapshot.asOfUs).toBe(200)
  })

  test('is empty without edges', () => {
    const { entities, graph } = graphSnapshot([], all)
    expect(entities).toEqual([])
    expect(graph).toMatchObject({ vertices: 0, links: 0, density: 0, giantSize: 0 })
    expect([graph.assortativity, graph.modularity, graph.giantShare]).toEqual([NaN, NaN, NaN])
  })

  test('does not depend on the order in which edges are given', () => {
    fc.assert(
      fc.property(graphs, fc.integer(), (edges, seed) => {
        const shuffled = createRandom(seed).shuffle([...edges])
        for (const weigh of ['links', 'edges', 'amounts'] as const) {
          const options = { ...all, weigh }
          expect(graphSnapshot(shuffled, options)).toEqual(graphSnapshot(edges, options))
        }
      }),
    )
  })

  test('names the numbers before the texts', () => {
    const { entities } = graphSnapshot([edge('b', 10), edge(9, '10'), edge('a', 2)], all)
    expect(entities).toEqual([2, 9, 10, '10', 'a', 'b'])
  })
})

describe('measures of a snapshot', () => {
  test('of structure are what counting by hand gives', () => {
    fc.assert(
      fc.property(graphs, (edges) => {
        const snapshot = graphSnapshot(edges, all)
        const sets = neighbourSets(edges)
        const names = [...sets.keys()]
        let cores = 0
        for (const name of names) {
          const own = [...sets.get(name)!]
          expect(valueOf(snapshot, 'degree', name)).toBe(own.length)
          const reached = reachable(sets, name)
          expect(valueOf(snapshot, 'componentSize', name)).toBe(reached.size)
          expect(snapshot.entities[valueOf(snapshot, 'component', name)]).toBe(
            Math.min(...[...reached].map(Number)),
          )
          const closed = own.flatMap((a) => own.filter((b) => a < b && sets.get(a)!.has(b))).length
          expect(valueOf(snapshot, 'triangles', name)).toBe(closed)
          const pairs = (own.length * (own.length - 1)) / 2
          expect(valueOf(snapshot, 'clustering', name)).toBe(pairs === 0 ? 0 : closed / pairs)
          const core = coreByDefinition(sets, name)
          expect(valueOf(snapshot, 'core', name)).toBe(core)
          cores = Math.max(cores, core)
        }
        expect(snapshot.graph.giantSize).toBe(
          Math.max(0, ...names.map((name) => reachable(sets, name).size)),
        )
        const links = new Set(
          edges.filter(({ from, to }) => from !== to).map(({ from, to }) => `${from} ${to}`),
        )
        expect(snapshot.graph.links).toBe(links.size)
      }),
    )
  })

  test('of rank sum to 1 and stay the same for one more step of the walk', () => {
    fc.assert(
      fc.property(graphs, fc.constantFrom('links', 'edges', 'amounts'), (edges, weigh) => {
        if (edges.length === 0) return
        const snapshot = graphSnapshot(edges, { ...all, weigh })
        const rank = (name: string | number): number => valueOf(snapshot, 'pageRank', name)
        const { entities } = snapshot
        expect(entities.reduce<number>((sum, name) => sum + rank(name), 0)).toBeCloseTo(1, 10)
        for (const name of entities) {
          let followed = 0
          for (const other of entities) {
            const out = weightsFrom(edges, other, weigh)
            const leaving = [...out.values()].reduce((sum, weight) => sum + weight, 0)
            followed +=
              leaving === 0
                ? rank(other) / entities.length
                : (rank(other) * (out.get(name) ?? 0)) / leaving
          }
          expect(rank(name)).toBeCloseTo(0.15 / entities.length + 0.85 * followed, 10)
        }
      }),
    )
  })

  test('of communities find the groups that were planted, with their modularity', () => {
    const random = createRandom('communities')
    const edges: DatedEdge[] = []
    for (let from = 0; from < 120; from++) {
      for (let to = 0; to < 120; to++) {
        const share = from % 4 === to % 4 ? 0.3 : 0.01
        if (from !== to && random.next() < share) edges.push(edge(from, to))
      }
    }
    const snapshot = graphSnapshot(edges, all)
    expect([...snapshot.values.community]).toEqual(
      snapshot.entities.map((name) => Number(name) % 4),
    )
    expect([...snapshot.values.communitySize]).toEqual(snapshot.entities.map(() => 30))
    expect(snapshot.graph.communities).toBe(4)
    expect(snapshot.graph.modularity).toBeGreaterThan(0.6)
  })

  test('of communities never join what no path connects, and gain over single vertices', () => {
    fc.assert(
      fc.property(graphs, (edges) => {
        const { values, graph } = graphSnapshot(edges, { ...all, weigh: 'edges' })
        values.community.forEach((community, vertex) => {
          expect(values.component[community]).toBe(values.component[vertex])
        })
        if (!Number.isNaN(graph.modularity)) {
          expect(graph.modularity).toBeGreaterThanOrEqual(-1e-9)
        }
      }),
    )
  })
})

function reachable(
  sets: ReadonlyMap<string | number, ReadonlySet<string | number>>,
  from: string | number,
): Set<string | number> {
  const reached = new Set([from])
  for (const name of reached) for (const other of sets.get(name)!) reached.add(other)
  return reached
}

/** The greatest k for which the vertex is left when all with fewer than k neighbours are taken away. */
function coreByDefinition(
  sets: ReadonlyMap<string | number, ReadonlySet<string | number>>,
  name: string | number,
): number {
  for (let k = 1; ; k++) {
    const left = new Set(sets.keys())
    for (let before = -1; before !== left.size;) {
      before = left.size
      for (const one of left) {
        if ([...sets.get(one)!].filter((other) => left.has(other)).length < k) left.delete(one)
      }
    }
    if (!left.has(name)) return k - 1
  }
}

function weightsFrom(
  edges: readonly DatedEdge[],
  name: string | number,
  weigh: SnapshotOptions['weigh'],
): Map<string | number, number> {
  const weights = new Map<string | number, number>()
  for (const { from, to, amountMinor } of edges) {
    if (from !== name) continue
    const weight = { links: 0, edges: 1, amounts: amountMinor! }[weigh]
    weights.set(to, weigh === 'links' ? 1 : (weights.get(to) ?? 0) + weight)
  }
  return weights
}

/** What networkx says of the same links; communities are ours, for it to weigh. */
const networkx = `
import json, sys
import networkx as nx
data = json.load(sys.stdin)
directed = nx.DiGraph()
directed.add_nodes_from(range(data['vertices']))
directed.add_edges_from(data['links'])
graph = nx.Graph(directed)
graph.remove_edges_from(list(nx.selfloop_edges(graph)))
order = range(data['vertices'])
rank = nx.pagerank(directed, tol=1e-15, max_iter=1000)
core = nx.core_number(graph)
triangles = nx.triangles(graph)
clustering = nx.clustering(graph)
parts = {}
for vertex, community in enumerate(data['communities']):
    parts.setdefault(community, set()).add(vertex)
best = max(
    nx.community.modularity(graph, nx.community.louvain_communities(graph, seed=seed))
    for seed in range(3)
)
directed.remove_edges_from(list(nx.selfloop_edges(directed)))
json.dump({
    'pageRank': [rank[v] for v in order],
    'core': [core[v] for v in order],
    'triangles': [triangles[v] for v in order],
    'clustering': [clustering[v] for v in order],
    'density': nx.density(directed),
    'transitivity': nx.transitivity(graph),
    'clusteringMean': nx.average_clustering(graph),
    'assortativity': nx.degree_assortativity_coefficient(graph),
    'giantSize': max(len(c) for c in nx.connected_components(graph)),
    'components': nx.number_connected_components(graph),
    'modularity': nx.community.modularity(graph, list(parts.values())),
    'best': best,
}, sys.stdout)
`

/** A Python with networkx; says what to install where there is none. */
function hasNetworkx(): boolean {
  if (!needs('shared-data') || !needs('python')) return false
  const probe = spawnSync(toolPath('python'), ['-c', 'import networkx'], { timeout: 60_000 })
  if (probe.status === 0) return true
  process.stderr.write('networkx is missing, its comparison is skipped: pip install networkx\n')
  return false
}

test.skipIf(!hasNetworkx())(
  'the mails of 1,005 people measure as networkx measures them (needs ../shared/data, networkx)',
  { timeout: 120_000 },
  () => {
    const file = sharedData('email_eu_core', 'email-Eu-core.txt.gz')
    const links = gunzipSync(readFileSync(file))
      .toString('utf8')
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => line.split(',').map(Number))
    const snapshot = graphSnapshot(
      links.map(([from, to]) => edge(from, to)),
      all,
    )
    expect(snapshot.entities).toHaveLength(1005)
    const request = { vertices: 1005, links, communities: [...snapshot.values.community] }
    const run = spawnSync(toolPath('python'), ['-c', networkx], {
      input: JSON.stringify(request),
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
      timeout: 100_000,
    })
    expect(run.stderr).toBe('')
    const theirs = JSON.parse(run.stdout) as Record<string, number | number[]>
    for (const measure of ['core', 'triangles'] as const) {
      expect([...snapshot.values[measure]]).toEqual(theirs[measure])
    }
    for (const measure of ['pageRank', 'clustering'] as const) {
      const values = theirs[measure] as number[]
      snapshot.values[measure].forEach((value, i) => expect(value).toBeCloseTo(values[i], 11))
    }
    for (const measure of [
      'density',
      'transitivity',
      'clusteringMean',
      'assortativity',
      'giantSize',
      'components',
      'modularity',
    ] as const) {
      expect(snapshot.graph[measure]).toBeCloseTo(theirs[measure] as number, 11)
    }
    // Louvain is a heuristic: ours need only be as good, near enough, as their best of three.
    expect(snapshot.graph.modularity).toBeGreaterThan((theirs.best as number) - 0.01)
  },
)
