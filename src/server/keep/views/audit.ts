import {
  verifyAudit,
  type AuditQuery,
  type AuditRecord,
  type Checkpoint,
} from '../../../audit/index.ts'
import { monotonicUs } from '../../../lib/clock.ts'
import type {
  AuditEntry,
  AuditVerified,
  Checkpoint as CheckpointView,
  ObjectRef,
} from '../../contract/index.ts'
import type { Static } from '@sinclair/typebox'
import type { Handlers } from '../handlers.ts'
import { count, identityView, ref, time, verdict } from '../present.ts'
import { cursorOf, resolveRange } from '../range.ts'
import type { Rooms } from '../rooms.ts'

/** The log lists at most a thousand; one of them tells whether there are more. */
const PAGE_MAX = 999

export function auditViews(rooms: Rooms): Pick<Handlers, 'audit' | 'auditEntry' | 'verifyAudit'> {
  const { audit, access } = rooms
  const people = async () => new Map((await access.identities()).map((each) => [each.id, each]))
  type People = Awaited<ReturnType<typeof people>>

  const entryView = ({ entry, leafHash }: AuditRecord, known: People): AuditEntry => ({
    index: entry.index,
    at: time(entry.atUs),
    actor: identityView(known.get(entry.actor), entry.actor),
    action: entry.action,
    object: objectView(entry.object),
    reason: entry.reason,
    leafHash,
    details: entry.details,
  })

  return {
    async audit({ query }) {
      // The log runs on the machine's clock, whatever time the bank's traffic plays.
      const range = resolveRange(query, rooms.clock.nowUs())
      const limit = Math.min(query.limit ?? 100, PAGE_MAX)
      const filter: Omit<AuditQuery, 'limit' | 'before'> = {
        ...(query.actor !== undefined && { actor: query.actor }),
        ...(query.action !== undefined && { action: query.action }),
        ...(query.kind !== undefined && { kind: query.kind }),
        ...(query.object !== undefined && { object: query.object }),
        ...(query.text !== undefined && { text: query.text }),
        ...(range.fromUs !== undefined && { fromUs: range.fromUs }),
        ...(range.toUs !== undefined && { toUs: range.toUs }),
      }
      const before = cursorOf(query.cursor)
      const [found, total, facets, checkpoint, known] = await Promise.all([
        audit.list({ ...filter, limit: limit + 1, ...(before !== undefined && { before }) }),
        matching(rooms, filter),
        audit.facets(),
        audit.latestCheckpoint(),
        people(),
      ])
      const shown = found.slice(0, limit)
      return {
        items: shown.map((record) => entryView(record, known)),
        next: found.length > limit ? String(shown.at(-1)!.entry.index) : null,
        total,
        checkpoint: checkpoint === undefined ? null : checkpointView(checkpoint),
        actions: facets.actions,
        actors: facets.actors.map((id) => identityView(known.get(id), id)),
      }
    },
    async auditEntry({ params }) {
      const record = await audit.entry(params.index)
      const proof = audit.inclusionProof(params.index)
      return {
        entry: entryView(record, await people()),
        treeSize: proof.size,
        root: proof.root,
        path: [...proof.path],
        verdict: verdict(
          'ok',
          `Entry ${params.index} is in the log of ${count(proof.size)} entries, proved by ${proof.path.length} hashes.`,
        ),
      }
    },
    async verifyAudit(): Promise<AuditVerified> {
      const startUs = monotonicUs()
      const lines: string[] = []
      for await (const line of audit.export()) lines.push(line)
      const { checkpoint } = JSON.parse(lines.pop()!) as { checkpoint: Checkpoint }
      const result = verifyAudit(lines, checkpoint, { publicKey: audit.publicKey })
      const sealed = await audit.list({ limit: 1000, action: 'decisions.segment-sealed' })
      return {
        verdict: result.intact
          ? verdict('ok', `All ${count(result.size)} entries are as they were written.`)
          : verdict('alert', result.findings[0]?.message ?? 'The log is not as it was signed.'),
        size: result.size,
        root: result.root,
        checkpoint: checkpointView(checkpoint),
        segments: sealed.length,
        tookMs: (monotonicUs() - startUs) / 1000,
        command: 'npx assay audit verify',
      }
    },
  }
}

/** How many entries a filter holds for. The log keeps no counts, so it is read where there is one. */
async function matching(
  { audit }: Rooms,
  filter: Omit<AuditQuery, 'limit' | 'before'>,
): Promise<number> {
  if (Object.keys(filter).length === 0) return audit.size
  let total = 0
  for (let before: number | undefined; ;) {
    const page = await audit.list({
      ...filter,
      limit: PAGE_MAX,
      ...(before !== undefined && { before }),
    })
    total += page.length
    if (page.length < PAGE_MAX) return total
    before = page.at(-1)!.entry.index
  }
}

function checkpointView(checkpoint: Checkpoint): Static<typeof CheckpointView> {
  return {
    size: checkpoint.size,
    root: checkpoint.root,
    at: time(checkpoint.atUs),
    keyId: checkpoint.keyId,
    signature: checkpoint.signature,
  }
}

/** Kinds of the audit log that have an address on the page; the others lead to the audit screen. */
const kinds: Readonly<Record<string, ObjectRef['kind']>> = {
  'model-version': 'version',
  model: 'model',
  run: 'run',
  policy: 'policy',
  identity: 'identity',
  dataset: 'dataset',
  gate: 'gate',
}

function objectView({ kind, id }: { readonly kind: string; readonly id: string }): ObjectRef {
  const known = kinds[kind]
  if (known === undefined)
    return ref('screen', `/audit?object=${encodeURIComponent(id)}`, `${kind} ${id}`)
  return ref(known, id, known === 'version' ? id.replace('/', ' version ') : id)
}
