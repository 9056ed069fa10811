// Whom the entity of a case has to do with: by the edges of a graph that the policy's features declare,
// and where no edges of one are held over its key, by what its decisions have in common with those of others.
import type { CaseGroup, DecisionRow as KnownRow } from '../../../decisions/index.ts'
import {
  graphFiguresOf,
  tablesOf,
  type CompiledFeature,
  type CompiledFeatureSet,
  type CompiledGraphSnapshots,
} from '../../../features/index.ts'
import { canonicalJson } from '../../../lib/canonical-json.ts'
import { isAssayError } from '../../../lib/errors.ts'
import { DAY_US, durationInWords } from '../../../lib/time.ts'
import type { CaseEvidence } from '../../contract/index.ts'
import { plural } from '../present.ts'
import type { Rooms } from '../rooms.ts'

type Neighbours = CaseEvidence['neighbours']
type Graph = ReturnType<typeof graphFiguresOf>[number]['graph']

/** How long before a case its decisions are looked at. */
export const NEIGHBOUR_REACH_US = 30 * DAY_US
const NEIGHBOURS_SHOWN = 12
/** What an entity shares with others is looked for in so many of its values, each so far. */
const SHARED_VALUES = 8
const DECISIONS_OF_VALUE = 200
/** Of so many neighbours, those with most edges, the decisions are counted. */
const COUNTED_MAX = 40
/** Features that are asked for the edges behind them; those of one graph see the same ones. */
const FEATURES_ASKED = 4

export async function neighboursOf(
  rooms: Rooms,
  group: CaseGroup,
  recent: readonly KnownRow[],
  untilUs: number,
): Promise<Neighbours> {
  const declared = graphOver(rooms, group)
  if (declared !== undefined && group.entity !== '') {
    const found = await byGraph(rooms, group, declared, untilUs)
    if (found !== undefined) return found
  }
  return byDecisions(rooms, group, recent, untilUs)
}

interface DeclaredGraph {
  readonly graph: Graph
  /** Features over it, the one with the longest window first. */
  readonly features: readonly { readonly feature: CompiledFeature; readonly windowUs: number }[]
}

/** Those that the policy of a case decides by. */
function setsOf(rooms: Rooms, group: CaseGroup): readonly CompiledFeatureSet[] {
  const known = rooms.project()
  const policy = known?.policies.find(({ name }) => name === group.policy)
  const used = new Set(policy?.featureSets.map(({ version }) => version))
  return (known?.featureSets ?? []).filter(({ version }) => used.has(version))
}

/** The graph with the longest window of which the case's key is an end. */
function graphOver(rooms: Rooms, group: CaseGroup): DeclaredGraph | undefined {
  const figures = setsOf(rooms, group)
    .flatMap(({ features }) =>
      features.flatMap((feature) =>
        graphFiguresOf(feature).map(({ graph, windowUs }) => ({ feature, graph, windowUs })),
      ),
    )
    .filter(({ graph }) => graph.from === group.column || graph.to === group.column)
    .toSorted((a, b) => b.windowUs - a.windowUs)
  const [longest] = figures
  if (longest === undefined) return undefined
  const same = canonicalJson(longest.graph)
  return {
    graph: longest.graph,
    features: figures.filter(({ graph }) => canonicalJson(graph) === same),
  }
}

/** Dated snapshots of a graph of which the case's key is an end, where its features look them up. */
function datedOver(rooms: Rooms, group: CaseGroup): CompiledGraphSnapshots | undefined {
  const lookedUp = setsOf(rooms, group).flatMap(({ sources = [] }) =>
    sources.map((of) => of.source),
  )
  return rooms.project()?.graphs?.find((graph) => {
    const { vertices } = tablesOf(graph)
    const isOver = graph.from === group.column || graph.to === group.column
    return isOver && vertices !== null && lookedUp.includes(vertices)
  })
}

/** Why the edges of no graph are shown. */
function whyByDecisions(rooms: Rooms, group: CaseGroup): string {
  if (graphOver(rooms, group) !== undefined) {
    return `What decides does not hold the edges of the graph over ${group.column} yet`
  }
  const dated = datedOver(rooms, group)
  if (dated === undefined) return `No graph is declared over ${group.column || 'a key'}`
  return `The graph ${dated.from} → ${dated.to} is looked up as dated snapshots (${dated.name}), which hold figures and no edges`
}

