// What came from what, both ways, for any object of the page.
import { isAssayError } from '../../../lib/errors.ts'
import { keyOf, lineage, type LineageNode, type LineagePorts } from '../../../pipelines/index.ts'
import type { ObjectRef } from '../../contract/index.ts'
import { onAir } from '../bank.ts'
import type { Handlers } from '../handlers.ts'
import { ref } from '../present.ts'
import type { Rooms } from '../rooms.ts'

const PRODUCTS_MAX = 500

export function lineageViews(rooms: Rooms): Pick<Handlers, 'lineage'> {
  return {
    async lineage({ query }) {
      const { kind, id, direction = 'both' } = query
      const { nodes, edges, cut } = await lineage({ kind, id }, direction, portsOf(rooms))
      return {
        nodes: nodes.map((node) => ({
          key: keyOf(node),
          kind: node.kind,
          title: node.title,
          detail: node.detail,
          target: targetOf(node),
        })),
        edges: [...edges],
        cut,
      }
    },
  }
}

function portsOf(rooms: Rooms): LineagePorts {
  return {
    run: (id) => rooms.tracking.run(id),
    async runFile(runId, name) {
      try {
        return new TextDecoder().decode((await rooms.tracking.artifact(runId, name)).bytes)
      } catch (error) {
        if (isAssayError(error, 'artifact_not_found', 'run_not_found')) return undefined
        throw error
      }
    },
    loggedModel: (id) => rooms.tracking.loggedModel(id),
    version: (model, number) => rooms.registry.version(model, number),
    async versionsOf(source, limit) {
      const [name, value] = Object.entries(source)[0] as ['runId' | 'loggedModelId', string]
      const { versions, next } = await rooms.registry.searchVersions({
        filter: { field: { of: 'attribute', name }, op: '=', value },
        prompts: 'with',
        order: [],
        limit,
      })
      return { versions: versions.map(({ version }) => version), more: next !== undefined }
    },
    trainedOn: (input, most) => rooms.registry.trainedOn(input, most),
    deployments: () => rooms.serving.history(),
    snapshot: (hash) => rooms.catalog.snapshot(hash),
    featureSets: () => rooms.project()?.featureSets ?? [],
    steps: (pipelineRunId) => rooms.pipelineEngine.steps(pipelineRunId),
    products: (pipeline) => rooms.pipelineEngine.products(pipeline, PRODUCTS_MAX),
    async decidedBy(policy, eventId) {
      const { namespace } = await onAir(rooms)
      return (await rooms.decisions.get(namespace, policy, eventId))?.deployment
    },
  }
}

/** Where a thing can be looked at; null for what has no screen. */
function targetOf({ kind, id, title }: LineageNode): ObjectRef | null {
  const [first] = id.split('/')
  switch (kind) {
    case 'snapshot':
    case 'feature-set':
    case 'run':
    case 'version':
    case 'decision':
      return ref(kind, kind === 'feature-set' ? first : id, title)
    case 'pipeline-run':
      return ref('pipeline', id, title)
    case 'product':
      return ref('screen', `/pipelines?pipeline=${encodeURIComponent(first)}`, title)
    case 'deployment':
      return ref('policy', title, title)
    case 'file':
    case 'outside-data':
    case 'logged-model':
      return null
  }
}
