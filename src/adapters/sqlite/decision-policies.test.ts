import { deployment } from '../../../test/small-bank.ts'
import { policyStoreCases } from '../../decisions/policy-store.cases.ts'
import { openForTest } from './temporary.cases.ts'

policyStoreCases('SQLite', async () => {
  const { decisionPolicies: store, unit } = openForTest()
  return { store, unit, document: deployment() }
})
