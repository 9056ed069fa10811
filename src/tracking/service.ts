import type { ChangeBy } from '../access/index.ts'
import { createContext, type Context, type TrackingDependencies } from './context.ts'
import { createFiles, type Files } from './files.ts'
import { experimentsOf, type Experiments } from './experiments.ts'
import { loggedModelsOf, type LoggedModels } from './logged-models.ts'
import { amender, loggingOf, type Logging } from './logging.ts'
import { purgeOf, type Purge } from './purge.ts'
import { runsOf, type Runs } from './runs.ts'
import { searchesOf, type Searches } from './searches.ts'
import type { Artifact } from './types.ts'

/**
 * Experiments, their runs and logged models. Starting, ending, deleting and restoring are audited,
 * the end of a run with the content hash of all that was logged; single values are not, because the
 * hash covers them.
 */
export interface Tracking
  extends Experiments, Runs, Logging, Searches, LoggedModels, Artifacts, Purge {
  /** Files of runs and logged models, as trees of names. */
  readonly files: Files
}

interface Artifacts {
  /** Keeps a file of the run; the same name replaces the earlier. */
  logArtifact(runId: string, artifact: NewArtifact, by?: ChangeBy): Promise<Artifact>
  /** The bytes of an artifact, checked against their hash. */
  artifact(runId: string, name: string): Promise<Artifact & { readonly bytes: Uint8Array }>
}

export interface NewArtifact {
  readonly name: string
  readonly contentType: string
  /** The content: bytes, or text that is kept as UTF-8. */
  readonly content: Uint8Array | string
}

export function createTracking(dependencies: TrackingDependencies): Tracking {
  const context = createContext(dependencies)
  const files = filesOf(context)
  return {
    ...experimentsOf(context),
    ...runsOf(context),
    ...loggingOf(context),
    ...searchesOf(context),
    ...loggedModelsOf(context),
    ...artifactsOf(context, files),
    ...purgeOf(context, files),
    files,
  }
}

/** What runs and logged models say about their files. */
function filesOf(context: Context): Files {
  const { store, unit, writableRun, loggedModelOrFail } = context
  const amending = amender(context)
  return createFiles({
    ...context,
    store: store.files,
    owners: {
      isKept: async ({ kind, id }) => kind !== 'folder' && ((await context.isKept?.(id)) ?? false),
      async check({ kind, id }) {
        if (kind === 'run') await writableRun(id)
        if (kind === 'logged-model') await loggedModelOrFail(id)
      },
      change(owner, by, write) {
        if (owner.kind === 'run') return amending(owner.id, by, write)
        return unit.transaction(async () => {
          if (owner.kind === 'logged-model') await loggedModelOrFail(owner.id)
          return write()
        })
      },
    },
  })
}

function artifactsOf({ runHeadOrFail, writableRun }: Context, files: Files): Artifacts {
  const ownerOf = (id: string) => ({ kind: 'run', id }) as const
  return {
    async logArtifact(runId, { name, contentType, content }, by) {
      const { startedBy } = await writableRun(runId)
      const who = by ?? {
        actor: { id: startedBy, name: startedBy, kind: 'system' as const },
        reason: 'Logged by the run',
      }
      const file = { path: name, contentType, content }
      const { sha256, size } = await files.put(ownerOf(runId), file, who)
      return { name, contentType, sha256, size }
    },

    async artifact(runId, name) {
      await runHeadOrFail(runId)
      const { contentType, sha256, size, bytes } = await files.read(ownerOf(runId), name)
      return { name, contentType, sha256, size, bytes }
    },
  }
}
