import { deployment } from '../../test/small-bank.ts'
import { createMemoryUnitOfWork } from '../lib/unit-of-work.ts'
import { createMemoryPolicyStore } from './policy-memory.ts'
import { policyStoreCases } from './policy-store.cases.ts'

policyStoreCases('the memory', async () => {
  const store = createMemoryPolicyStore()
  return { store, unit: createMemoryUnitOfWork([store]), document: deployment() }
})
