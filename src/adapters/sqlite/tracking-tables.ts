import type {
  DatasetInput,
  LoggedModel,
  LoggedModelStatus,
  RunStatus,
} from '../../tracking/index.ts'
import type { RoomMigrations } from './migrations.ts'

const namedTables = [
  ['metric', 'tracking_series'],
  ['param', 'tracking_params'],
  ['tag', 'tracking_tags'],
] as const

/** Of version 2: which names occur in an experiment, and in how many runs, kept by triggers. */
const namesSql = `
        CREATE TABLE tracking_names (
          experimentId TEXT NOT NULL, part TEXT NOT NULL, name TEXT NOT NULL,
          runs INTEGER NOT NULL, PRIMARY KEY (experimentId, part, name)) STRICT, WITHOUT ROWID;
${namedTables
  .map(
    ([part, table]) => `
        INSERT INTO tracking_names
          SELECT r.experimentId, '${part}', p.name, count(*)
          FROM ${table} AS p JOIN tracking_runs AS r ON r.key = p.runKey GROUP BY 1, 3;
        CREATE TRIGGER ${table}_named AFTER INSERT ON ${table} BEGIN
          INSERT INTO tracking_names
            SELECT experimentId, '${part}', NEW.name, 1 FROM tracking_runs WHERE key = NEW.runKey
            ON CONFLICT DO UPDATE SET runs = runs + 1;
        END;
        CREATE TRIGGER ${table}_unnamed AFTER DELETE ON ${table} BEGIN
          UPDATE tracking_names SET runs = runs - 1 WHERE part = '${part}' AND name = OLD.name
            AND experimentId = (SELECT experimentId FROM tracking_runs WHERE key = OLD.runKey);
        END;`,
  )
  .join('')}`

