/** The statements that wrote a log's messages, with an example and a trend, and those that are new. */
import { useAsk } from '../../client/queries.ts'
import { Spark } from '../../parts/charts.tsx'
import { count, none, shortDateTime } from '../../parts/figures.ts'
import { Panel } from '../../parts/layout.tsx'
import { SmallTable } from '../../parts/small-table.tsx'
import { Answered, Empty } from '../../parts/states.tsx'
import { useTimeZone } from '../../shell/bank.ts'

const SHOWN = 50
const NEWS = 5

export function TemplatesPanel({ stream }: { readonly stream: string }) {
  const zone = useTimeZone()
  const answer = useAsk(
    'logTemplates',
    { params: { stream }, query: { limit: SHOWN } },
    { every: 5_000, keepPrevious: true },
  )
  const time = (at: string | null) => (at === null ? none : shortDateTime(at, zone))
  return (
    <Panel title="Templates" aside={answer.data && count(answer.data.total)}>
      <Answered answer={answer}>
        {({ items, news, total }) =>
          items.length === 0 ? (
            <Empty title="No message is read yet">
              Messages are told apart by the statement that wrote them.
            </Empty>
          ) : (
            <>
              {news.slice(0, NEWS).map(({ id, kind, text, at }) => (
                <p key={`${id}${kind}${at}`} className="quiet">
                  {kind === 'first-seen' ? 'First seen' : 'No room any more for'} {time(at)}:{' '}
                  <code>{text}</code>
                </p>
              ))}
              <SmallTable
                label="Templates of messages"
                pinned
                head={[
                  { title: 'Template' },
                  { title: 'Messages', right: true },
                  { title: 'Trend' },
                  { title: 'First' },
                  { title: 'Last' },
                  { title: 'Example' },
                ]}
                rows={items.map((template) => ({
                  key: template.id,
                  cells: [
                    <code key="text" title={template.id}>
                      {template.text}
                    </code>,
                    count(template.count),
                    <Spark key="trend" values={template.trend} />,
                    time(template.firstSeen),
                    time(template.lastSeen),
                    <span key="example" className="quiet">
                      {template.example}
                    </span>,
                  ],
                }))}
              />
              {total > items.length ? (
                <p className="quiet">The {count(items.length)} with most messages.</p>
              ) : null}
            </>
          )
        }
      </Answered>
    </Panel>
  )
}
