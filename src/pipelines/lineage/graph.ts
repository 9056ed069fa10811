// What came from what: data → features → run → version → deployment → decisions, both ways. The graph
// is read from the records that each room keeps anyway, so it can never say anything else than they.
import type { SnapshotRecord } from '../../data/index.ts'
import type { CompiledFeatureSet } from '../../features/index.ts'
import { isAssayError } from '../../lib/errors.ts'
import type {
  FirstVersions,
  ModelVersion,
  TrainingInput,
  VersionName,
} from '../../registry/index.ts'
import type { Deployment } from '../../serving/index.ts'
import type { LoggedModel, Run } from '../../tracking/index.ts'
import type { RunReport } from '../flows/plan.ts'
import type { ProductVersion, StepRecord } from '../engine/index.ts'

export type LineageKind =
  | 'file'
  | 'snapshot'
  | 'outside-data'
  | 'feature-set'
  | 'pipeline-run'
  | 'product'
  | 'run'
  | 'logged-model'
  | 'version'
  | 'deployment'
  | 'decision'

/** A thing and where it came from or went to. */
export interface LineageNode {
  readonly kind: LineageKind
  /**
   * `file`: its name. `snapshot`: dataset/hash. `outside-data`: name/digest. `feature-set`:
   * name/version hash. `product`: pipeline/output/version, or pipeline/output/partition/version.
   * `version`: model/number. `decision`: policy/event id. Others: the id of the thing.
   */
  readonly id: string
  readonly title: string
  /** The one figure or fact that matters. */
  readonly detail: string
}

/** By `keyOf` its ends. */
export interface LineageEdge {
  readonly from: string
  readonly to: string
}

export interface LineageGraph {
  /** What was asked for is the first. */
  readonly nodes: readonly LineageNode[]
  readonly edges: readonly LineageEdge[]
  /** Whether more hangs on it than is told. */
  readonly cut: boolean
}

type VersionSource = { readonly runId: string } | { readonly loggedModelId: string }

export interface LineagePorts {
  run(id: string): Promise<Run>
  /** The text of a run's file; undefined where it has none of that name. */
  runFile(runId: string, name: string): Promise<string | undefined>
  loggedModel(id: string): Promise<LoggedModel>
  /** Error: `version_not_found`, or any other with status 404. */
  version(model: string, number: number): Promise<ModelVersion>
  /** The first `most` that came of a run or of a logged model. */
  versionsOf(
    source: VersionSource,
    most: number,
  ): Promise<{ readonly versions: readonly ModelVersion[]; readonly more: boolean }>
  trainedOn(input: TrainingInput, most: number): Promise<FirstVersions>
  deployments(): Promise<readonly Deployment[]>
  snapshot(hash: string): Promise<SnapshotRecord | undefined>
  /** Feature sets of the project that holds now. */
  featureSets(): readonly CompiledFeatureSet[]
  steps(pipelineRunId: string): Promise<readonly StepRecord[]>
  products(pipeline: string): Promise<readonly ProductVersion[]>
  /** Hash of the document that decided; undefined for an unknown decision. */
  decidedBy(policy: string, eventId: string): Promise<string | undefined>
}

/** Nodes of one answer. */
const NODES_MAX = 200

export function keyOf({ kind, id }: Pick<LineageNode, 'kind' | 'id'>): string {
  return `${kind}:${id}`
}

/**
 * Everything that a thing came from, everything that came of it, or both. It goes on in one
 * direction at a time: what else its sources were used for is not told. An unknown thing has a graph
 * of itself alone.
 */
export async function lineage(
  root: Pick<LineageNode, 'kind' | 'id'>,
  direction: 'up' | 'down' | 'both',
  ports: LineagePorts,
): Promise<LineageGraph> {
  const found = createFound()
  const reader = createReader(ports, found.cutShort)
  found.add(await reader.itself(root))
  for (const way of ['up', 'down'] as const) {
    if (direction !== 'both' && direction !== way) continue
    const queue = [root]
    const seen = new Set([keyOf(root)])
    for (let node = queue.shift(); node !== undefined; node = queue.shift()) {
      const next = way === 'up' ? await reader.before(node) : await reader.after(node)
      for (const other of next) {
        if (!found.add(other)) break
        if (way === 'up') found.join(other, node)
        else found.join(node, other)
        if (seen.has(keyOf(other))) continue
        seen.add(keyOf(other))
        queue.push(other)
      }
    }
  }
  return found.graph()
}

