import { may, type Identity } from '../../../access/index.ts'
import {
  afterReviewDueUs,
  gateRequirements,
  type AfterReview,
  type InventoryEntry,
} from '../../../governance/index.ts'
import type { AfterReview as AfterReviewView, Governance } from '../../contract/index.ts'
import type { Handlers } from '../handlers.ts'
import { identityView, plural, ref, time, verdict, versionRef } from '../present.ts'
import type { Rooms } from '../rooms.ts'
import { firstVersion, versionsWith } from './first-version.ts'

/** As many of a model's newest candidates are looked at. */
const CANDIDATES_MAX = 100

const AFTER_REVIEWS_MAX = 100
const SIGNED_SHOWN = 20

export function governanceViews(rooms: Rooms): Pick<Handlers, 'governance' | 'signAfterReview'> {
  const { governance, registry, afterReviews, access, clock } = rooms
  const people = async () => new Map((await access.identities()).map((each) => [each.id, each]))

  /** Those that wait for a look, then the newest that had one. */
  async function actsAtOnce(): Promise<AfterReview[]> {
    const [open, newest] = await Promise.all([
      afterReviews.list({ open: true, limit: AFTER_REVIEWS_MAX }),
      afterReviews.list({ open: false, limit: SIGNED_SHOWN }),
    ])
    return [...open, ...newest.filter(({ signed }) => signed !== undefined)]
  }

  async function modelRow(entry: InventoryEntry) {
    const { model } = entry
    const live = (await firstVersion(registry, { model, status: 'live' }))?.version
    const shown = live ?? (await firstVersion(registry, { model }))?.version
    const standing = shown && (await governance.standing(shown.model, shown.version))
    const card = shown && (await governance.card(shown.model, shown.version))
    const missing = [...(card?.missing ?? [])]
    const row: Governance['inventory'][number] = {
      model: ref('model', entry.model),
      purpose: entry.purpose,
      owner: entry.owner,
      tier: entry.tier,
      tierReason: entry.tierRationale,
      status: shown?.status ?? 'none',
      live: live === undefined ? null : versionRef(live.model, live.version),
      approvals:
        standing === undefined
          ? 'none'
          : `${standing.given} of ${standing.required}${standing.watermark === undefined ? '' : ', by script (example)'}`,
      cardComplete: card !== undefined && missing.length === 0,
      missing,
      changedAt: time(shown?.registeredAtUs ?? entry.updatedAtUs),
      verdict:
        missing.length > 0
          ? verdict('warning', `The card lacks ${missing.join(', ')}.`)
          : verdict(live === undefined ? 'no-data' : 'ok', standing?.message ?? 'No version yet.'),
    }
    return { row, entry }
  }

  return {
    signAfterReview: async ({ params, body, identity }) => {
      const request = { id: params.review, verdict: body.verdict, note: body.note }
      const signed = await afterReviews.sign(request, identity.id)
      return afterReviewView(signed, await people(), identity, clock.nowUs())
    },
    async governance({ identity }) {
      const known = await people()
      const models = await Promise.all((await governance.inventory()).map(modelRow))
      const waiting: Governance['waiting'] = []
      let waitingMore = false
      for (const { entry } of models) {
        const { versions, next } = await registry.searchVersions({
          filter: versionsWith({ model: entry.model, status: 'candidate' }),
          prompts: 'with',
          order: [],
          limit: CANDIDATES_MAX,
        })
        waitingMore ||= next !== undefined
        for (const { version } of versions) {
          const standing = await governance.standing(version.model, version.version)
          if (standing.state !== 'awaiting-approval') continue
          waiting.push({
            version: versionRef(version.model, version.version),
            sentence: standing.message,
            since: time(version.registeredAtUs),
          })
        }
      }
      const among = waitingMore ? ' among the newest candidates' : ''
      const nowUs = clock.nowUs()
      const acts = (await actsAtOnce()).map((each) => afterReviewView(each, known, identity, nowUs))
      const late = acts.filter(({ overdue }) => overdue).length
      return {
        verdict:
          late > 0
            ? verdict(
                'alert',
                `${plural(late, 'act')} of one person, which nobody has looked at for more than a day.`,
              )
            : waiting.length === 0
              ? verdict(
                  'ok',
                  `${plural(models.length, 'model')} under governance; nothing waits for approval${among}.`,
                )
              : verdict(
                  'warning',
                  `${plural(waiting.length, 'version')} waiting for approval${among}.`,
                ),
        inventory: models.map(({ row }) => row),
        gates: await Promise.all(models.map(({ entry }) => gateView(entry))),
        waiting,
        afterReviews: acts,
        waitingMore,
      }
    },
  }

  async function gateView(entry: InventoryEntry): Promise<Governance['gates'][number]> {
    const [gate, runs] = await Promise.all([
      governance.gate(entry.gateHash),
      governance.gateRuns(entry.model),
    ])
    return {
      name: entry.gate,
      version: entry.gateHash,
      requirements: gate === undefined ? [] : gateRequirements(gate),
      approvals: gate?.approvals ?? 0,
      results: runs.map((run) => ({
        version: versionRef(run.model, run.version),
        passed: run.passed,
        at: time(run.ranAtUs),
        sentence: run.passed
          ? `All ${run.checks.length} checks hold.`
          : run.checks
              .filter((check) => !check.passed)
              .map(({ message }) => message)
              .join(' '),
      })),
    }
  }
}

function afterReviewView(
  review: AfterReview,
  known: ReadonlyMap<string, Identity>,
  identity: Identity,
  nowUs: number,
): AfterReviewView {
  const { id, act, what, actorId, reason, atUs, signed } = review
  const why =
    signed !== undefined
      ? 'Somebody has looked at it.'
      : actorId === identity.id
        ? 'Nobody looks at their own act.'
        : may(identity, 'approve') && identity.kind === 'person'
          ? null
          : 'Only an approver looks at it.'
  return {
    id,
    act,
    what,
    by: identityView(known.get(actorId), actorId),
    reason,
    at: time(atUs),
    dueAt: time(afterReviewDueUs(review)),
    overdue: signed === undefined && afterReviewDueUs(review) < nowUs,
    signed:
      signed === undefined
        ? null
        : {
            by: identityView(known.get(signed.identityId), signed.identityId),
            verdict: signed.verdict,
            note: signed.note,
            at: time(signed.atUs),
          },
    sign: { allowed: why === null, reason: why },
  }
}
