/**
 * The command line: its commands and options, how it prints, and the supervisor of `start`.
 *
 * What always holds: results go to standard output and everything about how it went to standard
 * error; every error says what to do; a command ends with one of `exitCodes`. What commands do is
 * wired in roles/, because it takes adapters.
 */
export type {
  BackupOptions,
  BackupVerifyOptions,
  RestoreOptions,
  UpgradeOptions,
} from './backup-command.ts'
export type { BacktestOptions } from './backtest-command.ts'
export type {
  ActionsListOptions,
  DecisionsExportOptions,
  DecisionsHoldOptions,
  DecisionsRetainOptions,
  RedriveOptions,
  ResendOptions,
  SetAsideListOptions,
} from './action-commands.ts'
export type { DataAct, DataOptions } from './data-command.ts'
export type { ExperimentsAct, ExperimentsOptions } from './experiments-command.ts'
export type { HousekeepingOptions } from './housekeeping-command.ts'
export type { EndpointAct, EndpointOptions } from './endpoint-commands.ts'
export type { LogsParseOptions } from './logs-command.ts'
export type { LogsVisitorsOptions } from './visitors-command.ts'
export type { ModelsAct, ModelsOptions } from './models-command.ts'
export type { NoveltySessionsOptions } from './novelty-command.ts'
export type { NoveltyPatternsOptions, NoveltyStreamOptions } from './novelty-stream-command.ts'
export type { ListsAct, PoliciesAct, PoliciesOptions } from './policies-command.ts'
export type { ScoreOptions } from './score-command.ts'
export type { ServeOptions } from './serve-command.ts'
export { exitCodes } from './exit-codes.ts'
export { rowsProgress, type RowsProgress } from './rows-progress.ts'
export {
  count,
  printError,
  printTable,
  processTerminal,
  type Style,
  type Terminal,
  type TextOutput,
} from './output.ts'
export {
  createProgram,
  runCommandLine,
  type Actions,
  type AuditVerifyOptions,
  type DecideOptions,
  type FeaturesAuditOptions,
  type FeaturesGraphsOptions,
  type FeaturesHistoryOptions,
  type FeaturesListOptions,
  type FeaturesMaterializeOptions,
  type HomeOptions,
  type IngestOptions,
  type InitOptions,
  type NewKeyOptions,
  type LearnOptions,
  type ReproduceOptions,
  type RunOptions,
  type StartOptions,
} from './program.ts'
export type {
  PipelinesAnswerOptions,
  PipelinesListOptions,
  PipelinesLockOptions,
  PipelinesLogsOptions,
  PipelinesReadOptions,
  PipelinesRunOptions,
  PipelinesRunsOptions,
  PipelinesStepOptions,
} from './pipelines-command.ts'
export {
  createStartLog,
  createStartScreen,
  homeHint,
  type StartOutcome,
  type StartScreen,
} from './start-screen.ts'
export { stageLines } from './stages.ts'
export {
  createSupervisor,
  roleChannel,
  type RoleMessage,
  type RoleName,
  type Supervisor,
  type SupervisorOptions,
} from './supervisor.ts'