function createFound() {
  const nodes = new Map<string, LineageNode>()
  const edges = new Map<string, LineageEdge>()
  let cut = false
  return {
    /** False where there is no room for it. */
    add(node: LineageNode): boolean {
      const key = keyOf(node)
      if (nodes.has(key)) return true
      if (nodes.size === NODES_MAX) {
        cut = true
        return false
      }
      nodes.set(key, node)
      return true
    },
    /** Says that more hangs on it, which was not asked for. */
    cutShort(): void {
      cut = true
    },
    join(from: Pick<LineageNode, 'kind' | 'id'>, to: Pick<LineageNode, 'kind' | 'id'>): void {
      const edge = { from: keyOf(from), to: keyOf(to) }
      edges.set(`${edge.from} → ${edge.to}`, edge)
    },
    graph: (): LineageGraph => ({
      nodes: [...nodes.values()],
      edges: [...edges.values()],
      cut,
    }),
  }
}

type Known = Pick<LineageNode, 'kind' | 'id'>

function createReader(ports: LineagePorts, cutShort: () => void) {
  // One answer looks at one state of them.
  let deployments: Promise<readonly Deployment[]> | undefined
  const allDeployments = () => (deployments ??= ports.deployments())

  const versionBy = ({ model, version }: VersionName) =>
    attempt(() => ports.version(model, version))

  async function versionNodes(name: VersionName): Promise<LineageNode[]> {
    const version = await versionBy(name)
    return version === undefined ? [] : [versionNode(version)]
  }

  async function versionsOf(source: VersionSource): Promise<LineageNode[]> {
    const { versions, more } = await ports.versionsOf(source, NODES_MAX)
    if (more) cutShort()
    return versions.map(versionNode)
  }

  /** The runs of the versions that were trained on something. */
  async function runsOn(input: TrainingInput): Promise<string[]> {
    const { versions, more } = await ports.trainedOn(input, NODES_MAX)
    if (more) cutShort()
    const found = await Promise.all(versions.map(versionBy))
    return [...new Set(found.flatMap((version) => version?.build.runId ?? []))]
  }

  async function itself({ kind, id }: Known): Promise<LineageNode> {
    const [first, second] = splitOnce(id)
    switch (kind) {
      case 'version':
        return (await versionNodes(versionName(id)))[0] ?? bare(kind, id)
      case 'run':
        return (await attempt(async () => runNode(await ports.run(id)))) ?? bare(kind, id)
      case 'logged-model':
        return (
          (await attempt(async () => loggedModelNode(await ports.loggedModel(id)))) ??
          bare(kind, id)
        )
      case 'snapshot': {
        const record = await ports.snapshot(second)
        return record === undefined ? bare(kind, id) : snapshotNode({ ...record, dataset: first })
      }
      case 'feature-set':
        return featureSetNode({ name: first, version: second })
      case 'deployment': {
        const one = (await allDeployments()).find((each) => each.id === id)
        return one === undefined ? bare(kind, id) : deploymentNode(one)
      }
      case 'decision':
        return { kind, id, title: second, detail: `decided by ${first}` }
      default:
        return bare(kind, id)
    }
  }

  async function before(node: Known): Promise<LineageNode[]> {
    const [first, second] = splitOnce(node.id)
    switch (node.kind) {
      case 'decision': {
        const document = await ports.decidedBy(first, second)
        const own = (await allDeployments()).find((each) => each.document === document)
        return own === undefined ? [] : [deploymentNode(own)]
      }
      case 'deployment': {
        const own = (await allDeployments()).find(({ id }) => id === node.id)
        return own === undefined ? [] : versionNodes(own)
      }
      case 'version':
        return beforeVersion(node.id)
      case 'logged-model': {
        const model = await attempt(() => ports.loggedModel(node.id))
        return model?.sourceRunId === undefined ? [] : runNodes([model.sourceRunId])
      }
      case 'run':
        return beforeRun(node.id)
      case 'feature-set':
        return beforeFeatureSet(first, second)
      case 'snapshot': {
        const record = await ports.snapshot(second)
        return record?.origin.kind === 'file' ? [fileNode(record)] : []
      }
      case 'product': {
        const own = await product(node.id)
        return own === undefined ? [] : [pipelineRunNode(own.runId, own.pipeline)]
      }
      case 'pipeline-run':
        return beforePipelineRun(node.id)
      case 'file':
      case 'outside-data':
        return []
    }
  }

  async function after(node: Known): Promise<LineageNode[]> {
    const [first, second] = splitOnce(node.id)
    switch (node.kind) {
      case 'snapshot':
      case 'feature-set':
        return runNodes(await runsOn({ kind: node.kind, name: first, hash: second }))
      case 'run': {
        const run = await attempt(() => ports.run(node.id))
        const logged = await Promise.all(
          (run?.modelOutputs ?? []).map(({ modelId }) => attempt(() => ports.loggedModel(modelId))),
        )
        const registered = await versionsOf({ runId: node.id })
        return [
          ...logged.flatMap((model) => (model === undefined ? [] : [loggedModelNode(model)])),
          ...registered,
        ]
      }
      case 'logged-model':
        return versionsOf({ loggedModelId: node.id })
      case 'version': {
        const own = (await allDeployments()).filter((each) => versionId(each) === node.id)
        return own.map(deploymentNode)
      }
      case 'pipeline-run': {
        const steps = await ports.steps(node.id)
        if (steps.length === 0) return []
        const made = await ports.products(steps[0].pipeline)
        return made.filter(({ runId }) => runId === node.id).map(productNode)
      }
      case 'deployment':
      case 'decision':
      case 'file':
      case 'product':
      case 'outside-data':
        return []
    }
  }

  async function beforeVersion(id: string): Promise<LineageNode[]> {
    const version = await versionBy(versionName(id))
    if (version === undefined) return []
    const { loggedModelId } = version.brought ?? {}
    if (loggedModelId !== undefined) {
      const model = await attempt(() => ports.loggedModel(loggedModelId))
      if (model !== undefined) return [loggedModelNode(model)]
    }
    return version.build.runId === '' ? [] : runNodes([version.build.runId])
  }

  /** The data and feature sets that a run says it read, and the pipeline that it was a part of. */
  async function beforeRun(id: string): Promise<LineageNode[]> {
    const run = await attempt(() => ports.run(id))
    if (run === undefined) return []
    const outside = run.datasets.map(({ name, digest, sourceType }): LineageNode => ({
      kind: 'outside-data',
      id: `${name}/${digest}`,
      title: name,
      detail: `${sourceType}, digest ${digest}`,
    }))
    const pipelineRun = run.tags['pipeline_run']
    const part = pipelineRun === undefined ? [] : [pipelineRunNode(pipelineRun, 'pipeline run')]
    const { snapshots, featureSets } = await readBy(id)
    const sets = featureSets.map(featureSetNode)
    // Sources reach the run through feature sets, where one of them reads the source.
    const through = new Set(
      featureSets.flatMap(({ name, version }) => sourcesOf(declared(name, version))),
    )
    const direct = snapshots.filter(({ dataset }) => !through.has(dataset))
    return [...part, ...sets, ...(await snapshotNodes(direct)), ...outside]
  }

  /** What a run's report names; of a run without one, what the versions that it led to say. */
  async function readBy(runId: string): Promise<Pick<RunReport, 'snapshots' | 'featureSets'>> {
    const text = await ports.runFile(runId, 'report.json')
    const report = text === undefined ? undefined : (JSON.parse(text) as Partial<RunReport>)
    if (report?.snapshots !== undefined && report.featureSets !== undefined) {
      return { snapshots: report.snapshots, featureSets: report.featureSets }
    }
    const version = (await ports.versionsOf({ runId }, 1)).versions.at(0)
    const { snapshots = {}, featureSets = [] } = version?.build ?? {}
    return {
      snapshots: Object.entries(snapshots).map(([dataset, hash]) => ({ dataset, hash })),
      featureSets,
    }
  }

  /** The snapshots of its sources that runs read together with the set. */
  async function beforeFeatureSet(name: string, version: string): Promise<LineageNode[]> {
    const sources = new Set(sourcesOf(declared(name, version)))
    const runs = await runsOn({ kind: 'feature-set', name, hash: version })
    const read = await Promise.all(runs.map(readBy))
    const snapshots = read.flatMap((each) => each.snapshots)
    return snapshotNodes(snapshots.filter(({ dataset }) => sources.has(dataset)))
  }

  async function beforePipelineRun(id: string): Promise<LineageNode[]> {
    const steps = await ports.steps(id)
    const made = new Set(
      steps.flatMap(({ outputs }) => Object.values(outputs).map(({ digest }) => digest)),
    )
    const outside = steps.flatMap(({ inputs }) =>
      Object.values(inputs).filter(({ digest }) => !made.has(digest)),
    )
    return outside.map(({ kind, digest, source }): LineageNode => {
      const [, dataset] = /^data set (.+)$/.exec(source) ?? []
      if (dataset === undefined) return { kind: 'file', id: source, title: source, detail: digest }
      return { kind: 'snapshot', id: `${dataset}/${digest}`, title: dataset, detail: kind }
    })
  }

  function declared(name: string, version: string): CompiledFeatureSet | undefined {
    return ports.featureSets().find((set) => set.name === name && set.version === version)
  }

  async function snapshotNodes(
    parts: readonly { readonly dataset: string; readonly hash: string }[],
  ): Promise<LineageNode[]> {
    return Promise.all(
      parts.map(async ({ dataset, hash }) => {
        const record = await ports.snapshot(hash)
        if (record === undefined) return bare('snapshot', `${dataset}/${hash}`)
        return snapshotNode({ ...record, dataset })
      }),
    )
  }

  async function runNodes(ids: readonly string[]): Promise<LineageNode[]> {
    const runs = await Promise.all(
      [...new Set(ids)].map((id) => attempt(async () => runNode(await ports.run(id)))),
    )
    return runs.filter((node) => node !== undefined)
  }

  async function product(id: string): Promise<ProductVersion | undefined> {
    const [pipeline] = id.split('/')
    return (await ports.products(pipeline)).find((each) => productNode(each).id === id)
  }

  return { itself, before, after }
}

