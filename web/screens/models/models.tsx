import { useAsk } from '../../client/queries.ts'
import type { Models } from '../../../src/server/contract/index.ts'
import { dateTime, estimateText, plural } from '../../parts/figures.ts'
import { Folded, PageLink, Panel, ScreenHead } from '../../parts/layout.tsx'
import { SmallTable } from '../../parts/small-table.tsx'
import { Answered, Empty } from '../../parts/states.tsx'
import { VerdictLine } from '../../parts/verdict.tsx'
import { useTimeZone } from '../../shell/bank.ts'
import { RestoreModelButton } from './removal.tsx'

export default function ModelsScreen() {
  const answer = useAsk('models', {}, { every: 5_000 })
  return (
    <>
      <ScreenHead
        title="Models"
        note="A version is live only after its gate held and two people, neither of whom trained or registered it, approved it."
      />
      <Panel flush>
        <Answered answer={answer}>
          {({ items }) =>
            items.length === 0 ? (
              <Empty title="No models yet" command="npx assay start --project FOLDER">
                The better of the trained models becomes version 1.
              </Empty>
            ) : (
              <SmallTable
                label="Models"
                pinned
                head={[
                  { title: 'Model' },
                  { title: 'Live' },
                  { title: 'Learner' },
                  { title: 'First metric' },
                  { title: 'Versions', right: true },
                  { title: 'Owner' },
                  { title: 'Verdict' },
                ]}
                rows={items.map((model) => ({
                  key: model.name,
                  cells: [
                    <span key="name">
                      <PageLink to={`/models/${model.name}`}>{model.title}</PageLink>
                      <br />
                      <span className="quiet">{model.purpose}</span>
                    </span>,
                    model.live === null ? (
                      <span key="live" className="quiet">
                        none
                      </span>
                    ) : (
                      <PageLink key="live" to={`/models/${model.name}/${model.live.version}`}>
                        v{model.live.version}
                      </PageLink>
                    ),
                    model.live?.learner ?? model.latest?.learner ?? '',
                    model.live?.metrics[0] === undefined
                      ? '–'
                      : `${model.live.metrics[0].title} ${estimateText(model.live.metrics[0].estimate)}`,
                    model.versions,
                    model.owner,
                    <VerdictLine key="verdict" verdict={model.verdict} />,
                  ],
                }))}
              />
            )
          }
        </Answered>
      </Panel>
      {answer.data === undefined ? null : <Deleted models={answer.data.deleted} />}
    </>
  )
}

function Deleted({ models }: { readonly models: Models['deleted'] }) {
  const zone = useTimeZone()
  if (models.length === 0) return null
  return (
    <Folded title={`Deleted: ${plural(models.length, 'model')}`}>
      <Panel flush>
        <SmallTable
          label="Deleted models"
          head={[
            { title: 'Model' },
            { title: 'Versions', right: true },
            { title: `Deleted, ${zone}` },
            { title: '' },
          ]}
          rows={models.map(({ name, versions, deletedAt, restore }) => ({
            key: name,
            cells: [
              <PageLink key="name" to={`/models/${name}`}>
                {name}
              </PageLink>,
              versions,
              dateTime(deletedAt, zone),
              <RestoreModelButton key="restore" name={name} permission={restore} />,
            ],
          }))}
        />
      </Panel>
    </Folded>
  )
}
