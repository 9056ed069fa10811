/**
 * The data room owns contracts (what a source's rows and labels must be), the checks of every row
 * wherever it comes from, ingestion with its quarantine, snapshots and their profiles, the versions of
 * datasets with what people put on them, what differs between two, and how long they stay.
 *
 * What always holds here:
 * - A row is judged by one set of checks, whether it comes from a file, a generator or a request.
 * - A row is accepted or it is in quarantine, with its line, column, rule and value; none vanishes.
 * - A snapshot never changes and is named by the hash of its content; readers check the name.
 * - A dataset is a sequence of snapshots: corrections add a snapshot, they never edit one.
 * - Each ingestion and roll-back makes a version, named by its content; versions are never edited, and
 *   nothing removes what is current, tagged, on hold, or in use.
 * - Money is whole minor units, time is whole microseconds UTC, files are ordered by (event time, row).
 */
export type * from './contract.ts'
export * from './declarations.ts'
export { compileLabels, compileSource } from './compile.ts'
export { fail as dataErrors } from './errors.ts'
export { rules, type Failure, type Rule } from './failures.ts'
export { createCsvReader, csvField, fieldText, recordRaw, type CsvRecord } from './csv.ts'
export {
  columnPosition,
  createRowParser,
  timeliness,
  type ParsedRow,
  type Row,
  type RowParser,
} from './row-parser.ts'
export {
  createLabelParser,
  type Label,
  type LabelParser,
  type ParsedLabel,
} from './label-parser.ts'
export {
  columnOf,
  digestOf,
  labelsSchema,
  manifestHash,
  manifestOf,
  numbersOf,
  rowAt,
  sliceFrame,
  sourceSchema,
  textAt,
  type Frame,
  type FrameColumn,
  type FrameSchema,
  type FrameSchemaColumn,
  type FrameType,
  type SnapshotManifest,
  type TableFile,
} from './frame.ts'
export {
  profileFrame,
  type ColumnProfile,
  type DayCount,
  type HistogramBin,
  type Profile,
} from './profile.ts'
export type * from './ports.ts'
export { createMemoryCatalog, createMemoryQuarantine, createMemorySnapshots } from './memory.ts'
export {
  ingestFile,
  ingestLabelRecords,
  ingestLabels,
  ingestRecords,
  type IngestedSnapshot,
  type IngestFileRequest,
  type IngestLabelRecordsRequest,
  type IngestLabelsRequest,
  type IngestRecordsRequest,
  type IngestReport,
} from './ingest.ts'
export type { IngestPorts, IngestProgress, OnIngestProgress } from './ingestion-job.ts'
export {
  resubmit,
  dismiss,
  type Correction,
  type ResubmitPorts,
  type ResubmitReport,
} from './resubmit.ts'
export {
  readEntityFile,
  readEntityRecords,
  type EntityFileRequest,
  type EntityRecordsRequest,
  type EntityTable,
} from './entity-rows.ts'
export { readEventBlocks, type EventBlock, type RefusedEvent } from './event-blocks.ts'
export { labelsAsOf, readDataset, readParts, type Dataset } from './dataset.ts'
export {
  datasetHash,
  datasetManifest,
  isTag,
  parseVersionName,
  restored,
  versionOf,
  type DatasetManifest,
  type DatasetVersion,
  type VersionFacts,
  type VersionPart,
  type VersionRemoval,
} from './versions.ts'
export type * from './versions-store.ts'
export {
  createDataVersions,
  type DatasetHistory,
  type DatasetVersionDetail,
  type DataVersions,
  type DataVersionsDependencies,
} from './versions-service.ts'
export {
  cleanSnapshots,
  type CleaningReport,
  type CleaningVersions,
  type DataInUse,
} from './retention.ts'
export {
  cellText,
  comparedColumns,
  deciles,
  differencePlan,
  hasMean,
  hasPsi,
  hasQuantiles,
  quantilePlace,
  quantilesShown,
  shownCells,
  shownId,
  textBinsMax,
  type ColumnDifference,
  type ColumnFigures,
  type ContractColumn,
  type DatasetDifference,
  type DifferenceCell,
  type DifferenceEngine,
  type DifferencePlan,
  type DifferenceRequest,
  type DifferenceSide,
  type RowDifference,
} from './difference.ts'
export {
  compareVersions,
  presentVersion,
  type CompareVersions,
  type VersionDifference,
} from './versions-compare.ts'
export { partStarts, type Granularity } from './versions-parts.ts'
export { auditedStores } from './audited.ts'
export { inspectFile, readChunks, type FileFormat, type FileInput } from './inputs.ts'
export type { AcceptedEvent } from './conflicts.ts'
export type { RuleCount } from './quarantine.ts'
export {
  check,
  checkedColumns,
  mistakeInCheck,
  runChecks,
  type CheckEvidence,
  type CheckedTable,
  type TableCheck,
} from './checks.ts'
export type { CheckCell, ColumnSpread } from './column-spread.ts'
