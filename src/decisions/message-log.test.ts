import { createMemoryLog } from './message-log.ts'
import { messageLogCases } from './message-log.cases.ts'

messageLogCases('the memory', async (partitions) => createMemoryLog(partitions))
