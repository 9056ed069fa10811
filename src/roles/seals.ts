// Decisions enter the audit log by the hash of each sealed journal segment.
import type { AuditLog } from '../audit/index.ts'
import { systemActor } from '../access/index.ts'
import type { DecideRemote } from '../decisions/index.ts'
import type { Remote } from '../lib/rpc.ts'

const ACTION = 'decisions.segment-sealed'

export function createSealRecorder({
  decide,
  audit,
}: {
  readonly decide: Remote<DecideRemote>
  readonly audit: AuditLog
}): { record(): Promise<void> } {
  let known: Set<string> | undefined
  let last: Promise<void> = Promise.resolve()

  async function recorded(): Promise<Set<string>> {
    const names = new Set<string>()
    for (let before: number | undefined; ;) {
      const page = await audit.list({
        action: ACTION,
        limit: 1000,
        ...(before !== undefined && { before }),
      })
      for (const { entry } of page) names.add(entry.object.id)
      if (page.length < 1000) return names
      before = page.at(-1)!.entry.index
    }
  }

  async function recordAll(): Promise<void> {
    known ??= await recorded()
    for (const { namespace } of await decide.namespaces()) {
      for (const segment of await decide.sealed({ namespace })) {
        const id = `${namespace}/${segment.name}`
        if (known.has(id)) continue
        await audit.append({
          actor: systemActor.id,
          action: ACTION,
          object: { kind: 'journal-segment', id },
          reason: 'The segment is full and will not change any more',
          details: { namespace, ...segment },
        })
        known.add(id)
      }
    }
  }

  return {
    /** One after the other, so that no segment is recorded twice. */
    record() {
      const recording = last.then(recordAll)
      last = recording.catch(() => undefined)
      return recording
    },
  }
}