/** Undefined where what decides knows nothing of the graph, as before its features are live. */
async function byGraph(
  rooms: Rooms,
  group: CaseGroup,
  declared: DeclaredGraph,
  untilUs: number,
): Promise<Neighbours | undefined> {
  const { graph, features } = declared
  const edgesOf = (column: string, value: string) =>
    edges(rooms, group, declared, { column, value }, untilUs)
  const own = await edgesOf(group.column, group.entity)
  if (own === undefined) return undefined
  const counts = linksOf(graph, group.column, group.entity, own)
  const otherColumn = graph.from === group.column ? graph.to : graph.from
  const words = `${graph.from} → ${graph.to}`
  const windowUs = features[0].windowUs
  const within = `By the declared graph ${words}, ${durationInWords(windowUs)} back`
  if (graph.apart === undefined) {
    const entities = await looked(rooms, group, untilUs, group.column, counts, (link) =>
      [
        link.out > 0 ? `${plural(link.out, 'event')} to it` : '',
        link.in > 0 ? `${plural(link.in, 'event')} from it` : '',
      ].filter((each) => each !== ''),
    )
    const sentence = `${within}: ${plural(counts.size, 'neighbour')}; ${fraudWords(entities, counts.size)}.`
    return { graph: words, sentence, entities: worstFirst(entities) }
  }
  // The ends name different things, so others of its own kind are two steps away.
  const others = new Map<string, string[]>()
  for (const value of [...counts.keys()].slice(0, SHARED_VALUES)) {
    const known = await edgesOf(otherColumn, value)
    for (const other of linksOf(graph, otherColumn, value, known ?? []).keys()) {
      if (other === group.entity) continue
      others.set(other, [...(others.get(other) ?? []), `${otherColumn} ${value}`])
    }
  }
  const isTwoSteps = others.size > 0
  const entities = isTwoSteps
    ? await looked(rooms, group, untilUs, group.column, others, (shared) => shared)
    : await looked(rooms, group, untilUs, otherColumn, counts, ({ in: n, out }) => [
        plural(n + out, 'event'),
      ])
  const met = isTwoSteps
    ? `${others.size === 1 ? '1 other has' : `${others.size} others have`} a ${otherColumn} in common with it`
    : `it met ${counts.size} of ${otherColumn}`
  const many = isTwoSteps ? others.size : counts.size
  const sentence = `${within}: ${met}; ${fraudWords(entities, many)}.`
  return { graph: words, sentence, entities: worstFirst(entities) }
}

interface Edge {
  readonly from: string
  readonly to: string
  readonly timeUs: number
  readonly value: number | null
}

/** The newest edges of a vertex, as what decides holds them. */
async function edges(
  rooms: Rooms,
  { namespace }: CaseGroup,
  { graph, features }: DeclaredGraph,
  of: { readonly column: string; readonly value: string },
  untilUs: number,
): Promise<readonly Edge[] | undefined> {
  const same = canonicalJson(graph)
  const values = vertexValues(rooms, graph, of)
  const found = new Map<string, Edge>()
  let isKnown = false
  for (const { feature } of features.slice(0, FEATURES_ASKED)) {
    const asked = { namespace, feature: feature.name, values }
    const explained = await answered(() => rooms.decide.explainFeature({ ...asked, atUs: untilUs }))
    // What lies further back than live state reaches is asked as of now.
    const known = explained ?? (await answered(() => rooms.decide.explainFeature(asked)))
    if (known === undefined) continue
    isKnown = true
    for (const figure of known.graphs) {
      if (canonicalJson(figure.graph.graph) !== same) continue
      for (const edge of figure.newest) found.set(JSON.stringify(edge), edge)
    }
  }
  return isKnown ? [...found.values()] : undefined
}

async function answered<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask()
  } catch (error) {
    if (isAssayError(error, 'entity_invalid', 'not_ready', 'feature_unknown')) return undefined
    throw error
  }
}

/** A row of the source with the vertex at its ends; at one of them where the ends are apart. */
function vertexValues(
  rooms: Rooms,
  graph: Graph,
  { column, value }: { readonly column: string; readonly value: string },
): Record<string, string | number> {
  const columns = rooms.project()?.sources.flatMap((source) => source.columns) ?? []
  const ends = graph.apart === undefined ? [graph.from, graph.to] : [column]
  return Object.fromEntries(
    ends.map((name) => {
      const declared = columns.find((each) => each.name === name)
      const isInteger = declared !== undefined && 'type' in declared && declared.type === 'integer'
      return [name, isInteger ? Number(value) : value]
    }),
  )
}

interface Links {
  /** Events to it, and from it. */
  readonly out: number
  readonly in: number
}