function sourcesOf(set: CompiledFeatureSet | undefined): string[] {
  if (set === undefined) return []
  return [set.source, ...(set.sources ?? []).map((side) => side.source)]
}

function splitOnce(id: string): [string, string] {
  const at = id.indexOf('/')
  return at < 0 ? [id, ''] : [id.slice(0, at), id.slice(at + 1)]
}

/** What is not there any more is left out; a defect is not. */
async function attempt<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read()
  } catch (error) {
    if (isAssayError(error) && error.status === 404) return undefined
    throw error
  }
}

function bare(kind: LineageKind, id: string): LineageNode {
  return { kind, id, title: id, detail: 'not kept here any more' }
}

function versionName(id: string): VersionName {
  const at = id.lastIndexOf('/')
  return { model: id.slice(0, at), version: Number(id.slice(at + 1)) }
}

function versionId({ model, version }: Pick<ModelVersion, 'model' | 'version'>): string {
  return `${model}/${version}`
}

function versionNode(version: ModelVersion): LineageNode {
  const id = versionId(version)
  return { kind: 'version', id, title: id.replace('/', ' '), detail: version.status }
}

function runNode({ id, name, status }: Run): LineageNode {
  return { kind: 'run', id, title: name, detail: status }
}

function loggedModelNode({ id, name, modelType }: LoggedModel): LineageNode {
  return { kind: 'logged-model', id, title: name, detail: modelType }
}