export const trackingMigrations: RoomMigrations = {
  room: 'tracking',
  migrations: [
    {
      version: 1,
      // The latest value of each metric is kept beside the history, so that a list of runs never
      // reads histories.
      sql: `
        CREATE TABLE tracking_experiments (
          id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, createdAtUs INTEGER NOT NULL,
          createdBy TEXT NOT NULL) STRICT;
        CREATE TABLE tracking_runs (
          id TEXT PRIMARY KEY, experimentId TEXT NOT NULL REFERENCES tracking_experiments (id),
          name TEXT NOT NULL, status TEXT NOT NULL, startedAtUs INTEGER NOT NULL,
          endedAtUs INTEGER, startedBy TEXT NOT NULL) STRICT;
        CREATE INDEX tracking_runs_newest ON tracking_runs (startedAtUs DESC, id DESC);
        CREATE INDEX tracking_runs_by_experiment
          ON tracking_runs (experimentId, startedAtUs DESC, id DESC);
        CREATE TABLE tracking_params (
          runId TEXT NOT NULL REFERENCES tracking_runs (id), name TEXT NOT NULL,
          value TEXT NOT NULL, PRIMARY KEY (runId, name)) STRICT, WITHOUT ROWID;
        CREATE TABLE tracking_tags (
          runId TEXT NOT NULL REFERENCES tracking_runs (id), name TEXT NOT NULL,
          value TEXT NOT NULL, PRIMARY KEY (runId, name)) STRICT, WITHOUT ROWID;
        CREATE TABLE tracking_metrics (
          sequence INTEGER PRIMARY KEY, runId TEXT NOT NULL REFERENCES tracking_runs (id),
          name TEXT NOT NULL, value REAL NOT NULL, low REAL, high REAL, n REAL,
          step INTEGER NOT NULL, atUs INTEGER NOT NULL) STRICT;
        CREATE INDEX tracking_metrics_history
          ON tracking_metrics (runId, name, step, atUs, sequence);
        CREATE TABLE tracking_metrics_latest (
          runId TEXT NOT NULL REFERENCES tracking_runs (id), name TEXT NOT NULL,
          value REAL NOT NULL, low REAL, high REAL, n REAL, step INTEGER NOT NULL,
          atUs INTEGER NOT NULL, PRIMARY KEY (runId, name)) STRICT, WITHOUT ROWID;
        CREATE TABLE tracking_artifacts (
          runId TEXT NOT NULL REFERENCES tracking_runs (id), name TEXT NOT NULL,
          contentType TEXT NOT NULL, sha256 TEXT NOT NULL, size INTEGER NOT NULL,
          PRIMARY KEY (runId, name)) STRICT, WITHOUT ROWID;`,
    },
    {
      version: 2,
      // Runs have whole-number keys, which the other tables carry instead of the id. A metric of a
      // run is a series: one row with its latest value, under which the history lies in order.
      // NULL stands for NaN, which SQLite does not keep. Params are kept as the text that searches
      // compare. wentAlong: deleted with its experiment, to be restored with it. tracking_names
      // counts runs by name, because counting a million rows takes seconds. The tables are made
      // anew beside the old ones, which go children first.
      sql: `
        ALTER TABLE tracking_experiments ADD COLUMN updatedAtUs INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE tracking_experiments ADD COLUMN deletedAtUs INTEGER;
        ALTER TABLE tracking_experiments ADD COLUMN artifactLocation TEXT;
        UPDATE tracking_experiments SET updatedAtUs = createdAtUs;
        CREATE TABLE tracking_experiment_tags (
          experimentId TEXT NOT NULL REFERENCES tracking_experiments (id), name TEXT NOT NULL,
          value TEXT NOT NULL, PRIMARY KEY (experimentId, name)) STRICT, WITHOUT ROWID;

        CREATE TABLE tracking_runs_2 (
          key INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,
          experimentId TEXT NOT NULL REFERENCES tracking_experiments (id), name TEXT NOT NULL,
          status TEXT NOT NULL, startedAtUs INTEGER NOT NULL, endedAtUs INTEGER,
          startedBy TEXT NOT NULL, updatedAtUs INTEGER NOT NULL, deletedAtUs INTEGER,
          wentAlong INTEGER NOT NULL DEFAULT 0) STRICT;
        INSERT INTO tracking_runs_2
          SELECT NULL, id, experimentId, name, status, startedAtUs, endedAtUs, startedBy,
            coalesce(endedAtUs, startedAtUs), NULL, 0
          FROM tracking_runs ORDER BY startedAtUs, id;

        CREATE TABLE tracking_params_2 (
          runKey INTEGER NOT NULL REFERENCES tracking_runs_2 (key), name TEXT NOT NULL,
          value TEXT NOT NULL, kind TEXT NOT NULL, PRIMARY KEY (runKey, name)
        ) STRICT, WITHOUT ROWID;
        INSERT INTO tracking_params_2
          SELECT r.key, p.name,
            CASE json_type(p.value) WHEN 'text' THEN json_extract(p.value, '$') ELSE p.value END,
            CASE json_type(p.value) WHEN 'text' THEN 'string' WHEN 'true' THEN 'boolean'
              WHEN 'false' THEN 'boolean' ELSE 'number' END
          FROM tracking_params AS p JOIN tracking_runs_2 AS r ON r.id = p.runId;

        CREATE TABLE tracking_tags_2 (
          runKey INTEGER NOT NULL REFERENCES tracking_runs_2 (key), name TEXT NOT NULL,
          value TEXT NOT NULL, PRIMARY KEY (runKey, name)) STRICT, WITHOUT ROWID;
        INSERT INTO tracking_tags_2
          SELECT r.key, t.name, t.value
          FROM tracking_tags AS t JOIN tracking_runs_2 AS r ON r.id = t.runId;

        CREATE TABLE tracking_series (
          key INTEGER PRIMARY KEY, runKey INTEGER NOT NULL REFERENCES tracking_runs_2 (key),
          name TEXT NOT NULL, value REAL, low REAL, high REAL, n REAL, step INTEGER NOT NULL,
          atUs INTEGER NOT NULL, modelId TEXT, datasetName TEXT, datasetDigest TEXT,
          count INTEGER NOT NULL, UNIQUE (runKey, name)) STRICT;
        INSERT INTO tracking_series
          SELECT NULL, r.key, m.name, m.value, m.low, m.high, m.n, m.step, m.atUs, NULL, NULL, NULL,
            (SELECT count(*) FROM tracking_metrics AS h WHERE h.runId = m.runId AND h.name = m.name)
          FROM tracking_metrics_latest AS m JOIN tracking_runs_2 AS r ON r.id = m.runId;
        CREATE TABLE tracking_history (
          series INTEGER NOT NULL REFERENCES tracking_series (key), step INTEGER NOT NULL,
          atUs INTEGER NOT NULL, number INTEGER NOT NULL, value REAL, low REAL, high REAL, n REAL,
          modelId TEXT, datasetName TEXT, datasetDigest TEXT,
          PRIMARY KEY (series, step, atUs, number)) STRICT, WITHOUT ROWID;
        INSERT INTO tracking_history
          SELECT s.key, m.step, m.atUs,
            row_number() OVER (PARTITION BY s.key ORDER BY m.sequence) - 1,
            m.value, m.low, m.high, m.n, NULL, NULL, NULL
          FROM tracking_metrics AS m JOIN tracking_runs_2 AS r ON r.id = m.runId
            JOIN tracking_series AS s ON s.runKey = r.key AND s.name = m.name;

        CREATE TABLE tracking_artifacts_2 (
          runId TEXT NOT NULL REFERENCES tracking_runs_2 (id), name TEXT NOT NULL,
          contentType TEXT NOT NULL, sha256 TEXT NOT NULL, size INTEGER NOT NULL,
          PRIMARY KEY (runId, name)) STRICT, WITHOUT ROWID;
        INSERT INTO tracking_artifacts_2 SELECT * FROM tracking_artifacts;

        DROP TABLE tracking_params;
        DROP TABLE tracking_tags;
        DROP TABLE tracking_metrics;
        DROP TABLE tracking_metrics_latest;
        DROP TABLE tracking_artifacts;
        DROP TABLE tracking_runs;
        ALTER TABLE tracking_runs_2 RENAME TO tracking_runs;
        ALTER TABLE tracking_params_2 RENAME TO tracking_params;
        ALTER TABLE tracking_tags_2 RENAME TO tracking_tags;
        ALTER TABLE tracking_artifacts_2 RENAME TO tracking_artifacts;

        CREATE INDEX tracking_runs_newest ON tracking_runs (startedAtUs DESC, id);
        CREATE INDEX tracking_runs_by_experiment
          ON tracking_runs (experimentId, startedAtUs DESC, id);
        CREATE INDEX tracking_runs_deleted ON tracking_runs (deletedAtUs)
          WHERE deletedAtUs IS NOT NULL;
        CREATE INDEX tracking_params_by_value ON tracking_params (name, value);
        CREATE INDEX tracking_tags_by_value ON tracking_tags (name, value);
        CREATE INDEX tracking_series_by_value ON tracking_series (name, value, runKey);
        CREATE INDEX tracking_artifacts_by_content ON tracking_artifacts (sha256);
${namesSql}

        CREATE TABLE tracking_datasets (
          key INTEGER PRIMARY KEY,
          experimentId TEXT NOT NULL REFERENCES tracking_experiments (id), name TEXT NOT NULL,
          digest TEXT NOT NULL, sourceType TEXT NOT NULL, source TEXT NOT NULL, schema TEXT,
          profile TEXT, UNIQUE (experimentId, name, digest)) STRICT;
        CREATE TABLE tracking_readings (
          runKey INTEGER NOT NULL REFERENCES tracking_runs (key),
          datasetKey INTEGER NOT NULL REFERENCES tracking_datasets (key), tags TEXT NOT NULL,
          context TEXT, PRIMARY KEY (runKey, datasetKey)) STRICT, WITHOUT ROWID;
        CREATE INDEX tracking_readings_by_dataset ON tracking_readings (datasetKey, context);
        CREATE TABLE tracking_model_inputs (
          runKey INTEGER NOT NULL REFERENCES tracking_runs (key), modelId TEXT NOT NULL,
          PRIMARY KEY (runKey, modelId)) STRICT, WITHOUT ROWID;
        CREATE TABLE tracking_model_outputs (
          runKey INTEGER NOT NULL REFERENCES tracking_runs (key), modelId TEXT NOT NULL,
          step INTEGER NOT NULL, PRIMARY KEY (runKey, modelId)) STRICT, WITHOUT ROWID;

        CREATE TABLE tracking_models (
          key INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,
          experimentId TEXT NOT NULL REFERENCES tracking_experiments (id), name TEXT NOT NULL,
          modelType TEXT NOT NULL, sourceRunId TEXT, status TEXT NOT NULL, statusMessage TEXT,
          createdAtUs INTEGER NOT NULL, updatedAtUs INTEGER NOT NULL, createdBy TEXT NOT NULL,
          deletedAtUs INTEGER, wentAlong INTEGER NOT NULL DEFAULT 0) STRICT;
        CREATE INDEX tracking_models_by_experiment
          ON tracking_models (experimentId, createdAtUs DESC, id);
        CREATE TABLE tracking_model_params (
          modelKey INTEGER NOT NULL REFERENCES tracking_models (key), name TEXT NOT NULL,
          value TEXT NOT NULL, PRIMARY KEY (modelKey, name)) STRICT, WITHOUT ROWID;
        CREATE TABLE tracking_model_tags (
          modelKey INTEGER NOT NULL REFERENCES tracking_models (key), name TEXT NOT NULL,
          value TEXT NOT NULL, PRIMARY KEY (modelKey, name)) STRICT, WITHOUT ROWID;
        CREATE TABLE tracking_model_metrics (
          modelKey INTEGER NOT NULL REFERENCES tracking_models (key), name TEXT NOT NULL,
          datasetName TEXT NOT NULL, datasetDigest TEXT NOT NULL, value REAL, low REAL, high REAL,
          n REAL, step INTEGER NOT NULL, atUs INTEGER NOT NULL, runId TEXT NOT NULL,
          PRIMARY KEY (modelKey, name, datasetName, datasetDigest)) STRICT, WITHOUT ROWID;
        CREATE INDEX tracking_model_metrics_by_value ON tracking_model_metrics (name, value);`,
    },
  ],
}

