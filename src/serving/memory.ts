import type { Restorable } from '../lib/unit-of-work.ts'
import type { DeploymentStore } from './ports.ts'
import type { Deployment } from './types.ts'

/** The simplest right store: a list of immutable values that a failed transaction puts back. */
export function createMemoryDeploymentStore(): DeploymentStore & Restorable {
  let deployments: readonly Deployment[] = []
  return {
    save() {
      const saved = deployments
      return () => {
        deployments = saved
      }
    },
    async insert(deployment) {
      deployments = [...deployments, deployment]
    },
    async close(id, toUs) {
      deployments = deployments.map((d) => (d.id === id ? { ...d, toUs } : d))
    },
    deployment: async (id) => deployments.find((d) => d.id === id),
    current: async (policy) => deployments.find((d) => d.policy === policy && d.toUs === undefined),
    history: async (policy) =>
      deployments.filter((d) => policy === undefined || d.policy === policy).toReversed(),
    at: async (policy, atUs) =>
      deployments.findLast(
        (d) => d.policy === policy && d.fromUs <= atUs && (d.toUs === undefined || atUs < d.toUs),
      ),
  }
}
