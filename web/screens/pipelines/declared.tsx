/** The project's own pipelines: what each is for, when it runs, and running it by hand. */
import { Button, Modal, Textarea, TextInput } from '@mantine/core'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import type { DeclaredPipelines } from '../../../src/server/contract/index.ts'
import { useAct, useAsk } from '../../client/queries.ts'
import { PageLink, Panel } from '../../parts/layout.tsx'
import { notify } from '../../parts/notify.tsx'
import { SmallTable } from '../../parts/small-table.tsx'
import { Failed } from '../../parts/states.tsx'
import { ActButton } from '../models/acts.tsx'

type Declared = DeclaredPipelines['items'][number]

export function DeclaredPanel() {
  const answer = useAsk('declaredPipelines', {}, { staleTime: 30_000 })
  if (answer.data === undefined || answer.data.items.length === 0) return null
  return (
    <Panel title="Declared by the project" flush>
      <SmallTable
        label="Declared pipelines"
        pinned
        head={[
          { title: 'Pipeline' },
          { title: 'What it is for' },
          { title: 'Steps', right: true },
          { title: 'Runs by itself' },
          { title: 'Partitions' },
          { title: '' },
        ]}
        rows={answer.data.items.map((pipeline) => ({
          key: pipeline.name,
          cells: [
            <PageLink key="name" to={`/pipelines?pipeline=${encodeURIComponent(pipeline.name)}`}>
              {pipeline.name}
            </PageLink>,
            pipeline.description === '' ? pipeline.title : pipeline.description,
            pipeline.steps,
            pipeline.triggers.length === 0 ? (
              <span key="triggers" className="quiet">
                no
              </span>
            ) : (
              pipeline.triggers.join('; ')
            ),
            pipeline.partitions ?? (
              <span key="partitions" className="quiet">
                –
              </span>
            ),
            <RunButton key="run" pipeline={pipeline} />,
          ],
        }))}
      />
    </Panel>
  )
}

/** Runs the one of this name, where the project declares it. */
export function RunDeclared({ name }: { readonly name: string }) {
  const answer = useAsk('declaredPipelines', {}, { staleTime: 30_000 })
  const pipeline = answer.data?.items.find((one) => one.name === name)
  return pipeline === undefined ? null : <RunButton pipeline={pipeline} size="xs" />
}

function RunButton({
  pipeline,
  size = 'compact-xs',
}: {
  readonly pipeline: Declared
  readonly size?: 'xs' | 'compact-xs'
}) {
  const [opened, setOpened] = useState(false)
  return (
    <>
      <ActButton
        title="Run"
        of={pipeline.title}
        size={size}
        permission={pipeline.run}
        open={() => setOpened(true)}
      />
      <Modal opened={opened} onClose={() => setOpened(false)} title={`Run ${pipeline.title}`}>
        <RunForm pipeline={pipeline} done={() => setOpened(false)} />
      </Modal>
    </>
  )
}

/** One partition or a range of them, where it has any; parameters as declared unless changed. */
function RunForm({ pipeline, done }: { readonly pipeline: Declared; readonly done: () => void }) {
  const navigate = useNavigate()
  const start = useAct('startPipeline', ['pipelines'])
  const backfill = useAct('startBackfill', ['pipelines', 'pipelinePartitions', 'backfills'])
  const [params, setParams] = useState<Readonly<Record<string, string>>>({})
  const [from, setFrom] = useState('')
  const [to, setTo] = useState('')
  const [reason, setReason] = useState('')
  const hasPartitions = pipeline.partitions !== null
  const isRange = hasPartitions && to.trim() !== '' && to.trim() !== from.trim()
  const act = isRange ? backfill : start
  const asked = { params, reason: reason.trim() }
  const target = { params: { pipeline: pipeline.name } }
  const submit = () => {
    if (isRange) {
      const body = { ...asked, from: from.trim(), to: to.trim() }
      backfill.mutate(
        { ...target, body },
        {
          onSuccess: ({ sentence }) => {
            notify(sentence)
            done()
            void navigate({ to: '/pipelines', search: { pipeline: pipeline.name } })
          },
        },
      )
      return
    }
    const body = { ...asked, ...(hasPartitions && { partition: from.trim() }) }
    start.mutate(
      { ...target, body },
      {
        onSuccess: ({ id }) => {
          done()
          void navigate({ to: `/pipelines/${id}` })
        },
      },
    )
  }
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault()
        submit()
      }}
    >
      {pipeline.params.map((param, i) => (
        <TextInput
          key={param.name}
          data-autofocus={(i === 0 && !hasPartitions) || undefined}
          label={param.name}
          description={`${param.description === '' ? '' : `${param.description}. `}Empty: ${param.default}`}
          placeholder={param.default}
          value={params[param.name] ?? ''}
          onChange={({ currentTarget: { value } }) =>
            setParams(({ [param.name]: _, ...others }) =>
              value === '' ? others : { ...others, [param.name]: value },
            )
          }
        />
      ))}
      {hasPartitions ? (
        <>
          <TextInput
            label="Partition, or the first of several"
            description={pipeline.partitions}
            required
            data-autofocus
            value={from}
            onChange={(event) => setFrom(event.currentTarget.value)}
          />
          <TextInput
            label="The last, for several"
            description="Empty: that one alone"
            value={to}
            onChange={(event) => setTo(event.currentTarget.value)}
          />
        </>
      ) : null}
      <Textarea
        label="Reason"
        description="Kept in the audit log, with your name."
        data-autofocus={(!hasPartitions && pipeline.params.length === 0) || undefined}
        autosize
        minRows={2}
        value={reason}
        onChange={(event) => setReason(event.currentTarget.value)}
      />
      {act.error === null ? null : <Failed error={act.error} />}
      <Button
        type="submit"
        loading={act.isPending}
        disabled={reason.trim().length < 3 || (hasPartitions && from.trim() === '')}
      >
        {isRange ? 'Run them' : 'Run'}
      </Button>
    </form>
  )
}
