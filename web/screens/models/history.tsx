/** What happened to a model, newest first: registrations, traffic, aliases. */
import type { HistoryEntry, Model } from '../../../src/server/contract/index.ts'
import { dateTime } from '../../parts/figures.ts'
import { ObjectLink, Panel } from '../../parts/layout.tsx'
import { useTimeZone } from '../../shell/bank.ts'

const marks: Readonly<Record<HistoryEntry['kind'], string>> = {
  registered: 'Registered',
  'live-from': 'Live',
  'live-to': 'No longer live',
  'alias-set': 'Named',
  'alias-ended': 'No longer named',
}

/** Most of what a page shows at once; the audit log has all of it. */
const SHOWN_MAX = 100

export function ModelHistory({ model }: { readonly model: Model }) {
  const zone = useTimeZone()
  return (
    <Panel title="History" aside={zone}>
      <ol className="story">
        {model.history.slice(0, SHOWN_MAX).map((entry) => (
          <li key={`${entry.at} ${entry.kind} ${entry.version.id} ${entry.subject}`}>
            <span className="quiet num">{dateTime(entry.at, zone)}</span>
            <span>
              <b>{marks[entry.kind]}</b>{' '}
              <ObjectLink target={entry.version}>v{entry.version.id.split('/')[1]}</ObjectLink>
              {subjectOf(entry)} · {entry.by.name}
              {entry.reason === '' ? '' : `: ${entry.reason}`}
            </span>
          </li>
        ))}
      </ol>
      {model.history.length > SHOWN_MAX ? (
        <p className="quiet">Older entries are in the audit log.</p>
      ) : null}
    </Panel>
  )
}

function subjectOf({ kind, subject }: HistoryEntry): string {
  switch (kind) {
    case 'registered':
      return ''
    case 'live-from':
    case 'live-to':
      return ` for policy ${subject}`
    case 'alias-set':
    case 'alias-ended':
      return ` @${subject}`
  }
}
