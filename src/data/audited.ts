import { requireReason } from '../access/index.ts'
import type { AuditLog } from '../audit/index.ts'
import type { UnitOfWork } from '../lib/unit-of-work.ts'
import { fail } from './errors.ts'
import type { CorrectableCatalog, DatasetCatalog, QuarantineStore } from './ports.ts'

/**
 * The same catalogue and quarantine, with an audit entry in the transaction of every change that a
 * person or program makes: snapshots recorded, quarantined rows closed. Entries hold hashes, counts
 * and ids, never a row's content.
 */
export function auditedStores(
  stores: { readonly catalog: DatasetCatalog; readonly quarantine: QuarantineStore },
  dependencies: { readonly unit: UnitOfWork; readonly audit: Pick<AuditLog, 'append'> },
): { readonly catalog: CorrectableCatalog; readonly quarantine: QuarantineStore } {
  const { unit, audit } = dependencies
  const { catalog, quarantine } = stores

  const record: DatasetCatalog['record'] = (snapshots, by) =>
    unit.transaction(async () => {
      const reason = requireReason(by)
      await catalog.record(snapshots, by)
      for (const snapshot of snapshots) {
        const { dataset, hash, rows, mode, ingestion, counts, contract, origin } = snapshot
        await audit.append({
          actor: by.actor.id,
          action: 'data.snapshot-recorded',
          object: { kind: 'snapshot', id: hash },
          reason,
          details: {
            dataset,
            rows,
            mode,
            ingestion,
            counts,
            contractVersion: contract.version,
            origin: origin.kind,
          },
        })
      }
    })

  const resolve: QuarantineStore['resolve'] = (ids, resolution, by) =>
    unit.transaction(async () => {
      const reason = requireReason(by)
      const closed = await quarantine.resolve(ids, resolution, by)
      const { status, snapshot } = resolution
      await audit.append({
        actor: by.actor.id,
        action: `data.quarantine-${status}`,
        object: { kind: 'quarantine', id: ids[0] ?? 'none' },
        reason,
        details: { rows: closed, snapshot, ids: ids.slice(0, 100) },
      })
      return closed
    })

  return {
    catalog: {
      datasets: () => catalog.datasets(),
      snapshots: (dataset, page) => catalog.snapshots(dataset, page),
      current: (dataset) => catalog.current(dataset),
      snapshot: (hash) => catalog.snapshot(hash),
      record,
      recordCorrected: (snapshots, { ids, ...closed }, by) =>
        unit.transaction(async () => {
          // Asked first: whoever closed one of them meanwhile leaves nothing to undo.
          const open = (await quarantine.get(ids)).filter(({ status }) => status === 'open')
          if (open.length < ids.length) {
            throw fail.quarantine_not_open('One of the rows was closed by someone else meanwhile.')
          }
          await record(snapshots, by)
          await resolve(ids, { status: 'resolved', ...closed }, by)
        }),
    },
    quarantine: {
      put: (rows) => unit.transaction(() => quarantine.put(rows)),
      list: (filter, page) => quarantine.list(filter, page),
      get: (ids) => quarantine.get(ids),
      summary: (filter) => quarantine.summary(filter),
      resolve,
    },
  }
}
