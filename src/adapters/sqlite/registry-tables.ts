// The tables of the registry: how they came about, and their rows.
import type { TrainingInput } from '../../registry/index.ts'
import type { RoomMigrations } from './migrations.ts'

export const registryMigrations: RoomMigrations = {
  room: 'registry',
  migrations: [
    {
      version: 1,
      // The record is immutable and kept whole, as what its hash is of; only the status moves.
      sql: `
        CREATE TABLE registry_models (
          name TEXT PRIMARY KEY, project TEXT NOT NULL, createdAtUs INTEGER NOT NULL,
          createdBy TEXT NOT NULL) STRICT;
        CREATE TABLE registry_versions (
          model TEXT NOT NULL REFERENCES registry_models (name), version INTEGER NOT NULL,
          hash TEXT NOT NULL, record TEXT NOT NULL, status TEXT NOT NULL,
          statusReason TEXT NOT NULL, PRIMARY KEY (model, version)) STRICT;
        CREATE INDEX registry_versions_by_hash ON registry_versions (hash);
        CREATE TABLE registry_aliases (
          model TEXT NOT NULL REFERENCES registry_models (name), alias TEXT NOT NULL,
          version INTEGER NOT NULL, PRIMARY KEY (model, alias)) STRICT, WITHOUT ROWID;
        CREATE TABLE registry_live_periods (
          sequence INTEGER PRIMARY KEY, model TEXT NOT NULL, version INTEGER NOT NULL,
          policy TEXT NOT NULL, fromUs INTEGER NOT NULL, toUs INTEGER, startedBy TEXT NOT NULL,
          endedBy TEXT, FOREIGN KEY (model, version) REFERENCES registry_versions (model, version)
        ) STRICT;
        CREATE UNIQUE INDEX registry_one_live
          ON registry_live_periods (model, policy) WHERE toUs IS NULL;`,
    },
    {
      version: 2,
      // Labels stand beside the record, which stays as it was hashed: after a renaming "model" of
      // the row is the present name, that of the record the one it was registered under. Whether a
      // version from before was ever approved is not known here, so none of them is ever removed.
      // Names outlive their models, so that no number is given twice.
      sql: `
        ALTER TABLE registry_models ADD COLUMN description TEXT;
        ALTER TABLE registry_models ADD COLUMN updatedAtUs INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE registry_models ADD COLUMN deletedAtUs INTEGER;
        UPDATE registry_models SET updatedAtUs = createdAtUs;
        CREATE TABLE registry_model_tags (
          model TEXT NOT NULL REFERENCES registry_models (name), key TEXT NOT NULL,
          value TEXT NOT NULL, PRIMARY KEY (model, key)) STRICT, WITHOUT ROWID;

        ALTER TABLE registry_versions ADD COLUMN description TEXT;
        ALTER TABLE registry_versions ADD COLUMN stage TEXT NOT NULL DEFAULT 'none';
        ALTER TABLE registry_versions ADD COLUMN updatedAtUs INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE registry_versions ADD COLUMN deletedAtUs INTEGER;
        ALTER TABLE registry_versions ADD COLUMN wasApproved INTEGER NOT NULL DEFAULT 1;
        ALTER TABLE registry_versions ADD COLUMN registeredAtUs INTEGER
          GENERATED ALWAYS AS (json_extract(record, '$.registeredAtUs')) VIRTUAL;
        ALTER TABLE registry_versions ADD COLUMN runId TEXT
          GENERATED ALWAYS AS (json_extract(record, '$.build.runId')) VIRTUAL;
        ALTER TABLE registry_versions ADD COLUMN source TEXT
          GENERATED ALWAYS AS (json_extract(record, '$.brought.source')) VIRTUAL;
        ALTER TABLE registry_versions ADD COLUMN loggedModelId TEXT
          GENERATED ALWAYS AS (json_extract(record, '$.brought.loggedModelId')) VIRTUAL;
        UPDATE registry_versions SET updatedAtUs = registeredAtUs;
        CREATE INDEX registry_versions_by_run ON registry_versions (runId);
        CREATE INDEX registry_versions_by_logged_model ON registry_versions (loggedModelId);
        CREATE INDEX registry_versions_by_update ON registry_versions (updatedAtUs);
        CREATE TABLE registry_version_tags (
          model TEXT NOT NULL, version INTEGER NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,
          PRIMARY KEY (model, version, key),
          FOREIGN KEY (model, version) REFERENCES registry_versions (model, version)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE registry_names (
          name TEXT PRIMARY KEY, now TEXT NOT NULL, lastVersion INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        INSERT INTO registry_names SELECT name, name, coalesce(
          (SELECT max(version) FROM registry_versions WHERE model = name), 0) FROM registry_models;

        CREATE TABLE registry_alias_periods (
          sequence INTEGER PRIMARY KEY, model TEXT NOT NULL, alias TEXT NOT NULL,
          version INTEGER NOT NULL, fromUs INTEGER NOT NULL, setBy TEXT NOT NULL,
          reason TEXT NOT NULL, toUs INTEGER, endedBy TEXT) STRICT;
        CREATE UNIQUE INDEX registry_one_alias
          ON registry_alias_periods (model, alias) WHERE toUs IS NULL;
        INSERT INTO registry_alias_periods (model, alias, version, fromUs, setBy, reason)
          SELECT model, alias, version, 0, 'system', 'Set before the history of aliases was kept'
          FROM registry_aliases;
        DROP TABLE registry_aliases;`,
    },
    {
      version: 3,
      // What lists and counts look at without reading the records, which are long. The inputs follow
      // the versions by themselves: they come with a record, move with its model and go with it.
      sql: `
        ALTER TABLE registry_versions ADD COLUMN declaration TEXT NOT NULL DEFAULT '';
        UPDATE registry_versions SET declaration = json_extract(record, '$.build.declaration');
        CREATE INDEX registry_versions_named
          ON registry_versions (model, version DESC, stage, status, hash, declaration, deletedAtUs)
          WHERE deletedAtUs IS NULL;
        CREATE INDEX registry_versions_by_status
          ON registry_versions (status, model, version DESC, deletedAtUs)
          WHERE deletedAtUs IS NULL;

        CREATE TABLE registry_inputs (
          kind TEXT NOT NULL, name TEXT NOT NULL, hash TEXT NOT NULL, model TEXT NOT NULL,
          version INTEGER NOT NULL, PRIMARY KEY (model, version, kind, name, hash),
          FOREIGN KEY (model, version) REFERENCES registry_versions (model, version)
            ON UPDATE CASCADE ON DELETE CASCADE) STRICT, WITHOUT ROWID;
        CREATE INDEX registry_inputs_by_hash
          ON registry_inputs (kind, name, hash, model, version DESC);
        CREATE INDEX registry_inputs_by_name
          ON registry_inputs (kind, name, model, version DESC);
        CREATE TRIGGER registry_inputs_kept AFTER INSERT ON registry_versions BEGIN
          INSERT INTO registry_inputs (kind, name, hash, model, version)
            SELECT 'snapshot', key, value, NEW.model, NEW.version
            FROM json_each(NEW.record, '$.build.snapshots')
            UNION
            SELECT 'feature-set', json_extract(value, '$.name'), json_extract(value, '$.version'),
              NEW.model, NEW.version
            FROM json_each(NEW.record, '$.build.featureSets');
        END;
        INSERT INTO registry_inputs (kind, name, hash, model, version)
          SELECT 'snapshot', each.key, each.value, v.model, v.version
          FROM registry_versions v, json_each(v.record, '$.build.snapshots') each
          UNION
          SELECT 'feature-set', json_extract(each.value, '$.name'),
            json_extract(each.value, '$.version'), v.model, v.version
          FROM registry_versions v, json_each(v.record, '$.build.featureSets') each;`,
    },
  ],
}

