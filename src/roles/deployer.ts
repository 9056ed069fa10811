// From an approved version to the process that decides: the document is published as an immutable
// file, the deployment is recorded with its audit entry, and `decide` is told to switch.
import type { ChangeBy } from '../access/index.ts'
import { publishDeployment, type DecideRemote } from '../decisions/index.ts'
import { isAssayError } from '../lib/errors.ts'
import type { Remote } from '../lib/rpc.ts'
import { deploymentDocument } from '../pipelines/index.ts'
import type { CompiledProject } from '../projects/index.ts'
import type { Registry } from '../registry/index.ts'
import type { Deployment, Deployments } from '../serving/index.ts'
import { rolesErrors } from './errors.ts'

export interface Deployer {
  deployVersion(model: string, version: number, by: ChangeBy): Promise<void>
  rollBack(request: { policy: string; version?: number | undefined }, by: ChangeBy): Promise<void>
  /** Brings every namespace that decides to what is deployed; safe to call at any time. */
  reconcile(): Promise<void>
}

export interface DeployerPorts {
  /** Folder of published documents. */
  readonly directory: string
  readonly project: () => CompiledProject | undefined
  readonly registry: Pick<Registry, 'version' | 'modelJson'>
  readonly serving: Deployments
  readonly decide: Remote<DecideRemote>
  /** File of the base checkpoint for the features of a published document. */
  readonly baseOf: (document: string) => Promise<string>
}

export function createDeployer(ports: DeployerPorts): Deployer {
  const { directory, project, registry, serving, decide } = ports

  async function switchTo(deployment: Deployment): Promise<void> {
    for (const { namespace, base, policies } of await decide.namespaces()) {
      const current = policies.find(({ policy }) => policy === deployment.policy)
      if (base === null || current?.deployment === deployment.document) continue
      await switchNamespace(namespace, deployment)
    }
  }

  async function switchNamespace(namespace: string, deployment: Deployment): Promise<void> {
    const { policy, document, actorId: actor, reason } = deployment
    const request = { namespace, deployment: document, actor, reason }
    try {
      await decide.switchDeployment(request)
    } catch (error) {
      if (!isAssayError(error, 'state_missing')) throw error
      // Its features are new here: it starts from the state in which history ends for them.
      const path = await ports.baseOf(document)
      await decide.loadBase({ namespace, path, supersedes: [policy] })
      await decide.switchDeployment(request)
    }
  }

  return {
    async deployVersion(model, number, by) {
      const applied = project()
      if (applied === undefined) throw rolesErrors.project_missing('No project was applied yet.')
      const version = await registry.version(model, number)
      const document = deploymentDocument(applied, version, await registry.modelJson(model, number))
      const deployment = await serving.deploy(
        {
          policy: document.policy.name,
          policyHash: document.policy.version,
          document: await publishDeployment(directory, document),
          model,
          version: number,
        },
        by,
      )
      await switchTo(deployment)
    },
    async rollBack(request, by) {
      await switchTo(await serving.rollback(request, by))
    },
    async reconcile() {
      const history = await serving.history()
      for (const deployment of history.filter(({ toUs }) => toUs === undefined)) {
        try {
          await switchTo(deployment)
        } catch (error) {
          // `decide` is restarting; the next look finds it again.
          if (!isAssayError(error, 'peer_unavailable')) throw error
        }
      }
    },
  }
}
