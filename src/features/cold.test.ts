import { coldStoreCases } from './cold.cases.ts'
import { createMemoryColdStore } from './cold.ts'

coldStoreCases('memory', () => createMemoryColdStore())
