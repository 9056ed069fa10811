import { decisionIndexCases } from './index.cases.ts'
import { createMemoryIndex, createMemoryReadModel } from './memory.ts'
import { labelledCases } from './labelled.cases.ts'
import { readModelCases } from './read-model.cases.ts'
import { caseGroupCases } from './case-groups.cases.ts'

decisionIndexCases('in memory', async () => createMemoryIndex())
readModelCases('in memory', async () => createMemoryReadModel())
labelledCases('in memory', async () => createMemoryReadModel())
caseGroupCases('in memory', async () => createMemoryReadModel())
