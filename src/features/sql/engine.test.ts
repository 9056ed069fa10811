import { createReplayEngine } from './engine.ts'
import { historyEngineCases } from './engine.cases.ts'

historyEngineCases('the replay', createReplayEngine())
