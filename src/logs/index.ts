/**
 * logs: from raw lines to the statements that wrote them, and to the visitors behind them. Parsers of
 * messages with stable templates, sources and headers of lines, and unique visitors counted by sketches.
 *
 * What always holds: memory is bounded, whatever comes in; a line is parsed, joined to the one that it
 * continues, or rejected with its reason, and all three are counted; the same template has the same id
 * in every file and after every restart; what is estimated carries its documented error.
 */
export { CONTENT, parseHeaderFormat, type HeaderFormat } from './parsing/header.ts'
export { createBrook, type BrookSettings } from './parsing/brook.ts'
export { createDrain, type DrainSettings } from './parsing/drain.ts'
export { groupingAccuracy } from './parsing/grouping.ts'
export type { ParameterType } from './parsing/parameters.ts'
export {
  groupNow,
  VARIABLE,
  type LogGroup,
  type LogParser,
  type ParserName,
} from './parsing/parser.ts'
export { parseLog, type ParsedLine, type ParseLogSummary } from './parsing/parse-log.ts'
export { createParsedCsv, rejectedHead, rejectedRow, templatesCsv } from './parsing/parsed-csv.ts'
export { parseDrainSettings } from './parsing/settings.ts'
export {
  createTemplates,
  restoreTemplates,
  type Parameter,
  type ParserChoice,
  type Template,
  type TemplateEvent,
  type Templates,
} from './parsing/templates.ts'
export { fail as logErrors } from './errors.ts'
export { encodings, type Encoding, LineSplitter, type LineOptions } from './sources/lines.ts'
export { fileSource, type FileSourceOptions } from './sources/files.ts'
export { streamSource } from './sources/streams.ts'
export {
  memorySource,
  type LineFlaw,
  type LogBatch,
  type LogSource,
  type SourceNotice,
  type SourcePlace,
} from './sources/port.ts'
export { declaredFormat, lineFormats, type LogFormat, type LogRecord } from './sources/formats.ts'
export { RecordReader, type RecordOptions, SAMPLE_LINES } from './sources/records.ts'
export { hash53 } from './visitors/hashes.ts'
export { VisitorRun, type VisitorRunCounts, type VisitorRunOptions } from './visitors/run.ts'
export type { Visit } from './visitors/slot.ts'
export { keepVisitors, keptVisitors, type KeptVisitors } from './visitors/state.ts'
export { VisitorStream } from './visitors/stream.ts'
export type { Breakdown, Count, KeyCount, VisitorOptions, VisitorResult } from './visitors/types.ts'
export {
  compileLogStream,
  logStream,
  type CompiledLogStream,
  type LogStreamDeclaration,
  type LogStreamOptions,
  type PlayedLine,
} from './streams/declaration.ts'
export {
  createLogStreams,
  type LogStreams,
  type LogStreamView,
  type PlayingProject,
  type RunningLogStreams,
} from './streams/streams.ts'