/** The vertices at the other ends of edges, those with most edges first. */
function linksOf(
  graph: Graph,
  column: string,
  vertex: string,
  all: readonly Edge[],
): ReadonlyMap<string, Links> {
  const links = new Map<string, Links>()
  for (const { from, to } of all) {
    const isOut = graph.apart === undefined ? from === vertex : column === graph.from
    const other = isOut ? to : from
    if (graph.apart === undefined && other === vertex) continue
    const known = links.get(other) ?? { out: 0, in: 0 }
    links.set(other, isOut ? { ...known, out: known.out + 1 } : { ...known, in: known.in + 1 })
  }
  const n = (link: Links) => link.in + link.out
  return new Map([...links].toSorted(([, a], [, b]) => n(b) - n(a)))
}

/** Neighbours with what their own decisions came to. */
async function looked<Link>(
  rooms: Rooms,
  { namespace }: CaseGroup,
  untilUs: number,
  column: string,
  found: ReadonlyMap<string, Link>,
  write: (link: Link) => string[],
): Promise<Neighbours['entities']> {
  return Promise.all(
    [...found].slice(0, COUNTED_MAX).map(async ([value, link]) => {
      const of = {
        namespace,
        keys: { [column]: value },
        fromUs: untilUs - NEIGHBOUR_REACH_US,
        untilUs,
      }
      const [decisions, declined, fraud] = await Promise.all([
        rooms.decisions.count(of),
        rooms.decisions.count({ ...of, outcomes: ['decline'] }),
        rooms.decisions.count({ ...of, label: 'positive' }),
      ])
      return { column, value, shared: write(link), decisions, declined, fraud }
    }),
  )
}

function worstFirst(entities: Neighbours['entities']): Neighbours['entities'] {
  return entities
    .toSorted((a, b) => b.fraud - a.fraud || b.declined - a.declined || b.decisions - a.decisions)
    .slice(0, NEIGHBOURS_SHOWN)
}

/** `all`: of how many these are; those with most edges are looked at where there are too many. */
function fraudWords(looked: readonly { readonly fraud: number }[], all: number): string {
  const withFraud = looked.filter(({ fraud }) => fraud > 0).length
  const of = looked.length < all ? `the ${looked.length} with most edges` : 'them'
  return `${withFraud === 0 ? 'none' : withFraud} of ${of} with confirmed fraud`
}

/** Those that met the same terminal, card or counterparty in the thirty days before. */
async function byDecisions(
  rooms: Rooms,
  group: CaseGroup,
  recent: readonly KnownRow[],
  untilUs: number,
): Promise<Neighbours> {
  const found = new Map<string, Neighbours['entities'][number]>()
  const shared = sharedValues(group, recent)
  for (const { column, value } of shared) {
    const page = await rooms.decisions.query({
      namespace: group.namespace,
      keys: { [column]: value },
      fromUs: untilUs - NEIGHBOUR_REACH_US,
      untilUs,
      limit: DECISIONS_OF_VALUE,
    })
    for (const row of page.rows) {
      const other = row.keys[group.column]
      if (other === undefined || other === group.entity) continue
      const known = found.get(other) ?? {
        column: group.column,
        value: other,
        shared: [],
        decisions: 0,
        declined: 0,
        fraud: 0,
      }
      found.set(other, known)
      const common = `${column} ${value}`
      if (!known.shared.includes(common)) known.shared.push(common)
      known.decisions++
      if (row.outcome === 'decline') known.declined++
      if (row.label?.positive === true) known.fraud++
    }
  }
  const all = [...found.values()]
  const why = whyByDecisions(rooms, group)
  const columns = [...new Set(shared.map(({ column }) => column))].join(' or ')
  const sentence =
    columns === ''
      ? `${why}, and its decisions have no other key to share.`
      : `${why}, so by the keys of decisions, 30 days back: ${all.length === 1 ? '1 other shares' : `${all.length} others share`} a ${columns}; ${fraudWords(all, all.length)}.`
  return { graph: null, sentence, entities: worstFirst(all) }
}

/** The values of other keys that the entity met most often. */
function sharedValues(group: CaseGroup, recent: readonly KnownRow[]) {
  const times = new Map<string, { column: string; value: string; n: number }>()
  for (const { keys } of recent) {
    for (const [column, value] of Object.entries(keys)) {
      if (column === group.column) continue
      const key = JSON.stringify([column, value])
      const known = times.get(key) ?? { column, value, n: 0 }
      times.set(key, { ...known, n: known.n + 1 })
    }
  }
  return [...times.values()].toSorted((a, b) => b.n - a.n).slice(0, SHARED_VALUES)
}
