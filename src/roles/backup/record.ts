// Who took a copy of everything, and where to, stands in the audit log: before it is taken, so that the
// copy tells of itself, and once it is done.
import type { AuditLog } from '../../audit/index.ts'
import { systemActor } from '../../access/index.ts'

/** The rpc service `backups` of `keep`, for commands. */
export interface BackupRecords {
  record(
    step: 'backup.begun' | 'backup.taken' | 'backup.restored',
    id: string,
    details: Readonly<Record<string, unknown>>,
  ): Promise<void>
}

export function recordBackups({ audit }: { readonly audit: AuditLog }): BackupRecords {
  return {
    async record(action, id, details) {
      const reason = `\`assay ${action === 'backup.restored' ? 'restore' : 'backup'}\`, by hand on the machine itself`
      const object = { kind: 'backup', id }
      await audit.append({ actor: systemActor.id, action, object, reason, details })
    },
  }
}
