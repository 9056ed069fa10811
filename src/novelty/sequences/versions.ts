import type { Clock } from '../../lib/clock.ts'
import { fail } from '../errors.ts'
import { SequenceKnowledge, type KnowledgeState } from './knowledge.ts'
import { SequenceModel } from './model.ts'
import { checkWhole, type SequenceOptions } from './options.ts'

/** Who says that sessions are normal, or that a version is to be returned to, and why. */
export interface Confirmation {
  readonly actor: string
  readonly reason: string
}

export interface SequenceChange extends Confirmation {
  readonly kind: 'learnt' | 'rolled back'
  readonly version: string
  /** The version before; null for the first. */
  readonly before: string | null
  /** Microseconds UTC. */
  readonly atUs: number
  /** All sessions that the version knows. */
  readonly sessions: number
  /** Sessions that were added, and how many of them the version before called unknown. */
  readonly added: number
  readonly unknownBefore: number
}

export interface VersionsState {
  readonly kept: readonly KnowledgeState[]
  readonly current: string | null
  readonly changes: readonly SequenceChange[]
  readonly changesDropped: number
}

export interface VersionsOptions {
  readonly clock: Clock
  /** How many versions can be returned to. Default 16. */
  readonly kept?: number
}

const CHANGES_MAX = 1000

/**
 * The versions of what is known. Only sessions that somebody confirmed as normal make a new one; a window that was
 * merely called known is not learnt, so that nobody can teach the filter by acting long enough within its threshold.
 */
export class SequenceVersions {
  private readonly options: SequenceOptions
  private readonly clock: Clock
  private readonly keptMax: number
  /** The one used last stands last. */
  private readonly kept = new Map<string, SequenceModel>()
  private model: SequenceModel | undefined
  private readonly recent: SequenceChange[] = []
  private dropped = 0

  constructor(options: SequenceOptions, { clock, kept = 16 }: VersionsOptions) {
    checkWhole('kept', kept, 1, 1000)
    this.options = options
    this.clock = clock
    this.keptMax = kept
  }

  /** What judges now; undefined before anything was learnt. */
  get current(): SequenceModel | undefined {
    return this.model
  }

  /** The last thousand changes, the oldest first, and how many were before them. */
  changes(): { readonly changes: readonly SequenceChange[]; readonly dropped: number } {
    return { changes: this.recent, dropped: this.dropped }
  }

  /** Versions that can be returned to. */
  versions(): string[] {
    return [...this.kept.keys()]
  }

  /**
   * Makes a new version that also knows these sessions. Errors: `sequence_change_unexplained`, `sessions_unusable`;
   * then nothing has changed.
   */
  learn(sessions: Iterable<readonly string[]>, by: Confirmation): SequenceModel {
    checkExplained(by)
    const before = this.model
    const knowledge =
      before === undefined
        ? new SequenceKnowledge(this.options)
        : SequenceKnowledge.fromState(before.toState())
    let [added, unknownBefore] = [0, 0]
    for (const session of sessions) {
      knowledge.learn(session)
      added++
      if (before !== undefined && !before.judge(session).known) unknownBefore++
    }
    if (added === 0) throw fail.sessions_unusable('There is no session to learn.')
    return this.become(SequenceModel.of(knowledge), 'learnt', by, { added, unknownBefore })
  }

  /** Returns to a version. Errors: `sequence_change_unexplained`, `sequence_version_unknown`. */
  rollBack(version: string, by: Confirmation): SequenceModel {
    checkExplained(by)
    const model = this.kept.get(version)
    if (model === undefined) {
      throw fail.sequence_version_unknown(
        `${version} is not among the ${this.kept.size} versions that are kept.`,
      )
    }
    return this.become(model, 'rolled back', by, { added: 0, unknownBefore: 0 })
  }

  private become(
    model: SequenceModel,
    kind: SequenceChange['kind'],
    { actor, reason }: Confirmation,
    counts: Pick<SequenceChange, 'added' | 'unknownBefore'>,
  ): SequenceModel {
    const { version, sessions } = model
    const before = this.model?.version ?? null
    const atUs = this.clock.nowUs()
    this.recent.push({ kind, version, before, atUs, actor, reason, sessions, ...counts })
    if (this.recent.length > CHANGES_MAX) {
      this.recent.shift()
      this.dropped++
    }
    this.keep(model)
    this.model = model
    return model
  }

  private keep(model: SequenceModel): void {
    this.kept.delete(model.version)
    this.kept.set(model.version, model)
    const [oldest] = this.kept.keys()
    if (this.kept.size > this.keptMax) this.kept.delete(oldest)
  }

  toState(): VersionsState {
    return {
      kept: [...this.kept.values()].map((model) => model.toState()),
      current: this.model?.version ?? null,
      changes: [...this.recent],
      changesDropped: this.dropped,
    }
  }

  /** Errors: `sequence_state_damaged`, those of reading the knowledge. */
  static fromState(
    state: VersionsState,
    options: SequenceOptions,
    how: VersionsOptions,
  ): SequenceVersions {
    const versions = new SequenceVersions(options, how)
    for (const each of state.kept) versions.keep(SequenceModel.fromState(each))
    versions.model = state.current === null ? undefined : versions.kept.get(state.current)
    if (state.current !== null && versions.model === undefined) {
      throw fail.sequence_state_damaged(
        `Its current version ${state.current} is missing or changed.`,
      )
    }
    versions.recent.push(...state.changes)
    versions.dropped = state.changesDropped
    return versions
  }
}

function checkExplained({ actor, reason }: Confirmation): void {
  if (actor.trim() !== '' && reason.trim() !== '') return
  throw fail.sequence_change_unexplained('Actor or reason is empty.')
}
