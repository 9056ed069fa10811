/** What is asked about decisions and cases, in the test of all operations. */
import type { OperationName } from '../../src/server/contract/index.ts'
import type { Client, Request } from './client.ts'
import { eventually } from './server.ts'

/** The id of the first case; alerts become cases a moment after their decisions. */
export function firstCase(client: Client): Promise<string> {
  return eventually('an alert is a case', async () => {
    const { items } = await client.ask('cases')
    return (items[0] as { id: string } | undefined)?.id
  })
}

export function requestsOfDecisions(
  caseId: string,
  decision: { readonly policy: string; readonly eventId: string },
): Partial<Record<OperationName, readonly Request[]>> {
  return {
    decisionExplanation: [{ params: decision }],
    policy: [{ params: { policy: decision.policy } }],
    comparisons: [{}, { query: { policy: decision.policy, name: 'v2' } }],
    cases: [
      { query: { status: 'all', order: 'newest' } },
      { query: { status: 'closed' } },
      { query: { assignee: 'me', overdue: 'yes', waiting: 'yes', order: 'due' } },
    ],
    case: [{ params: { caseId } }],
    caseEvidence: [{ params: { caseId } }],
    calls: [{ query: { amount: '9.00' } }, { query: { value: '596', outcome: 'all' } }],
    allowLists: [{ params: decision }],
  }
}
