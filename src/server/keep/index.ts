// The doors of `keep`: page and API over the rooms it owns. Routes are thin, views make the answers
// and every verdict; the page shows them as they are.
export { createKeepApp, type KeepAppOptions } from './app.ts'
export type { LearningFile, LearningFiles, References, Rooms } from './rooms.ts'
export { onAir } from './bank.ts'
export { createDiskWatch } from '../disk.ts'
export type { Upload } from './handlers.ts'
export { csv, type ParquetWriter } from './export.ts'
export { experimentViews } from './views/experiments.ts'
export { placeOf } from './views/experiments-files.ts'
export type { ExperimentRooms } from './views/experiments-context.ts'
export { keepHandlers } from './views/index.ts'
export { sessionView } from './views/overview.ts'