export interface ModelRow {
  name: string
  project: string
  createdAtUs: number
  createdBy: string
  description: string | null
  updatedAtUs: number
  deletedAtUs: number | null
}

export interface VersionRow {
  model: string
  version: number
  hash: string
  record: string
  status: string
  statusReason: string
  description: string | null
  stage: string
  updatedAtUs: number
  deletedAtUs: number | null
  wasApproved: number
  declaration: string
}

/** Columns that SQLite reads out of the record, for conditions and orders. */
interface GeneratedColumns {
  registeredAtUs: number
  runId: string
  source: string | null
  loggedModelId: string | null
}

interface Tag {
  model: string
  key: string
  value: string
}

export interface AliasRow {
  sequence: number | undefined
  model: string
  alias: string
  version: number
  fromUs: number
  setBy: string
  reason: string
  toUs: number | null
  endedBy: string | null
}

export interface LiveRow {
  sequence: number | undefined
  model: string
  version: number
  policy: string
  fromUs: number
  toUs: number | null
  startedBy: string
  endedBy: string | null
}

export interface RegistryTables {
  registry_models: ModelRow
  registry_model_tags: Tag
  registry_versions: VersionRow & Partial<GeneratedColumns>
  registry_version_tags: Tag & { version: number }
  registry_inputs: {
    kind: TrainingInput['kind']
    name: string
    hash: string
    model: string
    version: number
  }
  registry_names: { name: string; now: string; lastVersion: number }
  registry_alias_periods: AliasRow
  registry_live_periods: LiveRow
}
