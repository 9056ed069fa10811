/** What is asked about decisions and cases, in the test of all operations. */
import type { OperationName } from '../../src/server/contract/index.ts'
import type { Request } from './client.ts'

export function requestsOfDecisions(
  caseId: string,
  decision: { readonly policy: string; readonly eventId: string },
): Partial<Record<OperationName, readonly Request[]>> {
  return {
    decisionExplanation: [{ params: decision }],
    policy: [{ params: { policy: decision.policy } }],
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
