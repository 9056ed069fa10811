import { accessErrors } from './errors.ts'
import type { ChangeBy, Identity, Role } from './types.ts'

/**
 * What can be done, in the words of the doors. Reading is one action because nothing in a first
 * bank is hidden from its readers; personal data will split it.
 */
export type Action =
  | 'read'
  | 'decide'
  | 'ingest'
  | 'work-cases'
  | 'run-pipelines'
  | 'track'
  | 'write-policies'
  | 'approve'
  | 'deploy'
  | 'manage-data'
  | 'manage-access'

/** What is acted on. The table looks at the action alone today; roles per object come later. */
export interface AccessObject {
  readonly kind: string
  readonly id: string
}

/** Separate duties: who administers does not approve unless given that role too. */
const allowed: Readonly<Record<Role, readonly Action[]>> = {
  administrator: [
    'read',
    'decide',
    'ingest',
    'work-cases',
    'run-pipelines',
    'track',
    'write-policies',
    'deploy',
    'manage-data',
    'manage-access',
  ],
  approver: ['read', 'approve'],
  analyst: ['read', 'decide', 'ingest', 'work-cases', 'run-pipelines', 'track', 'write-policies'],
  reader: ['read'],
  // A payment switch asks for decisions and predictions; it has no business with anything else.
  caller: ['decide'],
}

export const roles = Object.keys(allowed) as readonly Role[]

/** Whether an identity may do something to an object. */
export function may(
  identity: Pick<Identity, 'roles'> | undefined,
  action: Action,
  _object?: AccessObject,
): boolean {
  return identity?.roles.some((role) => allowed[role]?.includes(action)) ?? false
}

/** Returns the identity if it may; otherwise fails with `unauthenticated` or `forbidden`. */
export function requireMay<I extends Pick<Identity, 'roles' | 'name'>>(
  identity: I | undefined,
  action: Action,
  object?: AccessObject,
): I {
  if (identity === undefined) {
    throw accessErrors.unauthenticated(`To ${action}, Assay must know who asks.`)
  }
  if (!may(identity, action, object)) {
    const roleNames = identity.roles.join(', ') || 'no role'
    const target = object === undefined ? '' : ` ${object.kind} ${object.id}`
    throw accessErrors.forbidden(`${identity.name} (${roleNames}) may not ${action}${target}.`)
  }
  return identity
}

/** A change without a reason is refused before anything happens; returns the trimmed reason. */
export function requireReason(by: ChangeBy): string {
  const reason = by.reason.trim()
  if (reason === '') {
    throw accessErrors.reason_missing(`The change by ${by.actor.name} came without a reason.`)
  }
  return reason.slice(0, reasonLengthMax)
}

const reasonLengthMax = 2000
