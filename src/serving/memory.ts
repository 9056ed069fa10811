import type { Restorable } from '../lib/unit-of-work.ts'
import type { DeploymentStore } from './ports.ts'
import type { Deployment, Proposal, Suspension } from './types.ts'

/** The simplest right store: a list of immutable values that a failed transaction puts back. */
export function createMemoryDeploymentStore(): DeploymentStore & Restorable {
  let deployments: readonly Deployment[] = []
  let proposals: readonly Proposal[] = []
  let suspensions: readonly Suspension[] = []
  return {
    save() {
      const saved = [deployments, proposals, suspensions] as const
      return () => {
        ;[deployments, proposals, suspensions] = saved
      }
    },
    async insert(deployment) {
      deployments = [...deployments, deployment]
    },
    async close(id, toUs) {
      deployments = deployments.map((d) => (d.id === id ? { ...d, toUs } : d))
    },
    current: async (policy) => deployments.find((d) => d.policy === policy && d.toUs === undefined),
    history: async (policy) =>
      deployments.filter((d) => policy === undefined || d.policy === policy).toReversed(),
    at: async (policy, atUs) =>
      deployments.findLast(
        (d) => d.policy === policy && d.fromUs <= atUs && (d.toUs === undefined || atUs < d.toUs),
      ),

    async putProposal(proposal) {
      const index = proposals.findIndex(({ id }) => id === proposal.id)
      proposals = index < 0 ? [...proposals, proposal] : proposals.with(index, proposal)
    },
    proposal: async (id) => proposals.find((each) => each.id === id),
    proposals: async (policy, limit) =>
      proposals
        .filter((each) => each.policy === policy)
        .toReversed()
        .slice(0, limit),
    async putSuspension(suspension) {
      suspensions = [...suspensions.filter((s) => s.policy !== suspension.policy), suspension]
    },
    suspensions: async () => [...suspensions],
  }
}
