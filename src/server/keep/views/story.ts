// What became of a decision: decided, reviewed, labelled, corrected; oldest first.
import { caseId, type DecisionRecord, type Sequenced } from '../../../decisions/index.ts'
import type { Decision } from '../../contract/index.ts'
import { identityView, time } from '../present.ts'
import type { Rooms } from '../rooms.ts'

/** What happens to a case as a whole is told on the case. */
const told: ReadonlySet<string> = new Set(['verdict', 'undo', 'correct', 'label-refused'])

export async function storyOf(
  rooms: Rooms,
  record: Sequenced<DecisionRecord>,
  key: { readonly namespace: string; readonly policy: string; readonly eventId: string },
): Promise<Decision['story']> {
  const [labels, history, identities] = await Promise.all([
    rooms.decisions.labels(key.namespace, record.source, key.eventId),
    rooms.decisions.caseHistory(caseId(key.namespace, key.policy, key.eventId)),
    rooms.access.identities(),
  ])
  const people = new Map(identities.map((each) => [each.id, each]))
  const story: (Decision['story'][number] & { readonly atUs: number })[] = [
    {
      kind: 'decided',
      atUs: record.clockUs,
      at: time(record.clockUs),
      by: null,
      label: null,
      sentence: `Decided by ${record.versions.modelName} version ${record.versions.modelNumber}: ${record.outcome}.`,
    },
  ]
  for (const label of labels) {
    story.push({
      kind: 'label',
      atUs: label.arrivalTimeUs,
      at: time(label.arrivalTimeUs),
      by: identityView(people.get(label.author), label.author),
      label: label.positive ? 'fraud' : 'genuine',
      sentence: label.positive ? 'Confirmed as fraud.' : 'Confirmed as genuine.',
    })
  }
  for (const event of history) {
    if (!told.has(event.action)) continue
    if (event.action === 'label-refused') {
      story.push({
        kind: 'verdict',
        atUs: event.atUs,
        at: time(event.atUs),
        by: identityView(people.get(event.by), event.by),
        label: null,
        sentence: `The verdict did not become a label: ${event.reason}.`,
      })
      continue
    }
    const verdict = event.verdict === 'unsure' ? "can't tell" : event.verdict
    story.push({
      kind:
        event.action === 'undo'
          ? 'verdict-undone'
          : event.action === 'correct'
            ? 'correction'
            : 'verdict',
      atUs: event.atUs,
      at: time(event.atUs),
      by: identityView(people.get(event.by), event.by),
      label: event.verdict === 'fraud' || event.verdict === 'genuine' ? event.verdict : null,
      sentence:
        event.action === 'undo'
          ? 'The verdict was taken back.'
          : `${event.action === 'correct' ? 'Corrected to' : 'Reviewed as'} ${verdict}${event.reason === null ? '' : `: ${event.reason}`}.`,
    })
  }
  return story.toSorted((a, b) => a.atUs - b.atUs).map(({ atUs: _, ...entry }) => entry)
}