export interface ExperimentRow {
  id: string
  name: string
  createdAtUs: number
  createdBy: string
  updatedAtUs: number
  deletedAtUs: number | null
  artifactLocation: string | null
}

export interface RunRow {
  id: string
  experimentId: string
  name: string
  status: RunStatus
  startedAtUs: number
  endedAtUs: number | null
  startedBy: string
  updatedAtUs: number
  deletedAtUs: number | null
}

export interface LoggedModelRow extends Pick<
  LoggedModel,
  'id' | 'experimentId' | 'name' | 'modelType' | 'createdAtUs' | 'updatedAtUs' | 'createdBy'
> {
  sourceRunId: string | null
  status: LoggedModelStatus
  statusMessage: string | null
  deletedAtUs: number | null
}

/** A measured value; NULL stands for NaN. */
export interface ValueRow {
  value: number | null
  low: number | null
  high: number | null
  n: number | null
  step: number
  atUs: number
  modelId: string | null
  datasetName: string | null
  datasetDigest: string | null
}

export interface TrackingTables {
  tracking_experiments: ExperimentRow
  tracking_experiment_tags: { experimentId: string; name: string; value: string }
  tracking_runs: RunRow & { key: number | undefined; wentAlong: number | undefined }
  tracking_params: { runKey: number; name: string; value: string; kind: string }
  tracking_tags: { runKey: number; name: string; value: string }
  tracking_series: ValueRow & { key: number; runKey: number; name: string; count: number }
  tracking_history: ValueRow & { series: number; number: number }
  tracking_artifacts: {
    runId: string
    name: string
    contentType: string
    sha256: string
    size: number
  }
  tracking_datasets: Pick<DatasetInput, 'name' | 'digest' | 'sourceType' | 'source'> & {
    key: number | undefined
    experimentId: string
    schema: string | null
    profile: string | null
  }
  tracking_readings: { runKey: number; datasetKey: number; tags: string; context: string | null }
  tracking_model_inputs: { runKey: number; modelId: string }
  tracking_model_outputs: { runKey: number; modelId: string; step: number }
  tracking_models: LoggedModelRow & { key: number | undefined; wentAlong: number | undefined }
  tracking_model_params: { modelKey: number; name: string; value: string }
  tracking_model_tags: { modelKey: number; name: string; value: string }
  tracking_model_metrics: Omit<ValueRow, 'modelId' | 'datasetName' | 'datasetDigest'> & {
    modelKey: number
    name: string
    datasetName: string
    datasetDigest: string
    runId: string
  }
}
