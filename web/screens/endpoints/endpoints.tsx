import { useAsk } from '../../client/queries.ts'
import { count } from '../../parts/figures.ts'
import { ObjectLink, PageLink, Panel, ScreenHead } from '../../parts/layout.tsx'
import { SmallTable } from '../../parts/small-table.tsx'
import { Answered, Empty } from '../../parts/states.tsx'
import { VerdictLine } from '../../parts/verdict.tsx'

export default function EndpointsScreen() {
  const answer = useAsk('endpoints', {}, { every: 10_000 })
  return (
    <>
      <ScreenHead
        above={<PageLink to="/models">Models</PageLink>}
        title="Endpoints"
        note="Policies that answer traffic: their champions, and who is tried beside them."
      />
      <Panel title="Policies" flush>
        <Answered answer={answer}>
          {({ items }) =>
            items.length === 0 ? (
              <Empty title="Nothing answers traffic yet">
                Deploy an approved version from its page under Models.
              </Empty>
            ) : (
              <SmallTable
                label="Endpoints"
                head={[
                  { title: 'Policy' },
                  { title: 'Champion' },
                  { title: 'Challengers', right: true },
                  { title: 'Proposals', right: true },
                  { title: 'Verdict' },
                ]}
                rows={items.map((each) => ({
                  key: each.policy.id,
                  cells: [
                    <PageLink key="policy" to={`/endpoints/${each.policy.id}`}>
                      {each.policy.title}
                    </PageLink>,
                    <ObjectLink key="champion" target={each.champion} />,
                    count(each.challengers),
                    count(each.proposals),
                    <VerdictLine key="verdict" verdict={each.verdict} />,
                  ],
                }))}
              />
            )
          }
        </Answered>
      </Panel>
    </>
  )
}
