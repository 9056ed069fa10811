/**
 * Monitoring: live traffic against training. Drift of score and features, rates of outcomes, latency,
 * and precision and recall from labels that came home late.
 *
 * What always holds here: the reference is frozen with the version and never follows live traffic;
 * every rate carries its n and, where it is judged, its interval; a verdict is made here and nowhere
 * else; counting is additive, so a window is a sum and the journal can always be counted again.
 */
export {
  binCounts,
  binOf,
  decileEdges,
  psiEvidently,
  psiEvidentlyCategories,
  psiFrozenDeciles,
  psiOfCounts,
} from './distance.ts'
export { createDriftSink, driftOf, driftRowsMin, psiAlert, psiWarning } from './drift.ts'
export type { DriftFigures } from './drift.ts'
export { compareLive, compareShadow, trippedGuards } from './challengers.ts'
export type { ChallengerFigures, ComparedRate, SideFigures } from './challengers.ts'
export { createChallengerTests, type ChallengerTests } from './challenger-tests.ts'
export { createPairTests, TEST_ALPHA } from './pair-tests.ts'
export type { PairTests } from './pair-tests.ts'
export { createMemoryDriftCounts } from './memory.ts'
export { labelNote, performanceOf, performanceVerdict, shareOf } from './performance.ts'
export type { PerformanceFigures, Share } from './performance.ts'
export type { DriftCount, DriftCountStore } from './ports.ts'
export { freezeReference, referenceHash } from './reference.ts'
export type { ColumnReference, Figure, MonitoringReference, ReferenceInput } from './reference.ts'
export { moneyOf, monitoringReport, outcomeRates } from './report.ts'
export type {
  MoneyFigures,
  MonitoringReport,
  MonitoringRequest,
  MonitoringSources,
  OutcomeRate,
  PerformanceMetric,
  RateBucket,
} from './report.ts'
export { worst } from './verdict.ts'
export type { Verdict } from './verdict.ts'
