// Applying a project makes its declarations the ones that everything else goes by.
import { isDeepStrictEqual } from 'node:util'
import type { ChangeBy } from '../access/index.ts'
import type { AuditLog } from '../audit/index.ts'
import type { Clock } from '../lib/clock.ts'
import type { UnitOfWork } from '../lib/unit-of-work.ts'
import type { DeclaredProject } from './declare.ts'

export interface AppliedProject {
  readonly project: DeclaredProject
  readonly appliedAtUs: number
  readonly appliedBy: string
}

/** Every project that was applied; the last one holds. */
export interface ProjectStore {
  insert(applied: AppliedProject): Promise<void>
  latest(): Promise<AppliedProject | undefined>
  /** The last that was applied up to an instant, µs UTC. */
  at(atUs: number): Promise<AppliedProject | undefined>
}

export interface Projects {
  /** Keeps the project with an audit entry; the same version again changes its text at most. */
  apply(project: DeclaredProject, by: ChangeBy): Promise<void>
  current(): Promise<AppliedProject | undefined>
  /** The project that was in force at an instant, µs UTC. */
  at(atUs: number): Promise<AppliedProject | undefined>
}

export interface ProjectsDependencies {
  readonly store: ProjectStore
  readonly unit: UnitOfWork
  readonly audit: Pick<AuditLog, 'append'>
  readonly clock: Clock
}

export function createProjects({ store, unit, audit, clock }: ProjectsDependencies): Projects {
  return {
    current: () => store.latest(),
    at: (atUs) => store.at(atUs),
    apply: (project, by) =>
      unit.transaction(async () => {
        const before = await store.latest()
        const isSame = before?.project.version === project.version
        if (isSame && isDeepStrictEqual(before.project.declarations, project.declarations)) return
        await store.insert({ project, appliedAtUs: clock.nowUs(), appliedBy: by.actor.id })
        // Written differently it means the same: people read the new text, and nothing has changed.
        if (isSame) return
        await audit.append({
          actor: by.actor.id,
          action: 'projects.applied',
          object: { kind: 'project', id: project.name },
          reason: by.reason,
          details: { version: project.version, before: before?.project.version ?? null },
        })
      }),
  }
}

/** The in-memory version of the port. */
export function createMemoryProjectStore(): ProjectStore {
  const all: AppliedProject[] = []
  return {
    insert: async (applied) => {
      all.push(applied)
    },
    latest: async () => all.at(-1),
    at: async (atUs) => all.findLast(({ appliedAtUs }) => appliedAtUs <= atUs),
  }
}