function snapshotNode({ dataset, hash, rows }: SnapshotRecord): LineageNode {
  const detail = `${rows.toLocaleString('en-US')} rows, ${hash.slice(0, 12)}`
  return { kind: 'snapshot', id: `${dataset}/${hash}`, title: dataset, detail }
}

function fileNode({ origin }: SnapshotRecord): LineageNode {
  return { kind: 'file', id: origin.name, title: origin.name, detail: 'ingested' }
}

function featureSetNode(set: { readonly name: string; readonly version: string }): LineageNode {
  const { name, version } = set
  const detail = `version ${version.slice(0, 12)}`
  return { kind: 'feature-set', id: `${name}/${version}`, title: name, detail }
}

function pipelineRunNode(id: string, pipeline: string): LineageNode {
  return { kind: 'pipeline-run', id, title: pipeline, detail: id }
}

function productNode({ pipeline, output, version, partition, kept }: ProductVersion): LineageNode {
  const title = partition === null ? output : `${output}, ${partition}`
  const rows = kept.rows === undefined ? '' : `, ${kept.rows.toLocaleString('en-US')} rows`
  const id = [pipeline, output, ...(partition === null ? [] : [partition]), version].join('/')
  return { kind: 'product', id, title, detail: `version ${version}${rows}` }
}

function deploymentNode({ id, policy, action, toUs }: Deployment): LineageNode {
  const state = toUs === undefined ? 'live' : 'ended'
  return { kind: 'deployment', id, title: policy, detail: `${action}, ${state}` }
}
